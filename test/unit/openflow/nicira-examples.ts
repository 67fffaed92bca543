// Messages of Nicira and of the ONF, one of each kind at least, with what ovs-ofctl says of them.
import { portNo } from '../../../src/base/ids.ts';
import type { IpAddress } from '../../../src/base/ids.ts';
import type { Message } from '../../../src/openflow/message.ts';
import type { Match } from '../../../src/openflow/model.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';
import { FRAME } from './v10-examples.ts';

const MATCH: Match = [
  { name: 'eth_type', value: 0x800 },
  { name: 'ip_proto', value: 6 },
  { name: 'tcp_dst', value: 80 },
];

type Example = readonly [Message, RegExp];

const SESSION: readonly Example[] = [
  [{ type: 'nx_role_request', role: 'master' }, /NXT_ROLE_REQUEST .*role=(primary|master)/],
  [{ type: 'nx_role_reply', role: 'slave' }, /NXT_ROLE_REPLY .*role=(secondary|slave)/],
  [{ type: 'nx_flow_mod_table_id', set: 1 }, /NXT_FLOW_MOD_TABLE_ID .*enable/],
  [{ type: 'nx_set_packet_in_format', format: 'nxt_packet_in2' }, /format=nxt_packet_in2/],
  [{ type: 'nx_flow_age' }, /NXT_FLOW_AGE/],
  [{ type: 'nx_set_controller_id', controllerId: 77 }, /NXT_SET_CONTROLLER_ID .*id=77/],
  [
    { type: 'nx_set_async_config', packetIn: [1, 2], portStatus: [3, 4], flowRemoved: [5, 6] },
    /PACKET_IN: no_match\s+PORT_STATUS: add delete\s+FLOW_REMOVED: idle delete.*PACKET_IN: action\s+PORT_STATUS: modify/s,
  ],
];

const TABLES: readonly Example[] = [
  [
    { type: 'nx_tlv_table_mod', command: 'add', maps: [{ optionClass: 1, optionType: 2, optionLen: 4, index: 5 }] },
    /ADD mapping table:.*0x1\s+0x2\s+4\s+tun_metadata5/s,
  ],
  [{ type: 'nx_tlv_table_request' }, /NXT_TLV_TABLE_REQUEST/],
  [
    {
      type: 'nx_tlv_table_reply',
      maxOptionSpace: 256,
      maxFields: 64,
      maps: [{ optionClass: 1, optionType: 2, optionLen: 4, index: 5 }],
    },
    /max option space=256 max fields=64.*tun_metadata5/s,
  ],
  [{ type: 'nx_ct_flush_zone', zone: 7 }, /NXT_CT_FLUSH_ZONE .*zone_id=7/],
  [
    {
      type: 'nx_ct_flush',
      ipProto: 6,
      properties: [
        {
          type: 'orig_tuple',
          tuple: [
            { type: 'src', address: '::ffff:10.0.0.1' as IpAddress },
            { type: 'dst_port', value: 80 },
          ],
        },
        { type: 'zone', zone: 3 },
      ],
    },
    /NXT_CT_FLUSH .*zone=3 'ct_nw_src=10.0.0.1.*ct_tp_dst=80,ct_nw_proto=6'/,
  ],
];

const FLOWS: readonly Example[] = [
  [
    {
      type: 'nx_flow_mod',
      command: 'modify',
      table: 0,
      priority: 5,
      cookie: 1n,
      match: MATCH,
      instructions: [{ type: 'apply_actions', actions: [{ type: 'output', port: 2, maxLen: 0 }] }],
    },
    /NXT_FLOW_MOD .*MOD priority=5,tcp,tp_dst=80 cookie:0x1 actions=output:2/,
  ],
  [
    {
      type: 'nx_flow_removed',
      cookie: 5n,
      priority: 6,
      reason: 1,
      table: 3,
      durationSec: 1,
      durationNsec: 2,
      idleTimeout: 3,
      hardTimeout: 0,
      packetCount: 1n,
      byteCount: 2n,
      match: MATCH,
    },
    /NXT_FLOW_REMOVED .*priority=6,tcp,tp_dst=80 reason=hard table_id=3 cookie:0x5 duration1.000000002s idle3 pkts1 bytes2/,
  ],
  [
    {
      type: 'nx_packet_in',
      bufferId: 0xffffffff,
      totalLen: 14,
      reason: 1,
      table: 2,
      cookie: 8n,
      inPort: portNo(0xffffffff),
      metadata: null,
      match: [{ name: 'reg1', value: 5 }],
      data: FRAME,
    },
    /NXT_PACKET_IN .*table_id=2 cookie=0x8 total_len=14 reg1=0x5 \(via action\) data_len=14 \(unbuffered\)/,
  ],
  [
    {
      type: 'nx_packet_in2',
      properties: [
        { type: 'packet', data: FRAME },
        { type: 'full_len', bytes: 14 },
        { type: 'table', table: 3 },
        { type: 'cookie', cookie: 6n },
        { type: 'reason', reason: 1 },
        { type: 'metadata', match: [{ name: 'reg1', value: 5 }] },
        { type: 'userdata', data: Buffer.from([1, 2, 3, 4, 5]) },
        { type: 'continuation', data: Buffer.from('8003000400000000', 'hex') },
      ],
    },
    /NXT_PACKET_IN2 .*table_id=3 cookie=0x6 total_len=14 reg1=0x5 \(via action\) data_len=14.*userdata=01.02.03.04.05.*continuation.conntracked=true/s,
  ],
  [
    {
      type: 'nx_resume',
      properties: [
        { type: 'packet', data: FRAME },
        { type: 'metadata', match: [] },
        { type: 'continuation', data: Buffer.from('8003000400000000', 'hex') },
      ],
    },
    /NXT_RESUME .*data_len=14/s,
  ],
];

const MONITORS: readonly Example[] = [
  [{ type: 'nx_flow_monitor_cancel', id: 4 }, /(NXT|ONFT)_FLOW_MONITOR_CANCEL .*id=4/],
  [{ type: 'nx_flow_monitor_paused' }, /FLOW_MONITOR_PAUSED/],
  [{ type: 'nx_flow_monitor_resumed' }, /FLOW_MONITOR_RESUMED/],
];

const GROUP: Message = {
  type: 'group_mod',
  command: 'add',
  groupType: 'select',
  groupId: 7,
  commandBucketId: 0xffffffff,
  buckets: [{ bucketId: 1, weight: 3, actions: [{ type: 'output', port: 2, maxLen: 0 }] }],
};
const GROUP_TEXT = 'group_id=7,type=select,bucket=bucket_id:1,weight:3,actions=output:2';

const CONFIG2: Example = [
  {
    type: 'nx_set_async_config2',
    properties: [
      { type: 'packet_in_slave', mask: 2 },
      { type: 'port_status_master', mask: 3 },
    ],
  },
  /NXT_SET_ASYNC_CONFIG2.*primary:.*PORT_STATUS: add delete.*secondary:\s+PACKET_IN: action/s,
];

const requestForward: Message = { type: 'requestforward', xid: 9, message: GROUP };

/** 1.0: groups as 1.5 has them. */
const GROUPS_10: readonly Example[] = [
  [GROUP, new RegExp(`NXT_GROUP_MOD .*ADD ${GROUP_TEXT}`, 's')],
  [requestForward, new RegExp(`NXT_REQUESTFORWARD .*reason=group_mod.*${GROUP_TEXT}`, 's')],
  [{ type: 'multipart_request', more: false, body: { part: 'group', groupId: 7 } }, /NXST_GROUP request .*group_id=7/],
  [
    { type: 'multipart_request', more: false, body: { part: 'group_desc', groupId: 7 } },
    /NXST_GROUP_DESC request .*group_id=7/,
  ],
  [{ type: 'multipart_request', more: false, body: { part: 'group_features' } }, /NXST_GROUP_FEATURES request/],
  [
    {
      type: 'multipart_reply',
      more: false,
      body: {
        part: 'group',
        groups: [
          {
            groupId: 7,
            refCount: 1,
            packetCount: 2n,
            byteCount: 3n,
            durationSec: 4,
            durationNsec: 0,
            buckets: [{ packetCount: 5n, byteCount: 6n }],
          },
        ],
      },
    },
    /NXST_GROUP reply .*group_id=7,duration=4s,ref_count=1,packet_count=2,byte_count=3,bucket0:packet_count=5,byte_count=6/s,
  ],
  [
    { type: 'multipart_reply', more: false, body: { part: 'group_desc', groups: [GROUP] } },
    new RegExp(`NXST_GROUP_DESC reply .*${GROUP_TEXT}`, 's'),
  ],
];

/** 1.3: what 1.4 has. */
const LATER_13: readonly Example[] = [
  [
    { type: 'role_status', role: 'slave', reason: 'master_request', generationId: 5n, properties: [] },
    /ONFT_ROLE_STATUS .*role=(secondary|slave) generation_id=5 reason=(primary|master)_request/,
  ],
  [
    {
      type: 'requestforward',
      xid: 9,
      message: { type: 'meter_mod', command: 'add', meterId: 5, flags: 1, bands: [{ rate: 5, burstSize: 0 }] },
    },
    /ONFT_REQUESTFORWARD .*reason=meter_mod.*ADD meter=5 kbps bands=\s*type=drop rate=5/s,
  ],
];

/** Parts that have a row in versions from 1.3 on; those of 1.0 are among its statistics. */
const PARTS: readonly Example[] = [
  [{ type: 'multipart_request', more: false, body: { part: 'nx_ipfix_bridge' } }, /NXST_IPFIX_BRIDGE request/],
  [{ type: 'multipart_request', more: false, body: { part: 'nx_ipfix_flow' } }, /NXST_IPFIX_FLOW request/],
];

const ONF_PARTS: readonly Example[] = [
  [
    {
      type: 'multipart_request',
      more: false,
      body: { part: 'nx_flow_monitor', monitors: [{ id: 1, flags: 0x1f, outPort: 2, table: 3, match: MATCH }] },
    },
    /ONFST_FLOW_MONITOR request.*id=1 flags=initial,add,delete,modify,actions out_port=2 table=3 tcp,tp_dst=80/s,
  ],
  [
    {
      type: 'multipart_reply',
      more: false,
      body: {
        part: 'nx_flow_monitor',
        updates: [
          {
            event: 'modified',
            reason: 0,
            priority: 1,
            idleTimeout: 2,
            hardTimeout: 3,
            table: 4,
            cookie: 5n,
            match: MATCH,
            instructions: [{ type: 'goto_table', table: 7 }],
          },
          { event: 'abbrev', xid: 5 },
        ],
      },
    },
    /event=MODIFIED table=4 idle_timeout=2 hard_timeout=3 cookie=0x5 tcp,tp_dst=80 actions=goto_table:7\s+event=ABBREV xid=0x5/,
  ],
];

/** What Open vSwitch takes in this version. */
export const extensions = (version: WireVersion): readonly Example[] => [
  ...SESSION,
  ...(version === 1
    ? [[{ type: 'nx_set_flow_format', format: 'nxm' }, /NXT_SET_FLOW_FORMAT .*format=nxm/] satisfies Example]
    : []),
  ...FLOWS,
  ...TABLES,
  ...(version <= 4 ? MONITORS : []),
  ...(version === 1 ? [] : PARTS),
  ...(version === 4 ? ONF_PARTS : []),
  ...(version <= 4 ? [CONFIG2] : []),
  ...(version === 1 ? GROUPS_10 : []),
  ...(version === 4 ? LATER_13 : []),
];
