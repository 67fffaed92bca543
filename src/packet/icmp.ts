// ICMP (RFC 792) and ICMPv6 (RFC 4443): type, code, checksum and the body as bytes.

import { WireError } from '../base/errors.ts';
import { struct, u16, u8 } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { internetChecksum, transportChecksum, type IpPair } from './checksum.ts';
import { rest } from './fields.ts';
import { IP_PROTOCOL } from './ipv4.ts';

export const ICMPV6_TYPE = {
  unreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  echoRequest: 128,
  echoReply: 129,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighborSolicitation: 135,
  neighborAdvertisement: 136,
} as const;

export interface Icmp {
  readonly type: number;
  readonly code: number;
  /** All that follows the checksum. */
  readonly body: Buffer;
}

const message = struct({ type: u8, code: u8, checksum: u16, body: rest });

/** Raises WireError, also when the checksum is wrong. */
export function decodeIcmp(data: Buffer): Icmp {
  if (internetChecksum(data) !== 0) throw new WireError('BAD_VALUE', 'icmp.checksum', 2);
  return read(data, 'icmp');
}

export function encodeIcmp(icmp: Icmp): Buffer {
  return write(icmp, 'icmp', internetChecksum);
}

/** Raises WireError, also when the checksum, which covers the IPv6 addresses, is wrong. */
export function decodeIcmpv6(data: Buffer, addresses: IpPair): Icmp {
  if (transportChecksum(IP_PROTOCOL.icmpv6, addresses, data) !== 0)
    throw new WireError('BAD_VALUE', 'icmpv6.checksum', 2);
  return read(data, 'icmpv6');
}

export function encodeIcmpv6(icmp: Icmp, addresses: IpPair): Buffer {
  return write(icmp, 'icmpv6', (bytes) => transportChecksum(IP_PROTOCOL.icmpv6, addresses, bytes));
}

function read(data: Buffer, field: string): Icmp {
  const { type, code, body } = message.read(new Reader(data), field);
  return { type, code, body };
}

function write(icmp: Icmp, field: string, checksum: (bytes: Buffer) => number): Buffer {
  const w = new Writer(4 + icmp.body.length);
  message.write(w, { ...icmp, checksum: 0 }, field);
  w.patchU16(2, checksum(w.finish()));
  return w.finish();
}
