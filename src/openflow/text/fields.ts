// What Open vSwitch calls the match fields (ovs-fields(7)), how it writes their values, and the OXM or NXM name by which
// actions name parts of them. One row a field; the library's name for it first.

import type { OxmField } from '../model.ts';

/** How a value is written in set_field and learn: see values.ts. */
export type Form =
  | 'dec'
  | 'hex'
  | 'bytes'
  | 'mac'
  | 'ipv4'
  | 'ipv6'
  | 'port'
  | 'ct_state'
  | 'tcp_flags'
  | 'tun_flags'
  | 'frag'
  | 'packet_type';

export interface TextField {
  /** The library's name (oxm-fields.ts). */
  readonly name: string;
  /** Open vSwitch's. */
  readonly text: string;
  /** What actions call it in `NAME[0..7]`. */
  readonly header: string;
  /** Bits that count; Open vSwitch leaves CFI out of the 12 of a VLAN id. */
  readonly bits: number;
  readonly form: Form;
  /** OXM_TYPE, where the name has several headers that Open vSwitch tells apart. */
  readonly oxmType: number | null;
}

type Cells = readonly [name: string, header: string, bits: number, form: Form, text?: string];

const NX = 'NXM_NX_';
const OF = 'NXM_OF_';
const OXM = 'OXM_OF_';

const each = (count: number, row: (i: number) => Cells): Cells[] => Array.from({ length: count }, (_, i) => row(i));

const CELLS: readonly Cells[] = [
  ['dp_hash', `${NX}DP_HASH`, 32, 'hex'],
  ['recirc_id', `${NX}RECIRC_ID`, 32, 'dec'],
  ['packet_type', `${OXM}PACKET_TYPE`, 32, 'packet_type'],
  ['conj_id', `${NX}CONJ_ID`, 32, 'dec'],
  ['tun_id', `${NX}TUN_ID`, 64, 'hex'],
  ['tun_src', `${NX}TUN_IPV4_SRC`, 32, 'ipv4'],
  ['tun_dst', `${NX}TUN_IPV4_DST`, 32, 'ipv4'],
  ['tun_ipv6_src', `${NX}TUN_IPV6_SRC`, 128, 'ipv6'],
  ['tun_ipv6_dst', `${NX}TUN_IPV6_DST`, 128, 'ipv6'],
  ['tun_flags', `${NX}TUN_FLAGS`, 1, 'tun_flags'],
  ['tun_gbp_id', `${NX}TUN_GBP_ID`, 16, 'dec'],
  ['tun_gbp_flags', `${NX}TUN_GBP_FLAGS`, 8, 'hex'],
  ['tun_erspan_idx', 'NXOXM_ET_ERSPAN_IDX', 20, 'hex'],
  ['tun_erspan_ver', 'NXOXM_ET_ERSPAN_VER', 4, 'dec'],
  ['tun_erspan_dir', 'NXOXM_ET_ERSPAN_DIR', 1, 'dec'],
  ['tun_erspan_hwid', 'NXOXM_ET_ERSPAN_HWID', 6, 'hex'],
  ['tun_gtpu_flags', 'NXOXM_ET_GTPU_FLAGS', 8, 'hex'],
  ['tun_gtpu_msgtype', 'NXOXM_ET_GTPU_MSGTYPE', 8, 'dec'],
  ...each(64, (i) => [`tun_metadata${i}`, `${NX}TUN_METADATA${i}`, 992, 'bytes']),
  ['metadata', `${OXM}METADATA`, 64, 'hex'],
  ['in_port', `${OXM}IN_PORT`, 32, 'port', 'in_port_oxm'],
  ['in_phy_port', `${OXM}IN_PHY_PORT`, 32, 'port'],
  ['actset_output', `${OXM}ACTSET_OUTPUT`, 32, 'port'],
  ['pkt_mark', `${NX}PKT_MARK`, 32, 'hex'],
  ['ct_state', `${NX}CT_STATE`, 32, 'ct_state'],
  ['ct_zone', `${NX}CT_ZONE`, 16, 'hex'],
  ['ct_mark', `${NX}CT_MARK`, 32, 'hex'],
  ['ct_label', `${NX}CT_LABEL`, 128, 'hex'],
  ['ct_nw_proto', `${NX}CT_NW_PROTO`, 8, 'dec'],
  ['ct_nw_src', `${NX}CT_NW_SRC`, 32, 'ipv4'],
  ['ct_nw_dst', `${NX}CT_NW_DST`, 32, 'ipv4'],
  ['ct_ipv6_src', `${NX}CT_IPV6_SRC`, 128, 'ipv6'],
  ['ct_ipv6_dst', `${NX}CT_IPV6_DST`, 128, 'ipv6'],
  ['ct_tp_src', `${NX}CT_TP_SRC`, 16, 'dec'],
  ['ct_tp_dst', `${NX}CT_TP_DST`, 16, 'dec'],
  ...each(16, (i) => [`reg${i}`, `${NX}REG${i}`, 32, 'hex']),
  ...each(8, (i) => [`xreg${i}`, `${OXM}PKT_REG${i}`, 64, 'hex']),
  ...each(4, (i) => [`xxreg${i}`, `${NX}XXREG${i}`, 128, 'hex']),
  ['eth_src', `${OF}ETH_SRC`, 48, 'mac'],
  ['eth_dst', `${OF}ETH_DST`, 48, 'mac'],
  ['eth_type', `${OF}ETH_TYPE`, 16, 'hex'],
  ['vlan_tci', `${OF}VLAN_TCI`, 16, 'hex'],
  ['vlan_vid', `${OXM}VLAN_VID`, 12, 'dec'],
  ['vlan_pcp', `${OXM}VLAN_PCP`, 3, 'dec'],
  ['mpls_label', `${OXM}MPLS_LABEL`, 20, 'dec'],
  ['mpls_tc', `${OXM}MPLS_TC`, 3, 'dec'],
  ['mpls_bos', `${OXM}MPLS_BOS`, 1, 'dec'],
  ['mpls_ttl', `${NX}MPLS_TTL`, 8, 'dec'],
  ['ip_proto', `${OF}IP_PROTO`, 8, 'dec', 'nw_proto'],
  ['ip_frag', `${NX}IP_FRAG`, 2, 'frag'],
  ['nw_tos', `${OF}IP_TOS`, 8, 'dec'],
  ['ip_dscp', `${OXM}IP_DSCP`, 6, 'dec'],
  ['ip_ecn', `${NX}IP_ECN`, 2, 'dec', 'nw_ecn'],
  ['nw_ttl', `${NX}IP_TTL`, 8, 'dec'],
  ['ipv4_src', `${OF}IP_SRC`, 32, 'ipv4', 'ip_src'],
  ['ipv4_dst', `${OF}IP_DST`, 32, 'ipv4', 'ip_dst'],
  ['ipv6_src', `${NX}IPV6_SRC`, 128, 'ipv6'],
  ['ipv6_dst', `${NX}IPV6_DST`, 128, 'ipv6'],
  ['ipv6_label', `${NX}IPV6_LABEL`, 20, 'hex'],
  ['ipv6_exthdr', `${OXM}IPV6_EXTHDR`, 9, 'hex'],
  ['arp_op', `${OF}ARP_OP`, 16, 'dec'],
  ['arp_spa', `${OF}ARP_SPA`, 32, 'ipv4'],
  ['arp_tpa', `${OF}ARP_TPA`, 32, 'ipv4'],
  ['arp_sha', `${NX}ARP_SHA`, 48, 'mac'],
  ['arp_tha', `${NX}ARP_THA`, 48, 'mac'],
  ['tcp_src', `${OF}TCP_SRC`, 16, 'dec'],
  ['tcp_dst', `${OF}TCP_DST`, 16, 'dec'],
  ['tcp_flags', `${NX}TCP_FLAGS`, 12, 'tcp_flags'],
  ['udp_src', `${OF}UDP_SRC`, 16, 'dec'],
  ['udp_dst', `${OF}UDP_DST`, 16, 'dec'],
  ['sctp_src', `${OXM}SCTP_SRC`, 16, 'dec'],
  ['sctp_dst', `${OXM}SCTP_DST`, 16, 'dec'],
  ['icmp_type', `${OF}ICMP_TYPE`, 8, 'dec'],
  ['icmp_code', `${OF}ICMP_CODE`, 8, 'dec'],
  ['icmpv6_type', `${NX}ICMPV6_TYPE`, 8, 'dec'],
  ['icmpv6_code', `${NX}ICMPV6_CODE`, 8, 'dec'],
  ['nd_target', `${NX}ND_TARGET`, 128, 'ipv6'],
  ['nd_sll', `${NX}ND_SLL`, 48, 'mac'],
  ['nd_tll', `${NX}ND_TLL`, 48, 'mac'],
  ['nd_reserved', 'ERICOXM_OF_ICMPV6_ND_RESERVED', 32, 'dec'],
  ['nd_options_type', 'ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE', 8, 'dec'],
  ['pbb_isid', `${OXM}PBB_ISID`, 24, 'dec'],
  ['pbb_uca', `${OXM}PBB_UCA`, 1, 'dec'],
  ['nsh_flags', 'NXOXM_NSH_FLAGS', 8, 'dec'],
  ['nsh_mdtype', 'NXOXM_NSH_MDTYPE', 8, 'dec'],
  ['nsh_np', 'NXOXM_NSH_NP', 8, 'dec'],
  ['nsh_spi', 'NXOXM_NSH_SPI', 24, 'hex'],
  ['nsh_si', 'NXOXM_NSH_SI', 8, 'dec'],
  ...each(4, (i) => [`nsh_c${i + 1}`, `NXOXM_NSH_C${i + 1}`, 32, 'hex']),
  ['nsh_ttl', 'NXOXM_NSH_TTL', 8, 'dec'],
];

const field = ([name, header, bits, form, text = name]: Cells, oxmType: number | null = null): TextField => ({
  name,
  text,
  header,
  bits,
  form,
  oxmType,
});

/** NXM_OF_IN_PORT is 16 bits wide and has its own name in Open vSwitch. */
const NXM_IN_PORT_TYPE = 0;
const NXM_IN_PORT = field(['in_port', `${OF}IN_PORT`, 16, 'port'], NXM_IN_PORT_TYPE);

const FIELDS: readonly TextField[] = CELLS.map((cells) => field(cells));
const BY_NAME = new Map(FIELDS.map((each) => [each.name, each]));

/** Names of NXM and OXM that mean the same field as the one printed. */
const HEADER_ALIASES: readonly (readonly [string, string])[] = [
  ['OXM_OF_TUNNEL_ID', 'tun_id'],
  ['NXOXM_ET_DP_HASH', 'dp_hash'],
  ['ONFOXM_ET_ACTSET_OUTPUT', 'actset_output'],
  ['ONFOXM_ET_TCP_FLAGS', 'tcp_flags'],
  ['OXM_OF_TCP_FLAGS', 'tcp_flags'],
  ['OXM_OF_ETH_SRC', 'eth_src'],
  ['OXM_OF_ETH_DST', 'eth_dst'],
  ['OXM_OF_ETH_TYPE', 'eth_type'],
  ['OXM_OF_IP_PROTO', 'ip_proto'],
  ['OXM_OF_IP_ECN', 'ip_ecn'],
  ['OXM_OF_IPV4_SRC', 'ipv4_src'],
  ['OXM_OF_IPV4_DST', 'ipv4_dst'],
  ['OXM_OF_IPV6_SRC', 'ipv6_src'],
  ['OXM_OF_IPV6_DST', 'ipv6_dst'],
  ['OXM_OF_IPV6_FLABEL', 'ipv6_label'],
  ['OXM_OF_ARP_OP', 'arp_op'],
  ['OXM_OF_ARP_SPA', 'arp_spa'],
  ['OXM_OF_ARP_TPA', 'arp_tpa'],
  ['OXM_OF_ARP_SHA', 'arp_sha'],
  ['OXM_OF_ARP_THA', 'arp_tha'],
  ['OXM_OF_TCP_SRC', 'tcp_src'],
  ['OXM_OF_TCP_DST', 'tcp_dst'],
  ['OXM_OF_UDP_SRC', 'udp_src'],
  ['OXM_OF_UDP_DST', 'udp_dst'],
  ['OXM_OF_ICMPV4_TYPE', 'icmp_type'],
  ['OXM_OF_ICMPV4_CODE', 'icmp_code'],
  ['OXM_OF_ICMPV6_TYPE', 'icmpv6_type'],
  ['OXM_OF_ICMPV6_CODE', 'icmpv6_code'],
  ['OXM_OF_IPV6_ND_TARGET', 'nd_target'],
  ['OXM_OF_IPV6_ND_SLL', 'nd_sll'],
  ['OXM_OF_IPV6_ND_TLL', 'nd_tll'],
];

/** Further names in ovs-fields(7). */
const TEXT_ALIASES: readonly (readonly [string, string])[] = [
  ['tunnel_id', 'tun_id'],
  ['dl_src', 'eth_src'],
  ['dl_dst', 'eth_dst'],
  ['dl_type', 'eth_type'],
  ['nw_src', 'ipv4_src'],
  ['nw_dst', 'ipv4_dst'],
  ['nw_frag', 'ip_frag'],
  ['gtpu_flags', 'tun_gtpu_flags'],
  ['gtpu_msgtype', 'tun_gtpu_msgtype'],
  ['nsp', 'nsh_spi'],
  ['nsi', 'nsh_si'],
  ...Array.from({ length: 4 }, (_, i) => [`nshc${i + 1}`, `nsh_c${i + 1}`] as const),
];

const named = (pairs: readonly (readonly [string, string])[]): [string, TextField][] =>
  pairs.flatMap(([alias, name]) => {
    const found = BY_NAME.get(name);
    return found === undefined ? [] : [[alias, found] as [string, TextField]];
  });

const BY_TEXT: ReadonlyMap<string, TextField> = new Map([
  ...FIELDS.map((each): [string, TextField] => [each.name, each]),
  ...named(TEXT_ALIASES),
  ...FIELDS.map((each): [string, TextField] => [each.text, each]),
  ['in_port', NXM_IN_PORT],
]);

const BY_HEADER: ReadonlyMap<string, TextField> = new Map([
  ...FIELDS.map((each): [string, TextField] => [each.header, each]),
  ...named(HEADER_ALIASES),
  [NXM_IN_PORT.header, NXM_IN_PORT],
]);

/** Bits a value has in messages: a VLAN id comes with its CFI bit. */
export const wireBits = (field: TextField): number => (field.name === 'vlan_vid' ? 13 : field.bits);

/** The field of this name and, where it counts, this header; null for one this table does not know. */
export function textField({ name, oxmType }: Pick<OxmField, 'name' | 'oxmType'>): TextField | null {
  if (name === NXM_IN_PORT.name && oxmType === NXM_IN_PORT_TYPE) return NXM_IN_PORT;
  return BY_NAME.get(name) ?? null;
}

/** By any of Open vSwitch's names. */
export const fieldByText = (text: string): TextField | null => BY_TEXT.get(text) ?? null;

/** By its NXM or OXM name, or by any other. */
export const fieldByHeader = (text: string): TextField | null => BY_HEADER.get(text) ?? BY_TEXT.get(text) ?? null;
