// Reads and writes OXM / NXM match fields, ofp_match, and the bare field headers that actions name fields by.
// A field without a row is kept verbatim under the name `oxm:CLASS:FIELD` (and `:EXPERIMENTER`).

import { WireError } from '../base/errors.ts';
import { macAddress, within } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import { ipv4Address, ipv6Address } from '../wire/ip-address.ts';
import type { Reader } from '../wire/reader.ts';
import type { Writer } from '../wire/writer.ts';
import type { Match, OxmField, OxmValue } from './model.ts';
import { OXM_CLASS, OXM_FIELDS } from './oxm-fields.ts';
import type { OxmRow } from './oxm-fields.ts';
import type { WireVersion } from './wire-version.ts';

/** Class and field as one number, the upper 23 bits of a header (OXM_TYPE). */
const typeOf = (oxmClass: number, field: number): number => oxmClass * 0x80 + field;

/** A row as one version sees it: `type` is set when the version would write this name under another header. */
interface Known {
  readonly row: OxmRow;
  readonly type: number | null;
}

interface Fields {
  readonly byName: ReadonlyMap<string, OxmRow>;
  readonly byType: ReadonlyMap<number, Known>;
}

const FIELDS: Readonly<Record<WireVersion, Fields>> = {
  1: fieldsOf(1),
  4: fieldsOf(4),
  5: fieldsOf(5),
  6: fieldsOf(6),
};

function fieldsOf(version: WireVersion): Fields {
  const byName = new Map<string, OxmRow>();
  for (const row of OXM_FIELDS) {
    if (row.from <= version && version <= row.to && !byName.has(row.name)) byName.set(row.name, row);
  }
  const byType = new Map<number, Known>();
  for (const row of OXM_FIELDS) {
    const type = typeOf(row.oxmClass, row.field);
    byType.set(type, { row, type: byName.get(row.name) === row ? null : type });
  }
  return { byName, byType };
}

/** The row a name is written under, or null for names this version does not have. */
export function oxmRow(version: WireVersion, name: string): OxmRow | null {
  return FIELDS[version].byName.get(name) ?? null;
}

/** One OXM TLV. */
export function oxmField(version: WireVersion): Codec<OxmField> {
  const { byName, byType } = FIELDS[version];
  return {
    read: (r, field) => {
      const start = r.offset;
      const head = r.u32(`${field}.header`);
      const body = r.sub(head & 0xff, field);
      const known = byType.get(head >>> 9);
      const hasMask = (head & 0x100) !== 0;
      if (known === undefined) return readUnknown(head, hasMask, body, field);
      const { row, type } = known;
      if (row.experimenter !== null && body.u32(field) !== row.experimenter) {
        body.offset = body.start;
        return readUnknown(head, hasMask, body, field);
      }
      if (body.remaining !== (hasMask ? row.bytes * 2 : row.bytes)) {
        throw new WireError('BAD_LENGTH', `${field}.${row.name}`, start, String(head & 0xff));
      }
      const value = readValue(row, body, row.name);
      if (hasMask) {
        const mask = readValue(row, body, row.name);
        return type === null ? { name: row.name, value, mask } : { name: row.name, value, mask, oxmType: type };
      }
      return type === null ? { name: row.name, value } : { name: row.name, value, oxmType: type };
    },
    write: (w, value, field) => {
      const row = value.oxmType === undefined ? byName.get(value.name) : byType.get(value.oxmType)?.row;
      if (row === undefined) {
        writeUnknown(w, value, field);
        return;
      }
      const path = `${field}.${row.name}`;
      writeHeader(w, row, value.mask !== undefined);
      writeValue(w, row, value.value, path);
      if (value.mask !== undefined) writeValue(w, row, value.mask, path);
    },
  };
}

function readUnknown(head: number, hasMask: boolean, body: Reader, field: string): OxmField {
  let name = `oxm:0x${(head >>> 16).toString(16)}:${(head >>> 9) & 0x7f}`;
  if (head >>> 16 === OXM_CLASS.EXPERIMENTER) name += `:0x${body.u32(`${field}.experimenter`).toString(16)}`;
  if (!hasMask) return { name, value: Buffer.from(body.rest()) };
  if (body.remaining % 2 !== 0) throw new WireError('BAD_LENGTH', `${field}.${name}`, body.offset, 'value and mask');
  const half = body.remaining / 2;
  return { name, value: Buffer.from(body.raw(half, field)), mask: Buffer.from(body.raw(half, field)) };
}

function writeUnknown(w: Writer, value: OxmField, field: string): void {
  const parts = /^oxm:(0x[0-9a-f]+):(\d+)(?::(0x[0-9a-f]+))?$/.exec(value.name);
  if (parts === null || !Buffer.isBuffer(value.value) || !(value.mask === undefined || Buffer.isBuffer(value.mask))) {
    throw new WireError('BAD_TYPE', field, w.length, `no match field ${value.name}`);
  }
  const experimenter = parts[3] === undefined ? 0 : 4;
  const length = experimenter + value.value.length + (value.mask?.length ?? 0);
  if (length > 0xff) throw new WireError('TOO_LONG', field, w.length, value.name);
  w.u16(Number(parts[1]), field);
  w.u8((Number(parts[2]) << 1) | (value.mask === undefined ? 0 : 1), field);
  w.u8(length, field);
  if (parts[3] !== undefined) w.u32(Number(parts[3]), field);
  w.raw(value.value);
  if (value.mask !== undefined) w.raw(value.mask);
}

function writeHeader(w: Writer, row: OxmRow, hasMask: boolean): void {
  w.u16(row.oxmClass);
  w.u8((row.field << 1) | (hasMask ? 1 : 0));
  w.u8((row.experimenter === null ? 0 : 4) + (hasMask ? row.bytes * 2 : row.bytes));
  if (row.experimenter !== null) w.u32(row.experimenter);
}

function readValue(row: OxmRow, r: Reader, field: string): OxmValue {
  if (row.form === 'mac') return macAddress.read(r, field);
  if (row.form === 'ipv4') return ipv4Address.read(r, field);
  if (row.form === 'ipv6') return ipv6Address.read(r, field);
  if (row.bytes === 4) return r.u32(field);
  if (row.bytes === 2) return r.u16(field);
  if (row.bytes === 1) return r.u8(field);
  if (row.bytes === 8) return r.u64(field);
  if (row.bytes === 3) return r.raw(3, field).readUIntBE(0, 3);
  return (r.u64(field) << 64n) | r.u64(field);
}

function writeValue(w: Writer, row: OxmRow, value: OxmValue, field: string): void {
  if (row.form === 'mac' || row.form === 'ipv4' || row.form === 'ipv6') {
    writeAddress(w, row.form, value, field);
    return;
  }
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new WireError('BAD_VALUE', field, w.length, `a number, not ${String(value)}`);
  }
  if (row.bytes === 4) w.u32(Number(value), field);
  else if (row.bytes === 2) w.u16(Number(value), field);
  else if (row.bytes === 1) w.u8(Number(value), field);
  else if (row.bytes === 8) w.u64(BigInt(value), field);
  else if (row.bytes === 3) {
    const number = Number(value);
    w.u8(number >>> 16, field);
    w.u16(number & 0xffff, field);
  } else {
    w.u64(BigInt(value) >> 64n, field);
    w.u64(BigInt(value) & 0xffffffffffffffffn, field);
  }
}

function writeAddress(w: Writer, form: 'mac' | 'ipv4' | 'ipv6', value: OxmValue, field: string): void {
  if (typeof value !== 'string') throw new WireError('BAD_VALUE', field, w.length, `an address, not ${String(value)}`);
  const codec: Codec<string> = form === 'mac' ? macAddress : form === 'ipv4' ? ipv4Address : ipv6Address;
  codec.write(w, value, field);
}

/** ofp_match of type OFPMT_OXM, with its padding to 8 bytes (1.3.5 section 7.2.3). */
export function match(version: WireVersion): Codec<Match> {
  const one = oxmField(version);
  return {
    read: (r, field) => {
      const start = r.offset;
      const type = r.u16(`${field}.type`);
      if (type !== 1) throw new WireError('BAD_TYPE', `${field}.type`, start, String(type));
      const length = r.u16(`${field}.length`);
      if (length < 4) throw new WireError('BAD_LENGTH', `${field}.length`, start + 2, String(length));
      const body = r.sub(length - 4, field);
      const out: OxmField[] = [];
      try {
        while (body.offset < body.end) out.push(one.read(body, 'field'));
      } catch (error) {
        throw within(field, error);
      }
      r.pad((8 - (length % 8)) % 8, `${field}.pad`);
      return out;
    },
    write: (w, value, field) => {
      const start = w.length;
      w.u16(1);
      w.u16(4);
      for (const each of value) one.write(w, each, field);
      w.patchU16(start + 2, w.length - start, `${field}.length`);
      w.align(8, start);
    },
  };
}

/** A field named by its header alone (nx_action_reg_move, oxm_ids). `oxmType` as in OxmField. */
export interface OxmId {
  readonly name: string;
  readonly oxmType?: number;
}

/**
 * Headers under which actions name fields. Before 1.5 those actions are Nicira's, and Open vSwitch writes NXM headers in
 * them where NXM has the field in the same width; from 1.5 on it writes OXM.
 */
function idRows(version: WireVersion): ReadonlyMap<string, OxmRow> {
  const rows = new Map(FIELDS[version].byName);
  if (version === 6) return rows;
  for (const row of OXM_FIELDS) {
    const isNxm = row.oxmClass === OXM_CLASS.NXM_0 || row.oxmClass === OXM_CLASS.NXM_1;
    if (isNxm && (rows.get(row.name)?.bits ?? row.bits) === row.bits) rows.set(row.name, row);
  }
  return rows;
}

/** 4 bytes, or 8 with an experimenter. */
export function oxmId(version: WireVersion): Codec<OxmId> {
  const { byType } = FIELDS[version];
  const byName = idRows(version);
  return {
    read: (r, field) => {
      const at = r.offset;
      const head = r.u32(field);
      const known = byType.get(head >>> 9);
      const experimenter = head >>> 16 === OXM_CLASS.EXPERIMENTER ? r.u32(field) : null;
      if (known?.row.experimenter !== experimenter || (head & 0x1ff) !== idLength(known.row)) {
        throw new WireError('BAD_TYPE', field, at, `no field 0x${head.toString(16)}`);
      }
      const { row } = known;
      if (byName.get(row.name) === row) return { name: row.name };
      return { name: row.name, oxmType: typeOf(row.oxmClass, row.field) };
    },
    write: (w, id, field) => {
      const row = id.oxmType === undefined ? byName.get(id.name) : byType.get(id.oxmType)?.row;
      if (row === undefined) throw new WireError('BAD_TYPE', field, w.length, `no match field ${id.name}`);
      writeHeader(w, row, false);
    },
  };
}

const idLength = (row: OxmRow): number => (row.experimenter === null ? 0 : 4) + row.bytes;
