// Reads what a controller sends back, by hand: which packet-ins it answers and how many messages it took for them.

import { NO_BUFFER } from './switch-frames.ts';
import type { LoadVersion } from './switch-frames.ts';

const FLOW_MOD = 14;
const PACKET_OUT = 13;

/**
 * The number of the packet-in that this message answers, or -1. A flow-mod or packet-out that names the buffer answers
 * it; a packet-out that brings the packet itself says it in the packet's last four bytes.
 */
export function answeredBy(version: LoadVersion, bytes: Buffer, start: number, end: number): number {
  const type = bytes[start + 1];
  if (type === FLOW_MOD) {
    const at = start + (version === 1 ? 64 : 32);
    return at + 4 > end ? -1 : numberOf(u32(bytes, at));
  }
  if (type !== PACKET_OUT) return -1;
  const bufferId = u32(bytes, start + 8);
  return bufferId === NO_BUFFER ? u32(bytes, end - 4) : bufferId;
}

const numberOf = (bufferId: number): number => (bufferId === NO_BUFFER ? -1 : bufferId);

export const u32 = (bytes: Buffer, at: number): number =>
  (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;

/**
 * Cuts a stream into messages in place: the first `length` bytes of `buffer`. Those of an unfinished one are moved to the
 * front, where the next read goes on; returns how many they are.
 */
export function eachMessage(buffer: Buffer, length: number, onMessage: (start: number, end: number) => void): number {
  let at = 0;
  while (length - at >= 8) {
    const end = at + (((buffer[at + 2] ?? 0) << 8) | (buffer[at + 3] ?? 0));
    if (end - at < 8) throw new Error(`the controller sent a message of length ${end - at}`);
    if (end > length) break;
    onMessage(at, end);
    at = end;
  }
  if (at > 0) buffer.copy(buffer, 0, at, length);
  return length - at;
}
