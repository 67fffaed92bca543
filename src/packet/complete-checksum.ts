// A packet as the kernel shows it on its way may have its transport checksum left to a network card. Sent on by other ways it
// needs it.

import { internetChecksum } from './checksum.ts';
import { ipEnds } from './ip-ends.ts';
import { IP_PROTOCOL } from './ipv4.ts';

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

const CHECKSUM_AT: Readonly<Record<number, number>> = {
  [IP_PROTOCOL.tcp]: 16,
  [IP_PROTOCOL.udp]: 6,
  [IP_PROTOCOL.icmpv6]: 2,
};

/** A copy with TCP, UDP or ICMPv6 checksum right, other protocols as they are; null where the packet is not whole, or a fragment. */
export function completeChecksum(packet: Buffer): Buffer | null {
  const out = Buffer.from(packet);
  const place = transportOf(out);
  if (place === null) return null;
  const { protocol, addresses, from, to } = place;
  const at = CHECKSUM_AT[protocol];
  const segment = out.subarray(from, to);
  if (at === undefined || segment.length < at + 2) return out;
  segment.writeUInt16BE(0, at);
  const pseudo = Buffer.alloc(8);
  pseudo.writeUInt32BE(segment.length, 0);
  pseudo.writeUInt8(protocol, 7);
  // Zero means "none" to UDP (RFC 768).
  const sum = internetChecksum(addresses, pseudo, segment);
  segment.writeUInt16BE(sum === 0 && protocol === IP_PROTOCOL.udp ? 0xffff : sum, at);
  return out;
}

interface Transport {
  readonly protocol: number;
  /** Source and destination, as they stand in the header. */
  readonly addresses: Buffer;
  readonly from: number;
  readonly to: number;
}

function transportOf(packet: Buffer): Transport | null {
  const ends = ipEnds(packet);
  if (ends === null) return null;
  const addresses = Buffer.concat([ends.source, ends.destination]);
  if (ends.version === 6) {
    const to = IPV6_HEADER + packet.readUInt16BE(4);
    return to > packet.length ? null : { protocol: packet[6] ?? 0, addresses, from: IPV6_HEADER, to };
  }
  const from = ((packet[0] ?? 0) & 0xf) * 4;
  const to = packet.readUInt16BE(2);
  const isFragment = (packet.readUInt16BE(6) & 0x3fff) !== 0;
  if (from < IPV4_HEADER || to < from || to > packet.length || isFragment) return null;
  return { protocol: packet[9] ?? 0, addresses, from, to };
}
