// The chunks of one migration that wait at its destination: handed over in their order, those that wait together as one, so
// that a burst of small deltas costs the kernel no more than one. Knows sequence numbers and digests, not what records mean.

import { hash } from 'node:crypto';
import { WireError } from '../base/errors.ts';
import { type Installed, Phase, type StateChunk } from '../protocol/generated/stateferry.ts';
import { kindOf, SYN_COUNTERS_KIND } from './kinds-of-state.ts';
import { readRecords, type StateRecord } from './record.ts';
import { RefusedError } from './state-host.ts';
import type { SynRecord } from './syn-counts.ts';
import { readSynRecords } from './syn-record.ts';

/** By kind, each in the order in which they came. */
export interface ChunkRecords {
  readonly connections: readonly StateRecord[];
  readonly counts: readonly SynRecord[];
}

export interface ChunkTaker {
  /** Whether it takes no more changes but late ones. */
  isLifted(): boolean;
  /** Raises why nothing is taken any more. */
  checkOpen(): void;
  /** Records of chunks that belong to one phase; `late`: after the drain. */
  take(records: ChunkRecords, late: boolean): Promise<void>;
  /** What there is now, after the final chunk of a phase. */
  acknowledge(final: StateChunk): Promise<Installed>;
}

interface WaitingChunk {
  readonly chunk: StateChunk;
  readonly resolve: (installed: Installed | null) => void;
  readonly reject: (cause: unknown) => void;
}

export class ChunkQueue {
  readonly #migration: string;
  readonly #taker: ChunkTaker;
  readonly #waiting: WaitingChunk[] = [];
  /** For final chunks that are sent again. */
  readonly #answers = new Map<bigint, Installed>();
  #nextSequence = 0n;

  constructor(migration: string, taker: ChunkTaker) {
    this.#migration = migration;
    this.#taker = taker;
  }

  /** `first`: nothing else waits, so somebody has to call `work`. */
  add(chunk: StateChunk): { readonly first: boolean; readonly done: Promise<Installed | null> } {
    const { promise, resolve, reject } = Promise.withResolvers<Installed | null>();
    this.#waiting.push({ chunk, resolve, reject });
    return { first: this.#waiting.length === 1, done: promise };
  }

  /** Until none waits. Never rejects: each chunk's own promise tells how it went. */
  async work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const together = this.#waiting.slice(0, this.#runLength());
      await this.#takeTogether(together);
      this.#waiting.splice(0, together.length);
    }
  }

  /** How many of the waiting chunks make one change: up to a final one, all before the lift or all after it. */
  #runLength(): number {
    const late = this.#isLate(this.#waiting[0]?.chunk);
    const end = this.#waiting.findIndex(({ chunk }) => chunk.final || this.#isLate(chunk) !== late);
    if (end === -1) return this.#waiting.length;
    return this.#isLate(this.#waiting[end]?.chunk) === late ? end + 1 : end;
  }

  #isLate(chunk: StateChunk | undefined): boolean {
    return this.#taker.isLifted() || chunk?.phase === Phase.PHASE_LATE;
  }

  /** A chunk that cannot be read is refused by itself; what came before it counts. */
  async #takeTogether(together: readonly WaitingChunk[]): Promise<void> {
    const late = this.#isLate(together[0]?.chunk);
    const connections: StateRecord[] = [];
    const counts: SynRecord[] = [];
    const good: WaitingChunk[] = [];
    for (const waiting of together) {
      const { chunk, resolve, reject } = waiting;
      try {
        this.#taker.checkOpen();
        if (chunk.sequence < this.#nextSequence) {
          resolve(this.#answers.get(chunk.sequence) ?? null); // sent again
          continue;
        }
        if (kindOf(chunk) === SYN_COUNTERS_KIND.name) counts.push(...this.#open(chunk, readSynRecords));
        else connections.push(...this.#open(chunk, readRecords));
        this.#nextSequence = chunk.sequence + 1n;
        good.push(waiting);
      } catch (error) {
        reject(error);
      }
    }
    try {
      await this.#taker.take({ connections, counts }, late);
      for (const { chunk, resolve } of good) resolve(chunk.final ? await this.#acknowledge(chunk) : null);
    } catch (error) {
      for (const { reject } of good) reject(error);
    }
  }

  async #acknowledge(final: StateChunk): Promise<Installed> {
    const installed = await this.#taker.acknowledge(final);
    this.#answers.set(final.sequence, installed);
    return installed;
  }

  #open<T>(chunk: StateChunk, read: (bytes: Buffer) => T[]): T[] {
    const bad = (detail: string, cause?: unknown): RefusedError =>
      new RefusedError('bad-chunk', this.#migration, `chunk ${chunk.sequence}: ${detail}`, { cause });
    if (chunk.sequence !== this.#nextSequence) throw bad(`expected ${this.#nextSequence}`);
    if (!hash('sha256', chunk.records, 'buffer').equals(chunk.digest)) throw bad('digest');
    try {
      const records = read(chunk.records);
      if (records.length !== chunk.count) throw bad(`${records.length} records instead of ${chunk.count}`);
      return records;
    } catch (error) {
      if (error instanceof WireError) throw bad(error.message, error);
      throw error;
    }
  }
}
