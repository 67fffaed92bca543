// Bodies of multipart requests and replies, by part; parts without a row here are printed field by field.

import { OFPG_ANY, OFPP, OFPTT_ALL } from '../constants.ts';
import type { ReplyBody, RequestBody } from '../messages/multipart.ts';
import type { Instruction, Match } from '../model.ts';
import { hex } from './numbers.ts';
import { formatPort } from './ports.ts';
import { formatInstructions } from './print-actions.ts';
import { formatDuration, formatFlowStats } from './print-flow.ts';
import { formatGroup, formatMeter, meterName } from './print-groups.ts';
import { formatMatch, formatRule } from './print-match.ts';
import { formatPortDescription, formatPortStats, formatQueue, formatQueueStats, queueName } from './print-ports.ts';
import { formatTable, formatTableFeatures } from './print-tables.ts';
import type { IpfixStats } from '../nicira/stats.ts';
import { bitNames, counter, formatAny, sentence } from './print-words.ts';
import { removedReasonName } from './reasons.ts';

type Printers<B extends { readonly part: string }> = {
  readonly [P in B['part']]?: (body: Extract<B, { part: P }>) => string;
};

const each = <T>(all: readonly T[], print: (one: T) => string): string => all.map(print).join('; ');

interface Which {
  readonly table?: number;
  readonly outPort?: number;
  readonly outGroup?: number;
  readonly cookie?: bigint;
  readonly cookieMask?: bigint;
  readonly match: Match;
}

function formatWhich({ table = OFPTT_ALL, outPort = OFPP.ANY, outGroup = OFPG_ANY, ...which }: Which): string {
  const { cookie = 0n, cookieMask = 0n, match } = which;
  return sentence(
    table !== OFPTT_ALL && `table=${table}`,
    outPort !== OFPP.ANY && `out_port=${formatPort(outPort)}`,
    outGroup !== OFPG_ANY && `out_group=${outGroup}`,
    cookieMask !== 0n && `cookie=${hex(cookie)}/${hex(cookieMask)}`,
    formatMatch(match),
  );
}

const OFPG_ALL = 0xffff_fffc;

const formatGroupId = (groupId: number): string => `group_id=${groupId === OFPG_ALL ? 'ALL' : groupId}`;

/** As formatWhich, in the order of monitors. */
function formatMonitored({ table = OFPTT_ALL, outPort = OFPP.ANY, outGroup = OFPG_ANY, match }: Which): string {
  return sentence(
    outPort !== OFPP.ANY && `out_port=${formatPort(outPort)}`,
    outGroup !== OFPG_ANY && `out_group=${outGroup}`,
    table !== OFPTT_ALL && `table=${table}`,
    formatMatch(match),
  );
}

const anyPort = (portNo: number = OFPP.ANY): string => `port=${formatPort(portNo)}`;

/** enum nx_flow_monitor_flags and enum ofp_flow_monitor_flags, whose bits differ in number only from the sixth on. */
const NX_MONITOR = ['initial', 'add', 'delete', 'modify', 'actions', 'own'];
const MONITOR = ['initial', 'add', 'delete', 'modify', 'actions', 'no_abbrev', 'own'];

const REQUESTS: Printers<RequestBody> = {
  desc: () => '',
  flow: formatWhich,
  aggregate: formatWhich,
  flow_stats: formatWhich,
  nx_flow: formatWhich,
  nx_aggregate: formatWhich,
  table: () => '',
  table_desc: () => '',
  table_features: ({ tables }) => each(tables, formatTableFeatures),
  port_stats: ({ portNo = OFPP.ANY }) => `port_no=${formatPort(portNo)}`,
  port_desc: ({ portNo }) => anyPort(portNo),
  queue: ({ portNo, queueId = 0xffff_ffff }) => `${anyPort(portNo)} queue=${queueName(queueId)}`,
  queue_desc: ({ portNo, queueId = 0xffff_ffff }) => `${anyPort(portNo)} queue=${queueName(queueId)}`,
  group: ({ groupId }) => formatGroupId(groupId),
  group_desc: ({ groupId = OFPG_ALL }) => formatGroupId(groupId),
  meter: ({ meterId }) => `meter=${meterName(meterId)}`,
  meter_config: ({ meterId }) => `meter=${meterName(meterId)}`,
  flow_monitor: ({ monitors }) =>
    each(monitors, ({ monitorId, flags, command = 'add', ...which }) =>
      sentence(
        `id=${monitorId}`,
        command !== 'add' && `command=${command}`,
        `flags=${bitNames(flags, MONITOR, ',')}`,
        formatMonitored(which),
      ),
    ),
  nx_flow_monitor: ({ monitors }) =>
    each(monitors, ({ id, flags, ...which }) =>
      sentence(`id=${id}`, `flags=${bitNames(flags, NX_MONITOR, ',')}`, formatMonitored(which)),
    ),
};

interface Update {
  readonly event: string;
  readonly xid?: number;
  readonly reason?: number;
  readonly table?: number;
  readonly idleTimeout?: number;
  readonly hardTimeout?: number;
  readonly priority?: number;
  readonly cookie?: bigint;
  readonly match?: Match;
  readonly instructions?: readonly Instruction[];
}

/** One change of a flow table: `event=ADDED table=0 cookie=0 priority=5,ip actions=drop` */
export function formatUpdate(update: Update): string {
  const { event, xid, reason = 0, table, idleTimeout = 0, hardTimeout = 0, cookie = 0n, match, instructions } = update;
  if (xid !== undefined) return `event=ABBREV xid=${hex(xid)}`;
  const gone = event === 'deleted' || event === 'removed';
  return sentence(
    `event=${gone ? `DELETED reason=${removedReasonName(reason)}` : event.toUpperCase()}`,
    table !== undefined && `table=${table}`,
    idleTimeout !== 0 && `idle_timeout=${idleTimeout}`,
    hardTimeout !== 0 && `hard_timeout=${hardTimeout}`,
    match !== undefined && `cookie=${hex(cookie)}`,
    update.priority !== undefined && `priority=${update.priority}`,
    match !== undefined && formatMatch(match),
    instructions !== undefined && instructions.length > 0 && `actions=${formatInstructions(instructions)}`,
  );
}

interface Sum {
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly flowCount: number;
}
const formatSum = ({ packetCount, byteCount, flowCount }: Sum): string =>
  `packet_count=${counter(packetCount)} byte_count=${counter(byteCount)} flow_count=${flowCount}`;

/** enum ofp_action_type, by bit; 1 to 10 are of no version since 1.2. */
const ACTIONS = [
  'output',
  ...Array.from({ length: 10 }, () => null),
  'copy_ttl_out',
  'copy_ttl_in',
  null,
  null,
  'set_mpls_ttl',
  'dec_mpls_ttl',
  'push_vlan',
  'pop_vlan',
  'push_mpls',
  'pop_mpls',
  'set_queue',
  'group',
  'mod_nw_ttl',
  'dec_ttl',
  'set_field',
  'push_pbb',
  'pop_pbb',
  'copy_field',
  'meter',
];

const formatIpfix = (stats: IpfixStats): string =>
  sentence(
    `flows=${counter(stats.totalFlows)}, current flows=${counter(stats.currentFlows)}, sampled pkts=${counter(stats.packets)},`,
    `ipv4 ok=${counter(stats.ipv4Packets)}, ipv6 ok=${counter(stats.ipv6Packets)}, tx pkts=${counter(stats.sentPackets)}`,
    `pkts errs=${counter(stats.errorPackets)}, ipv4 errs=${counter(stats.ipv4ErrorPackets)},`,
    `ipv6 errs=${counter(stats.ipv6ErrorPackets)}, tx errs=${counter(stats.sendErrors)}`,
  );

/** enum ofp_meter_band_type and enum ofp_meter_flags, by bit. */
const BAND_TYPES = [null, 'drop', 'dscp_remark'];
const METER_CAPABILITIES = ['kbps', 'pktps', 'burst', 'stats'];

const REPLIES: Printers<ReplyBody> = {
  desc: ({ manufacturer, hardware, software, serial, datapath }) =>
    `Manufacturer: ${manufacturer} Hardware: ${hardware} Software: ${software} Serial Num: ${serial} DP Description: ${datapath}`,
  flow: ({ flows }) => each(flows, formatFlowStats),
  nx_flow: ({ flows }) => each(flows, formatFlowStats),
  aggregate: formatSum,
  nx_aggregate: formatSum,
  table: ({ tables }) =>
    each(
      tables as readonly { table: number; activeCount: number; lookupCount: bigint; matchedCount: bigint }[],
      ({ table, activeCount, lookupCount, matchedCount }) =>
        `table ${table}: active=${activeCount}, lookup=${counter(lookupCount)}, matched=${counter(matchedCount)}`,
    ),
  table_desc: ({ tables }) => each(tables, formatTable),
  table_features: ({ tables }) => each(tables, formatTableFeatures),
  flow_stats: ({ flows }) =>
    each(flows, ({ table, reason, stats, ...flow }) =>
      sentence(
        `table=${table} reason=${reason}`,
        formatRule(flow),
        ...stats.map((stat) => `${stat.name}=${String(stat.value)}`),
      ),
    ),
  port_stats: ({ ports }) => sentence(`${ports.length} ports`, each(ports, formatPortStats)),
  port_desc: ({ ports }) => each(ports, formatPortDescription),
  queue: ({ queues }) => sentence(`${queues.length} queues`, each(queues, formatQueueStats)),
  queue_desc: ({ queues }) => each(queues, (queue) => `port=${formatPort(queue.portNo)} ${formatQueue(queue)}`),
  group: ({ groups }) =>
    each(groups, ({ groupId, refCount, packetCount, byteCount, durationSec, durationNsec, buckets }) =>
      [
        `group_id=${groupId}`,
        `duration=${formatDuration(durationSec, durationNsec)}`,
        `ref_count=${refCount}`,
        `packet_count=${counter(packetCount)}`,
        `byte_count=${counter(byteCount)}`,
        ...buckets.map(
          (bucket, i) =>
            `bucket${i}:packet_count=${counter(bucket.packetCount)},byte_count=${counter(bucket.byteCount)}`,
        ),
      ].join(','),
    ),
  group_features: (features) =>
    sentence(
      `Types: ${hex(features.types)} Capabilities: ${hex(features.capabilities)}`,
      `all: max_groups=${features.maxAll} actions: ${bitNames(features.actionsAll, ACTIONS)};`,
      `select: max_groups=${features.maxSelect} actions: ${bitNames(features.actionsSelect, ACTIONS)};`,
      `indirect: max_groups=${features.maxIndirect} actions: ${bitNames(features.actionsIndirect, ACTIONS)};`,
      `ff: max_groups=${features.maxFf} actions: ${bitNames(features.actionsFf, ACTIONS)}`,
    ),
  group_desc: ({ groups }) => each(groups, (group) => formatGroup(group)),
  meter: ({ meters }) =>
    each(meters, ({ meterId, flowCount, packetInCount, byteInCount, durationSec, durationNsec, bands }) =>
      sentence(
        `meter:${meterName(meterId)} flow_count:${flowCount}`,
        `packet_in_count:${counter(packetInCount)} byte_in_count:${counter(byteInCount)}`,
        `duration:${formatDuration(durationSec, durationNsec)} bands:`,
        ...bands.map(
          (band, i) => `${i}: packet_count:${counter(band.packetCount)} byte_count:${counter(band.byteCount)}`,
        ),
      ),
    ),
  meter_config: ({ meters }) => each(meters, formatMeter),
  meter_features: ({ maxMeter, bandTypes, capabilities, maxBands, maxColor }) =>
    sentence(
      `max_meter:${maxMeter} max_bands:${maxBands} max_color:${maxColor}`,
      `band_types: ${bitNames(bandTypes, BAND_TYPES)} capabilities: ${bitNames(capabilities, METER_CAPABILITIES)}`,
    ),
  flow_monitor: ({ updates }) => each(updates, formatUpdate),
  nx_ipfix_bridge: (stats) => `bridge ipfix: ${formatIpfix(stats)}`,
  nx_ipfix_flow: ({ collectors }) =>
    sentence(
      `${collectors.length} ids`,
      each(collectors, (stats) => `id ${stats.collectorSetId}: ${formatIpfix(stats)}`),
    ),
  nx_flow_monitor: ({ updates }) => each(updates, formatUpdate),
};

export function formatRequest(body: RequestBody): string {
  // A row takes exactly the body it is keyed by, which the type of an indexed row cannot say.
  const print = REQUESTS[body.part] as ((body: RequestBody) => string) | undefined;
  return print === undefined ? formatAny(body) : print(body);
}

export function formatReply(body: ReplyBody): string {
  const print = REPLIES[body.part] as ((body: ReplyBody) => string) | undefined;
  return print === undefined ? formatAny(body) : print(body);
}
