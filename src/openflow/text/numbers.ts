// Numbers as ovs-ofctl writes and reads them.

import { fail } from './span.ts';
import type { Span } from './span.ts';

/** C's `%#x`: zero has no prefix. */
export const hex = (value: number | bigint): string => (BigInt(value) === 0n ? '0' : `0x${value.toString(16)}`);

/** `0x` and at least `digits` digits, for zero too. */
export const hexDigits = (value: number | bigint, digits: number): string =>
  `0x${value.toString(16).padStart(digits, '0')}`;

const NUMBER = /^(?:0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i;

/** Decimal, `0x` hexadecimal or `0` octal as in C; at most `max`. */
export function parseInteger(of: Span, max: bigint, what = 'a number'): bigint {
  if (!NUMBER.test(of.text)) fail('BAD_VALUE', of, what);
  const value = BigInt(/^0[0-7]+$/.test(of.text) ? `0o${of.text.slice(1)}` : of.text);
  if (value > max) fail('OUT_OF_RANGE', of, `${what} of at most ${max}`);
  return value;
}

export const parseU8 = (of: Span, what?: string): number => Number(parseInteger(of, 0xffn, what));
export const parseU16 = (of: Span, what?: string): number => Number(parseInteger(of, 0xffffn, what));
export const parseU32 = (of: Span, what?: string): number => Number(parseInteger(of, 0xffff_ffffn, what));
/** Also `-1`, which cookies' masks are often written as. */
export const parseU64 = (of: Span, what?: string): bigint =>
  of.text === '-1' ? 0xffff_ffff_ffff_ffffn : parseInteger(of, 0xffff_ffff_ffff_ffffn, what);

/** Bytes as ovs-ofctl writes them, `01.02.03`; the dots may be missing. */
export function parseBytes(of: Span, what: string): Buffer {
  const digits = of.text.replaceAll('.', '').replace(/^0x/, '');
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) fail('BAD_VALUE', of, `${what}: pairs of hexadecimal digits`);
  return Buffer.from(digits, 'hex');
}

export const dottedBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('.');
