// UDP datagrams (RFC 768). The checksum is computed when written and not judged when read (checksum offload).

import { WireError } from '../base/errors.ts';
import { struct, u16 } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { transportChecksum, type IpPair } from './checksum.ts';
import { IP_PROTOCOL } from './ipv4.ts';

export interface Udp {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Buffer;
}

const header = struct({ sourcePort: u16, destinationPort: u16, length: u16, checksum: u16 });

/** Raises WireError. */
export function decodeUdp(segment: Buffer): Udp {
  const r = new Reader(segment);
  const { sourcePort, destinationPort, length } = header.read(r, 'udp');
  if (length < 8) throw new WireError('BAD_LENGTH', 'udp.length', 4, String(length));
  return { sourcePort, destinationPort, payload: r.raw(length - 8, 'udp.payload') };
}

export function encodeUdp(udp: Udp, addresses: IpPair): Buffer {
  const w = new Writer(8 + udp.payload.length);
  header.write(w, { ...udp, length: 8 + udp.payload.length, checksum: 0 }, 'udp');
  w.raw(udp.payload);
  const checksum = transportChecksum(IP_PROTOCOL.udp, addresses, w.finish());
  // 0 would say "no checksum".
  w.patchU16(6, checksum === 0 ? 0xffff : checksum);
  return w.finish();
}
