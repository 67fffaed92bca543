// Combinators: a wire structure is one table of named fields, from which its type, its reader and its writer follow.

import type { Mac } from '../base/ids.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export interface Codec<T> {
  read(r: Reader, field: string): T;
  write(w: Writer, value: T, field: string): void;
}

/** The type a codec reads and writes. */
export type Wire<C> = C extends Codec<infer T> ? T : never;

export const u8: Codec<number> = {
  read: (r, f) => r.u8(f),
  write: (w, v, f) => {
    w.u8(v, f);
  },
};
export const u16: Codec<number> = {
  read: (r, f) => r.u16(f),
  write: (w, v, f) => {
    w.u16(v, f);
  },
};
export const u32: Codec<number> = {
  read: (r, f) => r.u32(f),
  write: (w, v, f) => {
    w.u32(v, f);
  },
};
export const u64: Codec<bigint> = {
  read: (r, f) => r.u64(f),
  write: (w, v, f) => {
    w.u64(v, f);
  },
};

export const macAddress: Codec<Mac> = {
  read: (r, f) => formatMac(r.raw(6, f)),
  write: (w, v) => {
    w.raw(parseMac(v));
  },
};

/** Exactly `count` bytes, copied. */
export const bytes = (count: number): Codec<Buffer> => ({
  read: (r, f) => Buffer.from(r.raw(count, f)),
  write: (w, v) => {
    w.raw(v);
  },
});

/** A structure in declaration order. */
export function struct<S extends Record<string, Codec<unknown>>>(fields: S): Codec<{ [K in keyof S]: Wire<S[K]> }> {
  type T = { [K in keyof S]: Wire<S[K]> };
  const entries = Object.entries(fields);
  return {
    read: (r, field) => {
      const out: Record<string, unknown> = {};
      for (const [name, codec] of entries) out[name] = codec.read(r, `${field}.${name}`);
      return out as T;
    },
    write: (w, value, field) => {
      for (const [name, codec] of entries) codec.write(w, (value as Record<string, unknown>)[name], `${field}.${name}`);
    },
  };
}

export function encode<T>(codec: Codec<T>, value: T, name = 'value'): Buffer {
  const w = new Writer();
  codec.write(w, value, name);
  return Buffer.from(w.finish());
}

export function decode<T>(codec: Codec<T>, data: Buffer, name = 'value'): T {
  return codec.read(new Reader(data), name);
}

export function formatMac(raw: Uint8Array): Mac {
  let text = '';
  for (let i = 0; i < 6; i += 1) text += `${i === 0 ? '' : ':'}${(raw[i] ?? 0).toString(16).padStart(2, '0')}`;
  return text as Mac;
}

export function parseMac(text: string): Buffer {
  const out = Buffer.allocUnsafe(6);
  const parts = text.split(':');
  if (parts.length !== 6 || !parts.every((p) => /^[0-9a-f]{1,2}$/i.test(p)))
    throw new RangeError(`not a MAC address: ${text}`);
  parts.forEach((p, i) => {
    out[i] = Number.parseInt(p, 16);
  });
  return out;
}
