// ARP (RFC 826) and, in the same shape, RARP (RFC 903) for IPv4 over Ethernet. Says nothing about who may claim what.

import { WireError } from '../base/errors.ts';
import type { IpAddress, Mac } from '../base/ids.ts';
import { encode, macAddress, struct, u16, u8 } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import { ETHER_TYPE } from './ethernet.ts';
import { ipv4Address } from './fields.ts';

/** 1-2 under EtherType 0x0806, 3-4 under 0x8035. */
export const ARP_OPERATION = { request: 1, reply: 2, reverseRequest: 3, reverseReply: 4 } as const;

export interface Arp {
  readonly operation: number;
  readonly senderMac: Mac;
  readonly senderIp: IpAddress;
  readonly targetMac: Mac;
  readonly targetIp: IpAddress;
}

const packet = struct({
  hardwareType: u16,
  protocolType: u16,
  hardwareLength: u8,
  protocolLength: u8,
  operation: u16,
  senderMac: macAddress,
  senderIp: ipv4Address,
  targetMac: macAddress,
  targetIp: ipv4Address,
});

const ETHERNET_IPV4 = { hardwareType: 1, protocolType: ETHER_TYPE.ipv4, hardwareLength: 6, protocolLength: 4 } as const;

/** Padding after the packet is ignored. Raises WireError. */
export function decodeArp(payload: Buffer): Arp {
  const read = packet.read(new Reader(payload), 'arp');
  for (const field of ['hardwareType', 'protocolType', 'hardwareLength', 'protocolLength'] as const) {
    if (read[field] !== ETHERNET_IPV4[field]) throw new WireError('BAD_VALUE', `arp.${field}`, 0, String(read[field]));
  }
  const { operation, senderMac, senderIp, targetMac, targetIp } = read;
  return { operation, senderMac, senderIp, targetMac, targetIp };
}

export function encodeArp(arp: Arp): Buffer {
  return encode(packet, { ...ETHERNET_IPV4, ...arp }, 'arp');
}

/** An announcement of the sender's own address (RFC 5227 3), as request or as reply. */
export function isGratuitousArp(arp: Arp): boolean {
  return arp.senderIp === arp.targetIp && arp.senderIp !== '0.0.0.0' && arp.operation <= ARP_OPERATION.reply;
}
