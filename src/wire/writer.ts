// Appends fields to a buffer that grows; lengths written before their content is known are patched afterwards.

import { WireError } from '../base/errors.ts';
import { writeU16, writeU32, writeU64 } from './big-endian.ts';
import type { Reserved } from './reader.ts';

export class Writer {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** The buffer itself. Growing replaces it: to be asked for again after every write. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** What has been written so far: a view that stays valid until the next write. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets everything written after the first `length` bytes. */
  truncate(length: number): void {
    if (length < 0 || length > this.#length) throw new RangeError(`cannot truncate ${this.#length} bytes to ${length}`);
    this.#length = length;
  }

  u8(value: number, field = 'u8'): void {
    this.#check(value, 0xff, field);
    const at = this.reserve(1); // first: growing replaces the buffer
    this.#bytes[at] = value;
  }
  u16(value: number, field = 'u16'): void {
    this.#check(value, 0xffff, field);
    const at = this.reserve(2);
    writeU16(this.#bytes, at, value);
  }
  u32(value: number, field = 'u32'): void {
    this.#check(value, 0xffffffff, field);
    const at = this.reserve(4);
    writeU32(this.#bytes, at, value);
  }
  u64(value: bigint, field = 'u64'): void {
    if (!fitsU64(value)) throw new WireError('TOO_LONG', field, this.#length, String(value));
    const at = this.reserve(8);
    writeU64(this.#bytes, at, value);
  }
  u16le(value: number, field = 'u16le'): void {
    this.#check(value, 0xffff, field);
    const at = this.reserve(2);
    this.#bytes.writeUInt16LE(value, at);
  }
  u32le(value: number, field = 'u32le'): void {
    this.#check(value, 0xffffffff, field);
    const at = this.reserve(4);
    this.#bytes.writeUInt32LE(value, at);
  }

  raw(bytes: Uint8Array): void {
    // A text, as JSON from outside may have it, would become zeros.
    if (!(bytes instanceof Uint8Array)) throw new WireError('BAD_VALUE', 'raw', this.#length, 'not bytes');
    const at = this.reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  zeros(count: number): void {
    const at = this.reserve(count);
    // Mostly a few: the call of fill would cost more than they do.
    for (let i = at; i < at + count; i += 1) this.#bytes[i] = 0;
  }

  /** Zeros up to the next multiple of `unit`, counted from `from`. */
  align(unit: number, from = 0): void {
    const over = (this.#length - from) % unit;
    if (over !== 0) this.zeros(unit - over);
  }

  patchU16(at: number, value: number, field = 'length'): void {
    this.#check(value, 0xffff, field);
    writeU16(this.#bytes, at, value);
  }
  patchU16le(at: number, value: number, field = 'length'): void {
    this.#check(value, 0xffff, field);
    this.#bytes.writeUInt16LE(value, at);
  }
  patchU32le(at: number, value: number, field = 'length'): void {
    this.#check(value, 0xffffffff, field);
    this.#bytes.writeUInt32LE(value, at);
  }

  /** Puts back what Reader.pad kept; `from` is where that of which it was a part begins. */
  restore(reserved: readonly Reserved[], from = 0): void {
    for (const { offset, bytes } of reserved) {
      const at = from + offset;
      if (!(offset >= 0 && at + bytes.length <= this.#length)) {
        throw new WireError('TOO_LONG', 'reserved', at, `${bytes.length} bytes, ${this.#length} written`);
      }
      this.#bytes.set(bytes, at);
    }
  }

  #check(value: number, max: number, field: string): void {
    if (!Number.isInteger(value) || value < 0 || value > max) {
      throw new WireError('TOO_LONG', field, this.#length, String(value));
    }
  }

  /** Makes room for `count` bytes, to be filled by index in `bytes`; returns where they begin. */
  reserve(count: number): number {
    const at = this.#length;
    const need = at + count;
    if (need > this.#bytes.length) {
      const bigger = Buffer.allocUnsafe(Math.max(need, this.#bytes.length * 2));
      this.#bytes.copy(bigger, 0, 0, at);
      this.#bytes = bigger;
    }
    this.#length = need;
    return at;
  }
}

export const fitsU64 = (value: unknown): boolean =>
  typeof value === 'bigint' && value >= 0n && value <= 0xffffffffffffffffn;
