// The LLDP by which the TDE finds links: chassis id = dpid, port id = port number, and one organisationally specific TLV with
// the cycle's nonce, the time and an HMAC, so that forged, replayed or relayed LLDP is told from ours.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { WireError } from '../src/base/errors.ts';
import { dpid, portNo, type Mac } from '../src/base/ids.ts';
import { encodeEthernet, ETHER_TYPE } from '../src/packet/ethernet.ts';
import { STATEFERRY_OUI, STATEFERRY_TLV } from '../src/packet/lldp-announce.ts';
import { CHASSIS_ID, encodeLldp, LLDP_MULTICAST, organizationTlv, PORT_ID, type Lldp } from '../src/packet/lldp.ts';
import { bytes, decode, encode, struct, u64, u8 } from '../src/wire/codec.ts';
import { Writer } from '../src/wire/writer.ts';
import type { Place } from './place.ts';

const VERSION = 1;
const tlv = struct({ version: u8, nonce: u64, sentMicros: u64, hmac: bytes(32) });

/** What one of our LLDP frames says; proven only by `isAuthentic`. */
export interface DiscoverySays {
  readonly from: Place;
  readonly nonce: bigint;
  /** Of the machine's own time. */
  readonly sentMicros: bigint;
  readonly hmac: Buffer;
}

export interface DiscoveryInput {
  readonly from: Place;
  readonly nonce: bigint;
  readonly sentMicros: bigint;
  readonly key: Buffer;
  readonly source: Mac;
  readonly ttlSeconds: number;
}

export function encodeDiscovery(input: DiscoveryInput): Buffer {
  const { nonce, sentMicros } = input;
  const hmac = sign(input.key, input);
  const payload = encodeLldp({
    chassisId: { subtype: CHASSIS_ID.local, value: Buffer.from(`dpid:${input.from.nve}`, 'latin1') },
    portId: { subtype: PORT_ID.local, value: Buffer.from(String(input.from.port), 'latin1') },
    ttlSeconds: input.ttlSeconds,
    optional: [
      {
        type: 'organization',
        oui: STATEFERRY_OUI,
        subtype: STATEFERRY_TLV.fabric,
        value: encode(tlv, { version: VERSION, nonce, sentMicros, hmac }),
      },
    ],
  });
  return encodeEthernet({
    destination: LLDP_MULTICAST,
    source: input.source,
    vlan: null,
    etherType: ETHER_TYPE.lldp,
    payload,
  });
}

/** Null: not LLDP of a TDE. Raises WireError. */
export function discoveryOf(lldp: Lldp): DiscoverySays | null {
  const value = organizationTlv(lldp, STATEFERRY_OUI, STATEFERRY_TLV.fabric);
  if (value === null) return null;
  const { version, nonce, sentMicros, hmac } = decode(tlv, value, 'discovery');
  if (version !== VERSION) throw new WireError('BAD_VERSION', 'discovery.version', 0, String(version));
  const chassis = /^dpid:([0-9a-f]{16})$/.exec(lldp.chassisId.value.toString('latin1'))?.[1];
  if (chassis === undefined) throw new WireError('BAD_VALUE', 'discovery.chassisId', 0);
  const port = lldp.portId.value.toString('latin1');
  if (!/^[1-9][0-9]{0,9}$/.test(port)) throw new WireError('BAD_VALUE', 'discovery.portId', 0);
  return { from: { nve: dpid(chassis), port: portNo(Number(port)) }, nonce, sentMicros, hmac };
}

export function isAuthentic(says: DiscoverySays, key: Buffer): boolean {
  return timingSafeEqual(sign(key, says), says.hmac);
}

/** The nonce of one port in one cycle: nobody without the key foresees it, and the machine needs no random source. */
export function nonceOf(key: Buffer, label: string, from: Place, cycle: number): bigint {
  const text = `stateferry-${label}-nonce\0${from.nve}/${from.port}/${cycle}`;
  return createHmac('sha256', key).update(text).digest().readBigUInt64BE(0);
}

function sign(key: Buffer, says: { from: Place; nonce: bigint; sentMicros: bigint }): Buffer {
  const w = new Writer(64);
  w.raw(Buffer.from(`stateferry-fabric-1\0${says.from.nve}`, 'latin1'));
  w.u32(says.from.port, 'discovery.port');
  w.u64(says.nonce, 'discovery.nonce');
  w.u64(says.sentMicros, 'discovery.sentMicros');
  return createHmac('sha256', key).update(w.finish()).digest();
}
