// Messages that wait to be decoded, as spans of the chunks they came in: queueing one copies nothing. Bounded by number and by
// the bytes of all chunks that are kept alive for them.

import type { OnSpan } from './frame-splitter.ts';

interface Block {
  readonly bytes: Buffer;
  /** Start and end of each message, one after the other. */
  readonly spans: number[];
  next: number;
}

export interface SpanLimits {
  readonly messages: number;
  readonly bytes: number;
}

export class SpanQueue {
  readonly #limits: SpanLimits;
  #blocks: Block[] = [];
  #length = 0;
  #bytes = 0;

  constructor(limits: SpanLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes of the chunks that are kept alive. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False when it is full. */
  push(bytes: Buffer, start: number, end: number): boolean {
    if (this.#length >= this.#limits.messages) return false;
    let block = this.#blocks.at(-1);
    if (block?.bytes !== bytes) {
      if (this.#bytes + bytes.length > this.#limits.bytes && this.#length > 0) return false;
      block = { bytes, spans: [], next: 0 };
      this.#blocks.push(block);
      this.#bytes += bytes.length;
    }
    block.spans.push(start, end);
    this.#length += 1;
    return true;
  }

  /** Hands out the first one; what `onSpan` says, or false if there is none. */
  shift(onSpan: OnSpan): boolean {
    const block = this.#blocks[0];
    if (block === undefined) return false;
    const { bytes, spans, next } = block;
    block.next += 2;
    if (block.next === spans.length) {
      this.#blocks.shift();
      this.#bytes -= bytes.length;
    }
    this.#length -= 1;
    return onSpan(bytes, spans[next] ?? 0, spans[next + 1] ?? 0);
  }

  clear(): void {
    this.#blocks = [];
    this.#length = 0;
    this.#bytes = 0;
  }
}
