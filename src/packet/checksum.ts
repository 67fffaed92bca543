// The Internet checksum (RFC 1071) and the pseudo-headers it covers (RFC 9293 3.1, RFC 8200 8.1).

import type { IpAddress } from '../base/ids.ts';
import { isIpv6, parseIp } from './fields.ts';

export interface IpPair {
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/** One's complement of the one's complement sum of all parts; an odd part is filled with a zero byte. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) {
      sum += ((part[i] ?? 0) << 8) | (part[i + 1] ?? 0);
      if (sum > 0xffff) sum = (sum & 0xffff) + 1;
    }
  }
  return ~sum & 0xffff;
}

/** Over the pseudo-header and the segment: 0 when the segment's own checksum field is right. */
export function transportChecksum(protocol: number, addresses: IpPair, segment: Uint8Array): number {
  const v6 = isIpv6(addresses.source);
  const tail = Buffer.alloc(v6 ? 8 : 4);
  if (v6) {
    tail.writeUInt32BE(segment.length, 0);
    tail.writeUInt8(protocol, 7);
  } else {
    tail.writeUInt8(protocol, 1);
    tail.writeUInt16BE(segment.length, 2);
  }
  return internetChecksum(parseIp(addresses.source), parseIp(addresses.destination), tail, segment);
}
