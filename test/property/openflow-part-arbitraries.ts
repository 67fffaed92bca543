// Every multipart part of 1.3, 1.4 and 1.5 beyond those of flows and port descriptions, as decoding would give it.
import fc from 'fast-check';
import type { Message } from '../../src/openflow/message.ts';
import type { ReplyBody, RequestBody } from '../../src/openflow/messages/multipart.ts';
import type { FieldId } from '../../src/openflow/field-ids.ts';
import { fieldNames } from '../../src/openflow/oxm-rows.ts';
import type { Stat } from '../../src/openflow/stats.ts';
import type { OxmVersion } from '../../src/openflow/wire-version.ts';
import { instruction, stat } from './openflow-instruction-arbitraries.ts';
import { match, oxmField } from './openflow-field-arbitraries.ts';
import {
  bands,
  buckets,
  controllerStatus,
  groupProperties,
  groupType,
  tableProperties,
} from './openflow-mod-arbitraries.ts';
import { few, list, others, tag, text, time, u16, u32, u64, u8, upTo } from './openflow-values.ts';

type Arb<T> = fc.Arbitrary<T>;

const part = <const P extends string, R extends object>(
  name: P,
  fields: { [K in keyof R]: Arb<R[K]> },
): Arb<{ part: P } & R> => fc.record({ part: fc.constant(name), ...fields }) as unknown as Arb<{ part: P } & R>;

const which = (version: OxmVersion) => ({
  table: u8,
  outPort: u32,
  outGroup: u32,
  cookie: u64,
  cookieMask: u64,
  match: match(version),
});

const countersOf = { packetCount: u64, byteCount: u64 };
const since = { durationSec: u32, durationNsec: u32 };

const portCounters = {
  portNo: u32,
  rxPackets: u64,
  txPackets: u64,
  rxBytes: u64,
  txBytes: u64,
  rxDropped: u64,
  txDropped: u64,
  rxErrors: u64,
  txErrors: u64,
  ...since,
};
const ethernet = { rxFrameErr: u64, rxOverErr: u64, rxCrcErr: u64, collisions: u64 };
const queueCounters = { portNo: u32, queueId: u32, txBytes: u64, txPackets: u64, txErrors: u64, ...since };

const fieldId = (version: OxmVersion): Arb<FieldId> =>
  fc.oneof(
    fc.constantFrom(...fieldNames(version).keys()).map((name) => ({ name })),
    fc.constantFrom(...fieldNames(version).keys()).map((name) => ({ name, hasMask: true as const })),
    u8.map((bits) => ({ name: `oxm:0x${(0x12340000 + (bits << 9)).toString(16)}`, header: 0x12340000 + (bits << 9) })),
  );

const kinds = <N extends string>(...names: readonly N[]) =>
  few(
    fc.oneof(
      fc.constantFrom(...names).map((type) => ({ type })),
      fc.record({ ...tag('experimenter'), experimenter: u32, data: upTo(8) }),
      fc.record({ ...tag('unknown'), code: fc.integer({ min: 100, max: 200 }), body: upTo(8) }),
    ),
  );

function tableFeatures(version: OxmVersion) {
  const fields = few(fieldId(version));
  const property = fc.oneof(
    fc.record({
      type: fc.constantFrom('instructions', 'instructions_miss'),
      instructions: kinds('goto_table', 'clear_actions'),
    }),
    fc.record({ type: fc.constantFrom('next_tables', 'table_sync_from'), tables: few(u8) }),
    fc.record({ type: fc.constantFrom('write_actions', 'apply_actions_miss'), actions: kinds('output', 'copy_field') }),
    fc.record({ type: fc.constantFrom('match', 'wildcards', 'apply_setfield', 'write_copyfield'), fields }),
    fc.record({
      type: fc.constantFrom('experimenter', 'experimenter_miss'),
      experimenter: u32,
      expType: u32,
      data: upTo(9),
    }),
    ...(version < 6 ? [] : [fc.record({ ...tag('packet_types'), values: few(oxmField(6)) })]),
  );
  return fc.record({
    table: u8,
    name: text(31),
    metadataMatch: u64,
    metadataWrite: u64,
    config: u32,
    maxEntries: u32,
    properties: few(property),
    ...(version < 6 ? {} : { command: fc.constantFrom('replace', 'modify', 'enable', 'disable'), features: u32 }),
  });
}

const update = (version: OxmVersion) =>
  fc.oneof(
    fc.record({
      event: fc.constantFrom('initial', 'added', 'removed', 'modified'),
      table: u8,
      reason: u8,
      idleTimeout: u16,
      hardTimeout: u16,
      priority: u16,
      cookie: u64,
      match: match(version),
      instructions: few(instruction(version)),
    }),
    fc.record({ event: fc.constant('abbrev'), xid: u32 }),
    fc.record({ event: fc.constantFrom('paused', 'resumed') }),
  );

const features = few(
  fc.oneof(
    fc.record({ ...tag('time'), schedAccuracy: time, schedMaxFuture: time, schedMaxPast: time, timestamp: time }),
    ...others,
  ),
);

const sumOf = (stats: readonly Stat[], name: string): bigint =>
  (stats.find((each) => each.name === name)?.value as bigint | undefined) ?? 0n;

function replies13(version: OxmVersion): Arb<unknown>[] {
  const durations = since;
  return [
    part('table', { tables: list(fc.record({ table: u8, activeCount: u32, lookupCount: u64, matchedCount: u64 })) }),
    part('table_features', { tables: list(tableFeatures(version)) }),
    part('group', {
      groups: list(
        fc.record({ groupId: u32, refCount: u32, ...countersOf, ...durations, buckets: list(fc.record(countersOf)) }),
      ),
    }),
    part('group_desc', {
      groups: list(
        fc.record(
          { groupType, groupId: u32, buckets: buckets(version), ...groupProperties(version) },
          { requiredKeys: ['groupType', 'groupId', 'buckets'] },
        ),
      ),
    }),
    part('group_features', {
      types: u32,
      capabilities: u32,
      maxAll: u32,
      maxSelect: u32,
      maxIndirect: u32,
      maxFf: u32,
      actionsAll: u32,
      actionsSelect: u32,
      actionsIndirect: u32,
      actionsFf: u32,
    }),
    part('meter', {
      meters: list(
        fc.record({
          meterId: u32,
          flowCount: u32,
          packetInCount: u64,
          byteInCount: u64,
          ...durations,
          bands: list(fc.record(countersOf)),
        }),
      ),
    }),
    part('meter_config', { meters: list(fc.record({ flags: u16, meterId: u32, bands })) }),
    part('meter_features', {
      maxMeter: u32,
      bandTypes: u32,
      capabilities: u32,
      maxBands: u8,
      maxColor: u8,
      ...(version < 6 ? {} : { features: u32 }),
    }),
    part('experimenter', { experimenter: fc.integer({ min: 0, max: 0xffff }), expType: u32, data: upTo(20) }),
    version < 6
      ? part('aggregate', { ...countersOf, flowCount: u32 })
      : list(stat).map((stats) => ({
          part: 'aggregate',
          packetCount: sumOf(stats, 'packet_count'),
          byteCount: sumOf(stats, 'byte_count'),
          flowCount: Number(sumOf(stats, 'flow_count')),
          stats,
        })),
    version < 5
      ? part('port_stats', { ports: list(fc.record({ ...portCounters, ...ethernet })) })
      : part('port_stats', {
          ports: list(fc.oneof(fc.record(portCounters), fc.record({ ...portCounters, ...ethernet }))),
        }),
    version < 5
      ? part('queue', { queues: list(fc.record(queueCounters)) })
      : part('queue', { queues: list(fc.record({ ...queueCounters, properties: few(fc.oneof(...others)) })) }),
  ];
}

const rate = fc.record({ type: fc.constantFrom('min_rate', 'max_rate'), rate: u16 });

const repliesFrom14 = (version: OxmVersion): Arb<unknown>[] => [
  part('table_desc', { tables: list(fc.record({ table: u8, config: u32, properties: tableProperties })) }),
  part('queue_desc', {
    queues: list(fc.record({ portNo: u32, queueId: u32, properties: few(fc.oneof(rate, ...others)) })),
  }),
  part('flow_monitor', { updates: list(update(version)) }),
];

const replies15: readonly Arb<unknown>[] = [
  part('flow_stats', {
    flows: list(
      fc.record({
        table: u8,
        reason: fc.constantFrom('stats_request', 'stat_trigger'),
        priority: u16,
        match: match(6),
        stats: list(stat),
      }),
    ),
  }),
  part('controller_status', { controllers: list(controllerStatus) }),
  part('bundle_features', { capabilities: u16, properties: features }),
];

const monitor = (version: OxmVersion) =>
  fc.record({
    monitorId: u32,
    outPort: u32,
    outGroup: u32,
    flags: u16,
    table: u8,
    command: fc.constantFrom('add', 'modify', 'delete'),
    match: match(version),
  });

function requests(version: OxmVersion): Arb<unknown>[] {
  const bare = fc.constantFrom('table', 'group_features', 'meter_features').map((name) => ({ part: name }));
  return [
    bare,
    part('aggregate', which(version)),
    part('table_features', { tables: few(tableFeatures(version)) }),
    part('port_stats', { portNo: u32 }),
    part('queue', { portNo: u32, queueId: u32 }),
    part('group', { groupId: u32 }),
    version < 6 ? fc.constant({ part: 'group_desc' }) : part('group_desc', { groupId: u32 }),
    part('meter', { meterId: u32 }),
    part('meter_config', { meterId: u32 }),
    ...(version < 5
      ? []
      : [
          part('queue_desc', { portNo: u32, queueId: u32 }),
          fc.constant({ part: 'table_desc' }),
          part('flow_monitor', { monitors: list(monitor(version)) }),
        ]),
    ...(version < 6
      ? []
      : [
          part('flow_stats', which(version)),
          fc.constant({ part: 'controller_status' }),
          part('bundle_features', { flags: u32, properties: features }),
        ]),
  ];
}

/** Requests and replies with one of these parts. */
export function partMessages(version: OxmVersion): Arb<Message>[] {
  const replies = [
    ...replies13(version),
    ...(version < 5 ? [] : repliesFrom14(version)),
    ...(version < 6 ? [] : replies15),
  ];
  const more = fc.boolean();
  return [
    fc.record({ ...tag('multipart_request'), more, body: fc.oneof(...(requests(version) as Arb<RequestBody>[])) }),
    fc.record({ ...tag('multipart_reply'), more, body: fc.oneof(...(replies as Arb<ReplyBody>[])) }),
  ];
}
