// Messages of 1.3, 1.4 and 1.5 that are about the session, about packets, and about flows that go.

import { portNo } from '../../../src/base/ids.ts';
import type { Mac } from '../../../src/base/ids.ts';
import { OFP_NO_BUFFER, OFPP } from '../../../src/openflow/constants.ts';
import { encodeMessage } from '../../../src/openflow/message.ts';
import type { Message } from '../../../src/openflow/message.ts';
import type { Match } from '../../../src/openflow/model.ts';
import type { Stat } from '../../../src/openflow/stats.ts';
import { parseFlow } from '../../../src/openflow/text/parse-flow.ts';
import { parseMatch } from '../../../src/openflow/text/parse-match.ts';
import type { OxmVersion } from '../../../src/openflow/wire-version.ts';
import { FRAME } from './v10-examples.ts';

/** What 1.5 counts. */
export const STATS: readonly Stat[] = [
  { name: 'duration', value: (12n << 32n) | 345_000_000n },
  { name: 'packet_count', value: 6n },
  { name: 'byte_count', value: 360n },
];
/** A port that is up. */
export const PORT = {
  portNo: portNo(3),
  hwAddr: '02:00:00:00:00:03' as Mac,
  name: 'eth3',
  adminDown: false,
  linkDown: false,
  config: 0,
  state: 4,
  properties: [
    {
      type: 'ethernet',
      curr: 0x840,
      advertised: 0,
      supported: 0x840,
      peer: 0,
      currSpeed: 10_000_000,
      maxSpeed: 10_000_000,
    },
  ],
} as const;
const TCP: Match = parseMatch('tcp,nw_src=10.0.0.1,tp_dst=80');
const IN_PORT: Match = [{ name: 'in_port', value: 3 }];

const packetIn = (reason: number): Message => ({
  type: 'packet_in',
  bufferId: OFP_NO_BUFFER,
  totalLen: FRAME.length,
  reason,
  table: 2,
  cookie: 0x5n,
  inPort: portNo(3),
  metadata: null,
  match: IN_PORT,
  data: FRAME,
});

const flowRemoved: Message = {
  type: 'flow_removed',
  cookie: 0x7n,
  priority: 5,
  reason: 0,
  table: 3,
  durationSec: 12,
  durationNsec: 345_000_000,
  idleTimeout: 10,
  hardTimeout: 20,
  packetCount: 6n,
  byteCount: 360n,
  match: TCP,
  stats: STATS,
};

const portStatus: Message = {
  type: 'port_status',
  reason: 'modify',
  port: PORT,
};

export const sessionExamples = (version: OxmVersion): readonly Message[] => [
  { type: 'hello', elements: [{ type: 'version_bitmap', bitmaps: [0x72] }] },
  { type: 'error', errorType: 4, errorCode: 9, data: encodeMessage(version, 2, { type: 'barrier_request' }) },
  {
    type: 'get_async_reply',
    properties: [
      { type: 'packet_in_master', mask: 3 },
      { type: 'port_status_slave', mask: 7 },
    ],
  },
  { type: 'echo_request', data: Buffer.from('x') },
  { type: 'echo_reply', data: Buffer.from('xy') },
  { type: 'features_request' },
  {
    type: 'features_reply',
    datapathId: 0x123456789abcdef0n,
    buffers: 0,
    tables: 254,
    auxiliaryId: 0,
    capabilities: 0x4f,
    reserved: 0,
  },
  { type: 'get_config_request' },
  { type: 'get_config_reply', flags: 1, missSendLen: 128 },
  { type: 'set_config', flags: 0, missSendLen: 0xffff },
  { type: 'barrier_request' },
  { type: 'barrier_reply' },
  { type: 'role_request', role: 'master', generationId: 5n, ...(version < 6 ? {} : { shortId: 0 }) },
  { type: 'role_reply', role: 'slave', generationId: 6n, ...(version < 6 ? {} : { shortId: 0 }) },
  packetIn(0),
  packetIn(1),
  {
    type: 'packet_out',
    inPort: OFPP.CONTROLLER,
    actions: [
      { type: 'output', port: 3 },
      { type: 'output', port: OFPP.CONTROLLER, maxLen: 64 },
    ],
    data: FRAME,
  },
  parseFlow('table=2,priority=7,tcp,tp_dst=80,idle_timeout=5 actions=dec_ttl,output:1,goto_table:4', { version }),
  flowRemoved,
  portStatus,
  { type: 'bundle_control', bundleId: 5, control: 'open_request', flags: 3 },
  { type: 'bundle_add', bundleId: 5, flags: 3, xid: 1, message: parseFlow('arp actions=NORMAL', { version }) },
];
