// Reads and writes OXM / NXM match fields and ofp_match. A field without a row in the table is kept verbatim under the name
// `oxm:CLASS:FIELD` (and `:EXPERIMENTER`).

import { WireError } from '../base/errors.ts';
import { readU32, writeU32 } from '../wire/big-endian.ts';
import { within } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import type { Reader } from '../wire/reader.ts';
import type { Writer } from '../wire/writer.ts';
import { OXM_CLASS } from './oxm-fields.ts';
import type { OxmRow } from './oxm-fields.ts';
import { quickFields } from './oxm-quick.ts';
import type { QuickField } from './oxm-quick.ts';
import { fieldNames, oxmTypeOf, rowsOfType, rowToWrite } from './oxm-rows.ts';
import type { Match, OxmField, OxmValue } from './oxm-types.ts';
import { readValue, sizeOf, writeValue } from './oxm-value.ts';
import type { WireVersion } from './wire-version.ts';

export { oxmRow } from './oxm-rows.ts';

const HEADER = 4;

/** One OXM TLV, as matches of the version have it. */
export const oxmField = (version: WireVersion): Codec<OxmField> => fieldUnder(fieldNames(version));

/** One OXM TLV under the headers that `names` prefers. */
export function fieldUnder(names: ReadonlyMap<string, OxmRow>): Codec<OxmField> {
  return {
    read: (r, field) => {
      const start = r.offset;
      const head = r.u32(`${field}.header`);
      const body = r.sub(head & 0xff, field);
      const hasMask = (head & 0x100) !== 0;
      const row = rowOf(head, hasMask, body, start, field);
      if (row === null) return readUnknown(head, hasMask, body, field);
      const length = hasMask ? body.remaining / 2 : body.remaining;
      const value = readValue(row, body, length, row.name);
      const { name } = row;
      const oxmType = names.get(name) === row ? undefined : oxmTypeOf(row);
      if (hasMask) {
        const mask = readValue(row, body, length, row.name);
        return oxmType === undefined ? { name, value, mask } : { name, value, mask, oxmType };
      }
      return oxmType === undefined ? { name, value } : { name, value, oxmType };
    },
    write: (w, value, field) => {
      const row = rowToWrite(names, value);
      if (row === null) writeUnknown(w, value, field);
      else writeField(w, row, value, `${field}.${row.name}`);
    },
  };
}

/** The row a header means, its experimenter read; null if there is none, and nothing read. */
function rowOf(head: number, hasMask: boolean, body: Reader, start: number, field: string): OxmRow | null {
  const rows = rowsOfType(head >>> 9);
  if (rows.length === 0) return null;
  const length = hasMask ? body.remaining / 2 : body.remaining;
  if (rows.length === 1 && rows[0]?.experimenter === null && rows[0].bytes === length) return rows[0];
  const experimenter = isExperimenter(head) ? body.u32(`${field}.experimenter`) : null;
  const known = rows.filter((row) => row.experimenter === experimenter);
  const first = known[0];
  if (first === undefined) {
    body.offset = body.start;
    return null;
  }
  const size = hasMask ? body.remaining / 2 : body.remaining;
  const row = known.find(({ form, bytes }) => (form === 'bytes' ? Number.isInteger(size) : size === bytes));
  if (row === undefined) throw new WireError('BAD_LENGTH', `${field}.${first.name}`, start, String(head & 0xff));
  return row;
}

const isExperimenter = (head: number): boolean => head >>> 16 === OXM_CLASS.EXPERIMENTER;

function readUnknown(head: number, hasMask: boolean, body: Reader, field: string): OxmField {
  const name = unknownName(head, isExperimenter(head) ? body.u32(`${field}.experimenter`) : null);
  if (!hasMask) return { name, value: Buffer.from(body.rest()) };
  if (body.remaining % 2 !== 0) throw new WireError('BAD_LENGTH', `${field}.${name}`, body.offset, 'value and mask');
  const half = body.remaining / 2;
  return { name, value: Buffer.from(body.raw(half, field)), mask: Buffer.from(body.raw(half, field)) };
}

/** How a field without a row is called. */
export function unknownName(head: number, experimenter: number | null): string {
  const name = `oxm:0x${(head >>> 16).toString(16)}:${(head >>> 9) & 0x7f}`;
  return experimenter === null ? name : `${name}:0x${experimenter.toString(16)}`;
}

/** The header of a field of such a name without a value, and its experimenter; null for other names. */
export function unknownHeader(name: string): { readonly head: number; readonly experimenter: number | null } | null {
  const [, oxmClass, field, experimenter] = /^oxm:(0x[0-9a-f]{1,4}):(\d{1,3})(?::(0x[0-9a-f]{1,8}))?$/.exec(name) ?? [];
  if (oxmClass === undefined || field === undefined || Number(field) > 0x7f) return null;
  const head = Number(oxmClass) * 0x10000 + Number(field) * 0x200;
  return { head, experimenter: experimenter === undefined ? null : Number(experimenter) };
}

function writeUnknown(w: Writer, { name, value, mask }: OxmField, field: string): void {
  const known = unknownHeader(name);
  if (known === null || !Buffer.isBuffer(value) || !(mask === undefined || Buffer.isBuffer(mask))) {
    throw new WireError('BAD_TYPE', field, w.length, `no match field ${name}`);
  }
  const length = (known.experimenter === null ? 0 : 4) + value.length + (mask?.length ?? 0);
  if (length > 0xff) throw new WireError('TOO_LONG', field, w.length, name);
  w.u32(known.head + (mask === undefined ? 0 : 0x100) + length, field);
  if (known.experimenter !== null) w.u32(known.experimenter, field);
  w.raw(value);
  if (mask !== undefined) w.raw(mask);
}

function writeField(w: Writer, row: OxmRow, { value, mask }: OxmField, path: string): void {
  const size = sizeOf(row, value, path, w.length);
  if (mask !== undefined && sizeOf(row, mask, path, w.length) !== size) {
    throw new WireError('BAD_LENGTH', path, w.length, 'value and mask');
  }
  writeHeader(w, row, mask !== undefined, mask === undefined ? size : size * 2);
  writeValue(w, row, value, path);
  if (mask !== undefined) writeValue(w, row, mask, path);
}

/** Of `size` bytes of value and mask. */
export function writeHeader(w: Writer, row: OxmRow, hasMask: boolean, size: number): void {
  const length = size + (row.experimenter === null ? 0 : 4);
  if (length > 0xff) throw new WireError('TOO_LONG', row.name, w.length, `${length} bytes`);
  w.u16(row.oxmClass);
  w.u8((row.field << 1) | (hasMask ? 1 : 0));
  w.u8(length);
  if (row.experimenter !== null) w.u32(row.experimenter);
}

/** Whether the value fitted; nothing is written if it did not. */
function writeQuickly(w: Writer, quick: QuickField, value: OxmValue): boolean {
  const at = w.reserve(HEADER + quick.bytes);
  if (!quick.write(w.bytes, at + HEADER, value)) {
    w.truncate(at);
    return false;
  }
  writeU32(w.bytes, at, quick.head);
  return true;
}

/** ofp_match of type OFPMT_OXM, with its padding to 8 bytes (1.3.5 section 7.2.3). */
export function match(version: WireVersion): Codec<Match> {
  const one = oxmField(version);
  const { byHead, byName } = quickFields(version);
  return {
    read: (r, field) => {
      const out: OxmField[] = [];
      // The path of a field is put together only for an error.
      try {
        const start = r.offset;
        const type = r.u16('type');
        if (type !== 1) throw new WireError('BAD_TYPE', 'type', start, String(type));
        const length = r.u16('length');
        if (length < 4) throw new WireError('BAD_LENGTH', 'length', start + 2, String(length));
        const body = r.sub(length - 4, 'fields');
        const { bytes, end } = body;
        while (body.offset < end) {
          const at = body.offset;
          const quick = at + HEADER <= end ? byHead.get(readU32(bytes, at)) : undefined;
          if (quick !== undefined && at + HEADER + quick.bytes <= end) {
            out.push({ name: quick.name, value: quick.read(bytes, at + HEADER) });
            body.offset = at + HEADER + quick.bytes;
          } else {
            out.push(one.read(body, 'field'));
          }
        }
        r.pad((8 - (length % 8)) % 8, 'pad');
      } catch (error) {
        throw within(field, error);
      }
      return out;
    },
    write: (w, value, field) => {
      const start = w.length;
      w.u16(1);
      w.u16(4);
      for (const each of value) {
        const { mask, oxmType } = each;
        const quick = mask === undefined && oxmType === undefined ? byName.get(each.name) : undefined;
        if (quick === undefined || !writeQuickly(w, quick, each.value)) one.write(w, each, field);
      }
      w.patchU16(start + 2, w.length - start, `${field}.length`);
      w.align(8, start);
    },
  };
}
