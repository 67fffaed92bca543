// What can be said of a tuple without the kernel: its key, its mirror, its text, addresses as text and back. Must not know
// migrations.

import ipaddr from 'ipaddr.js';
import { WireError } from '../base/errors.ts';
import type { IpAddress } from '../base/ids.ts';
import { AF, type AddressBytes, PROTO, type Tuple } from './conntrack-entry.ts';

/** (zone, tuple) as bytes: equal for equal connections on any host; the zone may be any 32-bit name for a tenant. */
export type TupleKey = string & { readonly __brand: 'TupleKey' };

export interface Endpoints {
  readonly src: AddressBytes;
  readonly dst: AddressBytes;
}

/** The addresses of a tuple; raises WireError where one is missing. */
export function endpoints(tuple: Tuple): Endpoints {
  const src = tuple.ip?.v4Src ?? tuple.ip?.v6Src;
  const dst = tuple.ip?.v4Dst ?? tuple.ip?.v6Dst;
  if (src === undefined || dst === undefined || src.length !== dst.length) {
    throw new WireError('BAD_VALUE', 'tuple.ip', 0, 'addresses missing or of two families');
  }
  return { src, dst };
}

export const familyOf = (tuple: Tuple): number => (endpoints(tuple).src.length === 4 ? AF.INET : AF.INET6);

const char16 = (value: number): string => String.fromCharCode(value >> 8, value & 0xff);
const PRESENT = '\u0001';
const ABSENT = '\u0000';
const field16 = (value: number | undefined): string => (value === undefined ? ABSENT : PRESENT + char16(value));
const field8 = (value: number | undefined): string =>
  value === undefined ? ABSENT : PRESENT + String.fromCharCode(value);

/** Everything of a tuple but its addresses, canonical: what is absent is marked so. */
function protocolKey(proto: NonNullable<Tuple['proto']>): string {
  const head = String.fromCharCode(proto.num ?? 0);
  if (proto.srcPort !== undefined && proto.dstPort !== undefined) {
    return `${head}p${char16(proto.srcPort)}${char16(proto.dstPort)}`;
  }
  return `${head}i${field16(proto.icmpId)}${field8(proto.icmpType)}${field8(proto.icmpCode)}${field16(proto.icmpv6Id)}${field8(proto.icmpv6Type)}${field8(proto.icmpv6Code)}`;
}

/** A latin1 string of the tuple's canonical bytes, without zone. */
export function tupleBytes(tuple: Tuple): string {
  const { src, dst } = endpoints(tuple);
  if (tuple.proto?.num === undefined) throw new WireError('BAD_VALUE', 'tuple.proto', 0, 'protocol missing');
  return `${src.length === 4 ? '4' : '6'}${src}${dst}${protocolKey(tuple.proto)}`;
}

export function tupleKey(zone: number, tuple: Tuple): TupleKey {
  return (char16(zone >>> 16) + char16(zone & 0xffff) + tupleBytes(tuple)) as TupleKey;
}

/** ICMP types that belong together as request and reply, both ways. */
const ICMP_PAIRS: readonly (readonly [number, number])[] = [
  [8, 0],
  [13, 14],
  [15, 16],
  [17, 18],
];
const ICMPV6_PAIRS: readonly (readonly [number, number])[] = [
  [128, 129],
  [139, 140],
];
const partner = (pairs: readonly (readonly [number, number])[], type: number): number => {
  for (const [request, reply] of pairs) {
    if (type === request) return reply;
    if (type === reply) return request;
  }
  return type;
};

/** The reply tuple a connection has when no NAT touches it. */
export function mirror(tuple: Tuple): Tuple {
  const { ip = {}, proto = {} } = tuple;
  const mirrored: Record<string, unknown> = { num: proto.num, srcPort: proto.dstPort, dstPort: proto.srcPort };
  mirrored['icmpId'] = proto.icmpId;
  mirrored['icmpCode'] = proto.icmpCode;
  mirrored['icmpv6Id'] = proto.icmpv6Id;
  mirrored['icmpv6Code'] = proto.icmpv6Code;
  if (proto.icmpType !== undefined) mirrored['icmpType'] = partner(ICMP_PAIRS, proto.icmpType);
  if (proto.icmpv6Type !== undefined) mirrored['icmpv6Type'] = partner(ICMPV6_PAIRS, proto.icmpv6Type);
  return {
    ip: present({ v4Src: ip.v4Dst, v4Dst: ip.v4Src, v6Src: ip.v6Dst, v6Dst: ip.v6Src }),
    proto: present(mirrored),
  };
}

function present(fields: Record<string, unknown>): Record<string, never> {
  return Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== undefined)) as Record<string, never>;
}

/** Raises RangeError when it is not an address. */
export function parseAddress(text: string): AddressBytes {
  if (!ipaddr.isValid(text)) throw new RangeError(`not an IP address: ${text}`);
  return Buffer.from(ipaddr.parse(text).toByteArray()).toString('latin1') as AddressBytes;
}

export function formatAddress(address: AddressBytes): IpAddress {
  return ipaddr.fromByteArray([...Buffer.from(address, 'latin1')]).toString() as IpAddress;
}

const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  [PROTO.ICMP]: 'icmp',
  [PROTO.TCP]: 'tcp',
  [PROTO.UDP]: 'udp',
  [PROTO.DCCP]: 'dccp',
  [PROTO.GRE]: 'gre',
  [PROTO.ICMPV6]: 'icmpv6',
  [PROTO.SCTP]: 'sctp',
  [PROTO.UDPLITE]: 'udplite',
};
export const protocolName = (protocol: number): string => PROTOCOL_NAMES[protocol] ?? `proto-${protocol}`;

/** `tcp 10.0.0.1:1024 > 10.0.0.2:80`, for people and refusals. */
export function formatTuple(tuple: Tuple): string {
  const { src, dst } = endpoints(tuple);
  const proto = tuple.proto ?? {};
  const [from, to] = [formatAddress(src), formatAddress(dst)].map((a) => (a.includes(':') ? `[${a}]` : a)) as [
    string,
    string,
  ];
  const name = protocolName(proto.num ?? 0);
  if (proto.srcPort !== undefined) return `${name} ${from}:${proto.srcPort} > ${to}:${proto.dstPort ?? 0}`;
  const id = proto.icmpId ?? proto.icmpv6Id;
  const type = proto.icmpType ?? proto.icmpv6Type;
  return `${name} ${from} > ${to}${type === undefined ? '' : ` type ${type}`}${id === undefined ? '' : ` id ${id}`}`;
}
