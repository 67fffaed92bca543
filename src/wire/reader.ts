// Reads big- or little-endian fields from bytes; every access is bounds-checked and a failure names field and offset.

import { WireError } from '../base/errors.ts';

export class Reader {
  readonly bytes: Buffer;
  readonly end: number;
  readonly start: number;
  offset: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.start = start;
    this.offset = start;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  /** Moves past `count` bytes and returns where they began. */
  take(count: number, field: string): number {
    const at = this.offset;
    if (count < 0 || at + count > this.end) {
      throw new WireError('TRUNCATED', field, at, `needs ${count} bytes, ${this.end - at} left`);
    }
    this.offset = at + count;
    return at;
  }

  u8(field: string): number {
    return this.bytes.readUInt8(this.take(1, field));
  }
  u16(field: string): number {
    return this.bytes.readUInt16BE(this.take(2, field));
  }
  u32(field: string): number {
    return this.bytes.readUInt32BE(this.take(4, field));
  }
  u64(field: string): bigint {
    return this.bytes.readBigUInt64BE(this.take(8, field));
  }
  u16le(field: string): number {
    return this.bytes.readUInt16LE(this.take(2, field));
  }
  u32le(field: string): number {
    return this.bytes.readUInt32LE(this.take(4, field));
  }

  /** A view, not a copy. */
  raw(count: number, field: string): Buffer {
    const at = this.take(count, field);
    return this.bytes.subarray(at, at + count);
  }

  /** A reader over the next `count` bytes; this reader moves past them. */
  sub(count: number, field: string): Reader {
    const at = this.take(count, field);
    return new Reader(this.bytes, at, at + count);
  }

  rest(): Buffer {
    return this.raw(this.remaining, 'rest');
  }
}
