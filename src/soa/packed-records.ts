// How records of any kind are packed one behind the other: 4 bytes of length, then the record (docs/protocol.md).

import { Reader } from '../wire/reader.ts';
import type { Writer } from '../wire/writer.ts';

const LENGTH_BYTES = 4;

/** `write` writes the record; its length is put before it. */
export function writePacked(w: Writer, write: () => void): void {
  const start = w.length;
  w.zeros(LENGTH_BYTES);
  write();
  const length = w.length - start - LENGTH_BYTES;
  w.patchU16(start, length >>> 16);
  w.patchU16(start + 2, length & 0xffff);
}

/** All records of a chunk; raises WireError. */
export function readPacked<T>(bytes: Buffer, read: (r: Reader) => T): T[] {
  const r = new Reader(bytes);
  const out: T[] = [];
  while (r.remaining > 0) out.push(read(r.sub(r.u32('record.length'), 'record')));
  return out;
}
