// Lists of elements that begin with a 16-bit type and a 16-bit length: one row an element, anything else kept verbatim.
// Lengths are checked to hold the header and to make progress before anything of the element is read.

import { WireError } from '../base/errors.ts';
import { within } from './codec.ts';
import type { Codec } from './codec.ts';
import { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

const HEADER = 4;

export interface TlvRow<T> {
  /** The `type` tag of the value. */
  readonly name: string;
  /** The number on the wire. */
  readonly code: number;
  /** Reads and writes the body, and reads as a value that has the tag. */
  readonly body: Codec<T>;
  /** For numbers that several rows share (experimenter): whether this body is this row's. Must not move the reader. */
  readonly when?: (body: Reader) => boolean;
}

export interface TlvLayout<T> {
  readonly rows: readonly TlvRow<T>[];
  /** The length must be a multiple of this. */
  readonly multipleOf?: number;
  /** Bytes to this boundary follow the element and are not in its length. */
  readonly paddedTo?: number;
  /** The padding may be missing after the last element, where what surrounds it ends; then it comes back with padding. */
  readonly lastPadding?: 'optional' | 'required';
  /** How an element without a row is kept, and found again. */
  readonly unknown: (code: number, body: Buffer) => T;
  readonly verbatim: (value: T) => { readonly code: number; readonly body: Buffer } | null;
}

/** One element. */
export function tlv<T extends { readonly type: string }>(layout: TlvLayout<T>): Codec<T> {
  const byCode = Map.groupBy(layout.rows, (row) => row.code);
  const byName = new Map(layout.rows.map((row) => [row.name, row]));
  const multipleOf = layout.multipleOf ?? 1;
  const paddedTo = layout.paddedTo ?? 1;
  const required = layout.lastPadding === 'required';

  return {
    read: (r, field) => {
      const start = r.offset;
      const code = r.u16(`${field}.type`);
      const length = r.u16(`${field}.length`);
      if (length < HEADER || length % multipleOf !== 0) {
        throw new WireError('BAD_LENGTH', `${field}.length`, start + 2, String(length));
      }
      const body = r.sub(length - HEADER, field);
      const over = length % paddedTo;
      if (over !== 0) r.pad(required ? paddedTo - over : Math.min(paddedTo - over, r.remaining), field);
      const row = rowOf(byCode.get(code), body);
      if (row === undefined) return layout.unknown(code, Buffer.from(body.rest()));
      try {
        const value = row.body.read(body, row.name);
        if (body.remaining === 0) return value;
        throw new WireError('BAD_LENGTH', row.name, body.offset, `${body.remaining} bytes left over`);
      } catch (error) {
        throw within(field, error);
      }
    },
    write: (w, value, field) => {
      const start = w.length;
      const raw = layout.verbatim(value);
      const row = raw === null ? byName.get(value.type) : undefined;
      if (raw === null && row === undefined) throw new WireError('BAD_TYPE', field, start, value.type);
      try {
        w.u16(raw?.code ?? row?.code ?? 0, 'type');
        w.u16(0);
        if (raw !== null) w.raw(raw.body);
        else row?.body.write(w, value, row.name);
        closeLength(w, start, multipleOf);
      } catch (error) {
        throw within(field, error);
      }
      w.align(paddedTo, start);
    },
  };
}

function rowOf<T>(rows: readonly TlvRow<T>[] | undefined, body: Reader): TlvRow<T> | undefined {
  if (rows === undefined) return undefined;
  for (const row of rows) if (row.when === undefined || row.when(body)) return row;
  return undefined;
}

function closeLength(w: Writer, start: number, multipleOf: number): void {
  const length = w.length - start;
  if (length % multipleOf !== 0) throw new WireError('BAD_LENGTH', 'length', start, String(length));
  w.patchU16(start + 2, length, 'length');
}
