// Which connections speak that a checkpoint does not have: they are younger than it.

import { WireError } from '../base/errors.ts';
import { type AddressBytes, PROTO, type Tuple } from '../netlink/conntrack-entry.ts';
import { formatTuple, mirror, tupleKey } from '../netlink/tuple.ts';
import { decodeEthernet } from '../packet/ethernet.ts';
import { ipEnds } from '../packet/ip-ends.ts';
import { decodeIpv4 } from '../packet/ipv4.ts';
import { decodeIpv6, upperLayer } from '../packet/ipv6.ts';
import { decodeTcp, TCP_FLAG } from '../packet/tcp.ts';
import { decodeUdp } from '../packet/udp.ts';
import type { HandedOverRecords } from '../soa/handed-over.ts';

/** As text, each once. Openers begin anew at the destination; frames of other kinds than TCP and UDP are not looked at. */
export function flowsMissingFrom(frames: readonly Buffer[], records: HandedOverRecords): string[] {
  const known = new Set<string>();
  for (const [, { entry }] of records.entries()) {
    for (const tuple of [entry.tupleOrig, entry.tupleReply]) if (tuple !== undefined) known.add(tupleKey(0, tuple));
  }
  const missing = new Map<string, string>();
  for (const frame of frames) {
    const tuple = establishedTuple(frame);
    if (tuple === null || known.has(tupleKey(0, tuple))) continue;
    if (!missing.has(tupleKey(0, mirror(tuple)))) missing.set(tupleKey(0, tuple), formatTuple(tuple));
  }
  return [...missing.values()];
}

/** Of the connection that a frame belongs to, as its sender sees it. Null: it opens one, or is nothing that can be told. */
function establishedTuple(frame: Buffer): Tuple | null {
  try {
    const { payload } = decodeEthernet(frame);
    const ends = ipEnds(payload);
    const segment = ends === null ? null : transport(ends.version, payload);
    if (ends === null || segment === null) return null;
    const { protocol, srcPort, dstPort } = segment;
    const [src, dst] = [ends.source, ends.destination].map((bytes) => bytes.toString('latin1') as AddressBytes);
    const ip = ends.version === 4 ? { v4Src: src, v4Dst: dst } : { v6Src: src, v6Dst: dst };
    return { ip, proto: { num: protocol, srcPort, dstPort } } as Tuple;
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

interface Segment {
  readonly protocol: number;
  readonly srcPort: number;
  readonly dstPort: number;
}

function transport(version: 4 | 6, packet: Buffer): Segment | null {
  const { protocol, payload, fragmentOffset } = version === 4 ? decodeIpv4(packet) : upperLayer(decodeIpv6(packet));
  if (fragmentOffset !== 0) return null;
  if (protocol === PROTO.TCP) {
    const { sourcePort, destinationPort, flags } = decodeTcp(payload);
    const opens = (flags & (TCP_FLAG.syn | TCP_FLAG.ack)) === TCP_FLAG.syn;
    return opens ? null : { protocol, srcPort: sourcePort, dstPort: destinationPort };
  }
  if (protocol !== PROTO.UDP) return null;
  const { sourcePort, destinationPort } = decodeUdp(payload);
  return { protocol, srcPort: sourcePort, dstPort: destinationPort };
}
