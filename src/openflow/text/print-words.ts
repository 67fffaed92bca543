// Small things that all printed messages share: sentences, names of bits, counters, and any value that no table describes.

import { hex } from './numbers.ts';

/** The parts that say something, with spaces between. */
export const sentence = (...parts: readonly (string | false | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== false && part !== '').join(' ');

/** Names of set bits, the first name for bit 0; what has no name as a number. */
export function bitNames(bits: number, names: readonly (string | null)[], separator = ' '): string {
  if (bits === 0) return '0';
  const known = names.flatMap((name, i) => (name !== null && ((bits >>> i) & 1) === 1 ? [name] : []));
  const rest = names.reduce((left, name, i) => (name === null ? left : left & ~(1 << i)), bits) >>> 0;
  return [...known, ...(rest === 0 ? [] : [hex(rest)])].join(separator);
}

const UNKNOWN_COUNTER = 0xffff_ffff_ffff_ffffn;

/** A counter the switch does not have is all ones. */
export const counter = (value: bigint | undefined): string =>
  value === undefined || value === UNKNOWN_COUNTER ? '?' : value.toString();

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Any value: `name=value` for what objects hold, bytes as hexadecimal digits. */
export function formatAny(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Buffer.isBuffer(value)) return value.length === 0 ? '' : value.toString('hex');
  if (Array.isArray(value)) return value.map((each) => formatAny(each)).join('; ');
  if (typeof value === 'object') return formatObject(value);
  return typeof value === 'bigint' ? hex(value) : `${value as string | number | boolean}`;
}

function formatObject(value: object): string {
  return sentence(
    ...Object.entries(value).map(([name, each]) => {
      const text = formatAny(each);
      if (text === '' || name === 'part') return '';
      if (name === 'type') return text;
      return typeof each === 'object' && !Buffer.isBuffer(each) ? `${snake(name)}=[${text}]` : `${snake(name)}=${text}`;
    }),
  );
}
