// Netlink attributes (include/uapi/linux/netlink.h) as combinators: a nested attribute is one table of named fields, from
// which its type, reader and writer follow. Absent is not zero: a field that was not there is not in the result, and what the
// table does not name is kept verbatim under `unknown`. Must not know what the attributes mean.
//
// Headers and the scalars called `host...` are in host order, which is little-endian on every machine this runs on.

import { WireError } from '../base/errors.ts';
import { Reader } from '../wire/reader.ts';
import { type Straight, straightNumber } from '../wire/straight.ts';
import type { Writer } from '../wire/writer.ts';
import { type AttributeHelp, straightAttributes } from './straight-attributes.ts';

const HEADER = 4;
const NLA_F_NESTED = 0x8000;

/** An attribute no table names. `type` has the flag bits as they came. */
export interface RawAttribute {
  readonly type: number;
  readonly payload: Buffer;
}

export interface AttributeCodec<T> {
  readonly nested: boolean;
  read(bytes: Buffer, at: number, end: number, field: string): T;
  write(w: Writer, value: T, field: string): void;
  /** The same as source text, for values of fixed size: what the code of a table of them is put together from. */
  readonly straight?: Straight | undefined;
}

type Table = Readonly<Record<string, readonly [type: number, codec: AttributeCodec<unknown>]>>;

/** What a table of attributes reads to: every field optional. */
export type Attributes<T extends Table> = {
  readonly [K in keyof T]?: T[K][1] extends AttributeCodec<infer V> ? V : never;
} & { readonly unknown?: readonly RawAttribute[] };

/** The type a codec reads and writes. */
export type AttributeValue<C> = C extends AttributeCodec<infer V> ? V : never;

/** A nested attribute, or the attributes of a whole message. Refuses an attribute that comes twice. */
export function attributes<T extends Table>(table: T): AttributeCodec<Attributes<T>> {
  const rows = Object.entries(table).map(([name, [type, codec]]) => ({
    name,
    codec,
    type: codec.nested ? type | NLA_F_NESTED : type,
  }));
  return { nested: true, ...(straightAttributes(rows, HELP) as Pick<AttributeCodec<Attributes<T>>, 'read' | 'write'>) };
}

const HELP: AttributeHelp = {
  unknown: (bytes, type, at, to): RawAttribute => ({ type, payload: Buffer.from(bytes.subarray(at, to)) }),
  badLength: badAttribute,
  twice: (name, at) => new WireError('BAD_VALUE', name, at, 'attribute comes twice'),
  begin: beginAttribute,
  end: endAttribute,
  writeUnknown: (w: Writer, unknown: readonly RawAttribute[]) => {
    for (const raw of unknown) writeRawAttribute(w, raw);
  },
};

function badAttribute(field: string, at: number, left: number, length: number): WireError {
  if (left < HEADER) return new WireError('TRUNCATED', field, at, 'attribute header');
  return new WireError('BAD_LENGTH', field, at, `attribute of ${length} bytes`);
}

/** Calls `each` with the type (flags included) and the range of every attribute's payload. */
export function eachAttribute(
  bytes: Buffer,
  from: number,
  end: number,
  field: string,
  each: (type: number, at: number, to: number) => void,
): void {
  let at = from;
  while (at < end) {
    const length = end - at < HEADER ? 0 : bytes.readUInt16LE(at);
    if (length < HEADER || at + length > end) throw badAttribute(field, at, end - at, length);
    each(bytes.readUInt16LE(at + 2), at + HEADER, at + length);
    at += (length + 3) & ~3;
  }
}

export function writeAttribute(w: Writer, type: number, field: string, content: () => void): void {
  const start = beginAttribute(w, type);
  content();
  endAttribute(w, start, field);
}

/** Writes the header; where it begins. The length follows at the end. */
function beginAttribute(w: Writer, type: number): number {
  const start = w.length;
  w.u16le(0);
  w.u16le(type, 'type');
  return start;
}

function endAttribute(w: Writer, start: number, field: string): void {
  w.patchU16le(start, w.length - start, field);
  w.align(4, start);
}

export function writeRawAttribute(w: Writer, raw: RawAttribute): void {
  writeAttribute(w, raw.type, `attribute ${raw.type}`, () => {
    w.raw(raw.payload);
  });
}

const scalar = <T>(
  size: number,
  read: (bytes: Buffer, at: number) => T,
  write: (w: Writer, value: T, field: string) => void,
  straight?: Straight,
): AttributeCodec<T> => ({
  nested: false,
  straight,
  read: (bytes, at, end, field) => {
    if (end - at !== size) throw new WireError('BAD_LENGTH', field, at, `${end - at} bytes instead of ${size}`);
    return read(bytes, at);
  },
  write,
});

export const u8Attribute: AttributeCodec<number> = scalar(
  1,
  (b, at) => b.readUInt8(at),
  (w, v, f) => w.u8(v, f),
  straightNumber(1),
);
export const u16Attribute: AttributeCodec<number> = scalar(
  2,
  (b, at) => b.readUInt16BE(at),
  (w, v, f) => w.u16(v, f),
  straightNumber(2),
);
export const u32Attribute: AttributeCodec<number> = scalar(
  4,
  (b, at) => b.readUInt32BE(at),
  (w, v, f) => w.u32(v, f),
  straightNumber(4),
);
export const u64Attribute: AttributeCodec<bigint> = scalar(
  8,
  (b, at) => b.readBigUInt64BE(at),
  (w, v, f) => w.u64(v, f),
);

/** Anything, copied. */
export const bytesAttribute: AttributeCodec<Buffer> = {
  nested: false,
  read: (bytes, at, end) => Buffer.from(bytes.subarray(at, end)),
  write: (w, v) => w.raw(v),
};

/** A C string: ends at the first NUL, which is written again. */
export const stringAttribute: AttributeCodec<string> = {
  nested: false,
  read: (bytes, at, end, field) => {
    const nul = bytes.subarray(at, end).indexOf(0);
    if (nul < 0) throw new WireError('BAD_VALUE', field, at, 'string without NUL');
    return bytes.toString('latin1', at, at + nul);
  },
  write: (w, v) => {
    w.raw(Buffer.from(v, 'latin1'));
    w.u8(0);
  },
};

/** Exactly `size` bytes as a latin1 string: compares and hashes by value, which a Buffer does not. */
export const packedAttribute = <T extends string>(size: number): AttributeCodec<T> =>
  scalar(
    size,
    (b, at) => b.toString('latin1', at, at + size) as T,
    (w, v) => w.raw(Buffer.from(v, 'latin1')),
    straightText(size),
  );

/** A call of String.fromCharCode or a byte at a time costs less than the way to Buffer's native code and back. */
const straightText = (size: number): Straight => ({
  bytes: size,
  read: (at) => `String.fromCharCode(${Array.from({ length: size }, (_, i) => at(i)).join(', ')})`,
  fits: (v) => `${v}.length === ${size}`,
  write: (at, v) => Array.from({ length: size }, (_, i) => `${at(i)} = ${v}.charCodeAt(${i});`).join(' '),
  clean: () => '',
});

/** A fixed C structure inside one attribute. */
export const structAttribute = <T>(
  size: number,
  read: (r: Reader) => T,
  write: (w: Writer, value: T) => void,
  straight?: Straight,
): AttributeCodec<T> => scalar(size, (b, at) => read(new Reader(b, at, at + size)), write, straight);

/** A nested list in which every attribute has the same codec, whatever its type (NFTA_LIST_ELEM and the like). */
export const listAttribute = <T>(type: number, item: AttributeCodec<T>): AttributeCodec<readonly T[]> => ({
  nested: true,
  read: (bytes, from, end, field) => {
    const out: T[] = [];
    eachAttribute(bytes, from, end, field, (_type, at, to) => out.push(item.read(bytes, at, to, field)));
    return out;
  },
  write: (w, values, field) => {
    for (const value of values) {
      writeAttribute(w, item.nested ? type | NLA_F_NESTED : type, field, () => {
        item.write(w, value, field);
      });
    }
  },
});
