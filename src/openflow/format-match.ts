// A match as ovs-ofctl prints it: protocol words first, Open vSwitch's names and order. For logs and tests.

import { parseIpv6 } from '../wire/ip-address.ts';
import { OFPP } from './constants.ts';
import type { Match, OxmField, OxmValue } from './model.ts';

const PORT_NAMES = new Map<number, string>([
  [OFPP.UNSET, 'UNSET'],
  [OFPP.IN_PORT, 'IN_PORT'],
  [OFPP.TABLE, 'TABLE'],
  [OFPP.NORMAL, 'NORMAL'],
  [OFPP.FLOOD, 'FLOOD'],
  [OFPP.ALL, 'ALL'],
  [OFPP.CONTROLLER, 'CONTROLLER'],
  [OFPP.LOCAL, 'LOCAL'],
  [OFPP.ANY, 'ANY'],
]);

export const formatPort = (port: number): string => PORT_NAMES.get(port) ?? String(port);

/** C's `%#x`: zero has no prefix. */
export const formatHex = (value: number | bigint): string => (BigInt(value) === 0n ? '0' : `0x${value.toString(16)}`);

/** One value of a field, in the form ovs-ofctl uses for set_field. */
export function formatValue(value: OxmValue, hex: boolean): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return hex ? formatHex(value) : value.toString();
  return `0x${value.toString('hex')}`;
}

const ETH_TYPES = new Map([
  [0x0800, 'ip'],
  [0x86dd, 'ipv6'],
  [0x0806, 'arp'],
  [0x8035, 'rarp'],
  [0x8847, 'mpls'],
  [0x8848, 'mplsm'],
]);
const IP_PROTOS: Readonly<Record<string, ReadonlyMap<number, string>>> = {
  ip: new Map([
    [1, 'icmp'],
    [6, 'tcp'],
    [17, 'udp'],
    [132, 'sctp'],
  ]),
  ipv6: new Map([
    [58, 'icmp6'],
    [6, 'tcp6'],
    [17, 'udp6'],
    [132, 'sctp6'],
  ]),
};

type Show = (field: OxmField) => string;

const masked =
  (label: string, form: (value: OxmValue) => string): Show =>
  ({ value, mask }) =>
    `${label}=${form(value)}${mask === undefined ? '' : `/${form(mask)}`}`;
const hex = (label: string): Show => masked(label, (value) => formatValue(value, true));
const decimal = (label: string): Show => masked(label, (value) => formatValue(value, false));
/** Decimal when exact, hex with a mask. */
const number =
  (label: string): Show =>
  (field) =>
    (field.mask === undefined ? decimal(label) : hex(label))(field);
const address =
  (label: string): Show =>
  ({ value, mask }) =>
    `${label}=${String(value)}${mask === undefined ? '' : `/${prefixLength(String(mask)) ?? String(mask)}`}`;

const flags =
  (label: string, names: readonly string[]): Show =>
  ({ value, mask }) => {
    const bits = Number(value);
    if (mask === undefined || Number(mask) === 2 ** names.length - 1) {
      const set = names.filter((_, i) => (bits & (1 << i)) !== 0);
      return `${label}=${set.length === 0 ? '0' : set.join('|')}`;
    }
    const shown = names.map((name, i) =>
      (Number(mask) & (1 << i)) === 0 ? '' : `${(bits & (1 << i)) === 0 ? '-' : '+'}${name}`,
    );
    return `${label}=${shown.join('')}`;
  };

const TCP_FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ns', '[200]', '[400]', '[800]'];
const CT_STATE = ['new', 'est', 'rel', 'rpl', 'inv', 'trk', 'snat', 'dnat'];

const etherType: Show = ({ value }) => `dl_type=0x${Number(value).toString(16).padStart(4, '0')}`;
const port: Show = ({ value }) => `in_port=${formatPort(Number(value))}`;
const tos: Show = ({ value }) => `nw_tos=${Number(value) << 2}`;
/** A 64-bit register is shown as the two 32-bit ones it is made of; a half that is not matched is left out. */
const halves =
  (first: number): Show =>
  ({ value, mask = 0xffff_ffff_ffff_ffffn }) => {
    const split = (whole: OxmValue): readonly bigint[] => {
      const bits = BigInt(whole as number | bigint);
      return [bits >> 32n, bits & 0xffffffffn];
    };
    const masks = split(mask);
    return split(value)
      .map((half, i) => ({ name: `reg${first + i}`, value: half, mask: masks[i] ?? 0n }))
      .filter((half) => half.mask !== 0n)
      .map(
        (half) => `${half.name}=${formatHex(half.value)}${half.mask === 0xffffffffn ? '' : `/${formatHex(half.mask)}`}`,
      )
      .join(',');
  };

/** In the order of match_format() of Open vSwitch. `protocol` and `vlan` stand for what is made of several fields. */
const BEFORE_PROTOCOL: readonly (readonly [string, Show])[] = [
  ['pkt_mark', hex('pkt_mark')],
  ['recirc_id', hex('recirc_id')],
  ['dp_hash', hex('dp_hash')],
  ['conj_id', decimal('conj_id')],
  ['actset_output', ({ value }) => `actset_output=${formatPort(Number(value))}`],
  ['ct_state', flags('ct_state', CT_STATE)],
  ['ct_zone', number('ct_zone')],
  ['ct_mark', hex('ct_mark')],
  ['ct_label', hex('ct_label')],
];
const BEFORE_VLAN: readonly (readonly [string, Show])[] = [
  ...Array.from({ length: 16 }, (_, i) => [`reg${i}`, hex(`reg${i}`)] as const),
  ...Array.from({ length: 8 }, (_, i) => [`xreg${i}`, halves(2 * i)] as const),
  ['tun_id', hex('tun_id')],
  ['tun_src', address('tun_src')],
  ['tun_dst', address('tun_dst')],
  ['tun_ipv6_src', address('tun_ipv6_src')],
  ['tun_ipv6_dst', address('tun_ipv6_dst')],
  ['metadata', hex('metadata')],
  ['in_port', port],
];
const AFTER_VLAN: readonly (readonly [string, Show])[] = [
  ['eth_src', decimal('dl_src')],
  ['eth_dst', decimal('dl_dst')],
  ['eth_type', etherType],
  ['ipv4_src', address('nw_src')],
  ['ipv4_dst', address('nw_dst')],
  ['ipv6_src', address('ipv6_src')],
  ['ipv6_dst', address('ipv6_dst')],
  ['ipv6_label', hex('ipv6_label')],
  ['arp_spa', address('arp_spa')],
  ['arp_tpa', address('arp_tpa')],
  ['arp_op', decimal('arp_op')],
  ['ip_proto', decimal('nw_proto')],
  ['arp_sha', decimal('arp_sha')],
  ['arp_tha', decimal('arp_tha')],
  ['ip_dscp', tos],
  ['ip_ecn', decimal('nw_ecn')],
  ['nw_ttl', decimal('nw_ttl')],
  ['mpls_label', number('mpls_label')],
  ['mpls_tc', decimal('mpls_tc')],
  ['mpls_ttl', decimal('mpls_ttl')],
  ['mpls_bos', decimal('mpls_bos')],
  ['ip_frag', hex('nw_frag')],
  ['icmp_type', decimal('icmp_type')],
  ['icmp_code', decimal('icmp_code')],
  ['icmpv6_type', decimal('icmp_type')],
  ['icmpv6_code', decimal('icmp_code')],
  ['nd_target', address('nd_target')],
  ['nd_sll', decimal('nd_sll')],
  ['nd_tll', decimal('nd_tll')],
  ['tcp_src', number('tp_src')],
  ['udp_src', number('tp_src')],
  ['sctp_src', number('tp_src')],
  ['tcp_dst', number('tp_dst')],
  ['udp_dst', number('tp_dst')],
  ['sctp_dst', number('tp_dst')],
  ['tcp_flags', flags('tcp_flags', TCP_FLAGS)],
];

/** Empty for a match of everything. Fields this table does not know come last, by their own names. */
export function formatMatch(match: Match): string {
  const left = new Map(match.map((field) => [field.name, field]));
  const parts: string[] = [];
  const take = (rows: readonly (readonly [string, Show])[]): void => {
    for (const [name, show] of rows) {
      const field = left.get(name);
      if (field === undefined) continue;
      left.delete(name);
      parts.push(show(field));
    }
  };
  take(BEFORE_PROTOCOL);
  parts.push(...takeProtocol(left));
  take(BEFORE_VLAN);
  parts.push(...takeVlan(left));
  take(AFTER_VLAN);
  for (const field of left.values()) parts.push(hex(field.name)(field));
  return parts.join(',');
}

type Left = Map<string, OxmField>;

/** `tcp` for eth_type=0x800 and ip_proto=6, and so on. */
function takeProtocol(left: Left): string[] {
  const type = left.get('eth_type');
  const layer3 = type === undefined || type.mask !== undefined ? undefined : ETH_TYPES.get(Number(type.value));
  if (layer3 === undefined) return [];
  left.delete('eth_type');
  const proto = left.get('ip_proto');
  const layer4 =
    proto === undefined || proto.mask !== undefined ? undefined : IP_PROTOS[layer3]?.get(Number(proto.value));
  if (layer4 === undefined) return [layer3];
  left.delete('ip_proto');
  return [layer4];
}

const VID_PRESENT = 0x1000;

function takeVlan(left: Left): string[] {
  const vid = left.get('vlan_vid');
  const pcp = left.get('vlan_pcp');
  if (vid === undefined) return [];
  left.delete('vlan_vid');
  left.delete('vlan_pcp');
  const value = Number(vid.value);
  const mask = vid.mask === undefined ? 0x1fff : Number(vid.mask);
  if ((value & VID_PRESENT) !== 0 && mask === 0x1fff) {
    return [`dl_vlan=${value & 0xfff}`, ...(pcp === undefined ? [] : [`dl_vlan_pcp=${String(pcp.value)}`])];
  }
  if ((value & VID_PRESENT) !== 0 && mask === VID_PRESENT && pcp !== undefined)
    return [`dl_vlan_pcp=${String(pcp.value)}`];
  const four = (bits: number): string => `0x${bits.toString(16).padStart(4, '0')}`;
  return [`vlan_tci=${four(value)}/${four(mask)}`];
}

/** The prefix length of a mask that is one, as text; null otherwise. */
function prefixLength(mask: string): string | null {
  const bits = mask.includes(':') ? ipv6Bits(mask) : ipv4Bits(mask);
  const end = bits.indexOf('0');
  if (end === -1) return String(bits.length);
  return bits.includes('1', end) ? null : String(end);
}

const ipv4Bits = (text: string): string =>
  text
    .split('.')
    .map((byte) => Number(byte).toString(2).padStart(8, '0'))
    .join('');

const ipv6Bits = (text: string): string =>
  [...parseIpv6(text)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
