// Match fields as one table: name (as in ovs-fields(7)), class, field, bytes on the wire, bits that count, form of the
// value. Where a name has several rows, the first that the version allows is written; all of them are read.

import type { WireVersion } from './wire-version.ts';

/** How a value reads: a number in decimal or hex (bigint above 32 bits), or an address as text. */
export type OxmForm = 'dec' | 'hex' | 'mac' | 'ipv4' | 'ipv6';

export interface OxmRow {
  readonly name: string;
  readonly oxmClass: number;
  readonly field: number;
  readonly bytes: number;
  readonly bits: number;
  readonly form: OxmForm;
  /** Experimenter id, where the class is OXM_CLASS_EXPERIMENTER. */
  readonly experimenter: number | null;
  /** Versions in which this row is the one to write. */
  readonly from: WireVersion;
  readonly to: WireVersion;
}

export const OXM_CLASS = {
  NXM_0: 0x0000,
  NXM_1: 0x0001,
  BASIC: 0x8000,
  PACKET_REGS: 0x8001,
  EXPERIMENTER: 0xffff,
} as const;

/** Open Networking Foundation: fields and messages of later versions, carried in earlier ones. */
export const ONF = 0x4f4e4600;
/** Nicira: Open vSwitch's own extensions. */
export const NICIRA = 0x00002320;

type Cells = readonly [name: string, field: number, bytes: number, bits: number, form: OxmForm];

// OpenFlow 1.5.1 section 7.2.3.8; field 40 was never assigned a meaning that switches use.
const BASIC: readonly Cells[] = [
  ['in_port', 0, 4, 32, 'dec'],
  ['in_phy_port', 1, 4, 32, 'dec'],
  ['metadata', 2, 8, 64, 'hex'],
  ['eth_dst', 3, 6, 48, 'mac'],
  ['eth_src', 4, 6, 48, 'mac'],
  ['eth_type', 5, 2, 16, 'hex'],
  ['vlan_vid', 6, 2, 13, 'hex'],
  ['vlan_pcp', 7, 1, 3, 'dec'],
  ['ip_dscp', 8, 1, 6, 'dec'],
  ['ip_ecn', 9, 1, 2, 'dec'],
  ['ip_proto', 10, 1, 8, 'dec'],
  ['ipv4_src', 11, 4, 32, 'ipv4'],
  ['ipv4_dst', 12, 4, 32, 'ipv4'],
  ['tcp_src', 13, 2, 16, 'dec'],
  ['tcp_dst', 14, 2, 16, 'dec'],
  ['udp_src', 15, 2, 16, 'dec'],
  ['udp_dst', 16, 2, 16, 'dec'],
  ['sctp_src', 17, 2, 16, 'dec'],
  ['sctp_dst', 18, 2, 16, 'dec'],
  ['icmp_type', 19, 1, 8, 'dec'],
  ['icmp_code', 20, 1, 8, 'dec'],
  ['arp_op', 21, 2, 16, 'dec'],
  ['arp_spa', 22, 4, 32, 'ipv4'],
  ['arp_tpa', 23, 4, 32, 'ipv4'],
  ['arp_sha', 24, 6, 48, 'mac'],
  ['arp_tha', 25, 6, 48, 'mac'],
  ['ipv6_src', 26, 16, 128, 'ipv6'],
  ['ipv6_dst', 27, 16, 128, 'ipv6'],
  ['ipv6_label', 28, 4, 20, 'hex'],
  ['icmpv6_type', 29, 1, 8, 'dec'],
  ['icmpv6_code', 30, 1, 8, 'dec'],
  ['nd_target', 31, 16, 128, 'ipv6'],
  ['nd_sll', 32, 6, 48, 'mac'],
  ['nd_tll', 33, 6, 48, 'mac'],
  ['mpls_label', 34, 4, 20, 'dec'],
  ['mpls_tc', 35, 1, 3, 'dec'],
  ['mpls_bos', 36, 1, 1, 'dec'],
  ['pbb_isid', 37, 3, 24, 'dec'],
  ['tun_id', 38, 8, 64, 'hex'],
  ['ipv6_exthdr', 39, 2, 9, 'hex'],
  ['pbb_uca', 41, 1, 1, 'dec'],
  ['tcp_flags', 42, 2, 12, 'hex'],
  ['actset_output', 43, 4, 32, 'dec'],
  ['packet_type', 44, 4, 32, 'hex'],
];

// nicira-ext.h, class 0: the fields of OpenFlow 1.0. Those whose width or meaning differs have names of their own.
const NXM_0: readonly Cells[] = [
  ['in_port', 0, 2, 16, 'dec'],
  ['eth_dst', 1, 6, 48, 'mac'],
  ['eth_src', 2, 6, 48, 'mac'],
  ['eth_type', 3, 2, 16, 'hex'],
  ['vlan_tci', 4, 2, 16, 'hex'],
  ['nw_tos', 5, 1, 8, 'dec'],
  ['ip_proto', 6, 1, 8, 'dec'],
  ['ipv4_src', 7, 4, 32, 'ipv4'],
  ['ipv4_dst', 8, 4, 32, 'ipv4'],
  ['tcp_src', 9, 2, 16, 'dec'],
  ['tcp_dst', 10, 2, 16, 'dec'],
  ['udp_src', 11, 2, 16, 'dec'],
  ['udp_dst', 12, 2, 16, 'dec'],
  ['icmp_type', 13, 1, 8, 'dec'],
  ['icmp_code', 14, 1, 8, 'dec'],
  ['arp_op', 15, 2, 16, 'dec'],
  ['arp_spa', 16, 4, 32, 'ipv4'],
  ['arp_tpa', 17, 4, 32, 'ipv4'],
];

// nicira-ext.h, class 1.
const NXM_1: readonly Cells[] = [
  ...Array.from({ length: 16 }, (_, i): Cells => [`reg${i}`, i, 4, 32, 'hex']),
  ['tun_id', 16, 8, 64, 'hex'],
  ['arp_sha', 17, 6, 48, 'mac'],
  ['arp_tha', 18, 6, 48, 'mac'],
  ['ipv6_src', 19, 16, 128, 'ipv6'],
  ['ipv6_dst', 20, 16, 128, 'ipv6'],
  ['icmpv6_type', 21, 1, 8, 'dec'],
  ['icmpv6_code', 22, 1, 8, 'dec'],
  ['nd_target', 23, 16, 128, 'ipv6'],
  ['nd_sll', 24, 6, 48, 'mac'],
  ['nd_tll', 25, 6, 48, 'mac'],
  ['ip_frag', 26, 1, 2, 'hex'],
  ['ipv6_label', 27, 4, 20, 'hex'],
  ['ip_ecn', 28, 1, 2, 'dec'],
  ['nw_ttl', 29, 1, 8, 'dec'],
  ['mpls_ttl', 30, 1, 8, 'dec'],
  ['tun_src', 31, 4, 32, 'ipv4'],
  ['tun_dst', 32, 4, 32, 'ipv4'],
  ['pkt_mark', 33, 4, 32, 'hex'],
  ['tcp_flags', 34, 2, 12, 'hex'],
  ['dp_hash', 35, 4, 32, 'hex'],
  ['recirc_id', 36, 4, 32, 'hex'],
  ['conj_id', 37, 4, 32, 'dec'],
  ['tun_gbp_id', 38, 2, 16, 'dec'],
  ['tun_gbp_flags', 39, 1, 8, 'hex'],
  ['tun_flags', 104, 2, 1, 'hex'],
  ['ct_state', 105, 4, 32, 'hex'],
  ['ct_zone', 106, 2, 16, 'hex'],
  ['ct_mark', 107, 4, 32, 'hex'],
  ['ct_label', 108, 16, 128, 'hex'],
  ['tun_ipv6_src', 109, 16, 128, 'ipv6'],
  ['tun_ipv6_dst', 110, 16, 128, 'ipv6'],
  ['xxreg0', 111, 16, 128, 'hex'],
  ['xxreg1', 112, 16, 128, 'hex'],
  ['xxreg2', 113, 16, 128, 'hex'],
  ['xxreg3', 114, 16, 128, 'hex'],
  ['ct_nw_proto', 119, 1, 8, 'dec'],
  ['ct_nw_src', 120, 4, 32, 'ipv4'],
  ['ct_nw_dst', 121, 4, 32, 'ipv4'],
  ['ct_ipv6_src', 122, 16, 128, 'ipv6'],
  ['ct_ipv6_dst', 123, 16, 128, 'ipv6'],
  ['ct_tp_src', 124, 2, 16, 'dec'],
  ['ct_tp_dst', 125, 2, 16, 'dec'],
];

// ONF extensions (EXT-109, EXT-233): fields of 1.5 for 1.3 and 1.4. Open vSwitch reports them in this form there.
const ONF_FIELDS: readonly Cells[] = [
  ['tcp_flags', 42, 2, 12, 'hex'],
  ['actset_output', 43, 4, 32, 'dec'],
];

const PACKET_REGS = Array.from({ length: 8 }, (_, i): Cells => [`xreg${i}`, i, 8, 64, 'hex']);

/** Basic fields that came after 1.3. */
const SINCE: Readonly<Record<string, WireVersion>> = { pbb_uca: 5, tcp_flags: 6, actset_output: 6, packet_type: 6 };

interface Where {
  readonly experimenter?: number;
  readonly from?: WireVersion;
  readonly to?: WireVersion;
}

const rows =
  (oxmClass: number, where: Where = {}) =>
  ([name, field, bytes, bits, form]: Cells): OxmRow => ({
    name,
    oxmClass,
    field,
    bytes,
    bits,
    form,
    experimenter: where.experimenter ?? null,
    from: where.from ?? (oxmClass === OXM_CLASS.BASIC ? (SINCE[name] ?? 4) : 4),
    to: where.to ?? 6,
  });

/** Every field, in order of preference where a name has several. */
export const OXM_FIELDS: readonly OxmRow[] = [
  ...BASIC.map(rows(OXM_CLASS.BASIC)),
  ...ONF_FIELDS.map(rows(OXM_CLASS.EXPERIMENTER, { experimenter: ONF, to: 5 })),
  ...PACKET_REGS.map(rows(OXM_CLASS.PACKET_REGS)),
  ...NXM_1.map(rows(OXM_CLASS.NXM_1)),
  ...NXM_0.map(rows(OXM_CLASS.NXM_0)),
];
