// The flows of one VN at one State Host, as its agent told them last: packed as they came, found by address. Knows nothing of
// sessions nor of what becomes of it.

import type { Clock } from '../base/clock.ts';
import type { Vnid } from '../base/ids.ts';
import type { TupleKey } from '../netlink/tuple.ts';
import type { StateChunk } from '../protocol/generated/stateferry.ts';
import { readRecords, type StateRecord, writeRecord } from '../soa/record.ts';
import type { Scope } from '../soa/scope.ts';
import { entryKey, TupleIndex } from '../soa/tuple-index.ts';
import { Writer } from '../wire/writer.ts';

/** What an index entry costs beside its record: 870 were measured (keys, tuple, places in maps). */
const INDEX_BYTES = 870;

/** More records than may be kept: nothing is cut, so there is none. */
export class CheckpointFull extends Error {}

/** Of a VN that the State Host was not asked for. */
export class ForeignRecord extends Error {}

export class Checkpoint {
  readonly vnid: Vnid;
  readonly #limit: number;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #index = new TupleIndex();
  readonly #records = new Map<TupleKey, Buffer>();
  #recordBytes = 0;
  #levelWallMs: number | null = null;

  constructor(vnid: Vnid, limit: number, clock: Pick<Clock, 'wallMs'>) {
    this.vnid = vnid;
    this.#limit = limit;
    this.#clock = clock;
  }

  get records(): number {
    return this.#records.size;
  }

  /** Of memory, roughly. */
  get bytes(): number {
    return this.#recordBytes + this.#records.size * INDEX_BYTES;
  }

  /** When it was last all that the State Host had; null before the whole snapshot has come. */
  get levelWallMs(): number | null {
    return this.#levelWallMs;
  }

  /** Chunks in their order. Throws CheckpointFull, ForeignRecord, and WireError for records that are none. */
  take(chunk: StateChunk): void {
    const scratch = new Writer(2 * chunk.records.length);
    for (const record of readRecords(Buffer.from(chunk.records))) this.#take(record, scratch);
    if (chunk.final) this.#levelWallMs = this.#clock.wallMs();
  }

  /** In no order but that masters come before what is related to them. */
  select(scope: Scope): StateRecord[] {
    const found = this.#index.select(scope).flatMap(({ key }) => {
      const bytes = this.#records.get(key);
      return bytes === undefined ? [] : readRecords(bytes);
    });
    const isRelated = ({ entry }: StateRecord): boolean => entry.tupleMaster !== undefined;
    return [...found.filter((r) => !isRelated(r)), ...found.filter(isRelated)];
  }

  #take(record: StateRecord, scratch: Writer): void {
    const key = entryKey(record.entry);
    if (key === null) return;
    if (record.vnid !== this.vnid) throw new ForeignRecord(`a record of VNID ${record.vnid}`);
    this.#recordBytes -= this.#records.get(key)?.length ?? 0;
    this.#records.delete(key);
    this.#index.remove(key);
    if (record.operation === 'destroy') return;
    if (this.#records.size >= this.#limit) throw new CheckpointFull(`more than ${this.#limit} records`);
    const start = scratch.length;
    writeRecord(scratch, { ...record, operation: 'new' });
    const bytes = Buffer.from(scratch.finish().subarray(start)); // the record alone: what it was written in must not stay
    this.#records.set(key, bytes);
    this.#recordBytes += bytes.length;
    this.#index.put(key, record.entry);
  }
}
