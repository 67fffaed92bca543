// The words rules are made of: match fields and instructions of this pipeline. Values only, no knowledge of any network.

import type { Mac, Vnid } from '../src/base/ids.ts';
import type { Action, Instruction, Match, OxmField } from '../src/openflow/model.ts';
import { encodeCookie } from './cookies.ts';
import type { Rule, Stage } from './rule.ts';
import { ETH, FROM_VAP, METADATA_MASK, MISS, PORT, TABLE, VID_PRESENT, VNID_MASK, WHOLE_FRAME } from './tables.ts';
import type { TableName } from './tables.ts';

export const field = (name: string, value: number | bigint | string, mask?: number | bigint | string): OxmField =>
  mask === undefined ? { name, value } : { name, value, mask };

export const inPort = (port: number): OxmField => field('in_port', port);
export const ethType = (type: number): OxmField => field('eth_type', type);
export const ethSrc = (mac: string): OxmField => field('eth_src', mac);
export const ethDst = (mac: string): OxmField => field('eth_dst', mac);
export const ipProto = (proto: number): OxmField => field('ip_proto', proto);

/** Frames of the VN that came in at a VAP here. */
export const fromVap = (vnid: Vnid): OxmField => field('metadata', BigInt(vnid) | FROM_VAP);
/** Frames of the VN that came in over the fabric. */
export const fromFabric = (vnid: Vnid): OxmField => field('metadata', BigInt(vnid));
/** Frames of the VN, wherever they came in. */
export const inVn = (vnid: Vnid): OxmField => field('metadata', BigInt(vnid), VNID_MASK);

export const IPV4 = ethType(ETH.ipv4);
export const IPV6 = ethType(ETH.ipv6);
export const ARP = ethType(ETH.arp);
export const TCP = ipProto(6);
export const UDP = ipProto(17);
export const ICMPV6 = ipProto(58);
/** SYN set, ACK clear: the only TCP packet that creates state at a State Host with `tcp_loose=0`. */
export const OPENER = field('tcp_flags', 0x002, 0x012);
export const ND = { solicitation: 135, advertisement: 136 } as const;
export const icmpv6Type = (type: number): OxmField => field('icmpv6_type', type);
/** Group bit of the Ethernet destination or source. */
export const GROUP = '01:00:00:00:00:00';
export const groupDst: OxmField = field('eth_dst', GROUP, GROUP);
export const groupSrc: OxmField = field('eth_src', GROUP, GROUP);

export const output = (port: number): Action => ({ type: 'output', port });
export const setField = (name: string, value: number | string): Action => ({
  type: 'set_field',
  field: { name, value },
});
export const moveField = (src: string, dst: string, bits: number): Action => ({
  type: 'move',
  src,
  srcBit: 0,
  dst,
  dstBit: 0,
  bits,
});
const TO_CONTROLLER: Action = { type: 'output', port: PORT.controller, maxLen: WHOLE_FRAME };

export const goto = (table: TableName): Instruction => ({ type: 'goto_table', table: TABLE[table] });
export const apply = (...actions: Action[]): Instruction => ({ type: 'apply_actions', actions });
export const enterVn = (vnid: Vnid, vap: boolean): Instruction => ({
  type: 'write_metadata',
  metadata: BigInt(vnid) | (vap ? FROM_VAP : 0n),
  mask: METADATA_MASK,
});
export const meter = (id: number): Instruction => ({ type: 'meter', meterId: id });
export const punt = apply(TO_CONTROLLER);
/** To the controller, at most as fast as the meter lets through. */
export const meteredPunt = (id: number): Instruction[] => [meter(id), punt];

/** Into the fabric: the VN Context on, then out of each of the ports. */
export const encap = (vlan: number, ...ports: number[]): Action[] => [
  { type: 'push_vlan', etherType: ETH.vlan },
  setField('vlan_vid', VID_PRESENT | vlan),
  ...ports.map(output),
];

/** Copies out of every port, each with the tag its exit wants. */
export function copies(exits: readonly { readonly port: number; readonly tag: number | null }[]): Action[] {
  const byTag = Map.groupBy(exits, (exit) => exit.tag);
  const ports = (tag: number | null): number[] => (byTag.get(tag) ?? []).map((exit) => exit.port);
  const tags = [...byTag.keys()].filter((tag) => tag !== null);
  const tagged = tags.flatMap((tag, i) => encap(tag, ...ports(tag)).slice(i === 0 ? 0 : 1)); // one tag, set anew
  return [...ports(null).map(output), ...tagged];
}

/** A frame may leave where it came in only by OFPP_IN_PORT (OpenFlow 1.3.5, 7.2.1). */
export const outOf = (port: number, cameIn: number): number => (port === cameIn ? PORT.inPort : port);

export const BASE_COOKIE = encodeCookie('base');

/** A rule of a table; without a cookie it belongs to the fabric itself. */
export function rule(
  table: TableName,
  stage: Stage,
  priority: number,
  match: Match,
  instructions: readonly Instruction[],
  cookie = BASE_COOKIE,
): Rule {
  return { table: TABLE[table], priority, match, instructions, cookie, stage };
}

/** What matches nothing else is dropped, and counted by this rule. */
export const missDrop = (table: TableName): Rule => rule(table, 'deliver', MISS, [], []);
export const missGoto = (table: TableName, next: TableName): Rule => rule(table, 'deliver', MISS, [], [goto(next)]);

export const isIpv6 = (address: string): boolean => address.includes(':');

/** RFC 4291, appendix A: the link-local address an interface gives itself from its MAC (RFC 5952 form). */
export function linkLocalOf(mac: Mac): string {
  const b = mac.split(':').map((part) => Number.parseInt(part, 16));
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0, b4 = 0, b5 = 0] = b;
  const groups = [((b0 ^ 2) << 8) | b1, (b2 << 8) | 0xff, 0xfe00 | b3, (b4 << 8) | b5];
  if (groups[0] === 0) groups.shift();
  return `fe80::${groups.map((g) => g.toString(16)).join(':')}`;
}
