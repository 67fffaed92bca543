// What a held frame is to a gate and to the TDE, told from a few bytes without decoding it.

import { ETHER_TYPE } from '../packet/ethernet.ts';
import { IP_PROTOCOL } from '../packet/ipv4.ts';

/** RARP and gratuitous ARP are for the TDE alone and are not sent on (hard case 8). */
export function isAnnouncement(frame: Buffer): boolean {
  const type = frame.readUInt16BE(12);
  if (type === ETHER_TYPE.rarp) return true;
  return type === ETHER_TYPE.arp && frame.length >= 42 && frame.readUInt32BE(28) === frame.readUInt32BE(38);
}

/** TCP with SYN and without ACK. A frame too strange to tell is none: it waits with the other protocols. */
export function isOpener(frame: Buffer): boolean {
  const type = frame.length < 34 ? 0 : frame.readUInt16BE(12);
  let transport = 0;
  if (type === ETHER_TYPE.ipv4 && frame[23] === IP_PROTOCOL.tcp) transport = 14 + ((frame[14] ?? 0) & 0x0f) * 4;
  if (type === ETHER_TYPE.ipv6 && frame[20] === IP_PROTOCOL.tcp) transport = 54;
  return transport !== 0 && ((frame[transport + 13] ?? 0) & 0x12) === 0x02;
}

const TAG_AT = 12;
const TAG_BYTES = 4;

/** The VLAN id of the outer tag, or null. */
export const tagOf = (frame: Buffer): number | null =>
  frame.length >= TAG_AT + TAG_BYTES && frame.readUInt16BE(TAG_AT) === ETHER_TYPE.vlan
    ? frame.readUInt16BE(TAG_AT + 2) & 0xfff
    : null;

/** An outer tag: what the frame already carries stays inside. */
export function withTag(frame: Buffer, vid: number): Buffer {
  const tag = Buffer.alloc(TAG_BYTES);
  tag.writeUInt16BE(ETHER_TYPE.vlan);
  tag.writeUInt16BE(vid, 2);
  return Buffer.concat([frame.subarray(0, TAG_AT), tag, frame.subarray(TAG_AT)]);
}

export const withoutTag = (frame: Buffer): Buffer =>
  tagOf(frame) === null ? frame : Buffer.concat([frame.subarray(0, TAG_AT), frame.subarray(TAG_AT + TAG_BYTES)]);
