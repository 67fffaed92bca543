// Packs records into state chunks: about 64 KiB each, numbered without gaps over all phases of a migration, each with the
// SHA-256 of its records.

import { hash } from 'node:crypto';
import { Phase, type StateChunk } from '../protocol/generated/stateferry.ts';
import { Writer } from '../wire/writer.ts';
import { CONNTRACK_KIND, SYN_COUNTERS_KIND } from './kinds-of-state.ts';
import { type StateRecord, writeRecord } from './record.ts';
import type { SynRecord } from './syn-counts.ts';
import { writeSynRecord } from './syn-record.ts';

export const CHUNK_BYTES = 64 * 1024;

export class ChunkWriter {
  readonly #migration: string;
  readonly #emit: (chunk: StateChunk) => void;
  readonly #chunkBytes: number;
  #writer = new Writer(1024);
  #count = 0;
  /** Of the records that have gathered. */
  #kind: string = CONNTRACK_KIND.name;
  #sequence = 0n;

  constructor(migration: string, emit: (chunk: StateChunk) => void, chunkBytes = CHUNK_BYTES) {
    this.#migration = migration;
    this.#emit = emit;
    this.#chunkBytes = chunkBytes;
  }

  /** Of the chunk that went out last; only after one has. */
  get lastSequence(): bigint {
    return this.#sequence - 1n;
  }

  add(phase: Phase, record: StateRecord): void {
    this.#begin(phase, CONNTRACK_KIND.name);
    writeRecord(this.#writer, record);
    this.#added(phase);
  }

  addCounts(phase: Phase, record: SynRecord): void {
    this.#begin(phase, SYN_COUNTERS_KIND.name);
    writeSynRecord(this.#writer, record);
    this.#added(phase);
  }

  /** Records of one chunk are of one kind. */
  #begin(phase: Phase, kind: string): void {
    if (kind !== this.#kind) this.flush(phase);
    this.#kind = kind;
  }

  #added(phase: Phase): void {
    this.#count += 1;
    if (this.#writer.length >= this.#chunkBytes) this.#send(phase, false);
  }

  /** Sends what has gathered, if anything. */
  flush(phase: Phase): void {
    if (this.#count > 0) this.#send(phase, false);
  }

  /** Ends the phase: its last chunk goes out even if it is empty. */
  finish(phase: Phase): void {
    this.#send(phase, true);
  }

  #send(phase: Phase, final: boolean): void {
    const records = this.#writer.finish();
    this.#emit({
      migration: this.#migration,
      sequence: this.#sequence,
      phase,
      final,
      count: this.#count,
      records,
      digest: hash('sha256', records, 'buffer'),
      kind: this.#kind,
    });
    this.#sequence += 1n;
    this.#writer = new Writer(1024);
    this.#count = 0;
  }
}
