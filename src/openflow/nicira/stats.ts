// Nicira's statistics: NXST_FLOW and NXST_AGGREGATE of 1.0, with an nx_match, and NXST_IPFIX_* of every version.

import { constant, list, padded, struct, u32, u64 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import { sized } from '../../wire/sized.ts';
import type { Writer } from '../../wire/writer.ts';
import { OFPP, OFPTT_ALL } from '../constants.ts';
import type { FlowStatsRow } from '../messages/flow.ts';
import type { Match } from '../model.ts';
import { actionList } from '../v10/action-list.ts';
import { port16 } from '../v10/port-no.ts';
import { nxMatch } from './nx-match.ts';

const fields = nxMatch(1);

/** A field `cookie` in the match restricts the answer to flows with such cookies. */
export interface NxFlowRequest<P extends 'nx_flow' | 'nx_aggregate'> {
  readonly part: P;
  readonly outPort?: number;
  readonly table?: number;
  readonly match: Match;
}

/** struct nx_flow_stats_request, nx_aggregate_stats_request. */
const request = <const P extends 'nx_flow' | 'nx_aggregate'>(part: P): Codec<NxFlowRequest<P>> => ({
  read: (r, f) => {
    const outPort = port16.read(r, `${f}.outPort`);
    const length = r.u16(`${f}.match.length`);
    const table = r.u8(`${f}.table`);
    r.pad(3, f);
    return { part, outPort, table, match: fields.read(r, length, `${f}.match`) };
  },
  write: (w, v, f) => {
    port16.write(w, v.outPort ?? OFPP.ANY, `${f}.outPort`);
    const lengthAt = w.length;
    w.u16(0);
    w.u8(v.table ?? OFPTT_ALL, `${f}.table`);
    w.zeros(3);
    fields.write(w, v.match, lengthAt, `${f}.match`);
  },
});

/** Ages as NXT_FLOW_AGE has them: absent where the switch does not know. */
export interface NxFlowStats extends FlowStatsRow {
  /** Seconds since the last packet, at most 65534. */
  readonly idleAge?: number;
  /** Seconds since the last modification. */
  readonly hardAge?: number;
}

function readRow(r: Reader, f: string): NxFlowStats {
  const table = r.u8(`${f}.table`);
  r.pad(1, f);
  const [durationSec, durationNsec] = [r.u32(f), r.u32(f)];
  const [priority, idleTimeout, hardTimeout] = [r.u16(f), r.u16(f), r.u16(f)];
  const length = r.u16(`${f}.match.length`);
  const [idle, hard] = [r.u16(f), r.u16(f)];
  const [cookie, packetCount, byteCount] = [r.u64(f), r.u64(f), r.u64(f)];
  return {
    table,
    durationSec,
    durationNsec,
    priority,
    idleTimeout,
    hardTimeout,
    ...(idle === 0 ? {} : { idleAge: idle - 1 }),
    ...(hard === 0 ? {} : { hardAge: hard - 1 }),
    flags: 0, // not told
    cookie,
    packetCount,
    byteCount,
    match: fields.read(r, length, `${f}.match`),
    instructions: actionList.read(r, f),
  };
}

function writeRow(w: Writer, v: NxFlowStats, f: string): void {
  w.u8(v.table, `${f}.table`);
  w.zeros(1);
  w.u32(v.durationSec, `${f}.durationSec`);
  w.u32(v.durationNsec, `${f}.durationNsec`);
  w.u16(v.priority, `${f}.priority`);
  w.u16(v.idleTimeout, `${f}.idleTimeout`);
  w.u16(v.hardTimeout, `${f}.hardTimeout`);
  const lengthAt = w.length;
  w.u16(0);
  w.u16(v.idleAge === undefined ? 0 : v.idleAge + 1, `${f}.idleAge`);
  w.u16(v.hardAge === undefined ? 0 : v.hardAge + 1, `${f}.hardAge`);
  w.u64(v.cookie, `${f}.cookie`);
  w.u64(v.packetCount, `${f}.packetCount`);
  w.u64(v.byteCount, `${f}.byteCount`);
  fields.write(w, v.match, lengthAt, `${f}.match`);
  actionList.write(w, v.instructions, f);
}

/** struct nx_flow_stats. */
const flowStats: Codec<NxFlowStats> = sized({ read: readRow, write: writeRow }, 48);

export interface NxFlowReply {
  readonly part: 'nx_flow';
  readonly flows: readonly NxFlowStats[];
}

export const nxFlowPart = {
  request: request('nx_flow'),
  reply: struct({ part: constant('nx_flow'), flows: list(flowStats) }),
};

export interface NxAggregateReply {
  readonly part: 'nx_aggregate';
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly flowCount: number;
}

export const nxAggregatePart = {
  request: request('nx_aggregate'),
  reply: struct({
    part: constant('nx_aggregate'),
    packetCount: u64,
    byteCount: u64,
    flowCount: padded(u32, 4),
  }) satisfies Codec<NxAggregateReply>,
};

/** struct nx_ipfix_stats_reply; a counter the switch does not have is all ones. */
const ipfix = struct({
  totalFlows: u64,
  currentFlows: u64,
  packets: u64,
  ipv4Packets: u64,
  ipv6Packets: u64,
  errorPackets: u64,
  ipv4ErrorPackets: u64,
  ipv6ErrorPackets: u64,
  sentPackets: u64,
  sendErrors: u64,
  collectorSetId: padded(u32, 4),
});

export type IpfixStats = ReturnType<typeof ipfix.read>;

export interface NxIpfixBridgeReply extends IpfixStats {
  readonly part: 'nx_ipfix_bridge';
}

export interface NxIpfixFlowReply {
  readonly part: 'nx_ipfix_flow';
  readonly collectors: readonly IpfixStats[];
}

export const nxIpfixBridgePart: { request: Codec<{ part: 'nx_ipfix_bridge' }>; reply: Codec<NxIpfixBridgeReply> } = {
  request: struct({ part: constant('nx_ipfix_bridge') }),
  reply: {
    read: (r, f) => ({ part: 'nx_ipfix_bridge', ...ipfix.read(r, f) }),
    write: (w, v, f) => {
      ipfix.write(w, v, f);
    },
  },
};

export const nxIpfixFlowPart = {
  request: struct({ part: constant('nx_ipfix_flow') }),
  reply: struct({ part: constant('nx_ipfix_flow'), collectors: list(ipfix) }),
};
