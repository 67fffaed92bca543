// IPv4 (RFC 791): header, options as bytes, payload as bytes.

import { WireError } from '../base/errors.ts';
import type { IpAddress } from '../base/ids.ts';
import { struct, u16, u8, type Wire } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { internetChecksum } from './checksum.ts';
import { ipv4Address } from './fields.ts';

export const IP_PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;

export interface Ipv4 {
  readonly typeOfService: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In units of 8 bytes. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** A multiple of 4 bytes, at most 40. */
  readonly options: Buffer;
  readonly payload: Buffer;
}

const header = struct({
  versionAndLength: u8,
  typeOfService: u8,
  totalLength: u16,
  identification: u16,
  fragment: u16,
  ttl: u8,
  protocol: u8,
  checksum: u16,
  source: ipv4Address,
  destination: ipv4Address,
});

const DONT_FRAGMENT = 0x4000;
const MORE_FRAGMENTS = 0x2000;

/** The payload ends where the total length says, not at the frame's padding. Raises WireError. */
export function decodeIpv4(data: Buffer): Ipv4 {
  const r = new Reader(data);
  const h = header.read(r, 'ipv4');
  if (h.versionAndLength >> 4 !== 4)
    throw new WireError('BAD_VERSION', 'ipv4.version', 0, `${h.versionAndLength >> 4}`);
  const headerLength = (h.versionAndLength & 0xf) * 4;
  if (headerLength < 20 || h.totalLength < headerLength) {
    throw new WireError('BAD_LENGTH', 'ipv4.totalLength', 2, `${headerLength} of ${h.totalLength}`);
  }
  const options = Buffer.from(r.raw(headerLength - 20, 'ipv4.options'));
  const payload = r.raw(h.totalLength - headerLength, 'ipv4.payload');
  if (internetChecksum(data.subarray(0, headerLength)) !== 0) throw new WireError('BAD_VALUE', 'ipv4.checksum', 10);
  return {
    typeOfService: h.typeOfService,
    identification: h.identification,
    dontFragment: (h.fragment & DONT_FRAGMENT) !== 0,
    moreFragments: (h.fragment & MORE_FRAGMENTS) !== 0,
    fragmentOffset: h.fragment & 0x1fff,
    ttl: h.ttl,
    protocol: h.protocol,
    source: h.source,
    destination: h.destination,
    options,
    payload,
  };
}

export function encodeIpv4(ip: Ipv4): Buffer {
  const headerLength = 20 + ip.options.length;
  if (headerLength > 60 || headerLength % 4 !== 0) throw new WireError('TOO_LONG', 'ipv4.options', 20);
  if (ip.fragmentOffset > 0x1fff) throw new WireError('TOO_LONG', 'ipv4.fragmentOffset', 6);
  const w = new Writer(headerLength + ip.payload.length);
  const fields: Wire<typeof header> = {
    versionAndLength: 0x40 | (headerLength / 4),
    typeOfService: ip.typeOfService,
    totalLength: headerLength + ip.payload.length,
    identification: ip.identification,
    fragment: (ip.dontFragment ? DONT_FRAGMENT : 0) | (ip.moreFragments ? MORE_FRAGMENTS : 0) | ip.fragmentOffset,
    ttl: ip.ttl,
    protocol: ip.protocol,
    checksum: 0,
    source: ip.source,
    destination: ip.destination,
  };
  header.write(w, fields, 'ipv4');
  w.raw(ip.options);
  w.patchU16(10, internetChecksum(w.finish()));
  w.raw(ip.payload);
  return w.finish();
}
