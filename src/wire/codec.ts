// Combinators: a wire structure is one table of named fields, from which its type, its reader and its writer follow.

import { WireError } from '../base/errors.ts';
import type { Mac } from '../base/ids.ts';
import { readU64, writeU64 } from './big-endian.ts';
import { formatMac, isMac, parseMacInto } from './mac-address.ts';
import { Reader } from './reader.ts';
import type { Reserved } from './reader.ts';
import {
  straightCalls,
  straightConstant,
  straightNamed,
  straightNumber,
  straightPadded,
  straightStruct,
} from './straight.ts';
import type { Straight } from './straight.ts';
import { fitsU64, Writer } from './writer.ts';

export { formatMac, parseMac } from './mac-address.ts';

export interface Codec<T> {
  read(r: Reader, field: string): T;
  write(w: Writer, value: T, field: string): void;
  /** The same as source text, for codecs of fixed size: what a structure of them is put together from. */
  readonly straight?: Straight | undefined;
}

/** A codec whose value may be left out when written; `fallback` is written then. */
export interface Defaulted<T> extends Codec<T> {
  readonly fallback: T;
}

/** The type a codec reads and writes. */
export type Wire<C> = C extends Codec<infer T> ? T : never;

export type Fields = Record<string, Codec<unknown>>;
type OptionalKeys<S extends Fields> = { [K in keyof S]: S[K] extends Defaulted<unknown> ? K : never }[keyof S];
export type Structure<S extends Fields> = { [K in Exclude<keyof S, OptionalKeys<S>>]: Wire<S[K]> } & {
  [K in OptionalKeys<S>]?: Wire<S[K]>;
};

export const u8: Codec<number> = {
  read: (r, f) => r.u8(f),
  write: (w, v, f) => {
    w.u8(v, f);
  },
  straight: straightNumber(1),
};
export const u16: Codec<number> = {
  read: (r, f) => r.u16(f),
  write: (w, v, f) => {
    w.u16(v, f);
  },
  straight: straightNumber(2),
};
export const u32: Codec<number> = {
  read: (r, f) => r.u32(f),
  write: (w, v, f) => {
    w.u32(v, f);
  },
  straight: straightNumber(4),
};
export const u64: Codec<bigint> = {
  read: (r, f) => r.u64(f),
  write: (w, v, f) => {
    w.u64(v, f);
  },
  straight: straightCalls(8, readU64, fitsU64, writeU64),
};

export const macAddress: Codec<Mac> = {
  read: (r, f) => formatMac(r.bytes, r.take(6, f)),
  write: (w, v, f) => {
    const at = w.reserve(6);
    if (!parseMacInto(w.bytes, at, v)) throw new WireError('BAD_VALUE', f, at, `not a MAC address: ${v}`);
  },
  straight: straightCalls(6, formatMac, isMac, (b, at, v) => void parseMacInto(b, at, v)),
};

/** Exactly `count` bytes, copied. */
export const bytes = (count: number): Codec<Buffer> => ({
  read: (r, f) => Buffer.from(r.raw(count, f)),
  write: (w, v, f) => {
    if (v.length !== count) throw new WireError('BAD_LENGTH', f, w.length, `${v.length} bytes, not ${count}`);
    w.raw(v);
  },
});

/** Everything up to the end of the reader: a view, not a copy. */
export const rest: Codec<Buffer> = {
  read: (r, f) => r.raw(r.remaining, f),
  write: (w, v) => {
    w.raw(v);
  },
};

/** NUL-padded text in a field of `size` bytes, one character a byte so that any bytes survive; the last one is NUL. */
export const fixedText = (size: number): Codec<string> => ({
  read: (r, f) => {
    const raw = r.raw(size, f);
    const end = raw.indexOf(0);
    // What follows the NUL says nothing, but some switches do not clear it.
    if (end !== -1) keepTail(r, end - size);
    return raw.toString('latin1', 0, end === -1 ? size : end);
  },
  write: (w, v, f) => {
    const raw = Buffer.from(v, 'latin1');
    if (raw.length > size) throw new WireError('TOO_LONG', f, w.length, `${raw.length} bytes, at most ${size}`);
    w.raw(raw);
    w.zeros(size - raw.length);
  },
});

function keepTail(r: Reader, from: number): void {
  const end = r.offset;
  r.offset += from;
  r.pad(end - r.offset, 'pad');
}

/** Takes no bytes: reads as `value`. For the tag of a union. */
export const constant = <const T>(value: T): Codec<T> => ({
  read: () => value,
  write: () => undefined,
  straight: straightConstant(value),
});

/** `codec` and `count` bytes of padding after it: see Reader.pad; zero when written. */
export const padded = <T>(codec: Codec<T>, count: number): Codec<T> => ({
  read: (r, f) => {
    const value = codec.read(r, f);
    r.pad(count, f);
    return value;
  },
  write: (w, v, f) => {
    codec.write(w, v, f);
    w.zeros(count);
  },
  straight: straightPadded(codec.straight, 0, count),
});

/** `count` bytes of padding and `codec` after them. */
export const indented = <T>(count: number, codec: Codec<T>): Codec<T> => ({
  read: (r, f) => {
    r.pad(count, f);
    return codec.read(r, f);
  },
  write: (w, v, f) => {
    w.zeros(count);
    codec.write(w, v, f);
  },
  straight: straightPadded(codec.straight, count, 0),
});

/** Always read; when the value is left out, `fallback` is written. */
export const defaulted = <T>(codec: Codec<T>, fallback: T): Defaulted<T> => ({
  fallback,
  read: (r, f) => codec.read(r, f),
  write: (w, v: T | undefined, f) => {
    codec.write(w, v ?? fallback, f);
  },
  straight: codec.straight,
});

/** A number that stands for a name; other numbers are refused. */
export function named<const N extends Readonly<Record<string, number>>>(
  codec: Codec<number>,
  names: N,
): Codec<keyof N & string> {
  const byNumber = new Map(Object.entries(names).map(([name, number]) => [number, name]));
  return {
    read: (r, f) => {
      const at = r.offset;
      const number = codec.read(r, f);
      const name = byNumber.get(number);
      if (name === undefined) throw new WireError('BAD_VALUE', f, at, String(number));
      return name;
    },
    write: (w, v, f) => {
      const number = names[v];
      if (number === undefined) throw new WireError('BAD_VALUE', f, w.length, v);
      codec.write(w, number, f);
    },
    straight: straightNamed(codec.straight, names, byNumber),
  };
}

/** Items up to the end of the reader; an item that takes no bytes is refused, or it would repeat for ever. */
export const list = <T>(item: Codec<T>): Codec<readonly T[]> => ({
  read: (r, f) => {
    const out: T[] = [];
    while (r.offset < r.end) {
      const at = r.offset;
      out.push(item.read(r, f));
      if (r.offset === at) throw new WireError('BAD_LENGTH', f, at, 'no progress');
    }
    return out;
  },
  write: (w, v, f) => {
    for (const one of v) item.write(w, one, f);
  },
});

/** A structure in declaration order. An error names the path of fields to it; the path is only built then. */
export function struct<S extends Fields>(fields: S): Codec<Structure<S>> {
  return straightStruct(Object.entries(fields), within) as Codec<Structure<S>>;
}

/** The same error, its field seen from the structure around it. */
export function within(field: string, error: unknown): unknown {
  return error instanceof WireError
    ? new WireError(error.code, `${field}.${error.field}`, error.offset, error.detail, error.fault)
    : error;
}

/** `reserved` as the reader that read the value kept it. */
export function encode<T>(
  codec: Codec<T>,
  value: T,
  name = 'value',
  reserved: readonly Reserved[] | null = null,
): Buffer {
  const w = new Writer();
  codec.write(w, value, name);
  if (reserved !== null) w.restore(reserved);
  return Buffer.from(w.finish());
}

export function decode<T>(codec: Codec<T>, data: Buffer, name = 'value'): T {
  return codec.read(new Reader(data), name);
}
