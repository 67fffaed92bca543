// What a test connection carries: a keystream (AES-128-CTR) keyed by the run and bound to the connection and the position
// in it, so that a missing, doubled, swapped or altered byte cannot pass for the right one. Knows no sockets.

import { createCipheriv, createHash } from 'node:crypto';

const ZEROS = Buffer.alloc(64 * 1024);

/** One side's place in the content of one connection: `next` produces it, `check` compares what arrived with it. */
export interface VerifiedStream {
  readonly offset: number;
  next(length: number): Buffer;
  /** The offset of the first wrong byte, or null when all of `chunk` is right. */
  check(chunk: Buffer): number | null;
}

export function createVerifiedStream(key: string, connection: string): VerifiedStream {
  const secret = createHash('sha256').update(`${key}\n${connection}`).digest();
  const cipher = createCipheriv('aes-128-ctr', secret.subarray(0, 16), secret.subarray(16, 32));
  let offset = 0;
  const next = (length: number): Buffer => {
    offset += length;
    if (length <= ZEROS.length) return cipher.update(ZEROS.subarray(0, length));
    return cipher.update(Buffer.alloc(length));
  };
  return {
    get offset() {
      return offset;
    },
    next,
    check(chunk) {
      const start = offset;
      const expected = next(chunk.length);
      if (expected.equals(chunk)) return null;
      const at = chunk.findIndex((byte, i) => byte !== expected[i]);
      return start + at;
    },
  };
}
