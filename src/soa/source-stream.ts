// What a source sends on: the records it has read, and then the kernel's events in their order, as numbered chunks. "The state
// at sequence N" means the same at both State Hosts because nothing passes here out of turn. Knows no requests of a SOM.

import type { Log } from '../base/log.ts';
import { type ConntrackEntry, PROTO, TCP_FLAG } from '../netlink/conntrack-entry.ts';
import { familyOf, type TupleKey } from '../netlink/tuple.ts';
import { type Drained, Phase } from '../protocol/generated/stateferry.ts';
import type { ChunkWriter } from './chunk-writer.ts';
import { readingOf, request } from './entry-requests.ts';
import { HandedOverRecords, mergeEntry } from './handed-over.ts';
import type { KernelTable, TableEvent } from './kernel-table.ts';
import type { RecordOperation } from './record.ts';
import { liberalUpdate } from './rewrite.ts';
import { entryInScope, type Scope } from './scope.ts';
import type { Sentinel } from './sentinel.ts';
import { entryKey } from './tuple-index.ts';
import { Signal } from './signal.ts';
import type { SourceCounts } from './source-counts.ts';
import type { StateDigest } from './state-digest.ts';
import { RefusedError } from './state-host.ts';
import { tcpRank } from './tcp-state.ts';

/** 'reading': events wait until what was asked of the kernel has come; 'late': after the drain; 'over': nothing follows. */
export type Stage = 'reading' | 'following' | 'draining' | 'late' | 'over';

/** Records sent longer ago than this are read again before the gate: their timeouts have been refreshed since. */
const REFRESH_AGE_MS = 1000;
/** The kernel tells whole seconds: less than this says nothing. */
const DRIFT_SECONDS = 1;

const PHASE_OF: Readonly<Partial<Record<Stage, Phase>>> = {
  following: Phase.PHASE_DELTA,
  draining: Phase.PHASE_DRAIN,
  late: Phase.PHASE_LATE,
};

const isTcp = (entry: ConntrackEntry): boolean => entry.tupleOrig?.proto?.num === PROTO.TCP;
const isLiberal = (entry: ConntrackEntry): boolean => {
  const { flagsOriginal, flagsReply } = entry.protoinfo?.tcp ?? {};
  return ((flagsOriginal?.flags ?? 0) & (flagsReply?.flags ?? 0) & TCP_FLAG.BE_LIBERAL) !== 0;
};

export interface SourceStreamParts {
  readonly migration: string;
  readonly scope: Scope;
  readonly table: KernelTable;
  readonly chunks: ChunkWriter;
  /** Null: SYN counts are not asked for. */
  readonly counts: SourceCounts | null;
  /** Records at one time. */
  readonly limit: number;
  readonly log: Log;
  readonly somWallMs: () => number;
}

export class SourceStream {
  readonly records: HandedOverRecords;
  /** Raised whenever something has passed. */
  readonly changed = new Signal();
  readonly #parts: SourceStreamParts;
  #stage: Stage = 'reading';
  #backlog: TableEvent[] = [];
  #reads = 0;
  #broken: RefusedError | null = null;
  #sentinel: Sentinel | null = null;
  #drained: Drained | null = null;

  constructor(parts: SourceStreamParts) {
    this.#parts = parts;
    this.records = new HandedOverRecords(parts.scope.vnid);
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Why what was sent cannot be vouched for, or nothing more is sent. */
  get broken(): RefusedError | null {
    return this.#broken;
  }

  /** Nothing that has happened waits to be sent. */
  get level(): boolean {
    return this.#backlog.length === 0;
  }

  /** What was sent up to the sentinel, once it has passed. */
  get drained(): Drained | null {
    return this.#drained;
  }

  /** A record of the snapshot. */
  snapshot(key: TupleKey, entry: ConntrackEntry, capturedWallMs: number): void {
    this.records.put(key, entry, capturedWallMs);
    this.#send(Phase.PHASE_SNAPSHOT, 'new', entry, capturedWallMs);
  }

  endSnapshot(): void {
    this.#sendCounts(Phase.PHASE_SNAPSHOT);
    this.#parts.chunks.finish(Phase.PHASE_SNAPSHOT);
  }

  /** Over all that was sent. */
  digest(): StateDigest {
    const { counts } = this.#parts;
    return counts === null ? this.records.digest() : this.records.digest().with(counts.digest());
  }

  /** What has happened since the snapshot was read, and whatever comes. */
  begin(): void {
    if (this.#stage === 'reading') this.#resume('following');
  }

  /** The kernel's events, of every scope, in order. */
  apply(events: readonly TableEvent[]): void {
    const fresh: ConntrackEntry[] = [];
    for (const event of events) {
      if (this.#stage === 'over' || this.#broken !== null) return;
      if (this.#stage === 'reading' || this.#reads > 0) this.#backlog.push(event);
      else this.#follow(event, fresh);
    }
    this.#makeLiberal(fresh);
    const phase = PHASE_OF[this.#stage];
    if (phase !== undefined) this.#parts.chunks.flush(phase);
    this.changed.raise();
  }

  /** The kernel's events were lost. */
  lose(): void {
    this.#break(
      new RefusedError('events-lost', this.#parts.migration, 'the kernel dropped events', { retriable: true }),
    );
  }

  #break(cause: RefusedError): void {
    this.#broken ??= cause;
    this.changed.raise();
  }

  /** From now on everything belongs to the drain, until this sentinel has come and gone. */
  drainTo(mark: Sentinel): void {
    this.#sentinel = mark;
    this.#stage = 'draining';
  }

  /** The sentinel will not come. */
  goOn(): void {
    if (this.#stage === 'draining') this.#stage = 'following';
  }

  end(): void {
    this.#stage = 'over';
    this.#backlog = [];
    this.changed.raise();
  }

  /** Rule 18: copies age at the destination while a migration waits. */
  async refresh(): Promise<void> {
    const { table, somWallMs, chunks } = this.#parts;
    const now = somWallMs();
    const aged = [...this.records.entries()].filter(([, r]) => now - r.capturedWallMs > REFRESH_AGE_MS);
    if (aged.length === 0) return;
    const answers = await table.ask(aged.map(([, { entry }]) => readingOf(entry)));
    if (this.#stage !== 'following') return;
    const at = somWallMs();
    aged.forEach(([key, before], i) => {
      const entry = answers[i]?.entry;
      // Changed meanwhile: its event has said more than this answer can. Gone: its event says so.
      if (entry === null || entry === undefined || this.records.get(key) !== before) return;
      const expected = (before.entry.timeout ?? 0) - (at - before.capturedWallMs) / 1000;
      if ((entry.timeout ?? 0) - expected <= DRIFT_SECONDS) return; // idle: the copy ages as this one does
      this.records.put(key, entry, at);
      this.#send(Phase.PHASE_DELTA, 'update', entry, at);
    });
    chunks.flush(Phase.PHASE_DELTA);
  }

  #follow(event: TableEvent, fresh: ConntrackEntry[]): void {
    const key = entryKey(event.entry);
    if (key === null) return;
    if (event.own) {
      if (event.kind === 'destroy' && this.#sentinel !== null && key === entryKey(this.#sentinel.entry)) {
        this.#passSentinel();
      }
      return;
    }
    if (!entryInScope(this.#parts.scope, event.entry)) return;
    if (this.#stage === 'late') {
      this.#followLate(key, event);
      return;
    }
    const phase = this.#stage === 'draining' ? Phase.PHASE_DRAIN : Phase.PHASE_DELTA;
    const now = this.#parts.somWallMs();
    if (event.kind === 'destroy') {
      if (this.records.delete(key) !== undefined) this.#send(phase, 'destroy', event.entry, now);
      return;
    }
    const known = event.kind === 'new' ? undefined : this.records.get(key);
    if (event.kind === 'update' && known === undefined) {
      this.#readUnknown(event.entry);
      return;
    }
    const entry = known === undefined ? event.entry : mergeEntry(known.entry, event.entry);
    this.records.put(key, entry, now);
    if (known === undefined && !this.#mayHaveMore()) return;
    this.#send(phase, known === undefined ? 'new' : 'update', entry, now);
    if (isTcp(entry) && !isLiberal(entry)) fresh.push(entry);
  }

  /** Never cut silently: one more than the limit ends it. */
  #mayHaveMore(): boolean {
    const { limit, migration } = this.#parts;
    const { size } = this.records;
    if (size <= limit) return true;
    this.#break(new RefusedError('over-limit', migration, `${size} records while they were followed, limit ${limit}`));
    return false;
  }

  /** Hard case 17: FIN and RST may still cross the source; nothing else it says counts. */
  #followLate(key: TupleKey, event: TableEvent): void {
    const known = this.records.get(key);
    if (known === undefined) return;
    if (event.kind !== 'update') {
      // Gone, or another connection with its tuple: in either case no longer what was handed over.
      this.records.delete(key);
      return;
    }
    const entry = mergeEntry(known.entry, event.entry);
    const forward = tcpRank(entry.protoinfo?.tcp?.state ?? 0) > tcpRank(known.entry.protoinfo?.tcp?.state ?? 0);
    const now = this.#parts.somWallMs();
    this.records.put(key, entry, now);
    if (isTcp(entry) && forward) this.#send(Phase.PHASE_LATE, 'update', entry, now);
  }

  #passSentinel(): void {
    if (this.#drained !== null) return;
    const { chunks, migration } = this.#parts;
    this.#sendCounts(Phase.PHASE_DRAIN);
    chunks.finish(Phase.PHASE_DRAIN);
    const digest = this.digest();
    this.#drained = {
      migration,
      sequence: chunks.lastSequence,
      records: BigInt(digest.records),
      digest: digest.value(),
      handshakes: this.records.describeHandshakes(),
    };
    this.#stage = 'late';
  }

  #sendCounts(phase: Phase): void {
    for (const record of this.#parts.counts?.take() ?? []) this.#parts.chunks.addCounts(phase, record);
  }

  /** A change of an entry whose beginning was not seen: the event alone is not a whole record. Events wait for the answer. */
  #readUnknown(event: ConntrackEntry): void {
    this.#reads += 1;
    this.#parts.table
      .ask([readingOf(event)])
      .then(([answer]) => {
        this.#reads -= 1;
        const entry = answer?.entry;
        if (entry !== null && entry !== undefined) this.#backlog.unshift({ kind: 'new', own: false, entry });
        if (this.#reads === 0 && this.#stage !== 'over') this.#resume(this.#stage);
      })
      .catch((error: unknown) => {
        this.#parts.log.error('could not read an entry', { error });
        this.lose();
      });
  }

  #resume(stage: Stage): void {
    this.#stage = stage;
    const backlog = this.#backlog;
    this.#backlog = [];
    this.apply(backlog);
  }

  #makeLiberal(entries: readonly ConntrackEntry[]): void {
    if (entries.length === 0) return;
    const updates = entries.flatMap((e) =>
      e.tupleOrig === undefined ? [] : [request('update', liberalUpdate(e.tupleOrig, e.zone ?? 0))],
    );
    this.#parts.table.ask(updates).catch((error: unknown) => {
      this.#parts.log.error('could not make new connections liberal', { error });
    });
  }

  #send(phase: Phase, operation: RecordOperation, entry: ConntrackEntry, capturedWallMs: number): void {
    if (entry.tupleOrig === undefined) return;
    const { chunks, scope } = this.#parts;
    chunks.add(phase, { operation, vnid: scope.vnid, family: familyOf(entry.tupleOrig), capturedWallMs, entry });
  }
}
