// Statistics of OpenFlow 1.0 and of Nicira, requests and replies, with what ovs-ofctl says of them.
import type { Message } from '../../../src/openflow/message.ts';
import type { ReplyBody, RequestBody } from '../../../src/openflow/messages/multipart.ts';
import type { Match } from '../../../src/openflow/model.ts';
import { flowMod, PORT, TCP } from './v10-examples.ts';

const REG: Match = [{ name: 'reg1', value: 5 }];

const ROW = {
  table: 0,
  durationSec: 1,
  durationNsec: 2,
  priority: 3,
  idleTimeout: 4,
  hardTimeout: 5,
  flags: 0,
  cookie: 9n,
  packetCount: 7n,
  byteCount: 8n,
  match: TCP,
  instructions: flowMod([]).instructions,
};

const IPFIX = {
  totalFlows: 1n,
  currentFlows: 2n,
  packets: 3n,
  ipv4Packets: 4n,
  ipv6Packets: 5n,
  errorPackets: 6n,
  ipv4ErrorPackets: 7n,
  ipv6ErrorPackets: 8n,
  sentPackets: 9n,
  sendErrors: 10n,
  collectorSetId: 11,
};

const REQUESTS: readonly (readonly [RequestBody, RegExp])[] = [
  [{ part: 'desc' }, /OFPST_DESC request/],
  [
    { part: 'flow', match: TCP, table: 2, outPort: 3 },
    new RegExp(`OFPST_FLOW request .*table=2,? ?out_port=3.*tcp,in_port=LOCAL`),
  ],
  [{ part: 'aggregate', match: [] }, /OFPST_AGGREGATE request/],
  [{ part: 'table' }, /OFPST_TABLE request/],
  [{ part: 'port_stats', portNo: 3 }, /OFPST_PORT request .*port_no=3/],
  [{ part: 'queue', portNo: 3, queueId: 4 }, /OFPST_QUEUE request .*port=3 queue=4/],
  [{ part: 'port_desc' }, /OFPST_PORT_DESC request/],
  [{ part: 'nx_flow', match: REG, table: 2 }, /NXST_FLOW request .*table=2.*reg1=0x5/],
  [{ part: 'nx_aggregate', match: REG }, /NXST_AGGREGATE request .*reg1=0x5/],
  [
    { part: 'nx_flow_monitor', monitors: [{ id: 1, flags: 0x1f, outPort: 2, table: 3, match: REG }] },
    /NXST_FLOW_MONITOR request.*id=1 flags=initial,add,delete,modify,actions out_port=2 table=3 reg1=0x5/s,
  ],
  [{ part: 'nx_ipfix_bridge' }, /NXST_IPFIX_BRIDGE request/],
  [{ part: 'nx_ipfix_flow' }, /NXST_IPFIX_FLOW request/],
];

const REPLIES: readonly (readonly [ReplyBody, RegExp])[] = [
  [
    { part: 'desc', manufacturer: 'a', hardware: 'b', software: 'c', serial: 'd', datapath: 'e' },
    /Manufacturer: a\nHardware: b\nSoftware: c\nSerial Num: d\nDP Description: e/,
  ],
  [
    { part: 'flow', flows: [ROW, ROW] },
    /cookie=0x9, duration=1.000000002s, table=0, n_packets=7, n_bytes=8, idle_timeout=4, hard_timeout=5, priority=3,tcp,.* actions=output:2\n.*priority=3,tcp/,
  ],
  [
    { part: 'aggregate', packetCount: 1n, byteCount: 2n, flowCount: 3 },
    /OFPST_AGGREGATE reply .*packet_count=1 byte_count=2 flow_count=3/,
  ],
  [
    {
      part: 'table',
      tables: [
        { table: 1, name: 't', wildcards: 0x3fffff, maxEntries: 5, activeCount: 6, lookupCount: 7n, matchedCount: 8n },
      ],
    },
    /table 1 \("t"\):\s+active=6, lookup=7, matched=8\s+max_entries=5/,
  ],
  [
    {
      part: 'port_stats',
      ports: [
        {
          portNo: 1,
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
          durationSec: 0xffffffff,
          durationNsec: 0xffffffff,
        },
      ],
    },
    /rx pkts=1, bytes=3, drop=5, errs=7, frame=9, over=10, crc=11\s+tx pkts=2, bytes=4, drop=6, errs=8, coll=12/,
  ],
  [
    {
      part: 'queue',
      queues: [
        {
          portNo: 1,
          queueId: 2,
          txBytes: 1n,
          txPackets: 2n,
          txErrors: 3n,
          durationSec: 0xffffffff,
          durationNsec: 0xffffffff,
        },
      ],
    },
    /port 1 queue 2: bytes=1, pkts=2, errors=3/,
  ],
  [{ part: 'port_desc', ports: [PORT] }, /1\(eth1\): addr:00:11:22:33:44:55/],
  [
    { part: 'nx_flow', flows: [{ ...ROW, match: REG, idleAge: 3, hardAge: 4 }] },
    /NXST_FLOW reply.*idle_age=3, hard_age=4, priority=3,reg1=0x5 actions=output:2/s,
  ],
  [{ part: 'nx_aggregate', packetCount: 1n, byteCount: 2n, flowCount: 3 }, /NXST_AGGREGATE reply .*flow_count=3/],
  [
    {
      part: 'nx_flow_monitor',
      updates: [
        {
          event: 'added',
          reason: 0,
          priority: 1,
          idleTimeout: 2,
          hardTimeout: 3,
          table: 4,
          cookie: 5n,
          match: REG,
          instructions: ROW.instructions,
        },
        { event: 'abbrev', xid: 5 },
      ],
    },
    /event=ADDED table=4 idle_timeout=2 hard_timeout=3 cookie=0x5 reg1=0x5 actions=output:2\s+event=ABBREV xid=0x5/,
  ],
  [{ part: 'nx_ipfix_bridge', ...IPFIX }, /bridge ipfix: flows=1, current flows=2, sampled pkts=3, ipv4 ok=\d+/],
  [{ part: 'nx_ipfix_flow', collectors: [IPFIX, IPFIX] }, /id +11: flows=1.*id +11: flows=1/s],
];

/** Statistics, of 1.0 and of Nicira. */
export const V10_STATS: readonly (readonly [Message, RegExp])[] = [
  ...REQUESTS.map(([body, text]) => [{ type: 'multipart_request', more: false, body }, text] as const),
  ...REPLIES.map(([body, text]) => [{ type: 'multipart_reply', more: false, body }, text] as const),
];
