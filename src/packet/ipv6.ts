// IPv6 (RFC 8200): the fixed header, and the walk over extension headers to the upper layer.

import { WireError } from '../base/errors.ts';
import type { IpAddress } from '../base/ids.ts';
import { struct, u16, u32, u8, type Wire } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { ipv6Address } from './fields.ts';

export interface Ipv6 {
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** Extension headers included. */
  readonly payload: Buffer;
}

/** What follows the extension headers; `fragmentOffset` (units of 8 bytes) other than 0 means: not its beginning. */
export interface UpperLayer {
  readonly protocol: number;
  readonly fragmentOffset: number;
  readonly payload: Buffer;
}

const header = struct({
  versionClassLabel: u32,
  payloadLength: u16,
  nextHeader: u8,
  hopLimit: u8,
  source: ipv6Address,
  destination: ipv6Address,
});

/** The payload ends where the payload length says. Raises WireError. */
export function decodeIpv6(data: Buffer): Ipv6 {
  const r = new Reader(data);
  const h = header.read(r, 'ipv6');
  const version = h.versionClassLabel >>> 28;
  if (version !== 6) throw new WireError('BAD_VERSION', 'ipv6.version', 0, String(version));
  return {
    trafficClass: (h.versionClassLabel >>> 20) & 0xff,
    flowLabel: h.versionClassLabel & 0xfffff,
    nextHeader: h.nextHeader,
    hopLimit: h.hopLimit,
    source: h.source,
    destination: h.destination,
    payload: r.raw(h.payloadLength, 'ipv6.payload'),
  };
}

export function encodeIpv6(ip: Ipv6): Buffer {
  if (ip.trafficClass > 0xff || ip.flowLabel > 0xfffff) throw new WireError('TOO_LONG', 'ipv6.flowLabel', 0);
  const w = new Writer(40 + ip.payload.length);
  const fields: Wire<typeof header> = {
    versionClassLabel: ((6 << 28) | (ip.trafficClass << 20) | ip.flowLabel) >>> 0,
    payloadLength: ip.payload.length,
    nextHeader: ip.nextHeader,
    hopLimit: ip.hopLimit,
    source: ip.source,
    destination: ip.destination,
  };
  header.write(w, fields, 'ipv6');
  w.raw(ip.payload);
  return w.finish();
}

const EXTENSION = { hopByHop: 0, routing: 43, fragment: 44, authentication: 51, destination: 60 } as const;
const MAX_EXTENSIONS = 8;

/** Skips the extension headers of RFC 8200 section 4 and AH. Raises WireError, also for an endless chain. */
export function upperLayer(ip: Ipv6): UpperLayer {
  const r = new Reader(ip.payload);
  let protocol = ip.nextHeader;
  let fragmentOffset = 0;
  for (let i = 0; i < MAX_EXTENSIONS; i += 1) {
    switch (protocol) {
      case EXTENSION.hopByHop:
      case EXTENSION.routing:
      case EXTENSION.destination:
        protocol = r.u8('ipv6.extension');
        r.take(r.u8('ipv6.extension.length') * 8 + 6, 'ipv6.extension');
        break;
      case EXTENSION.authentication:
        protocol = r.u8('ipv6.authentication');
        r.take(r.u8('ipv6.authentication.length') * 4 + 6, 'ipv6.authentication');
        break;
      case EXTENSION.fragment: {
        protocol = r.u8('ipv6.fragment');
        r.take(1, 'ipv6.fragment');
        fragmentOffset = r.u16('ipv6.fragment.offset') >> 3;
        r.take(4, 'ipv6.fragment');
        // What follows is the middle of something: its first bytes are no header.
        if (fragmentOffset !== 0) return { protocol, fragmentOffset, payload: r.rest() };
        break;
      }
      default:
        return { protocol, fragmentOffset, payload: r.rest() };
    }
  }
  throw new WireError('BAD_LENGTH', 'ipv6.extension', r.offset, `more than ${MAX_EXTENSIONS}`);
}

/** fe80::/10. */
export function isLinkLocal(address: IpAddress): boolean {
  return /^fe[89ab][0-9a-f]:/.test(address);
}

/** The solicited-node multicast address (RFC 4291 2.7.1) of a unicast address given as 16 bytes. */
export function solicitedNode(target: Buffer): Buffer {
  return Buffer.concat([Buffer.from('ff0200000000000000000001ff', 'hex'), target.subarray(13, 16)]);
}
