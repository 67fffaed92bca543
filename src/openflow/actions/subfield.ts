// Parts of fields in actions: where the header stands, where offset and width, differs from one action to the next. What is
// read is checked as the switch checks it: the bits are in the field, and a field to be changed can be.

import { u16 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { FieldBit, FieldName, Subfield } from '../action-types.ts';
import type { OxmRow } from '../oxm-fields.ts';
import { nxmId, shortNxmId } from '../oxm-id.ts';
import type { OxmId } from '../oxm-id.ts';
import { refuse } from './row.ts';

export type Use = 'src' | 'dst';

export interface BitRange {
  readonly bit: number;
  readonly bits: number;
}

/** nxm ofs_nbits: the offset in the upper 10 bits, the width less one in the lower 6. */
export const bitRange: Codec<BitRange> = {
  read: (r, f) => {
    const value = r.u16(f);
    return { bit: value >>> 6, bits: (value & 0x3f) + 1 };
  },
  write: (w, { bit, bits }, f) => {
    if (bit > 0x3ff || bits < 1 || bits > 64) throw refuse('OFPBAC_BAD_SET_LEN', f, w.length, `${bit}, ${bits} bits`);
    u16.write(w, bit * 0x40 + bits - 1, f);
  },
};

/** mf_check_src and mf_check_dst of Open vSwitch. Of a field without a row nothing is known. */
export function check(row: OxmRow | null, { bit, bits }: BitRange, use: Use, field: string, offset: number): void {
  if (row === null) return;
  if (bits === 0 || bit + bits > row.bits) {
    throw refuse('OFPBAC_BAD_SET_LEN', field, offset, `bits ${bit}+${bits} of ${row.name}`, 'BAD_LENGTH');
  }
  if (use === 'dst' && !row.writable)
    throw refuse('OFPBAC_BAD_SET_ARGUMENT', field, offset, `${row.name} is read-only`);
}

export function subfieldOf({ field, row }: OxmId, range: BitRange, use: Use, f: string, offset: number): Subfield {
  check(row, range, use, f, offset);
  return { ...field, bit: range.bit, bits: range.bits };
}

export function fieldBitOf({ field, row }: OxmId, bit: number, use: Use, f: string, offset: number): FieldBit {
  check(row, { bit, bits: 1 }, use, f, offset);
  return { ...field, bit };
}

/** For writing: the row is found by the name. */
export const idOf = ({ name, oxmType }: FieldName): OxmId => ({
  field: oxmType === undefined ? { name } : { name, oxmType },
  row: null,
});

/** ofs_nbits, and after it a header of 4 bytes. */
export const subfield = (use: Use): Codec<Subfield> => ({
  read: (r, f) => {
    const at = r.offset;
    const range = bitRange.read(r, f);
    return subfieldOf(shortNxmId.read(r, f), range, use, f, at);
  },
  write: (w, v, f) => {
    bitRange.write(w, v, f);
    shortNxmId.write(w, idOf(v), f);
  },
});

/** A number, or the bits of a field: a header of 4 bytes, zero for the number, and `size` bytes that mean the one or the other. */
export const numberOrSubfield = (size: 2 | 4): Codec<number | Subfield> => ({
  read: (r, f) => {
    const at = r.offset;
    if (r.u32(f) === 0) return size === 2 ? r.u16(f) : r.u32(f);
    r.offset = at;
    const id = shortNxmId.read(r, f);
    const range = bitRange.read(r, f);
    r.pad(size - 2, f);
    return subfieldOf(id, range, 'src', f, at);
  },
  write: (w, v, f) => {
    if (typeof v !== 'number') {
      shortNxmId.write(w, idOf(v), f);
      bitRange.write(w, v, f);
      w.zeros(size - 2);
      return;
    }
    w.u32(0);
    if (size === 2) w.u16(v, f);
    else w.u32(v, f);
  },
});

/** A header of 4 or 8 bytes, and zeros up to `size` bytes. */
export function readIdIn(r: Reader, size: number, f: string): OxmId {
  const body = r.sub(size, f);
  const id = nxmId.read(body, f);
  body.pad(body.remaining, f);
  return id;
}

export function writeIdIn(w: Writer, field: FieldName, size: number, f: string): void {
  const end = w.length + size;
  nxmId.write(w, idOf(field), f);
  w.zeros(end - w.length);
}
