// TCP segments (RFC 9293): header, options as bytes. The checksum is computed when written; when read it is not judged,
// because segments of local senders may carry a partial one (checksum offload).

import { WireError } from '../base/errors.ts';
import { struct, u16, u32, type Wire } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { transportChecksum, type IpPair } from './checksum.ts';
import { IP_PROTOCOL } from './ipv4.ts';

export const TCP_FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const;

export interface Tcp {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  /** Bits of TCP_FLAG. */
  readonly flags: number;
  readonly window: number;
  readonly urgentPointer: number;
  /** A multiple of 4 bytes, at most 40. */
  readonly options: Buffer;
  readonly payload: Buffer;
}

const header = struct({
  sourcePort: u16,
  destinationPort: u16,
  sequence: u32,
  acknowledgment: u32,
  offsetAndFlags: u16,
  window: u16,
  checksum: u16,
  urgentPointer: u16,
});

/** Raises WireError. */
export function decodeTcp(segment: Buffer): Tcp {
  const r = new Reader(segment);
  const h = header.read(r, 'tcp');
  const headerLength = (h.offsetAndFlags >> 12) * 4;
  if (headerLength < 20) throw new WireError('BAD_LENGTH', 'tcp.dataOffset', 12, String(headerLength));
  const options = Buffer.from(r.raw(headerLength - 20, 'tcp.options'));
  return {
    sourcePort: h.sourcePort,
    destinationPort: h.destinationPort,
    sequence: h.sequence,
    acknowledgment: h.acknowledgment,
    flags: h.offsetAndFlags & 0xff,
    window: h.window,
    urgentPointer: h.urgentPointer,
    options,
    payload: r.rest(),
  };
}

export function encodeTcp(tcp: Tcp, addresses: IpPair): Buffer {
  const headerLength = 20 + tcp.options.length;
  if (headerLength > 60 || headerLength % 4 !== 0) throw new WireError('TOO_LONG', 'tcp.options', 20);
  const w = new Writer(headerLength + tcp.payload.length);
  const fields: Wire<typeof header> = { ...tcp, offsetAndFlags: ((headerLength / 4) << 12) | tcp.flags, checksum: 0 };
  header.write(w, fields, 'tcp');
  w.raw(tcp.options);
  w.raw(tcp.payload);
  w.patchU16(16, transportChecksum(IP_PROTOCOL.tcp, addresses, w.finish()));
  return w.finish();
}
