// Structures that begin with their own length in 16 bits, or have it a few bytes from their start, as rows of lists do.

import { WireError } from '../base/errors.ts';
import type { Codec } from './codec.ts';

/**
 * `body` reads and writes what the length counts; it is given a reader that ends there and must use it up. The length
 * stands first and is not the body's; or `at` bytes from the start, where the body has a `hole`.
 */
export const sized = <T>(body: Codec<T>, minimum: number, at = 0): Codec<T> => ({
  read: (r, f) => {
    const start = r.offset;
    r.take(at, f);
    const length = r.u16(`${f}.length`);
    if (length < minimum) throw new WireError('BAD_LENGTH', `${f}.length`, start + at, String(length));
    r.offset = start;
    const inside = r.sub(length, f);
    if (at === 0) inside.take(2, f);
    const value = body.read(inside, f);
    if (inside.remaining !== 0) {
      throw new WireError('BAD_LENGTH', f, inside.offset, `${inside.remaining} bytes left over`);
    }
    return value;
  },
  write: (w, v, f) => {
    const start = w.length;
    if (at === 0) w.u16(0);
    body.write(w, v, f);
    w.patchU16(start + at, w.length - start, `${f}.length`);
  },
});

/** `codec` and `count` bytes after it that somebody else reads and fills in. */
export const hole = <T>(codec: Codec<T>, count: number): Codec<T> => ({
  read: (r, f) => {
    const value = codec.read(r, f);
    r.take(count, f);
    return value;
  },
  write: (w, v, f) => {
    codec.write(w, v, f);
    w.zeros(count);
  },
});
