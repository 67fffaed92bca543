// Ethernet II frames with at most one 802.1Q tag (the VN Context on fabric links). Knows nothing of what is inside.

import { WireError } from '../base/errors.ts';
import type { Mac } from '../base/ids.ts';
import { macAddress, struct } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';

export const ETHER_TYPE = {
  ipv4: 0x0800,
  arp: 0x0806,
  rarp: 0x8035,
  vlan: 0x8100,
  ipv6: 0x86dd,
  /** IEEE 802 local experimental 1: our probes. */
  probe: 0x88b5,
  lldp: 0x88cc,
} as const;

/** IEEE 802.1Q tag control information. */
export interface VlanTag {
  readonly vid: number;
  readonly priority: number;
  readonly dropEligible: boolean;
}

export interface EthernetFrame {
  readonly destination: Mac;
  readonly source: Mac;
  readonly vlan: VlanTag | null;
  /** Below 0x600 it is a length (IEEE 802.3). */
  readonly etherType: number;
  /** May end in padding: shorter frames are filled to 60 bytes on the wire. */
  readonly payload: Buffer;
}

const addresses = struct({ destination: macAddress, source: macAddress });

/** The payload is a view of `data`. Raises WireError. */
export function decodeEthernet(data: Buffer): EthernetFrame {
  const r = new Reader(data);
  const { destination, source } = addresses.read(r, 'ethernet');
  let etherType = r.u16('ethernet.etherType');
  let vlan: VlanTag | null = null;
  if (etherType === ETHER_TYPE.vlan) {
    const tci = r.u16('ethernet.vlan');
    vlan = { vid: tci & 0xfff, priority: tci >> 13, dropEligible: (tci & 0x1000) !== 0 };
    etherType = r.u16('ethernet.etherType');
  }
  return { destination, source, vlan, etherType, payload: r.rest() };
}

export function encodeEthernet(frame: EthernetFrame): Buffer {
  const w = new Writer(18 + frame.payload.length);
  addresses.write(w, frame, 'ethernet');
  if (frame.vlan !== null) {
    const { vid, priority, dropEligible } = frame.vlan;
    if (vid > 0xfff || priority > 7) throw new WireError('TOO_LONG', 'ethernet.vlan', 14, `${vid}, ${priority}`);
    w.u16(ETHER_TYPE.vlan);
    w.u16((priority << 13) | (dropEligible ? 0x1000 : 0) | vid, 'ethernet.vlan');
  }
  w.u16(frame.etherType, 'ethernet.etherType');
  w.raw(frame.payload);
  return w.finish();
}

/** Group addresses (broadcast and multicast) have the lowest bit of the first octet set. */
export function isGroupMac(address: Mac): boolean {
  return (Number.parseInt(address.slice(0, 2), 16) & 1) === 1;
}

export const BROADCAST_MAC = 'ff:ff:ff:ff:ff:ff' as Mac;

/** Frames to this address are answers to the controller's own questions (presence probes): VAPs hand them to it. */
export const TDE_MAC = '02:53:46:00:00:01' as Mac;
