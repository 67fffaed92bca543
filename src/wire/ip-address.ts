// IPv4 and IPv6 addresses as text: IPv4 dotted quads, IPv6 in the form of RFC 5952 as inet_ntop prints it.

import { isIPv6 } from 'node:net';
import { WireError } from '../base/errors.ts';
import type { IpAddress } from '../base/ids.ts';
import type { Codec } from './codec.ts';

export const ipv4Address: Codec<IpAddress> = {
  read: (r, f) => formatIpv4(r.bytes, r.take(4, f)),
  write: (w, v, f) => {
    const at = w.reserve(4);
    if (!parseIpv4Into(w.bytes, at, v)) throw new WireError('BAD_VALUE', f, at, v);
  },
};

export const ipv6Address: Codec<IpAddress> = {
  read: (r, f) => formatIpv6(r.raw(16, f)),
  write: (w, v, f) => {
    if (!isIPv6(v) || v.includes('%')) throw new WireError('BAD_VALUE', f, w.length, v);
    w.raw(parseIpv6(v));
  },
};

/** Of the four bytes at `at`. */
export function formatIpv4(raw: Uint8Array, at = 0): IpAddress {
  return `${raw[at] ?? 0}.${raw[at + 1] ?? 0}.${raw[at + 2] ?? 0}.${raw[at + 3] ?? 0}` as IpAddress;
}

/** `text` must be an IPv4 address. */
export function parseIpv4(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}

/** Whether `text` was an IPv4 address. By hand, because many flow-mods have some. */
export function parseIpv4Into(out: Uint8Array, at: number, text: string): boolean {
  let group = 0;
  let value = 0;
  let digits = 0;
  for (let i = 0; i <= text.length; i += 1) {
    const digit = i === text.length ? DOT : text.charCodeAt(i) - 0x30;
    if (digit === DOT) {
      if (digits === 0 || group === 4) return false;
      out[at + group] = value;
      group += 1;
      value = digits = 0;
    } else {
      // No leading zeros: some read them as octal.
      if (digit < 0 || digit > 9 || (digits > 0 && value === 0)) return false;
      value = value * 10 + digit;
      digits += 1;
      if (value > 255) return false;
    }
  }
  return group === 4;
}

const DOT = 0x2e - 0x30;

/** RFC 5952: the longest run of two or more zero groups (the first of equals) becomes `::`. */
export function formatIpv6(raw: Uint8Array): IpAddress {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((raw[i] ?? 0) << 8) | (raw[i + 1] ?? 0));
  const run = longestZeroRun(groups);
  if (run.count < 2) return hex(groups) as IpAddress;
  // ::a.b.c.d and ::ffff:a.b.c.d are printed with a dotted quad (RFC 5952 section 5, and inet_ntop).
  const mapped = run.start === 0 && ((run.count === 5 && groups[5] === 0xffff) || run.count === 6);
  if (mapped) return `${run.count === 5 ? '::ffff:' : '::'}${formatIpv4(raw.subarray(12, 16))}` as IpAddress;
  return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.count))}` as IpAddress;
}

/** `text` must be an IPv6 address without a zone. */
export function parseIpv6(text: string): Buffer {
  const dotted = /^(.*:)([0-9.]+\.[0-9.]+)$/.exec(text);
  let all = text;
  if (dotted?.[1] !== undefined && dotted[2] !== undefined) {
    const quad = parseIpv4(dotted[2]);
    all = `${dotted[1]}${quad.readUInt16BE(0).toString(16)}:${quad.readUInt16BE(2).toString(16)}`;
  }
  const [head = '', tail] = all.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const out = Buffer.alloc(16);
  [...left, ...zeros, ...right].forEach((group, i) => out.writeUInt16BE(Number.parseInt(group, 16), i * 2));
  return out;
}

function hex(groups: readonly number[]): string {
  return groups.map((g) => g.toString(16)).join(':');
}

function longestZeroRun(groups: readonly number[]): { start: number; count: number } {
  let best = { start: 0, count: 0 };
  for (let start = 0; start < groups.length; start += 1) {
    let count = 0;
    while (groups[start + count] === 0) count += 1;
    if (count > best.count) best = { start, count };
  }
  return best;
}
