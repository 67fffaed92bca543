// Reads big- or little-endian fields from bytes; every access is bounds-checked and a failure names field and offset.

import { WireError } from '../base/errors.ts';
import { readU16, readU32, readU64 } from './big-endian.ts';

/** Bytes that mean nothing and yet were not zero: where they stood, and what they were. */
export interface Reserved {
  /** From the first of the bytes that were read. */
  readonly offset: number;
  readonly bytes: Buffer;
}

export class Reader {
  readonly bytes: Buffer;
  readonly end: number;
  readonly start: number;
  offset: number;
  readonly #root: Reader;
  #reserved: Reserved[] | null = null;

  constructor(bytes: Buffer, start = 0, end = bytes.length, root: Reader | null = null) {
    this.bytes = bytes;
    this.start = start;
    this.offset = start;
    this.end = end;
    this.#root = root ?? this;
  }

  /** What `pad` and `keep` of this reader and of all its sub-readers have kept; null when there was nothing. */
  get reserved(): readonly Reserved[] | null {
    return this.#root.#reserved;
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

  /** Moves past padding. Where it is not all zero it is kept, so that what was read can be written again exactly. */
  pad(count: number, field: string): void {
    const at = this.take(count, field);
    for (let i = at; i < at + count; i += 1) {
      if (this.bytes[i] !== 0) {
        this.keep(at, count);
        return;
      }
    }
  }

  /** Keeps bytes that the value read from them does not tell: reserved bits of a field, or another form of the same value. */
  keep(at: number, count: number): void {
    (this.#root.#reserved ??= []).push({
      offset: at - this.#root.start,
      bytes: Buffer.from(this.bytes.subarray(at, at + count)),
    });
  }

  u8(field: string): number {
    return this.bytes[this.take(1, field)] ?? 0;
  }
  u16(field: string): number {
    return readU16(this.bytes, this.take(2, field));
  }
  u32(field: string): number {
    return readU32(this.bytes, this.take(4, field));
  }
  u64(field: string): bigint {
    return readU64(this.bytes, this.take(8, field));
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
    return new Reader(this.bytes, at, at + count, this.#root);
  }

  rest(): Buffer {
    return this.raw(this.remaining, 'rest');
  }
}
