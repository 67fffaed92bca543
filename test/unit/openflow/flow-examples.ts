// Flow-mods that between them use every match field, action and instruction Open vSwitch prints.
import type { Action, FlowMod, Instruction, Match, OxmValue } from '../../../src/openflow/model.ts';

type Field = readonly [name: string, value: OxmValue, mask?: OxmValue];

export const fields = (...all: readonly Field[]): Match =>
  all.map(([name, value, mask]) => (mask === undefined ? { name, value } : { name, value, mask }));
const set = (name: string, value: OxmValue): Action => ({ type: 'set_field', field: { name, value } });
const move = (src: string, dst: string, bits: number, srcBit = 0, dstBit = 0): Action => ({
  type: 'move',
  src,
  srcBit,
  dst,
  dstBit,
  bits,
});
export const out = (port: number): Action => ({ type: 'output', port });

export const flow = (match: Match, actions: readonly Action[] = [], more: Partial<FlowMod> = {}): FlowMod => ({
  type: 'flow_mod',
  command: 'add',
  table: 3,
  priority: 5,
  cookie: 0x1n,
  match,
  instructions: [{ type: 'apply_actions', actions }],
  ...more,
});
const program = (instructions: readonly Instruction[], more: Partial<FlowMod> = {}): FlowMod =>
  flow([], [], { instructions, ...more });

const IP: Field = ['eth_type', 0x0800];
const IPV6: Field = ['eth_type', 0x86dd];
export const ARP: Field = ['eth_type', 0x0806];
const TCP: Field = ['ip_proto', 6];

/** By what they are about. Open vSwitch takes them all, in every version. */
export const FLOWS: Readonly<Record<string, FlowMod>> = {
  'an exact TCP match': flow(fields(['in_port', 0xfffffffe], IP, TCP, ['tcp_flags', 2], ['tcp_src', 80])),
  'a masked port and no TCP flag': flow(fields(IP, TCP, ['tcp_dst', 0x50, 0xf0], ['tcp_flags', 0])),
  'connection openers': flow(fields(IP, TCP, ['tcp_flags', 0x002, 0x012])),
  'every TCP flag': flow(fields(IPV6, TCP, ['tcp_flags', 0xe02, 0xfff])),
  'an IP protocol without a word': flow(fields(IP, ['ip_proto', 2])),
  'UDP and SCTP': flow(fields(IP, ['ip_proto', 17], ['udp_src', 1], ['udp_dst', 2])),
  'SCTP over IPv6': flow(fields(IPV6, ['ip_proto', 132], ['sctp_src', 1], ['sctp_dst', 2])),
  ICMP: flow(fields(IP, ['ip_proto', 1], ['icmp_type', 8], ['icmp_code', 0])),
  'neighbour discovery': flow(
    fields(IPV6, ['ip_proto', 58], ['icmpv6_type', 135], ['nd_target', 'fe80::1'], ['nd_sll', '00:00:00:00:00:01']),
  ),
  'IPv6 prefixes and a flow label': flow(
    fields(IPV6, TCP, ['tcp_src', 80], ['ipv6_src', 'fe80::', 'ffff::'], ['ipv6_dst', '::1'], ['ipv6_label', 0x12345]),
  ),
  'IPv4 prefixes and odd masks': flow(
    fields(IP, ['ipv4_src', '10.0.0.1', '255.255.0.255'], ['ipv4_dst', '10.1.0.0', '255.255.0.0'], ['ip_proto', 99]),
  ),
  'DSCP, ECN and TTL': flow(fields(IP, ['ip_dscp', 10], ['ip_ecn', 2], ['nw_ttl', 64])),
  ARP: flow(
    fields(
      ARP,
      ['arp_op', 1],
      ['arp_spa', '10.0.0.0', '255.255.255.0'],
      ['arp_tpa', '10.0.0.1'],
      ['arp_sha', '00:00:00:00:00:01'],
      ['arp_tha', '00:00:00:00:00:02'],
    ),
  ),
  'a VLAN': flow(fields(['vlan_vid', 0x1065])),
  'no VLAN': flow(fields(['vlan_vid', 0])),
  'any VLAN': flow(fields(['vlan_vid', 0x1000, 0x1000])),
  'a VLAN and its priority': flow(fields(['vlan_vid', 0x1065], ['vlan_pcp', 3])),
  'some VLANs': flow(fields(['vlan_vid', 0x1005, 0x100f])),
  'group addresses and an EtherType without a word': flow(
    fields(
      ['eth_type', 0x88cc],
      ['eth_src', '01:00:00:00:00:00', '01:00:00:00:00:00'],
      ['eth_dst', '01:80:c2:00:00:0e'],
    ),
  ),
  RARP: flow(fields(['eth_type', 0x8035])),
  MPLS: flow(fields(['eth_type', 0x8847], ['mpls_label', 5], ['mpls_tc', 1], ['mpls_bos', 1])),
  'registers, tunnel and metadata': flow(
    fields(
      ['reg0', 5],
      ['reg3', 1, 3],
      ['xreg4', 5n],
      ['tun_id', 7n],
      ['tun_src', '1.2.3.4'],
      ['metadata', 1n, 0xffn],
      ['in_port', 3],
      ['pkt_mark', 1],
    ),
  ),
  'connection tracking': flow(
    fields(['ct_state', 0x21, 0x2b], ['ct_zone', 5], ['ct_mark', 3, 3], ['ct_label', 1n], ['conj_id', 3]),
  ),
  'outputs to every reserved port': flow(fields(), [
    ...[1, 0xfffffff8, 0xfffffffa, 0xfffffffb, 0xfffffffc, 0xfffffffe].map(out),
    { type: 'output', port: 0xfffffffd, maxLen: 128 },
    { type: 'output', port: 0xfffffffd },
    { type: 'group', groupId: 3 },
    { type: 'set_queue', queueId: 4 },
  ]),
  'fields of TCP set': flow(fields(IP, TCP), [
    set('eth_src', '00:00:00:00:00:09'),
    set('ipv4_src', '1.1.1.1'),
    set('tcp_dst', 5),
    set('ip_dscp', 5),
    { type: 'dec_nw_ttl' },
    { type: 'set_nw_ttl', ttl: 4 },
    out(1),
  ]),
  'registers set': flow(fields(), [set('tun_id', 5n), set('metadata', 5n), set('reg2', 5), set('reg2', 0), out(1)]),
  'a VLAN pushed and popped': flow(fields(['vlan_vid', 0]), [
    { type: 'push_vlan', etherType: 0x8100 },
    set('vlan_vid', 0x1065),
    set('vlan_pcp', 5),
    out(1),
    { type: 'pop_vlan' },
    out(2),
  ]),
  'fields moved, whole and in part': flow(fields(IP), [
    move('eth_src', 'eth_dst', 48),
    move('reg0', 'reg1', 1, 3, 4),
    move('metadata', 'reg1', 7, 0, 4),
    move('ipv4_src', 'reg1', 32),
  ]),
  'an ARP responder': flow(fields(ARP, ['arp_op', 1]), [
    move('eth_src', 'eth_dst', 48),
    set('eth_src', '00:00:00:00:00:09'),
    set('arp_op', 2),
    move('arp_sha', 'arp_tha', 48),
    move('arp_spa', 'arp_tpa', 32),
    set('arp_sha', '00:00:00:00:00:09'),
    set('arp_spa', '10.0.0.9'),
    out(0xfffffff8),
  ]),
  'MPLS actions': flow(fields(['eth_type', 0x8847]), [
    { type: 'set_mpls_ttl', ttl: 3 },
    { type: 'dec_mpls_ttl' },
    { type: 'push_mpls', etherType: 0x8848 },
    { type: 'pop_mpls', etherType: 0x8847 },
    set('mpls_label', 9),
  ]),
  'every instruction': program([
    { type: 'meter', meterId: 4 },
    { type: 'apply_actions', actions: [out(2)] },
    { type: 'clear_actions' },
    { type: 'write_actions', actions: [out(1)] },
    { type: 'write_metadata', metadata: 5n, mask: 0xffn },
    { type: 'goto_table', table: 9 },
  ]),
  'a drop': program([]),
  'timeouts and flags': program([], { idleTimeout: 4, hardTimeout: 5, flags: 0x1f, table: 0, priority: 32_768 }),
  'a modification': program([{ type: 'goto_table', table: 4 }], { command: 'modify', priority: 0, cookie: 0n }),
  'a strict deletion by cookie and port': program([], {
    command: 'delete_strict',
    cookie: 3n,
    cookieMask: 0xfn,
    outPort: 4,
  }),
  'a deletion in every table': program([], { command: 'delete', table: 0xff, cookie: 0n, priority: 32_768 }),
};
