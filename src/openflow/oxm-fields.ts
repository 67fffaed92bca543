// Match fields as one table, a row a field: name (as in ovs-fields(7)), width, form of the value, whether it can be masked
// and set, what a match on it requires, and the headers it comes under: NXM, OXM, and those of experimenters. Sources:
// OpenFlow 1.5.1 section 7.2.3.8, ovs-fields(7), nicira-ext.h and meta-flow.h of Open vSwitch.

import type { WireVersion } from './wire-version.ts';

/** How a value reads: a number in decimal or hex (bigint above 32 bits), an address as text, or bytes of any number. */
export type OxmForm = 'dec' | 'hex' | 'mac' | 'ipv4' | 'ipv6' | 'bytes';

/** What else a flow has to match on: `ip` is ipv4 or ipv6, `vlan` a tag, `ct` a tracked packet of the same family. */
export type OxmPrerequisite =
  | 'none'
  | 'ethernet'
  | 'vlan'
  | 'mpls'
  | 'pbb'
  | 'ip'
  | 'ipv4'
  | 'ipv6'
  | 'arp'
  | 'tcp'
  | 'udp'
  | 'sctp'
  | 'icmpv4'
  | 'icmpv6'
  | 'nd'
  | 'nd_solicit'
  | 'nd_advert'
  | 'nsh'
  | 'ct';

export interface OxmRow {
  readonly name: string;
  readonly oxmClass: number;
  readonly field: number;
  /** On the wire; of form `bytes`, at most. */
  readonly bytes: number;
  readonly bits: number;
  readonly form: OxmForm;
  readonly maskable: boolean;
  /** Whether Open vSwitch lets actions change it. */
  readonly writable: boolean;
  readonly prerequisite: OxmPrerequisite;
  /** Experimenter id, where the class is OXM_CLASS.EXPERIMENTER. */
  readonly experimenter: number | null;
  /** Versions in which this row may be the one to write. */
  readonly from: WireVersion;
  readonly to: WireVersion;
}

export const OXM_CLASS = {
  NXM_0: 0x0000,
  NXM_1: 0x0001,
  ERICSSON: 0x1000,
  BASIC: 0x8000,
  PACKET_REGS: 0x8001,
  EXPERIMENTER: 0xffff,
} as const;

/** Open Networking Foundation: fields and messages of later versions, carried in earlier ones. */
export const ONF = 0x4f4e4600;
/** Nicira: Open vSwitch's own extensions. */
export const NICIRA = 0x00002320;
/** Open vSwitch's fields of network service headers. */
const NSH = 0x005ad650;

/** Numbers of a field by where they are from; `since` for those of OXM that earlier versions do not write. */
interface Headers {
  readonly nxm0?: number;
  readonly nxm1?: number;
  readonly basic?: number;
  readonly since?: WireVersion;
  readonly register?: number;
  readonly ericsson?: number;
  /** Under OXM_CLASS.EXPERIMENTER. */
  readonly onf?: number;
  readonly nicira?: number;
  readonly nsh?: number;
}

/** m: can be masked; w: Open vSwitch's actions can change it. */
type Access = '-' | 'm' | 'w' | 'mw';

type Cells = readonly [
  name: string,
  bits: number,
  form: OxmForm,
  access: Access,
  prerequisite: OxmPrerequisite,
  headers: Headers,
  /** On the wire, where it is more than the bits need. */
  bytes?: number,
];

const each = (count: number, row: (i: number) => Cells): readonly Cells[] =>
  Array.from({ length: count }, (_, i) => row(i));

const METADATA_AND_REGISTERS: readonly Cells[] = [
  ['in_port', 32, 'dec', 'w', 'none', { basic: 0, since: 4 }],
  ['in_port', 16, 'dec', 'w', 'none', { nxm0: 0 }],
  ['in_phy_port', 32, 'dec', '-', 'none', { basic: 1 }],
  ['metadata', 64, 'hex', 'mw', 'none', { basic: 2 }],
  ['actset_output', 32, 'dec', '-', 'none', { basic: 43, since: 6, onf: 43 }],
  ['packet_type', 32, 'hex', '-', 'none', { basic: 44 }],
  ...each(16, (i) => [`reg${i}`, 32, 'hex', 'mw', 'none', { nxm1: i }]),
  ...each(16, (i) => [`reg${i + 16}`, 32, 'hex', 'mw', 'none', { nicira: i + 17 }]),
  ...each(16, (i) => [`xreg${i}`, 64, 'hex', 'mw', 'none', { register: i }]),
  ...each(4, (i) => [`xxreg${i}`, 128, 'hex', 'mw', 'none', { nxm1: i + 111 }]),
  ...each(4, (i) => [`xxreg${i + 4}`, 128, 'hex', 'mw', 'none', { nicira: i + 33 }]),
  ['pkt_mark', 32, 'hex', 'mw', 'none', { nxm1: 33 }],
  ['dp_hash', 32, 'hex', 'm', 'none', { nxm1: 35, nicira: 0 }],
  ['recirc_id', 32, 'dec', '-', 'none', { nxm1: 36 }],
  ['conj_id', 32, 'dec', '-', 'none', { nxm1: 37 }],
  // Not a field of packets: nx_match may say by it which cookies are meant.
  ['cookie', 64, 'hex', 'm', 'none', { nxm1: 30 }],
];

const TUNNEL: readonly Cells[] = [
  ['tun_id', 64, 'hex', 'mw', 'none', { nxm1: 16, basic: 38 }],
  ['tun_src', 32, 'ipv4', 'mw', 'none', { nxm1: 31 }],
  ['tun_dst', 32, 'ipv4', 'mw', 'none', { nxm1: 32 }],
  ['tun_ipv6_src', 128, 'ipv6', 'mw', 'none', { nxm1: 109 }],
  ['tun_ipv6_dst', 128, 'ipv6', 'mw', 'none', { nxm1: 110 }],
  ['tun_flags', 1, 'hex', 'mw', 'none', { nxm1: 104 }, 2],
  ['tun_gbp_id', 16, 'dec', 'mw', 'none', { nxm1: 38 }],
  ['tun_gbp_flags', 8, 'hex', 'mw', 'none', { nxm1: 39 }],
  ['tun_erspan_idx', 20, 'hex', 'mw', 'none', { nicira: 11 }, 4],
  ['tun_erspan_ver', 4, 'dec', 'mw', 'none', { nicira: 12 }],
  ['tun_erspan_dir', 1, 'dec', 'mw', 'none', { nicira: 13 }],
  ['tun_erspan_hwid', 6, 'hex', 'mw', 'none', { nicira: 14 }],
  ['tun_gtpu_flags', 8, 'hex', 'm', 'none', { nicira: 15 }],
  ['tun_gtpu_msgtype', 8, 'dec', 'm', 'none', { nicira: 16 }],
  ...each(64, (i) => [`tun_metadata${i}`, 992, 'bytes', 'mw', 'none', { nxm1: i + 40 }]),
];

const CONNECTION: readonly Cells[] = [
  ['ct_state', 32, 'hex', 'm', 'none', { nxm1: 105 }],
  ['ct_zone', 16, 'hex', '-', 'none', { nxm1: 106 }],
  ['ct_mark', 32, 'hex', 'mw', 'none', { nxm1: 107 }],
  ['ct_label', 128, 'hex', 'mw', 'none', { nxm1: 108 }],
  ['ct_nw_proto', 8, 'dec', '-', 'ct', { nxm1: 119 }],
  ['ct_nw_src', 32, 'ipv4', 'm', 'ct', { nxm1: 120 }],
  ['ct_nw_dst', 32, 'ipv4', 'm', 'ct', { nxm1: 121 }],
  ['ct_ipv6_src', 128, 'ipv6', 'm', 'ct', { nxm1: 122 }],
  ['ct_ipv6_dst', 128, 'ipv6', 'm', 'ct', { nxm1: 123 }],
  ['ct_tp_src', 16, 'dec', 'm', 'ct', { nxm1: 124 }],
  ['ct_tp_dst', 16, 'dec', 'm', 'ct', { nxm1: 125 }],
];

const LINK: readonly Cells[] = [
  ['eth_dst', 48, 'mac', 'mw', 'ethernet', { nxm0: 1, basic: 3 }],
  ['eth_src', 48, 'mac', 'mw', 'ethernet', { nxm0: 2, basic: 4 }],
  ['eth_type', 16, 'hex', '-', 'ethernet', { nxm0: 3, basic: 5 }],
  ['vlan_tci', 16, 'hex', 'mw', 'ethernet', { nxm0: 4 }],
  ['vlan_vid', 13, 'hex', 'mw', 'ethernet', { basic: 6 }],
  ['vlan_pcp', 3, 'dec', 'w', 'vlan', { basic: 7 }],
  ['mpls_label', 20, 'dec', 'w', 'mpls', { basic: 34 }, 4],
  ['mpls_tc', 3, 'dec', 'w', 'mpls', { basic: 35 }],
  ['mpls_bos', 1, 'dec', '-', 'mpls', { basic: 36 }],
  ['mpls_ttl', 8, 'dec', 'w', 'mpls', { nxm1: 30 }],
  ['pbb_isid', 24, 'dec', 'm', 'pbb', { basic: 37 }],
  ['pbb_uca', 1, 'dec', '-', 'pbb', { basic: 41, since: 5 }],
  ['arp_op', 16, 'dec', 'w', 'arp', { nxm0: 15, basic: 21 }],
  ['arp_spa', 32, 'ipv4', 'mw', 'arp', { nxm0: 16, basic: 22 }],
  ['arp_tpa', 32, 'ipv4', 'mw', 'arp', { nxm0: 17, basic: 23 }],
  ['arp_sha', 48, 'mac', 'mw', 'arp', { nxm1: 17, basic: 24 }],
  ['arp_tha', 48, 'mac', 'mw', 'arp', { nxm1: 18, basic: 25 }],
  ['nsh_flags', 8, 'dec', 'mw', 'nsh', { nsh: 1 }],
  ['nsh_mdtype', 8, 'dec', '-', 'nsh', { nsh: 2 }],
  ['nsh_np', 8, 'dec', '-', 'nsh', { nsh: 3 }],
  ['nsh_spi', 24, 'hex', 'w', 'nsh', { nsh: 4 }, 4],
  ['nsh_si', 8, 'dec', 'w', 'nsh', { nsh: 5 }],
  ...each(4, (i) => [`nsh_c${i + 1}`, 32, 'hex', 'mw', 'nsh', { nsh: i + 6 }]),
  ['nsh_ttl', 8, 'dec', 'w', 'nsh', { nsh: 10 }],
];

const NETWORK: readonly Cells[] = [
  ['ip_dscp', 6, 'dec', 'w', 'ip', { basic: 8 }],
  ['nw_tos', 8, 'dec', 'w', 'ip', { nxm0: 5 }],
  ['ip_ecn', 2, 'dec', 'w', 'ip', { nxm1: 28, basic: 9 }],
  ['ip_proto', 8, 'dec', '-', 'ip', { nxm0: 6, basic: 10 }],
  ['nw_ttl', 8, 'dec', 'w', 'ip', { nxm1: 29 }],
  ['ip_frag', 2, 'hex', 'm', 'ip', { nxm1: 26 }],
  ['ipv4_src', 32, 'ipv4', 'mw', 'ipv4', { nxm0: 7, basic: 11 }],
  ['ipv4_dst', 32, 'ipv4', 'mw', 'ipv4', { nxm0: 8, basic: 12 }],
  ['ipv6_src', 128, 'ipv6', 'mw', 'ipv6', { nxm1: 19, basic: 26 }],
  ['ipv6_dst', 128, 'ipv6', 'mw', 'ipv6', { nxm1: 20, basic: 27 }],
  ['ipv6_label', 20, 'hex', 'mw', 'ipv6', { nxm1: 27, basic: 28 }, 4],
  ['ipv6_exthdr', 9, 'hex', 'm', 'ipv6', { basic: 39 }],
];

const TRANSPORT: readonly Cells[] = [
  ['tcp_src', 16, 'dec', 'mw', 'tcp', { nxm0: 9, basic: 13 }],
  ['tcp_dst', 16, 'dec', 'mw', 'tcp', { nxm0: 10, basic: 14 }],
  ['tcp_flags', 12, 'hex', 'm', 'tcp', { nxm1: 34, basic: 42, since: 6, onf: 42 }],
  ['udp_src', 16, 'dec', 'mw', 'udp', { nxm0: 11, basic: 15 }],
  ['udp_dst', 16, 'dec', 'mw', 'udp', { nxm0: 12, basic: 16 }],
  ['sctp_src', 16, 'dec', 'mw', 'sctp', { basic: 17 }],
  ['sctp_dst', 16, 'dec', 'mw', 'sctp', { basic: 18 }],
  ['icmp_type', 8, 'dec', 'w', 'icmpv4', { nxm0: 13, basic: 19 }],
  ['icmp_code', 8, 'dec', 'w', 'icmpv4', { nxm0: 14, basic: 20 }],
  ['icmpv6_type', 8, 'dec', 'w', 'icmpv6', { nxm1: 21, basic: 29 }],
  ['icmpv6_code', 8, 'dec', 'w', 'icmpv6', { nxm1: 22, basic: 30 }],
  ['nd_target', 128, 'ipv6', 'mw', 'nd', { nxm1: 23, basic: 31 }],
  ['nd_sll', 48, 'mac', 'mw', 'nd_solicit', { nxm1: 24, basic: 32 }],
  ['nd_tll', 48, 'mac', 'mw', 'nd_advert', { nxm1: 25, basic: 33 }],
  ['nd_reserved', 32, 'dec', 'w', 'nd', { ericsson: 1 }],
  ['nd_options_type', 8, 'dec', 'w', 'nd', { ericsson: 2 }],
];

interface Header {
  readonly oxmClass: number;
  readonly field: number;
  readonly experimenter: number | null;
  readonly from: WireVersion;
  readonly to: WireVersion;
}

/** 1.0 prefers NXM, later versions OXM; the ONF's numbers are for versions between the field's invention and its own OXM. */
function* headersOf(all: Headers): Generator<Header> {
  const header = (oxmClass: number, field: number, experimenter: number | null = null): Header => ({
    oxmClass,
    field,
    experimenter,
    from: 1,
    to: 6,
  });
  const from = all.nxm0 === undefined && all.nxm1 === undefined ? 1 : 4;
  if (all.basic !== undefined) yield { ...header(OXM_CLASS.BASIC, all.basic), from: all.since ?? from };
  if (all.onf !== undefined) yield { ...header(OXM_CLASS.EXPERIMENTER, all.onf, ONF), from, to: 5 };
  if (all.nxm0 !== undefined) yield header(OXM_CLASS.NXM_0, all.nxm0);
  if (all.nxm1 !== undefined) yield header(OXM_CLASS.NXM_1, all.nxm1);
  if (all.register !== undefined) yield header(OXM_CLASS.PACKET_REGS, all.register);
  if (all.ericsson !== undefined) yield header(OXM_CLASS.ERICSSON, all.ericsson);
  if (all.nicira !== undefined) yield header(OXM_CLASS.EXPERIMENTER, all.nicira, NICIRA);
  if (all.nsh !== undefined) yield header(OXM_CLASS.EXPERIMENTER, all.nsh, NSH);
}

const rowsOf = ([name, bits, form, access, prerequisite, headers, bytes]: Cells): readonly OxmRow[] =>
  [...headersOf(headers)].map((header) => ({
    name,
    bits,
    form,
    bytes: bytes ?? Math.ceil(bits / 8),
    maskable: access.includes('m'),
    writable: access.includes('w'),
    prerequisite,
    ...header,
  }));

/** Every field under every header; where a name has several, in order of preference. */
export const OXM_FIELDS: readonly OxmRow[] = [
  ...METADATA_AND_REGISTERS,
  ...TUNNEL,
  ...CONNECTION,
  ...LINK,
  ...NETWORK,
  ...TRANSPORT,
].flatMap(rowsOf);
