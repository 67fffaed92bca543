// A match as ovs-ofctl prints it: protocol words first, then Open vSwitch's names in its order.
// Fields that Open vSwitch keeps in one place (VLAN tag, TOS byte, registers by 32, 64 and 128 bits) are joined first.

import type { Match, OxmField } from '../model.ts';
import { bitsOf, fieldBits, ones } from './bits.ts';
import type { Bits } from './bits.ts';
import { textField } from './fields.ts';
import { hex, hexDigits } from './numbers.ts';
import { formatPort } from './ports.ts';
import { formatAddress, formatFlagBits, formatFragment, formatMacBits, formatPacketType } from './values.ts';

/** Priority that is not printed. */
export const OFP_DEFAULT_PRIORITY = 32_768;

type Places = Map<string, Bits>;
type Show = (label: string, bits: Bits) => string;

const shown =
  (value: (bits: Bits) => string): Show =>
  (label, bits) =>
    `${label}=${value(bits)}`;
const hexBits = (width: number): Show =>
  shown(({ value, mask }) => (mask === ones(width) ? hex(value) : `${hex(value)}/${hex(mask)}`));
/** Decimal when exact, else hexadecimal of at least `digits` digits. */
const number = (width: number, digits = 1): Show =>
  shown(({ value, mask }) =>
    mask === ones(width) ? value.toString() : `${hexDigits(value, digits)}/${hexDigits(mask, digits)}`,
  );
/** As hexBits, but zero keeps its `0x`. */
const hexWithPrefix = (width: number, digits: number): Show =>
  shown(({ value, mask }) =>
    mask === ones(width) ? hexDigits(value, digits) : `${hexDigits(value, digits)}/${hexDigits(mask, digits)}`,
  );
const decimal: Show = shown(({ value }) => value.toString());
const hexadecimal: Show = shown(({ value }) => hex(value));
const mac: Show = shown(formatMacBits);
const ipv4: Show = shown((bits) => formatAddress(bits, 32));
const ipv6: Show = shown((bits) => formatAddress(bits, 128));
const port: Show = shown(({ value }) => formatPort(Number(value)));

type Row = readonly [place: string, show: Show, label?: string];

const NAMED_FIRST: readonly Row[] = [
  ['pkt_mark', hexBits(32)],
  ['recirc_id', hexBits(32)],
  ['dp_hash', hexBits(32)],
  ['conj_id', decimal],
  ['actset_output', port],
  ['ct_state', shown((bits) => formatFlagBits('ct_state', bits))],
  ['ct_zone', number(16)],
  ['ct_mark', hexBits(32)],
  ['ct_label', hexBits(128)],
  ['ct_nw_src', ipv4],
  ['ct_ipv6_src', ipv6],
  ['ct_nw_dst', ipv4],
  ['ct_ipv6_dst', ipv6],
  ['ct_nw_proto', decimal],
  ['ct_tp_src', number(16)],
  ['ct_tp_dst', number(16)],
];

const AFTER_PROTOCOL: readonly Row[] = [
  ...Array.from({ length: 16 }, (_, i): Row => [`reg${i}`, hexBits(32)]),
  ['tun_id', hexBits(64)],
  ['tun_src', ipv4],
  ['tun_dst', ipv4],
  ['tun_ipv6_src', ipv6],
  ['tun_ipv6_dst', ipv6],
  ['tun_gbp_id', number(16)],
  ['tun_gbp_flags', hexadecimal],
  ['tun_erspan_ver', decimal],
  ['tun_erspan_idx', hexadecimal],
  ['tun_erspan_dir', decimal],
  ['tun_erspan_hwid', hexadecimal],
  ['tun_gtpu_flags', hexadecimal, 'gtpu_flags'],
  ['tun_gtpu_msgtype', decimal, 'gtpu_msgtype'],
  ['tun_flags', shown(({ value }) => ((value & 1n) === 0n ? '-oam' : '+oam'))],
];

const AFTER_OPTIONS: readonly Row[] = [
  ['metadata', hexBits(64)],
  ['in_port', port],
  ['in_phy_port', port],
];

const AFTER_VLAN: readonly Row[] = [
  ['eth_src', mac, 'dl_src'],
  ['eth_dst', mac, 'dl_dst'],
  ['eth_type', hexWithPrefix(16, 4), 'dl_type'],
  ['ipv6_src', ipv6],
  ['ipv6_dst', ipv6],
  ['ipv6_label', hexWithPrefix(20, 5)],
  ['ipv6_exthdr', hexBits(9)],
  ['arp_spa', ipv4],
  ['arp_tpa', ipv4],
  ['nsh_flags', number(8, 2)],
  ['nsh_ttl', number(8, 2)],
  ['nsh_mdtype', number(8, 2)],
  ['nsh_np', number(8, 2)],
  ['nsh_spi', hexWithPrefix(24, 1)],
  ['nsh_si', number(8, 2)],
  ...Array.from({ length: 4 }, (_, i): Row => [`nsh_c${i + 1}`, hexWithPrefix(32, 1)]),
  ['ipv4_src', ipv4, 'nw_src'],
  ['ipv4_dst', ipv4, 'nw_dst'],
  ['arp_op', decimal],
  ['ip_proto', decimal, 'nw_proto'],
  ['arp_sha', mac],
  ['arp_tha', mac],
];

const LAST: readonly Row[] = [
  ['nw_ttl', decimal],
  ['mpls_label', decimal],
  ['mpls_tc', decimal],
  ['mpls_ttl', decimal],
  ['mpls_bos', decimal],
  ['ip_frag', shown(formatFragment), 'nw_frag'],
  ['icmp_type', number(8)],
  ['icmp_code', number(8)],
  ['icmpv6_type', number(8), 'icmp_type'],
  ['icmpv6_code', number(8), 'icmp_code'],
  ['nd_target', ipv6],
  ['nd_sll', mac],
  ['nd_tll', mac],
  ['nd_reserved', number(32)],
  ['nd_options_type', number(8)],
  ...['tcp', 'udp', 'sctp'].map((l4): Row => [`${l4}_src`, number(16), 'tp_src']),
  ...['tcp', 'udp', 'sctp'].map((l4): Row => [`${l4}_dst`, number(16), 'tp_dst']),
  ['tcp_flags', shown((bits) => formatFlagBits('tcp_flags', bits))],
];

/** Empty for a match of everything. Fields without a place here come last, by the library's own names. */
export function formatMatch(match: Match): string {
  const places: Places = new Map();
  const options: OxmField[] = [];
  const strange: OxmField[] = [];
  for (const field of match) {
    if (textField(field)?.form === 'bytes') options.push(field);
    else if (!put(places, field)) strange.push(field);
  }
  const parts: string[] = [];
  const take = (rows: readonly Row[]): void => {
    for (const [place, show, label = place] of rows) {
      const bits = takePlace(places, place);
      if (bits !== null) parts.push(show(label, bits));
    }
  };
  take(NAMED_FIRST);
  parts.push(...takeProtocol(places));
  take(AFTER_PROTOCOL);
  parts.push(...options.map(formatOption));
  take(AFTER_OPTIONS);
  parts.push(...takeVlan(places));
  take(AFTER_VLAN);
  parts.push(...takeTos(places));
  take(LAST);
  for (const [place, bits] of places) parts.push(hexBits(textField({ name: place })?.bits ?? 128)(place, bits));
  parts.push(...strange.map(formatStrange));
  return parts.join(',');
}

/** Priority and match: what identifies a flow within its table. */
export function formatRule(flow: { readonly priority: number; readonly match: Match }): string {
  const priority = flow.priority === OFP_DEFAULT_PRIORITY ? '' : `priority=${flow.priority}`;
  return [priority, formatMatch(flow.match)].filter((each) => each !== '').join(',');
}

/** Zeros in front are not printed; a mask of none matches that the option is there. */
function formatOption({ name, value, mask }: OxmField): string {
  const exact = mask === undefined || !Buffer.isBuffer(mask) || mask.every((byte) => byte === 0xff);
  if (!exact && bitsOf(mask) === 0n) return name;
  return `${name}=${hex(bitsOf(value))}${exact ? '' : `/${hex(bitsOf(mask))}`}`;
}

function formatStrange({ name, value, mask }: OxmField): string {
  const bytes = (of: OxmField['value']): string => (Buffer.isBuffer(of) ? `0x${of.toString('hex')}` : hex(bitsOf(of)));
  return `${name}=${bytes(value)}${mask === undefined ? '' : `/${bytes(mask)}`}`;
}

function join(places: Places, place: string, { value, mask }: Bits): void {
  const before = places.get(place) ?? { value: 0n, mask: 0n };
  places.set(place, { value: (before.value & ~mask) | (value & mask), mask: before.mask | mask });
}

const CFI = 0x1000n;
const shifted = ({ value, mask }: Bits, by: bigint): Bits => ({ value: value << by, mask: mask << by });

/** False for a field that Open vSwitch has no place for. */
function put(places: Places, field: OxmField): boolean {
  const { name } = field;
  const wide = /^(x?)xreg(\d+)$/.exec(name);
  if (wide !== null) {
    const count = wide[1] === 'x' ? 4 : 2;
    const bits = fieldBits(field, 32 * count);
    for (let i = 0; i < count; i += 1) {
      const by = BigInt(32 * (count - 1 - i));
      const word = (of: bigint): bigint => (of >> by) & ones(32);
      const one = { value: word(bits.value), mask: word(bits.mask) };
      if (one.mask !== 0n) join(places, `reg${Number(wide[2]) * count + i}`, one);
    }
  } else if (name === 'vlan_vid') {
    join(places, 'vlan', fieldBits(field, 13));
  } else if (name === 'vlan_pcp') {
    const pcp = shifted(fieldBits(field, 3), 13n);
    join(places, 'vlan', { value: pcp.value | CFI, mask: pcp.mask | CFI });
  } else if (name === 'vlan_tci') {
    join(places, 'vlan', fieldBits(field, 16));
  } else if (name === 'ip_dscp') {
    join(places, 'tos', shifted(fieldBits(field, 6), 2n));
  } else if (name === 'nw_tos') {
    const { value, mask } = fieldBits(field, 8);
    join(places, 'tos', { value: value & 0xfcn, mask: mask & 0xfcn });
  } else if (name === 'ip_ecn') {
    join(places, 'tos', fieldBits(field, 2));
  } else {
    const known = textField({ name });
    if (known === null) return false;
    join(places, name, fieldBits(field, known.bits));
  }
  return true;
}

function takePlace(places: Places, place: string): Bits | null {
  const bits = places.get(place);
  if (bits === undefined) return null;
  places.delete(place);
  return bits.mask === 0n ? null : bits;
}

const ETH_TYPES = new Map([
  [0x0800n, 'ip'],
  [0x86ddn, 'ipv6'],
  [0x0806n, 'arp'],
  [0x8035n, 'rarp'],
  [0x8847n, 'mpls'],
  [0x8848n, 'mplsm'],
]);
const IP_PROTOS: Readonly<Record<string, ReadonlyMap<bigint, string>>> = {
  ip: new Map([
    [1n, 'icmp'],
    [6n, 'tcp'],
    [17n, 'udp'],
    [132n, 'sctp'],
  ]),
  ipv6: new Map([
    [58n, 'icmp6'],
    [6n, 'tcp6'],
    [17n, 'udp6'],
    [132n, 'sctp6'],
  ]),
};

const exactly = (places: Places, place: string, width: number): bigint | null => {
  const bits = places.get(place);
  return bits?.mask === ones(width) ? bits.value : null;
};

/** `tcp` for eth_type=0x800 and ip_proto=6, and so on; before it the packet type, where it is not Ethernet. */
function takeProtocol(places: Places): string[] {
  const packetType = takePlace(places, 'packet_type');
  const isDefault = packetType === null || (packetType.value === 0n && packetType.mask === ones(32));
  const first = isDefault ? [] : [`packet_type=${formatPacketType(packetType)}`];
  const type = exactly(places, 'eth_type', 16);
  const layer3 = type === null ? undefined : ETH_TYPES.get(type);
  if (layer3 === undefined) return first;
  places.delete('eth_type');
  const proto = exactly(places, 'ip_proto', 8);
  const layer4 = proto === null ? undefined : IP_PROTOS[layer3]?.get(proto);
  if (layer4 === undefined) return [...first, layer3];
  places.delete('ip_proto');
  return [...first, layer4];
}

const VID = 0x0fffn;
const PCP = 0xe000n;

function takeVlan(places: Places): string[] {
  const vlan = takePlace(places, 'vlan');
  if (vlan === null) return [];
  const { value, mask } = vlan;
  const vid = mask & VID;
  const pcp = mask & PCP;
  const whole = (vid === 0n || vid === VID) && (pcp === 0n || pcp === PCP) && (vid | pcp) !== 0n;
  if ((mask & CFI) !== 0n && (value & CFI) !== 0n && whole) {
    return [
      ...(vid === 0n ? [] : [`dl_vlan=${value & VID}`]),
      ...(pcp === 0n ? [] : [`dl_vlan_pcp=${(value & PCP) >> 13n}`]),
    ];
  }
  return [`vlan_tci=${hexDigits(value, 4)}${mask === 0xffffn ? '' : `/${hexDigits(mask, 4)}`}`];
}

function takeTos(places: Places): string[] {
  const tos = takePlace(places, 'tos');
  if (tos === null) return [];
  return [
    ...((tos.mask & 0xfcn) === 0n ? [] : [`nw_tos=${tos.value & 0xfcn}`]),
    ...((tos.mask & 3n) === 0n ? [] : [`nw_ecn=${tos.value & 3n}`]),
  ];
}
