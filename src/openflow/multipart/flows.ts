// Parts about flows: their description, counters one by one, and the sum of them (1.3.5 sections 7.3.5.2 and 7.3.5.3, 1.5.1
// sections 7.3.5.2 to 7.3.5.4).

import { constant, defaulted, indented, list, named, padded, struct, u16, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { sized } from '../../wire/sized.ts';
import { OFPG_ANY, OFPP, OFPTT_ALL } from '../constants.ts';
import { flowStatsRow } from '../messages/flow.ts';
import type { FlowStatsRow } from '../messages/flow.ts';
import type { Match } from '../model.ts';
import { match } from '../oxm.ts';
import { statOf, stats } from '../stats.ts';
import type { Stat } from '../stats.ts';
import type { OxmVersion } from '../wire-version.ts';
import { flowMonitorPart } from './flow-monitor.ts';
import type { MonitorBody, MonitorReply } from './flow-monitor.ts';
import type { PartRow } from './part-row.ts';

/** Which flows: all of them but for what is given. */
interface Which<P extends string> {
  readonly part: P;
  readonly table?: number;
  readonly outPort?: number;
  readonly outGroup?: number;
  readonly cookie?: bigint;
  readonly cookieMask?: bigint;
  readonly match: Match;
}

const which = <const P extends 'flow' | 'aggregate' | 'flow_stats'>(part: P, version: OxmVersion): Codec<Which<P>> =>
  struct({
    part: constant(part),
    table: padded(defaulted(u8, OFPTT_ALL), 3),
    outPort: defaulted(u32, OFPP.ANY),
    outGroup: padded(defaulted(u32, OFPG_ANY), 4),
    cookie: defaulted(u64, 0n),
    cookieMask: defaulted(u64, 0n),
    match: match(version),
  });

interface Aggregate {
  readonly part: 'aggregate';
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly flowCount: number;
  /** 1.5: the list whole, which is what is written. */
  readonly stats?: readonly Stat[];
}

function aggregate(version: OxmVersion): Codec<Aggregate> {
  if (version < 6) {
    return struct({ part: constant('aggregate'), packetCount: u64, byteCount: u64, flowCount: padded(u32, 4) });
  }
  return {
    read: (r, f) => {
      const all = stats.read(r, `${f}.stats`);
      const [packetCount, byteCount] = [statOf(all, 'packet_count'), statOf(all, 'byte_count')];
      return { part: 'aggregate', packetCount, byteCount, flowCount: Number(statOf(all, 'flow_count')), stats: all };
    },
    write: (w, v, f) => {
      const { flowCount, packetCount, byteCount } = v;
      const plain: readonly Stat[] = [
        { name: 'flow_count', value: BigInt(flowCount) },
        { name: 'packet_count', value: packetCount },
        { name: 'byte_count', value: byteCount },
      ];
      stats.write(w, v.stats ?? plain, `${f}.stats`);
    },
  };
}

/** 1.5: the counters of one flow, because they were asked for or because a threshold was crossed (stat_trigger). */
export interface FlowCounters {
  readonly table: number;
  readonly reason: 'stats_request' | 'stat_trigger';
  readonly priority: number;
  readonly match: Match;
  readonly stats: readonly Stat[];
}

const flowCounters: Codec<FlowCounters> = sized(
  struct({
    table: indented(2, u8),
    reason: named(u8, { stats_request: 0, stat_trigger: 1 }),
    priority: u16,
    match: match(6),
    stats,
  }),
  24,
);

export type FlowRequest = Which<'flow'> | Which<'aggregate'> | Which<'flow_stats'> | MonitorBody;
export type FlowReply =
  | { readonly part: 'flow'; readonly flows: readonly FlowStatsRow[] }
  | Aggregate
  | { readonly part: 'flow_stats'; readonly flows: readonly FlowCounters[] }
  | MonitorReply;

export const flowParts = (version: OxmVersion): readonly PartRow[] => [
  {
    part: 'flow', // OFPMP_FLOW, in 1.5 OFPMP_FLOW_DESC
    code: 1,
    request: which('flow', version),
    reply: struct({ part: constant('flow'), flows: list(flowStatsRow(version)) }),
  },
  { part: 'aggregate', code: 2, request: which('aggregate', version), reply: aggregate(version) },
  ...(version < 5 ? [] : [flowMonitorPart(version)]),
  ...(version < 6
    ? []
    : [
        {
          part: 'flow_stats',
          code: 17,
          request: which('flow_stats', version),
          reply: struct({ part: constant('flow_stats'), flows: list(flowCounters) }),
        },
      ]),
];
