// Cuts a byte stream into messages by the length in their headers, whatever the chunks it comes in.
// Whole messages inside a chunk are views of it; only one that straddles chunks is copied.

import { WireError } from '../base/errors.ts';
import { HEADER_LENGTH } from './message.ts';

/** One whole message, where it lies in `bytes`; false: no more is wanted. */
export type OnSpan = (bytes: Buffer, start: number, end: number) => boolean;

const LENGTH_AT = 2;

export class FrameSplitter {
  #head: Buffer[] = [];
  #held = 0;

  /** Bytes of an unfinished message that are being held: below 64 KiB. */
  get held(): number {
    return this.#held;
  }

  /**
   * Calls `onFrame` for each message that `chunk` completes, in order, until it returns false (then the rest is dropped).
   * Raises WireError for a length below a header's: the stream cannot be followed any further.
   */
  push(chunk: Buffer, onFrame: (frame: Buffer) => boolean): void {
    this.split(chunk, (bytes, start, end) => onFrame(bytes.subarray(start, end)));
  }

  /** As `push`, but tells where in `bytes` a message lies: one that is not wanted costs no view. */
  split(chunk: Buffer, onSpan: OnSpan): void {
    let bytes = chunk;
    if (this.#held > 0) {
      const joined = this.#join(chunk);
      if (joined === null) return;
      if (!onSpan(joined.frame, 0, joined.frame.length)) return;
      bytes = joined.after;
    }
    let at = 0;
    const { length: size } = bytes;
    while (size - at >= HEADER_LENGTH) {
      const end = at + lengthAt(bytes, at);
      if (end > size) break;
      const start = at;
      at = end;
      if (!onSpan(bytes, start, end)) return;
    }
    if (at < size) this.#hold(bytes.subarray(at));
  }

  /** The held message, completed from the front of `chunk`, and what follows it; null if `chunk` does not complete it. */
  #join(chunk: Buffer): { frame: Buffer; after: Buffer } | null {
    let at = 0;
    if (this.#held < HEADER_LENGTH) {
      at = this.#holdUpTo(HEADER_LENGTH, chunk, at);
      if (this.#held < HEADER_LENGTH) return null;
      this.#head = [Buffer.concat(this.#head)];
    }
    const length = lengthAt(this.#head[0] ?? chunk, 0);
    at = this.#holdUpTo(length, chunk, at);
    if (this.#held < length) return null;
    const frame = Buffer.concat(this.#head);
    this.#head = [];
    this.#held = 0;
    return { frame, after: chunk.subarray(at) };
  }

  /** Holds bytes of `chunk` from `at` on until `count` are held; returns where it stopped. */
  #holdUpTo(count: number, chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + count - this.#held);
    if (end > at) this.#hold(chunk.subarray(at, end));
    return end;
  }

  #hold(bytes: Buffer): void {
    this.#head.push(bytes);
    this.#held += bytes.length;
  }
}

function lengthAt(bytes: Buffer, at: number): number {
  // The caller has seen that a whole header is there.
  const length = ((bytes[at + LENGTH_AT] ?? 0) << 8) | (bytes[at + LENGTH_AT + 1] ?? 0);
  if (length < HEADER_LENGTH) throw new WireError('BAD_LENGTH', 'header.length', at + LENGTH_AT, String(length));
  return length;
}
