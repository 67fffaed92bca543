// Messages of 1.3, 1.4 and 1.5 about groups, ports, tables, queues and controllers, with what ovs-ofctl says of them; null
// where it does not know the message.
import { OFPTC } from '../../../src/openflow/constants.ts';
import type { Bucket } from '../../../src/openflow/groups.ts';
import type { Message } from '../../../src/openflow/message.ts';
import type { AsyncProperty } from '../../../src/openflow/messages/async-config.ts';
import type { OxmVersion } from '../../../src/openflow/wire-version.ts';
import { formatMac } from '../../../src/wire/codec.ts';
import { out } from './flow-examples.ts';

type Said = RegExp | null;
type Example = readonly [Message, Said];

export const bucketsOf = (version: OxmVersion): readonly Bucket[] =>
  version < 6
    ? [
        { weight: 5, watchPort: 1, actions: [out(1)] },
        { weight: 7, actions: [out(2)] },
      ]
    : [
        { bucketId: 1, weight: 5, watchPort: 1, actions: [out(1)] },
        { bucketId: 2, weight: 7, actions: [out(2)] },
      ];

const MAC = formatMac(Buffer.from([2, 0, 0, 0, 0, 2]));

const MASKS_13: readonly AsyncProperty[] = [
  { type: 'packet_in_master', mask: 3 },
  { type: 'packet_in_slave', mask: 0 },
  { type: 'port_status_master', mask: 7 },
  { type: 'port_status_slave', mask: 1 },
  { type: 'flow_removed_master', mask: 0xf },
  { type: 'flow_removed_slave', mask: 0 },
];

const groups = (version: OxmVersion): readonly Example[] => [
  [
    { type: 'group_mod', command: 'add', groupType: 'select', groupId: 7, buckets: bucketsOf(version) },
    version < 6
      ? /ADD group_id=7,type=select,bucket=weight:5,watch_port:1,actions=output:1,bucket=weight:7,actions=output:2/
      : /ADD group_id=7,type=select,bucket=bucket_id:1,weight:5,watch_port:1,actions=output:1,bucket=bucket_id:2/,
  ],
  [
    { type: 'group_mod', command: 'delete', groupType: 'all', groupId: 0xfffffffc, buckets: [] },
    /DEL group_id=4294967292/,
  ],
];

const GROUPS_15: readonly Example[] = [
  [
    {
      type: 'group_mod',
      command: 'insert_bucket',
      groupType: 'select',
      groupId: 7,
      commandBucketId: 0xfffffffe,
      buckets: [{ bucketId: 3, actions: [out(3)] }],
    },
    /INSERT_BUCKET command_bucket_id:last,group_id=7,bucket=bucket_id:3,actions=output:3/,
  ],
  [
    {
      type: 'group_mod',
      command: 'add',
      groupType: 'select',
      groupId: 7,
      buckets: [],
      properties: [
        {
          type: 'selection_method',
          method: 'hash',
          param: 1n,
          fields: [{ name: 'ipv4_dst', value: '255.255.255.0' }],
        },
      ],
    },
    /selection_method=hash,selection_method_param=1,fields=ip_dst=255.255.255.0/,
  ],
];

const plain = (version: OxmVersion): readonly Example[] => [
  [
    { type: 'port_mod', portNo: 2, hwAddr: MAC, config: 1, mask: 1, advertise: 0x840 },
    /port: 2: addr:02:00:00:00:00:02\s+config: PORT_DOWN\s+mask: {3}PORT_DOWN\s+advertise: 10GB-FD COPPER/,
  ],
  [
    {
      type: 'table_mod',
      table: 3,
      config: version < 5 ? 0 : OFPTC.EVICTION,
      ...(version < 5 ? {} : { properties: [] }),
    },
    /table_id=3/,
  ],
  [
    { type: 'set_async', properties: version < 5 ? MASKS_13 : MASKS_13.toReversed() },
    /PACKET_IN: no_match action\s+PORT_STATUS: add delete modify\s+FLOW_REMOVED: idle hard delete group_delete/,
  ],
  [{ type: 'get_async_request' }, /OFPT_GET_ASYNC_REQUEST/],
  [
    {
      type: 'meter_mod',
      command: 'modify',
      meterId: 5,
      flags: 1,
      bands: [{ type: 'dscp_remark', rate: 10, burstSize: 0, precLevel: 1 }],
    },
    /MOD meter=5 kbps bands=\s+type=dscp_remark rate=10 prec_level=1/,
  ],
];

const QUEUES_13: readonly Example[] = [
  [{ type: 'queue_get_config_request', portNo: 2 }, /OFPT_QUEUE_GET_CONFIG_REQUEST.*port=2/],
  [
    {
      type: 'queue_get_config_reply',
      portNo: 2,
      queues: [
        {
          queueId: 1,
          portNo: 2,
          properties: [
            { type: 'min_rate', rate: 123 },
            { type: 'max_rate', rate: 456 },
          ],
        },
      ],
    },
    /port=2\s+queue 1: min_rate:12.3% max_rate:45.6%/,
  ],
];

const notices = (version: OxmVersion): readonly Example[] => [
  [
    { type: 'role_status', role: 'slave', reason: 'master_request', generationId: 5n, properties: [] },
    /generation_id=5 reason=(primary|master)_request/,
  ],
  [
    {
      type: 'table_status',
      reason: 'vacancy_down',
      table: { table: 3, config: 8, properties: [{ type: 'vacancy', vacancyDown: 20, vacancyUp: 80, vacancy: 10 }] },
    },
    /reason=VACANCY_DOWN\s+table_desc:-\s+table 3:\s+eviction=off eviction_flags=\(default\)\s+vacancy=on vacancy_down=20% vacancy_up=80% vacancy=10%/,
  ],
  [
    {
      type: 'requestforward',
      xid: 9,
      message: { type: 'group_mod', command: 'add', groupType: 'select', groupId: 7, buckets: bucketsOf(version) },
    },
    /reason=group_mod.*ADD group_id=7,type=select/s,
  ],
];

const IN_15: readonly Example[] = [
  [
    {
      type: 'controller_status',
      controller: {
        shortId: 1,
        role: 'master',
        reason: 'role',
        channel: 'up',
        properties: [{ type: 'uri', uri: 'tcp:192.0.2.1:6653' }],
      },
    },
    null,
  ],
  [
    {
      type: 'bundle_control',
      bundleId: 5,
      control: 'commit_request',
      flags: 7,
      properties: [{ type: 'time', scheduled: { seconds: 1n, nanoseconds: 2 } }],
    },
    null,
  ],
];

export const modExamples = (version: OxmVersion): readonly Example[] => [
  ...groups(version),
  ...plain(version),
  ...(version < 5 ? QUEUES_13 : notices(version)),
  ...(version < 6 ? [] : [...GROUPS_15, ...IN_15]),
];
