// A State Host's share in a standby checkpoint: all flows of one VN, read from the kernel, and then at intervals what has changed,
// each record as a whole. Flows stay as they are; several migrations may run beside it. Must not know where the checkpoint is kept.

import type { Clock } from '../base/clock.ts';
import type { Vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { ConntrackEntry } from '../netlink/conntrack-entry.ts';
import { familyOf, type TupleKey } from '../netlink/tuple.ts';
import { Phase, type StateChunk } from '../protocol/generated/stateferry.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { readingOf } from './entry-requests.ts';
import { countByProtocol } from './handed-over.ts';
import type { KernelTable, TableEvent } from './kernel-table.ts';
import { CONNTRACK_KIND } from './kinds-of-state.ts';
import type { RecordOperation } from './record.ts';
import type { Shadow } from './shadow.ts';
import type { StateManifest } from './source-migration.ts';
import { RefusedError } from './state-host.ts';
import { entryKey, type IndexedTuple } from './tuple-index.ts';

export interface StandbyRequest {
  /** Names it on IF(M,A). */
  readonly id: string;
  readonly vnid: Vnid;
  /** The VN's, on this host. */
  readonly zone: number;
  readonly everyMs: number;
  /** Records; one more refuses the whole. */
  readonly limit: number;
}

export interface StandbyWorld {
  readonly table: KernelTable;
  readonly shadow: Shadow;
  readonly clock: Clock;
  readonly log: Log;
  readonly somWallMs: () => number;
}

/** Entries that are asked for together. */
const SLICE = 256;
/** Traffic refreshes timeouts without an event: records that would end sooner than this are read again when half of it is over. */
const SHORT_LIVED_SECONDS = 1200;

export class StandbyFeed {
  readonly #request: StandbyRequest;
  readonly #world: StandbyWorld;
  readonly #chunks: ChunkWriter;
  /** What the checkpoint has. */
  readonly #told = new Map<TupleKey, IndexedTuple>();
  /** Changed since they were told. */
  readonly #dirty = new Set<TupleKey>();
  /** When, by the clock, a short-lived record has to be read again. */
  readonly #due = new Map<TupleKey, number>();
  /** Events were lost: nothing that was told is certain. */
  #uncertain = false;
  #over = false;

  constructor(request: StandbyRequest, world: StandbyWorld, emit: (chunk: StateChunk) => void) {
    this.#request = request;
    this.#world = world;
    this.#chunks = new ChunkWriter(request.id, (chunk) => {
      if (!this.#over) emit(chunk);
    });
  }

  /** Rejects with RefusedError `over-limit`. Events count from the moment it is called. */
  async snapshot(onBegun: (manifest: StateManifest) => void): Promise<StateManifest> {
    const { id, limit, zone } = this.#request;
    const all = this.#world.shadow.inZone(zone);
    if (all.length > limit) throw new RefusedError('over-limit', id, `${all.length} records, limit ${limit}`);
    const manifest = {
      records: BigInt(all.length),
      digest: Buffer.alloc(0),
      kinds: [CONNTRACK_KIND.name],
      counts: countByProtocol(all.map(({ orig }) => orig)),
    };
    onBegun(manifest);
    await this.#tell(all, Phase.PHASE_SNAPSHOT);
    this.#chunks.finish(Phase.PHASE_SNAPSHOT);
    return { ...manifest, records: BigInt(this.#told.size) };
  }

  /** After the manifest went out: rounds until `end`. */
  begin(): void {
    this.#world.clock.after(this.#request.everyMs, () => {
      if (this.#over) return;
      this.#round()
        .catch((error: unknown) => {
          this.#world.log.error('a round of the standby checkpoint failed', { standby: this.#request.id, error });
          this.#uncertain = true;
        })
        .finally(() => {
          this.begin();
        });
    });
  }

  /** The kernel's events, of every scope, in order; those that this agent has caused too. */
  apply(events: readonly TableEvent[]): void {
    for (const { entry } of events) {
      if ((entry.zone ?? 0) !== this.#request.zone) continue;
      const key = entryKey(entry);
      if (key !== null) this.#dirty.add(key);
    }
  }

  overrun(): void {
    this.#uncertain = true;
  }

  end(): void {
    this.#over = true;
  }

  async #round(): Promise<void> {
    const { shadow, clock } = this.#world;
    if (shadow.stale) return; // what the kernel has is not known: the checkpoint grows old, and its keeper sees that
    if (this.#uncertain) this.#doubtAll();
    const nowMs = clock.now();
    for (const [key, dueMs] of this.#due) if (dueMs <= nowMs) this.#dirty.add(key);
    const keys = [...this.#dirty];
    this.#dirty.clear();
    const there: IndexedTuple[] = [];
    for (const key of keys) {
      const one = shadow.get(key);
      if (one === undefined) this.#tellGone(key);
      else there.push(one);
    }
    await this.#tell(there, Phase.PHASE_DELTA);
    this.#chunks.finish(Phase.PHASE_DELTA);
  }

  #doubtAll(): void {
    this.#uncertain = false;
    for (const key of this.#told.keys()) this.#dirty.add(key);
    for (const { key } of this.#world.shadow.inZone(this.#request.zone)) this.#dirty.add(key);
  }

  /** As the kernel has them now; masters before what is related to them. */
  async #tell(selected: readonly IndexedTuple[], phase: Phase): Promise<void> {
    const { table, shadow, somWallMs } = this.#world;
    const related: (() => void)[] = [];
    for (let at = 0; at < selected.length && !this.#over; at += SLICE) {
      const slice = selected.slice(at, at + SLICE);
      const answers = await table.ask(slice.map(({ orig, zone }) => readingOf({ tupleOrig: orig, zone })));
      const capturedWallMs = somWallMs();
      slice.forEach((one, i) => {
        const entry = answers[i]?.entry ?? null;
        if (entry === null) {
          shadow.forget(one.key);
          this.#tellGone(one.key);
        } else if (entry.tupleMaster === undefined) this.#tellOf(one, entry, phase, capturedWallMs);
        else related.push(() => this.#tellOf(one, entry, phase, capturedWallMs));
      });
    }
    for (const tell of related) tell();
  }

  #tellOf(one: IndexedTuple, entry: ConntrackEntry, phase: Phase, capturedWallMs: number): void {
    this.#send(phase, this.#told.has(one.key) ? 'update' : 'new', entry, capturedWallMs);
    this.#told.set(one.key, one);
    const seconds = entry.timeout ?? 0;
    if (seconds > SHORT_LIVED_SECONDS) this.#due.delete(one.key);
    else this.#due.set(one.key, this.#world.clock.now() + (seconds * 1000) / 2);
  }

  #tellGone(key: TupleKey): void {
    const one = this.#told.get(key);
    if (one === undefined) return;
    this.#told.delete(key);
    this.#due.delete(key);
    this.#send(Phase.PHASE_DELTA, 'destroy', { tupleOrig: one.orig }, this.#world.somWallMs());
  }

  #send(phase: Phase, operation: RecordOperation, entry: ConntrackEntry, capturedWallMs: number): void {
    if (entry.tupleOrig === undefined) return;
    const family = familyOf(entry.tupleOrig);
    this.#chunks.add(phase, { operation, vnid: this.#request.vnid, family, capturedWallMs, entry });
  }
}
