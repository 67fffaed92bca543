// Messages about groups, ports, tables, queues and controllers of 1.3, 1.4 and 1.5, as decoding would give them.
import fc from 'fast-check';
import type { Message } from '../../src/openflow/message.ts';
import type { OxmVersion } from '../../src/openflow/wire-version.ts';
import { action } from './openflow-action-arbitraries.ts';
import { mac, oxmField } from './openflow-field-arbitraries.ts';
import { few, list, others, tag, text, time, u16, u32, u64, u8, upTo } from './openflow-values.ts';

type Arb<T> = fc.Arbitrary<T>;

export const groupType = fc.constantFrom('all', 'select', 'indirect', 'ff');
const role = fc.constantFrom('nochange', 'equal', 'master', 'slave');

export const bands = list(
  fc.oneof(
    fc.record({ ...tag('drop'), rate: u32, burstSize: u32 }),
    fc.record({ ...tag('dscp_remark'), rate: u32, burstSize: u32, precLevel: u8 }),
    fc.record({ ...tag('experimenter'), rate: u32, burstSize: u32, experimenter: u32, body: upTo(9) }),
  ),
);

export function buckets(version: OxmVersion): Arb<object[]> {
  const actions = fc.array(action(version), { maxLength: 3 });
  const watched = { weight: u16, watchPort: u32, watchGroup: u32 };
  if (version < 6) return list(fc.record({ ...watched, actions }));
  return list(
    fc.oneof(
      fc.record({ bucketId: u32, ...watched, actions }, { requiredKeys: ['bucketId', 'actions'] }),
      fc.record({ bucketId: u32, actions, properties: fc.array(fc.oneof(...others), { minLength: 1, maxLength: 3 }) }),
    ),
  );
}

const selection = fc.record({ ...tag('selection_method'), method: text(15), param: u64, fields: few(oxmField(6)) });

/** May be left out. */
export const groupProperties = (version: OxmVersion): { properties?: Arb<unknown[]> } =>
  version < 6 ? {} : { properties: fc.array(fc.oneof(selection, ...others), { minLength: 1, maxLength: 3 }) };

export const tableProperties = few(
  fc.oneof(
    fc.record({ ...tag('eviction'), flags: u32 }),
    fc.record({ ...tag('vacancy'), vacancyDown: u8, vacancyUp: u8, vacancy: u8 }),
    ...others,
  ),
);

function groupMod(version: OxmVersion): Arb<unknown> {
  const plain = { ...tag('group_mod'), groupType, groupId: u32, buckets: buckets(version) };
  if (version < 6) return fc.record({ ...plain, command: fc.constantFrom('add', 'modify', 'delete', 'add_or_mod') });
  const command = fc.constantFrom('add', 'modify', 'delete', 'insert_bucket', 'remove_bucket', 'add_or_mod');
  const whole = { ...plain, command, commandBucketId: u32 };
  return fc.oneof(fc.record(whole), fc.record({ ...whole, ...groupProperties(version) }));
}

const optical = fc.record({
  ...tag('optical'),
  configure: u32,
  freqLmda: u32,
  flOffset: u32,
  gridSpan: u32,
  txPwr: u32,
});

function portMod(version: OxmVersion): Arb<unknown> {
  const plain = { ...tag('port_mod'), portNo: u32, hwAddr: mac, config: u32, mask: u32 };
  const ethernet = fc.record({ ...plain, advertise: u32 });
  if (version < 5) return ethernet;
  const properties = fc.array(fc.oneof(optical, ...others), { minLength: 1, maxLength: 3 });
  return fc.oneof(ethernet, fc.record(plain), fc.record({ ...plain, properties }));
}

const MASKS_13 = [
  'packet_in_master',
  'packet_in_slave',
  'port_status_master',
  'port_status_slave',
  'flow_removed_master',
  'flow_removed_slave',
] as const;

function asyncConfig(version: OxmVersion): Arb<unknown>[] {
  const masks13 = fc
    .array(u32, { minLength: 6, maxLength: 6 })
    .map((all) => MASKS_13.map((type, i) => ({ type, mask: all[i] ?? 0 })));
  const masks14 = few(
    fc.oneof(
      fc.record({ type: fc.constantFrom(...MASKS_13, 'table_status_slave', 'cont_status_master'), mask: u32 }),
      fc.record({
        type: fc.constantFrom('experimenter_slave', 'experimenter_master'),
        experimenter: u32,
        expType: u32,
        data: upTo(9),
      }),
    ),
  );
  const properties: Arb<unknown> = version < 5 ? masks13 : masks14;
  return [
    fc.constant({ type: 'get_async_request' }),
    fc.record({ type: fc.constantFrom('get_async_reply', 'set_async'), properties }),
  ];
}

function queueConfig(): Arb<unknown>[] {
  const property = fc.oneof(
    fc.record({ type: fc.constantFrom('min_rate', 'max_rate'), rate: u16 }),
    fc.record({ ...tag('experimenter'), experimenter: u32, data: upTo(9) }),
  );
  const queue = fc.record({ queueId: u32, portNo: u32, properties: few(property) });
  return [
    fc.record({ ...tag('queue_get_config_request'), portNo: u32 }),
    fc.record({ ...tag('queue_get_config_reply'), portNo: u32, queues: list(queue) }),
  ];
}

export const controllerStatus = fc.record({
  shortId: u16,
  role,
  reason: fc.constantFrom('request', 'channel_status', 'role', 'controller_added', 'controller_removed', 'short_id'),
  channel: fc.constantFrom('up', 'down'),
  properties: few(fc.oneof(fc.record({ ...tag('uri'), uri: text(20) }), ...others)),
});

/** Also of 1.3, as extensions of the ONF. */
const notices = (version: OxmVersion): Arb<unknown>[] => [
  fc.record({
    ...tag('role_status'),
    role,
    reason: fc.constantFrom('master_request', 'config', 'experimenter'),
    generationId: u64,
    properties: few(fc.oneof(...others)),
  }),
  fc.record({ ...tag('requestforward'), xid: u32, message: groupMod(version) }),
];

const from14 = (version: OxmVersion): Arb<unknown>[] => [
  fc.record({
    ...tag('table_status'),
    reason: fc.constantFrom('vacancy_down', 'vacancy_up'),
    table: fc.record({ table: u8, config: u32, properties: tableProperties }),
  }),
  fc.record({
    ...tag('bundle_control'),
    bundleId: u32,
    control: fc.constant('commit_request'),
    flags: u16,
    properties: fc.array(fc.oneof(fc.record({ ...tag('time'), scheduled: time }), ...others), {
      minLength: 1,
      maxLength: 2,
    }),
  }),
  fc.record({
    ...tag('bundle_add'),
    bundleId: u32,
    flags: u16,
    xid: u32,
    message: portMod(version),
    properties: fc.array(fc.oneof(...others), { minLength: 1, maxLength: 2 }),
  }),
];

export function modMessages(version: OxmVersion): Arb<Message>[] {
  const table = { ...tag('table_mod'), table: u8, config: u32 };
  const all: Arb<unknown>[] = [
    groupMod(version),
    portMod(version),
    version < 5 ? fc.record(table) : fc.record({ ...table, properties: tableProperties }),
    fc.record({
      ...tag('meter_mod'),
      command: fc.constantFrom('add', 'modify', 'delete'),
      flags: u16,
      meterId: u32,
      bands,
    }),
    ...asyncConfig(version),
    ...notices(version),
    ...(version < 5 ? queueConfig() : from14(version)),
    ...(version < 6 ? [] : [fc.record({ ...tag('controller_status'), controller: controllerStatus })]),
  ];
  return all as Arb<Message>[];
}
