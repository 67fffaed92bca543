// One value of a match field on the wire. Ports of NXM have 16 bits there and the numbers of later versions here.

import { WireError } from '../base/errors.ts';
import { macAddress } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import { ipv4Address, ipv6Address } from '../wire/ip-address.ts';
import type { Reader } from '../wire/reader.ts';
import type { Writer } from '../wire/writer.ts';
import type { OxmRow } from './oxm-fields.ts';
import type { OxmValue } from './oxm-types.ts';
import { port16 } from './v10/port-no.ts';

/** The next `length` bytes as a value of the row. */
export function readValue(row: OxmRow, r: Reader, length: number, field: string): OxmValue {
  if (row.form === 'mac') return macAddress.read(r, field);
  if (row.form === 'ipv4') return ipv4Address.read(r, field);
  if (row.form === 'ipv6') return ipv6Address.read(r, field);
  if (row.form === 'bytes') return Buffer.from(r.raw(length, field));
  if (length === 4) return r.u32(field);
  if (length === 2) return isNarrowPort(row) ? port16.read(r, field) : r.u16(field);
  if (length === 1) return r.u8(field);
  if (length === 8) return r.u64(field);
  if (length === 3) return r.raw(3, field).readUIntBE(0, 3);
  return (r.u64(field) << 64n) | r.u64(field);
}

export function writeValue(w: Writer, row: OxmRow, value: OxmValue, field: string): void {
  if (row.form === 'mac' || row.form === 'ipv4' || row.form === 'ipv6') {
    writeAddress(w, row.form, value, field);
    return;
  }
  if (row.form === 'bytes') {
    w.raw(bytesOf(value, field, w.length));
    return;
  }
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new WireError('BAD_VALUE', field, w.length, `a number, not ${String(value)}`);
  }
  if (row.bytes === 4) w.u32(Number(value), field);
  else if (row.bytes === 2) writeTwo(w, row, Number(value), field);
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

/** Bytes that a value takes on the wire. */
export function sizeOf(row: OxmRow, value: OxmValue, field: string, offset: number): number {
  return row.form === 'bytes' ? bytesOf(value, field, offset).length : row.bytes;
}

/** A port that NXM gives 16 bits. */
export const isNarrowPort = (row: OxmRow): boolean => row.name === 'in_port' && row.bytes === 2;

function writeTwo(w: Writer, row: OxmRow, value: number, field: string): void {
  if (isNarrowPort(row)) port16.write(w, value, field);
  else w.u16(value, field);
}

function bytesOf(value: OxmValue, field: string, offset: number): Buffer {
  if (!Buffer.isBuffer(value)) throw new WireError('BAD_VALUE', field, offset, `bytes, not ${String(value)}`);
  return value;
}

function writeAddress(w: Writer, form: 'mac' | 'ipv4' | 'ipv6', value: OxmValue, field: string): void {
  if (typeof value !== 'string') throw new WireError('BAD_VALUE', field, w.length, `an address, not ${String(value)}`);
  const codec: Codec<string> = form === 'mac' ? macAddress : form === 'ipv4' ? ipv4Address : ipv6Address;
  codec.write(w, value, field);
}
