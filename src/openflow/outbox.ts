// What waits to be written to one switch. Messages of one tick go out in one write; the amount waiting is bounded and
// visible, so that a switch that does not read cannot grow memory.

import type { Writable } from 'node:stream';
import { Writer } from '../wire/writer.ts';
import { writeMessage } from './message.ts';
import type { Message } from './message.ts';
import { OpenFlowError } from './openflow-error.ts';
import type { WireVersion } from './wire-version.ts';

/** A batch of this size is written without waiting for the end of the tick. */
const FLUSH_BYTES = 64 * 1024;
/** The first batch; the next ones are made as large as the last was, with room for the message that fills them. */
const BATCH_BYTES = 256;
const ROOM_BYTES = 1024;

const sizeAfter = (last: number): number =>
  last < BATCH_BYTES / 2 ? BATCH_BYTES : Math.min(last + (last >> 2), FLUSH_BYTES) + ROOM_BYTES;

export class Outbox {
  readonly #sink: Writable;
  readonly #maxBytes: number;
  #batch = new Writer(BATCH_BYTES);
  #flushScheduled = false;
  #corked = false;

  constructor(sink: Writable, maxBytes: number) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
  }

  /** Bytes that have not left this process. */
  get queuedBytes(): number {
    return this.#batch.length + this.#sink.writableLength;
  }

  /** Whether the switch reads so slowly that bulk work ought to wait for `drained`. */
  get congested(): boolean {
    return this.#sink.writableNeedDrain;
  }

  get full(): boolean {
    return this.queuedBytes >= this.#maxBytes;
  }

  /** Raises QUEUE_FULL when full, WireError when a value does not fit its field; nothing is queued then. */
  append(version: WireVersion, xid: number, message: Message): void {
    if (this.full)
      throw new OpenFlowError('QUEUE_FULL', `${this.queuedBytes} bytes wait for a switch that does not read`);
    writeMessage(this.#batch, version, xid, message);
    if (this.#batch.length >= FLUSH_BYTES) this.flush();
    else if (!this.#corked && !this.#flushScheduled) {
      this.#flushScheduled = true;
      process.nextTick(this.#flushOfTick);
    }
  }

  /** Until `uncork`, in the same tick, what is appended waits for it: the tick need not be told. */
  cork(): void {
    this.#corked = true;
  }

  uncork(): void {
    this.#corked = false;
    this.flush();
  }

  flush(): void {
    if (this.#batch.length === 0 || !this.#sink.writable) return;
    const bytes = this.#batch.finish();
    this.#batch = new Writer(sizeAfter(bytes.length));
    this.#sink.write(bytes);
  }

  /** Resolves when the switch has taken what waited; rejects when `signal` aborts first. */
  drained(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error);
        return;
      }
      if (!this.congested) {
        resolve();
        return;
      }
      const onDrain = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#sink.removeListener('drain', onDrain);
        reject(signal.reason as Error);
      };
      this.#sink.once('drain', onDrain);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  readonly #flushOfTick = (): void => {
    this.#flushScheduled = false;
    this.flush();
  };
}
