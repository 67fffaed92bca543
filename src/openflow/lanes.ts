// What of a stream may not wait: each message is put in a lane by a glance at its bytes, before anything of it is decoded,
// so that what must be dropped under overload costs next to nothing.

import { HEADER_LENGTH } from './message.ts';

/**
 * In order of precedence. `control`: all that is no packet-in (echo, port-status, replies, errors ...); `discovery`:
 * packet-ins with one of the Ethernet types that must not wait; `packet`: the other packet-ins.
 */
export type Lane = 'control' | 'discovery' | 'packet';

/** Lanes whose messages may be dropped. */
export type PacketLane = Exclude<Lane, 'control'>;

/** LLDP (IEEE 802.1AB), and BDDP, by which some controllers find links across switches that are not theirs. */
export const DISCOVERY_ETHER_TYPES: readonly number[] = [0x88cc, 0x8942];

const VLAN_TYPES = [0x8100, 0x88a8];

/** What each Ethernet type means for a packet-in: one look, for every packet-in there is. */
export type EtherTypeTable = Uint8Array;

const [OTHER, DISCOVERY, VLAN] = [0, 1, 2];

export function etherTypeTable(discovery: readonly number[] = DISCOVERY_ETHER_TYPES): EtherTypeTable {
  const table = new Uint8Array(0x10000).fill(OTHER);
  for (const etherType of VLAN_TYPES) table[etherType] = VLAN;
  for (const etherType of discovery) table[etherType] = DISCOVERY;
  return table;
}

const OFPT_EXPERIMENTER = 4;
const OFPT_PACKET_IN = 10;
const NICIRA = 0x2320;
const NXT_PACKET_IN = 17;
const NXT_PACKET_IN2 = 30;

/** Where the packet begins, or its match: ofp_packet_in of 1.0 and of 1.3, nx_packet_in (nicira-ext.h). */
const PACKET_AT_10 = 18;
const MATCH_AT_13 = 24;
const NX_MATCH_LENGTH_AT = 32;
const NX_MATCH_AT = 40;
const PAD = 2;

const ETHER_TYPE_AT = 12;
const VLAN_TAG_BYTES = 4;
const MAX_VLAN_TAGS = 2;

/** The lane of the message at `start` of `bytes`, which is as long as its header says. */
export function laneOf(bytes: Buffer, start: number, end: number, table: EtherTypeTable): Lane {
  const type = bytes[start + 1];
  if (type === OFPT_PACKET_IN) return packetLane(bytes, packetAt(bytes, start), end, table);
  if (type !== OFPT_EXPERIMENTER || end - start < NX_MATCH_AT || u32(bytes, start + HEADER_LENGTH) !== NICIRA) {
    return 'control';
  }
  const subtype = u32(bytes, start + HEADER_LENGTH + 4);
  // The packet of the second form may stand behind any number of properties: not looked for.
  if (subtype === NXT_PACKET_IN2) return 'packet';
  if (subtype !== NXT_PACKET_IN) return 'control';
  const match = u16(bytes, start + NX_MATCH_LENGTH_AT);
  return packetLane(bytes, start + NX_MATCH_AT + align8(match) + PAD, end, table);
}

/** The lane of a packet-in by its packet. */
export const laneOfPacket = (packet: Buffer, table: EtherTypeTable): PacketLane =>
  packetLane(packet, 0, packet.length, table);

function packetAt(bytes: Buffer, start: number): number {
  if (bytes[start] === 1) return start + PACKET_AT_10;
  return start + MATCH_AT_13 + align8(u16(bytes, start + MATCH_AT_13 + 2)) + PAD;
}

function packetLane(bytes: Buffer, packet: number, end: number, table: EtherTypeTable): PacketLane {
  let at = packet + ETHER_TYPE_AT;
  for (let tags = 0; tags <= MAX_VLAN_TAGS && at + 2 <= end; tags += 1) {
    const meaning = table[u16(bytes, at)];
    if (meaning !== VLAN) return meaning === DISCOVERY ? 'discovery' : 'packet';
    at += VLAN_TAG_BYTES;
  }
  return 'packet';
}

const align8 = (length: number): number => (length + 7) & ~7;

// By index, with zeros behind the end: what is cut short is found out by the decoder.
const u16 = (bytes: Buffer, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
const u32 = (bytes: Buffer, at: number): number => u16(bytes, at) * 0x10000 + u16(bytes, at + 2);
