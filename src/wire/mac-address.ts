// Ethernet addresses as text and as bytes. Every packet-in and every flow-mod has some, so both ways are written for speed.

import type { Mac } from '../base/ids.ts';
import { readU16, readU32 } from './big-endian.ts';

const COLON = 0x3a;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');

/** Addresses come again and again: the text of those seen last is kept, one in each place. */
const PLACES = 4096;
const lows = new Uint32Array(PLACES);
const highs = new Uint16Array(PLACES);
const texts: (Mac | undefined)[] = Array.from({ length: PLACES }, () => undefined);

/** Of the six bytes at `at`. */
export function formatMac(raw: Uint8Array, at = 0): Mac {
  const high = readU16(raw, at);
  const low = readU32(raw, at + 2);
  const place = (low ^ (low >>> 12) ^ (low >>> 24) ^ high) & (PLACES - 1);
  const kept = texts[place];
  if (kept !== undefined && lows[place] === low && highs[place] === high) return kept;
  const text = textOf(high >>> 8, high & 0xff, low >>> 24, (low >>> 16) & 0xff, (low >>> 8) & 0xff, low & 0xff);
  lows[place] = low;
  highs[place] = high;
  texts[place] = text;
  return text;
}

/** In one call: a text put together from parts would be put together again at its first use as a key. */
function textOf(a: number, b: number, c: number, d: number, e: number, f: number): Mac {
  return String.fromCharCode(
    digit(a >>> 4),
    digit(a & 15),
    COLON,
    digit(b >>> 4),
    digit(b & 15),
    COLON,
    digit(c >>> 4),
    digit(c & 15),
    COLON,
    digit(d >>> 4),
    digit(d & 15),
    COLON,
    digit(e >>> 4),
    digit(e & 15),
    COLON,
    digit(f >>> 4),
    digit(f & 15),
  ) as Mac;
}

const digit = (value: number): number => DIGITS[value] ?? 0;

/** The value of a hex digit by its character code below 128; 0xff for other characters. */
const VALUES = new Uint8Array(128).fill(0xff);
for (let value = 0; value < 16; value += 1) {
  VALUES[digit(value)] = value;
  VALUES[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** Six groups of one or two hex digits; whether `text` was that. */
export function parseMacInto(out: Uint8Array, at: number, text: string): boolean {
  return text.length === 17 ? parseFull(out, at, text) || parseAny(out, at, text) : parseAny(out, at, text);
}

export function parseMac(text: string): Buffer {
  const out = Buffer.allocUnsafe(6);
  if (!parseMacInto(out, 0, text)) throw new RangeError(`not a MAC address: ${text}`);
  return out;
}

const scratch = new Uint8Array(6);

export function isMac(value: unknown): boolean {
  return typeof value === 'string' && parseMacInto(scratch, 0, value);
}

/** Two digits in every group. */
function parseFull(out: Uint8Array, at: number, text: string): boolean {
  for (let group = 0; group < 6; group += 1) {
    const value = pair(text, group * 3);
    if (value < 0 || (group < 5 && text.charCodeAt(group * 3 + 2) !== COLON)) return false;
    out[at + group] = value;
  }
  return true;
}

function pair(text: string, at: number): number {
  const high = text.charCodeAt(at);
  const low = text.charCodeAt(at + 1);
  if ((high | low) > 0x7f) return -1;
  const value = ((VALUES[high] ?? 0xff) << 8) | (VALUES[low] ?? 0xff);
  return (value & 0xf0f0) === 0 ? (value >>> 4) | (value & 15) : -1;
}

function parseAny(out: Uint8Array, at: number, text: string): boolean {
  const groups = text.split(':');
  if (groups.length !== 6) return false;
  return groups.every((group, i) => {
    if (!/^[0-9a-f]{1,2}$/i.test(group)) return false;
    out[at + i] = Number.parseInt(group, 16);
    return true;
  });
}
