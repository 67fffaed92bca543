// What the shared members of struct ofp_match mean, and hence what the model calls them: `nw_src` is ipv4_src or arp_spa by
// the Ethernet type, `tp_src` is tcp_src, udp_src, sctp_src or an ICMP type by the protocol (1.0.1 section 3.3, table 3).

/** Null: a match on that member says nothing in this layer, and switches ignore it. */
export interface Layer3 {
  readonly tos: string | null;
  readonly proto: string | null;
  readonly src: string | null;
  readonly dst: string | null;
  readonly layer4: ReadonlyMap<number, Layer4>;
}

export interface Layer4 {
  readonly src: string;
  readonly dst: string;
}

const PORTS: readonly (readonly [number, Layer4])[] = [
  [6, { src: 'tcp_src', dst: 'tcp_dst' }],
  [17, { src: 'udp_src', dst: 'udp_dst' }],
  [132, { src: 'sctp_src', dst: 'sctp_dst' }],
];

const IPV4: Layer3 = {
  tos: 'ip_dscp',
  proto: 'ip_proto',
  src: 'ipv4_src',
  dst: 'ipv4_dst',
  layer4: new Map([...PORTS, [1, { src: 'icmp_type', dst: 'icmp_code' }]]),
};
/** Addresses of IPv6 do not fit; Open vSwitch matches the rest. */
const IPV6: Layer3 = {
  tos: 'ip_dscp',
  proto: 'ip_proto',
  src: null,
  dst: null,
  layer4: new Map([...PORTS, [58, { src: 'icmpv6_type', dst: 'icmpv6_code' }]]),
};
const ARP: Layer3 = { tos: null, proto: 'arp_op', src: 'arp_spa', dst: 'arp_tpa', layer4: new Map() };
const OTHER: Layer3 = { tos: null, proto: null, src: null, dst: null, layer4: new Map() };

const BY_TYPE: ReadonlyMap<number, Layer3> = new Map([
  [0x0800, IPV4],
  [0x86dd, IPV6],
  [0x0806, ARP],
  [0x8035, ARP],
]);

/** `ethType` null: not matched. */
export const layer3 = (ethType: number | null): Layer3 => (ethType === null ? OTHER : (BY_TYPE.get(ethType) ?? OTHER));

/** Every name a member of ofp_match can have. */
export const MATCH_NAMES: ReadonlySet<string> = new Set([
  'in_port',
  'eth_src',
  'eth_dst',
  'vlan_vid',
  'vlan_pcp',
  'eth_type',
  ...[IPV4, IPV6, ARP].flatMap(({ tos, proto, src, dst, layer4 }) => [
    ...[tos, proto, src, dst].filter((name) => name !== null),
    ...[...layer4.values()].flatMap((ports) => [ports.src, ports.dst]),
  ]),
]);
