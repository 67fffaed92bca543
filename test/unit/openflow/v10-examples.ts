// Messages of OpenFlow 1.0 and of its extensions, one of each kind at least, with what ovs-ofctl says of them.
import { portNo } from '../../../src/base/ids.ts';
import type { Mac } from '../../../src/base/ids.ts';
import type { Message } from '../../../src/openflow/message.ts';
import type { FlowMod, Match } from '../../../src/openflow/model.ts';
import type { PortDescription } from '../../../src/openflow/ports.ts';
import { OFPFF10_EMERG } from '../../../src/openflow/v10/flow.ts';

const NONE = Buffer.alloc(0);
/** An Ethernet header (of the type for local experiments) and nothing else. */
export const FRAME = Buffer.from('ffffffffffff00000000000188b5', 'hex');

export const TCP: Match = [
  { name: 'in_port', value: 0xfffffffe },
  { name: 'eth_src', value: '00:00:00:00:00:01' },
  { name: 'vlan_vid', value: 0x1005 },
  { name: 'vlan_pcp', value: 3 },
  { name: 'eth_type', value: 0x800 },
  { name: 'ip_dscp', value: 10 },
  { name: 'ip_proto', value: 6 },
  { name: 'ipv4_src', value: '10.0.0.0', mask: '255.0.0.0' },
  { name: 'tcp_dst', value: 80 },
];
const TCP_TEXT =
  'tcp,in_port=LOCAL,dl_vlan=5,dl_vlan_pcp=3,dl_src=00:00:00:00:00:01,nw_src=10.0.0.0/8,nw_tos=40,tp_dst=80';

const ARP: Match = [
  { name: 'vlan_vid', value: 0 },
  { name: 'eth_type', value: 0x806 },
  { name: 'arp_op', value: 1 },
  { name: 'arp_tpa', value: '10.0.0.1' },
];

export const flowMod = (match: Match, more: Partial<FlowMod> = {}): FlowMod => ({
  type: 'flow_mod',
  command: 'add',
  table: 0,
  priority: 5,
  cookie: 1n,
  match,
  instructions: [{ type: 'apply_actions', actions: [{ type: 'output', port: 2, maxLen: 0 }] }],
  ...more,
});

export const PORT: PortDescription = {
  portNo: portNo(1),
  hwAddr: '00:11:22:33:44:55' as Mac,
  name: 'eth1',
  adminDown: false,
  linkDown: true,
  config: 0,
  state: 1,
  properties: [
    {
      type: 'ethernet',
      curr: 0x840, // 10 Gb/s full duplex, copper
      advertised: 0,
      supported: 0xf840,
      peer: 0,
      currSpeed: 10_000_000,
      maxSpeed: 10_000_000,
    },
  ],
};

/** Messages of 1.0 itself. */
export const V10: readonly (readonly [Message, RegExp])[] = [
  [{ type: 'hello', elements: [{ type: 'version_bitmap', bitmaps: [0x72] }] }, /0x01, 0x04, 0x05, 0x06/],
  [{ type: 'error', errorType: 3, errorCode: 1, data: NONE }, /OFPFMFC_OVERLAP/],
  [{ type: 'echo_request', data: Buffer.from('x') }, /ECHO_REQUEST .*1 bytes of payload/],
  [{ type: 'echo_reply', data: NONE }, /ECHO_REPLY .*0 bytes of payload/],
  [{ type: 'features_request' }, /OFPT_FEATURES_REQUEST/],
  [
    {
      type: 'features_reply',
      datapathId: 5n,
      buffers: 256,
      tables: 2,
      auxiliaryId: 0,
      reserved: 0,
      capabilities: 0xcf,
      actions: 0xfff,
      ports: [PORT],
    },
    /dpid:0{15}5.*capabilities: FLOW_STATS.*STP.*actions: output enqueue.*eth1.*LINK_DOWN.*10GB-FD COPPER\n.*AUTO_PAUSE_ASYM/s,
  ],
  [{ type: 'get_config_request' }, /OFPT_GET_CONFIG_REQUEST/],
  [{ type: 'get_config_reply', flags: 0, missSendLen: 128 }, /miss_send_len=128/],
  [{ type: 'set_config', flags: 0, missSendLen: 0xffff }, /miss_send_len=65535/],
  [flowMod(TCP), new RegExp(`ADD priority=5,${TCP_TEXT} cookie:0x1 actions=output:2$`)],
  [
    flowMod(ARP, { command: 'delete', table: 0xff, outPort: 3, instructions: [] }),
    /DEL priority=5,arp,vlan_tci=0x0000,arp_tpa=10.0.0.1,arp_op=1 cookie:0x1 out_port:3 actions=drop$/,
  ],
  [
    flowMod([
      { name: 'vlan_vid', value: 0x1000, mask: 0x1000 },
      { name: 'vlan_pcp', value: 2 },
    ]),
    /ADD priority=5,dl_vlan_pcp=2 /,
  ],
  [
    flowMod([
      { name: 'eth_type', value: 0x86dd },
      { name: 'ip_proto', value: 58 },
      { name: 'icmpv6_type', value: 135 },
    ]),
    /ADD priority=5,icmp6,icmp_type=135 /,
  ],
  [flowMod([], { flags: 2 | OFPFF10_EMERG }), /OFPFMFC_TABLE_FULL/],
  [
    {
      type: 'packet_in',
      bufferId: 0xffffffff,
      totalLen: 14,
      reason: 1,
      table: 0,
      cookie: 0xffff_ffff_ffff_ffffn,
      inPort: portNo(3),
      metadata: null,
      match: [{ name: 'in_port', value: 3 }],
      data: FRAME,
    },
    /total_len=14 in_port=3 \(via action\) data_len=14 \(unbuffered\)/,
  ],
  [
    { type: 'packet_out', inPort: 0xfffffffd, actions: [{ type: 'output', port: 0xfffffffb, maxLen: 0 }], data: FRAME },
    /in_port=CONTROLLER actions=FLOOD data_len=14/,
  ],
  [
    {
      type: 'flow_removed',
      cookie: 5n,
      priority: 6,
      reason: 1,
      table: 0xff,
      durationSec: 1,
      durationNsec: 2,
      idleTimeout: 3,
      hardTimeout: 0,
      packetCount: 1n,
      byteCount: 2n,
      match: TCP,
    },
    new RegExp(`priority=6,${TCP_TEXT} reason=hard cookie:0x5 duration1.000000002s idle3 pkts1 bytes2`),
  ],
  [{ type: 'port_status', reason: 'add', port: PORT }, /ADD: 1\(eth1\): addr:00:11:22:33:44:55/],
  [
    { type: 'port_mod', portNo: portNo(3), hwAddr: PORT.hwAddr, config: 1, mask: 0x11, advertise: 0x840 },
    /OFPT_PORT_MOD .*port: 3: addr:00:11:22:33:44:55.*config: PORT_DOWN.*mask: +PORT_DOWN NO_FLOOD.*advertise: +10GB-FD COPPER/s,
  ],
  [{ type: 'queue_get_config_request', portNo: 3 }, /QUEUE_GET_CONFIG_REQUEST .*port=3/],
  [
    {
      type: 'queue_get_config_reply',
      portNo: 3,
      queues: [
        { queueId: 1, portNo: 3, properties: [{ type: 'min_rate', rate: 500 }] },
        { queueId: 2, portNo: 3, properties: [] },
      ],
    },
    /QUEUE_GET_CONFIG_REPLY .*port=3\n.*queue 1: min_rate:50.0%\n.*queue 2:/s,
  ],
  [{ type: 'barrier_request' }, /OFPT_BARRIER_REQUEST/],
  [{ type: 'barrier_reply' }, /OFPT_BARRIER_REPLY/],
];
