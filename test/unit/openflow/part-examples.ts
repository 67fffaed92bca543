// Multipart requests and replies of 1.3, 1.4 and 1.5, with what ovs-ofctl says of them; null where it does not know the part.
import { OFPP } from '../../../src/openflow/constants.ts';
import type { Message } from '../../../src/openflow/message.ts';
import type { ReplyBody, RequestBody } from '../../../src/openflow/messages/multipart.ts';
import type { OxmVersion } from '../../../src/openflow/wire-version.ts';
import { fields, out } from './flow-examples.ts';
import { bucketsOf } from './mod-examples.ts';

type Said = RegExp | null;

const NOW = { durationSec: 3, durationNsec: 500_000_000 };
const HTTP = fields(['eth_type', 0x0800], ['ip_proto', 6], ['tcp_dst', 80]);
const COUNTERS = { packetCount: 10n, byteCount: 640n };
const TIME = { seconds: 1n, nanoseconds: 2 };

const ofTables: readonly (readonly [ReplyBody, Said])[] = [
  [
    { part: 'table', tables: [{ table: 0, activeCount: 4, lookupCount: 9n, matchedCount: 7n }] },
    /table 0:\s+active=4, lookup=9, matched=7/,
  ],
];

const tableFeatures = (version: OxmVersion): readonly (readonly [ReplyBody, Said])[] => [
  [
    {
      part: 'table_features',
      tables: [
        {
          table: 2,
          name: 'classifier',
          metadataMatch: 0xffn,
          metadataWrite: 0xf0n,
          config: 0,
          maxEntries: 1000,
          ...(version < 6 ? {} : { command: 'replace', features: 0 }),
          properties: [
            { type: 'instructions', instructions: [{ type: 'goto_table' }, { type: 'apply_actions' }] },
            { type: 'next_tables', tables: [3, 4] },
            { type: 'write_actions', actions: [{ type: 'output' }, { type: 'group' }] },
            { type: 'apply_actions', actions: [{ type: 'output' }, { type: 'set_field' }] },
            { type: 'match', fields: [{ name: 'eth_dst', hasMask: true }, { name: 'eth_type' }] },
            { type: 'wildcards', fields: [{ name: 'eth_dst' }] },
            { type: 'write_setfield', fields: [{ name: 'vlan_vid' }] },
            { type: 'apply_setfield', fields: [{ name: 'vlan_vid' }, { name: 'ipv4_src' }] },
          ],
        },
      ],
    },
    /table 2 \("classifier"\):\s+metadata: match=0xff write=0xf0\s.*next tables: 3-4\s+instructions: apply_actions goto_table\s+Write-Actions features:\s+actions: output group\s.*arbitrary mask: eth_dst\s+must exact match: eth_type/s,
  ],
];

const ofPorts: readonly (readonly [ReplyBody, Said])[] = [
  [
    {
      part: 'port_stats',
      ports: [
        {
          portNo: 2,
          rxPackets: 1n,
          txPackets: 2n,
          rxBytes: 3n,
          txBytes: 4n,
          rxDropped: 5n,
          txDropped: 6n,
          rxErrors: 7n,
          txErrors: 8n,
          rxFrameErr: 9n,
          rxOverErr: 10n,
          rxCrcErr: 11n,
          collisions: 12n,
          ...NOW,
        },
      ],
    },
    /port\s+2: rx pkts=1, bytes=3, drop=5, errs=7, frame=9, over=10, crc=11\s+tx pkts=2, bytes=4, drop=6, errs=8, coll=12\s+duration=3\.500s/,
  ],
  [
    { part: 'queue', queues: [{ portNo: 2, queueId: 1, txBytes: 3n, txPackets: 4n, txErrors: 5n, ...NOW }] },
    /port 2 queue 1: bytes=3, pkts=4, errors=5, duration=3\.500s/,
  ],
];

const ofGroups = (version: OxmVersion): readonly (readonly [ReplyBody, Said])[] => [
  [
    {
      part: 'group',
      groups: [
        { groupId: 7, refCount: 1, ...COUNTERS, ...NOW, buckets: [COUNTERS, { packetCount: 0n, byteCount: 0n }] },
      ],
    },
    /group_id=7,duration=3\.500s,ref_count=1,packet_count=10,byte_count=640,bucket0:packet_count=10,byte_count=640,bucket1/,
  ],
  [
    { part: 'group_desc', groups: [{ groupType: 'select', groupId: 7, buckets: bucketsOf(version) }] },
    version < 6
      ? /group_id=7,type=select,bucket=weight:5,watch_port:1,actions=output:1,bucket=weight:7,actions=output:2/
      : /group_id=7,type=select,bucket=bucket_id:1,weight:5,watch_port:1,actions=output:1,bucket=bucket_id:2,weight:7/,
  ],
  [
    {
      part: 'group_features',
      types: 0xf,
      capabilities: 7,
      maxAll: 1,
      maxSelect: 2,
      maxIndirect: 3,
      maxFf: 4,
      actionsAll: 1,
      actionsSelect: 1,
      actionsIndirect: 1,
      actionsFf: 1,
    },
    /Types: {2}0xf\s+Capabilities: {2}0x7\s+all group:\s+max_groups=0x1\s+actions: output\s+select group:\s+max_groups=0x2/,
  ],
];

const ofMeters: readonly (readonly [ReplyBody, Said])[] = [
  [
    {
      part: 'meter',
      meters: [
        {
          meterId: 5,
          flowCount: 2,
          packetInCount: 10n,
          byteInCount: 640n,
          ...NOW,
          bands: [{ packetCount: 1n, byteCount: 64n }],
        },
      ],
    },
    /meter:5 flow_count:2 packet_in_count:10 byte_in_count:640 duration:3\.500s bands:\s+0: packet_count:1 byte_count:64/,
  ],
  [
    {
      part: 'meter_config',
      meters: [{ flags: 5, meterId: 5, bands: [{ type: 'drop', rate: 1000, burstSize: 100 }] }],
    },
    /meter=5 kbps burst bands=\s+type=drop rate=1000 burst_size=100/,
  ],
  [
    { part: 'meter_features', maxMeter: 100, bandTypes: 6, capabilities: 0xf, maxBands: 8, maxColor: 2 },
    /max_meter:100 max_bands:8 max_color:2\s+band_types: drop dscp_remark\s+capabilities: kbps pktps burst stats/,
  ],
];

const from14 = (): readonly (readonly [ReplyBody, Said])[] => [
  [
    {
      part: 'table_desc',
      tables: [
        {
          table: 3,
          config: 0xc,
          properties: [
            { type: 'eviction', flags: 2 },
            { type: 'vacancy', vacancyDown: 20, vacancyUp: 80, vacancy: 50 },
          ],
        },
      ],
    },
    /table 3:\s+eviction=on eviction_flags=IMPORTANCE\s+vacancy=on vacancy_down=20% vacancy_up=80% vacancy=50%/,
  ],
  [
    {
      part: 'queue_desc',
      queues: [
        {
          portNo: 2,
          queueId: 1,
          properties: [
            { type: 'min_rate', rate: 123 },
            { type: 'max_rate', rate: 456 },
          ],
        },
      ],
    },
    /port=2\s+queue 1: min_rate:12.3% max_rate:45.6%/,
  ],
  [
    {
      part: 'flow_monitor',
      updates: [
        {
          event: 'added',
          table: 1,
          reason: 0,
          idleTimeout: 0,
          hardTimeout: 0,
          priority: 0x8000,
          cookie: 5n,
          match: HTTP,
          instructions: [{ type: 'apply_actions', actions: [out(3)] }],
        },
        { event: 'abbrev', xid: 0x1234 },
        { event: 'paused' },
      ],
    },
    /event=ADDED table=1 cookie=0x5 tcp,tp_dst=80 actions=output:3\s+event=ABBREV xid=0x1234\s+event=PAUSED/,
  ],
];

const in15: readonly (readonly [ReplyBody, Said])[] = [
  [
    {
      part: 'flow_stats',
      flows: [
        {
          table: 1,
          reason: 'stats_request',
          priority: 5,
          match: HTTP,
          stats: [{ name: 'packet_count', value: 10n }],
        },
      ],
    },
    null,
  ],
  [
    {
      part: 'controller_status',
      controllers: [
        {
          shortId: 1,
          role: 'master',
          reason: 'request',
          channel: 'up',
          properties: [{ type: 'uri', uri: 'tcp:192.0.2.1:6653' }],
        },
      ],
    },
    null,
  ],
  [
    {
      part: 'bundle_features',
      capabilities: 7,
      properties: [
        { type: 'time', schedAccuracy: TIME, schedMaxFuture: TIME, schedMaxPast: TIME, timestamp: TIME },
        { type: 'experimenter', experimenter: 1, expType: 2, data: Buffer.from([3]) },
      ],
    },
    null,
  ],
];

const aggregate = (version: OxmVersion): readonly [ReplyBody, Said] => [
  {
    part: 'aggregate',
    ...COUNTERS,
    flowCount: 2,
    ...(version < 6
      ? {}
      : {
          stats: [
            { name: 'flow_count', value: 2n },
            { name: 'packet_count', value: 10n },
            { name: 'byte_count', value: 640n },
          ],
        }),
  },
  /packet_count=10 byte_count=640 flow_count=2/,
];

const replies = (version: OxmVersion): readonly (readonly [ReplyBody, Said])[] => [
  aggregate(version),
  ...ofTables,
  ...tableFeatures(version),
  ...ofPorts,
  ...ofGroups(version),
  ...ofMeters,
  ...(version < 5 ? [] : from14()),
  ...(version < 6 ? [] : in15),
];

const requests = (version: OxmVersion): readonly (readonly [RequestBody, Said])[] => [
  [{ part: 'aggregate', table: 1, match: HTTP }, /table=1 tcp,tp_dst=80|tcp,table=1,tp_dst=80|tcp,tp_dst=80/],
  [{ part: 'table' }, /OFPST_TABLE request/],
  [{ part: 'table_features', tables: [] }, /OFPST_TABLE_FEATURES request/],
  [{ part: 'port_stats', portNo: 3 }, /OFPST_PORT request.*port_no=3/],
  [{ part: 'queue', portNo: 3, queueId: 4 }, /OFPST_QUEUE request.*port=3 queue=4/],
  [{ part: 'group', groupId: 7 }, /OFPST_GROUP request.*group_id=7/],
  [{ part: 'group_desc', ...(version < 6 ? {} : { groupId: 7 }) }, /OFPST_GROUP_DESC request/],
  [{ part: 'group_features' }, /OFPST_GROUP_FEATURES request/],
  [{ part: 'meter', meterId: 5 }, /OFPST_METER request.*meter=5/],
  [{ part: 'meter_config', meterId: 5 }, /OFPST_METER_CONFIG request.*meter=5/],
  [{ part: 'meter_features' }, /OFPST_METER_FEATURES request/],
  ...(version < 5 ? [] : requestsFrom14),
  ...(version < 6 ? [] : requestsIn15),
];

const requestsFrom14: readonly (readonly [RequestBody, Said])[] = [
  [{ part: 'table_desc' }, /OFPST_TABLE_DESC request/],
  [
    { part: 'queue_desc', portNo: 3, queueId: 4 },
    /OFPST_QUEUE_DESC request|OFPT_QUEUE_GET_CONFIG_REQUEST.*port=3 queue=4/,
  ],
  [
    {
      part: 'flow_monitor',
      monitors: [{ monitorId: 9, flags: 0x1f, outPort: OFPP.ANY, table: 1, match: HTTP }],
    },
    /id=9 flags=initial,add,delete,modify,actions table=1 tcp,tp_dst=80/,
  ],
];

const requestsIn15: readonly (readonly [RequestBody, Said])[] = [
  [{ part: 'flow_stats', match: HTTP }, null],
  [{ part: 'controller_status' }, null],
  [{ part: 'bundle_features', flags: 1, properties: [] }, null],
];

export const partExamples = (version: OxmVersion): readonly (readonly [Message, Said])[] => [
  ...requests(version).map(([body, said]): readonly [Message, Said] => [
    { type: 'multipart_request', more: false, body },
    said,
  ]),
  ...replies(version).map(([body, said]): readonly [Message, Said] => [
    { type: 'multipart_reply', more: false, body },
    said,
  ]),
];
