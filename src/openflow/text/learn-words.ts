// One element of learn(): what the learned flow matches on, loads or outputs to.

import type { LearnSpec } from '../model.ts';
import { ones } from './bits.ts';
import { parseInteger } from './numbers.ts';
import type { PortNames } from './ports.ts';
import { arrow, fail } from './span.ts';
import type { Span, Word } from './span.ts';
import { fieldBitOf, isSubfield, parseSubfield } from './subfields.ts';
import { parseFieldValue } from './values.ts';

/** `FIELD[BITS]`, `FIELD[BITS]=FIELD[BITS]`, `FIELD=VALUE`, `load:VALUE->FIELD[BITS]`, `output:FIELD[BITS]` */
export function parseLearnSpec({ key, value, mark }: Word, names?: PortNames): LearnSpec {
  if (key.text === 'load') return parseLoad(value);
  if (key.text === 'output') {
    const src = parseSubfield(value);
    return { type: 'output', bits: src.bits, src: fieldBitOf(src) };
  }
  const parsed = parseSubfield(key);
  const { bits } = parsed;
  const dst = fieldBitOf(parsed);
  if (mark === '') return { type: 'match', bits, src: dst, dst };
  if (isSubfield(value.text)) return { type: 'match', bits, src: fieldOf(value, bits), dst };
  const whole = parsed.firstBit === 0 && bits === parsed.field.bits;
  const immediate = whole
    ? parseFieldValue(parsed.field, value, names).value
    : parseInteger(value, ones(bits), `a number of ${bits} bits`);
  return { type: 'match', bits, src: { value: immediate & ones(bits) }, dst };
}

function parseLoad(of: Span): LearnSpec {
  const both = arrow(of);
  if (both === null) return fail('SYNTAX', of, 'VALUE->FIELD[BITS] or FIELD[BITS]->FIELD[BITS]');
  const parsed = parseSubfield(both.right);
  const { bits } = parsed;
  const dst = fieldBitOf(parsed);
  if (isSubfield(both.left.text)) return { type: 'load', bits, src: fieldOf(both.left, bits), dst };
  return { type: 'load', bits, src: { value: parseInteger(both.left, ones(bits), `a number of ${bits} bits`) }, dst };
}

function fieldOf(of: Span, bits: number): ReturnType<typeof fieldBitOf> {
  const parsed = parseSubfield(of);
  if (parsed.bits !== bits) fail('BAD_VALUE', of, `${bits} bits, as its destination has`);
  return fieldBitOf(parsed);
}
