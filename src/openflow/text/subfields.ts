// Parts of fields as actions name them: `NXM_NX_REG0[3..6]`, one bit `[3]`, the whole field `[]`.

import type { FieldBit, FieldName, OxmField, Subfield } from '../model.ts';
import { fieldByHeader, textField } from './fields.ts';
import type { TextField } from './fields.ts';
import { fail, part } from './span.ts';
import type { Span } from './span.ts';

export interface ParsedSubfield {
  readonly field: TextField;
  readonly firstBit: number;
  readonly bits: number;
}

/** `oxmType` as in OxmField. */
export function formatBits(of: Pick<OxmField, 'name' | 'oxmType'>, firstBit: number, bits: number): string {
  const field = textField(of);
  const name = field?.header ?? of.name;
  if (firstBit === 0 && bits === field?.bits) return `${name}[]`;
  return bits === 1 ? `${name}[${firstBit}]` : `${name}[${firstBit}..${firstBit + bits - 1}]`;
}

export const formatSubfield = (of: Subfield): string => formatBits(of, of.bit, of.bits);

export function parseSubfield(of: Span): ParsedSubfield {
  const bracket = of.text.indexOf('[');
  const name = bracket === -1 ? of.text : of.text.slice(0, bracket);
  const field = fieldByHeader(name);
  if (field === null) return fail('UNKNOWN_WORD', part(of, 0, name.length), 'a field such as NXM_NX_REG0[0..7]');
  if (bracket === -1) return { field, firstBit: 0, bits: field.bits };
  const inside = part(of, bracket);
  const range = /^\[(?:(\d+)(?:\.\.(\d+))?)?\]$/.exec(inside.text);
  if (range === null) return fail('SYNTAX', inside, '[], [BIT] or [FIRST..LAST]');
  const first = Number(range[1] ?? 0);
  const last = Number(range[2] ?? range[1] ?? field.bits - 1);
  if (first > last || last >= field.bits) fail('OUT_OF_RANGE', inside, `bits in order, below ${field.bits}`);
  return { field, firstBit: first, bits: last - first + 1 };
}

/** A field as actions name it. */
export const fieldNameOf = ({ name, oxmType }: TextField): FieldName =>
  oxmType === null ? { name } : { name, oxmType };

export const fieldBitOf = ({ field, firstBit }: ParsedSubfield): FieldBit => ({ ...fieldNameOf(field), bit: firstBit });

export const subfieldOf = (parsed: ParsedSubfield): Subfield => ({ ...fieldBitOf(parsed), bits: parsed.bits });

/** Whether the text begins with a field's name: else it is a port or a number. */
export const isSubfield = (text: string): boolean => fieldByHeader(text.split('[')[0] ?? '') !== null;
