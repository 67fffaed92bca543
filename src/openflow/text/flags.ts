// Fields that are sets of named bits: `syn|ack` when every bit counts, `+trk-inv` when only some do.

import { ones } from './bits.ts';
import type { Bits } from './bits.ts';
import { hex, parseInteger } from './numbers.ts';
import { fail, part, slash } from './span.ts';
import type { Span } from './span.ts';

type Names = readonly string[];

const bit = (i: number): bigint => 1n << BigInt(i);

export function formatFlags(names: Names, value: bigint): string {
  const set = names.filter((_, i) => (value & bit(i)) !== 0n);
  const rest = value & ~ones(names.length);
  if (rest !== 0n) set.push(hex(rest));
  return set.length === 0 ? '0' : set.join('|');
}

export function formatMaskedFlags(names: Names, { value, mask }: Bits): string {
  if (mask === 0n) return '0/0';
  let text = '';
  for (let i = 0; mask >> BigInt(i) !== 0n; i += 1) {
    if ((mask & bit(i)) !== 0n) text += `${(value & bit(i)) === 0n ? '-' : '+'}${names[i] ?? '[Unknown]'}`;
  }
  return text;
}

/** `width`: bits of the field, all of which count in the unmasked forms. */
export function parseFlags(names: Names, of: Span, width: number): Bits {
  if (/^[+-]/.test(of.text)) return parseSigned(names, of);
  const { left, right } = slash(of);
  if (right !== null) {
    return { value: parseInteger(left, ones(width), 'flags'), mask: parseInteger(right, ones(width), 'a mask') };
  }
  let value = 0n;
  let at = 0;
  for (const word of of.text.split('|')) {
    const where = part(of, at, at + word.length);
    value |= /^\d/.test(word) ? parseInteger(where, ones(width), 'flags') : bit(indexOf(names, where));
    at += word.length + 1;
  }
  return { value, mask: ones(width) };
}

function parseSigned(names: Names, of: Span): Bits {
  let value = 0n;
  let mask = 0n;
  for (const found of of.text.matchAll(/([+-])([^+-]*)/g)) {
    const where = part(of, found.index + 1, found.index + found[0].length);
    const one = bit(indexOf(names, where));
    if ((mask & one) !== 0n) fail('NOT_ALLOWED', where, 'each flag once');
    mask |= one;
    if (found[1] === '+') value |= one;
  }
  return { value, mask };
}

function indexOf(names: Names, where: Span): number {
  const index = names.indexOf(where.text);
  return index === -1
    ? fail('UNKNOWN_WORD', where, `one of ${names.filter((n) => !n.startsWith('[')).join(', ')}`)
    : index;
}
