// One migration at its source: snapshot, deltas, drain, late changes, retire. Follows the kernel's events in their order, so
// that "the state at sequence N" means the same at both State Hosts. Must not know the destination.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type ConntrackEntry, PROTO, TCP_FLAG } from '../netlink/conntrack-entry.ts';
import type { ConntrackRequest } from '../netlink/conntrack-message.ts';
import { familyOf, type TupleKey } from '../netlink/tuple.ts';
import { type Drained, type Manifest, Phase, type StateChunk } from '../protocol/generated/stateferry.ts';
import { ChunkWriter } from './chunk-writer.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { HandedOverRecords, mergeEntry, tcpRank } from './handed-over.ts';
import type { KernelTable, TableEvent } from './kernel-table.ts';
import type { RecordOperation } from './record.ts';
import { liberalUpdate } from './rewrite.ts';
import { entryInScope, type Scope, scopesOverlap } from './scope.ts';
import { type Sentinel, sentinel } from './sentinel.ts';
import { entryKey, type Shadow } from './shadow.ts';
import { Signal } from './signal.ts';
import { RefusedError } from './state-host.ts';

/** What a migration at its source works with. */
export interface SourceWorld {
  readonly table: KernelTable;
  readonly shadow: Shadow;
  readonly gate: Gatekeeper;
  readonly clock: Clock;
  readonly log: Log;
  /** The SOM's wall clock, as far as we know it. */
  readonly somWallMs: () => number;
  readonly nextSentinel: () => number;
  /** Between closing the gate and the sentinel: packets that had passed the gate's rules have become entries by then. */
  readonly settleMs: number;
  readonly chunkBytes: number;
}

export interface SourceRequest {
  readonly migration: string;
  readonly scope: Scope;
  readonly follow: boolean;
  readonly limit: number;
}

/** 'reading': events wait until what was asked of the kernel has come; 'late': after the drain; 'over': nothing follows. */
type Stage = 'reading' | 'following' | 'draining' | 'late' | 'over';

const SENTINEL_BOUND_MS = 2000;
const READING_BOUND_MS = 1000;
/** Records sent longer ago than this are read again before the gate: their timeouts have been refreshed since. */
const REFRESH_AGE_MS = 1000;
/** The kernel tells whole seconds: less than this says nothing. */
const DRIFT_SECONDS = 1;

const isTcp = (entry: ConntrackEntry): boolean => entry.tupleOrig?.proto?.num === PROTO.TCP;
const isLiberal = (entry: ConntrackEntry): boolean => {
  const { flagsOriginal, flagsReply } = entry.protoinfo?.tcp ?? {};
  return ((flagsOriginal?.flags ?? 0) & (flagsReply?.flags ?? 0) & TCP_FLAG.BE_LIBERAL) !== 0;
};

export class SourceMigration {
  readonly scope: Scope;
  readonly #id: string;
  readonly #request: SourceRequest;
  readonly #world: SourceWorld;
  readonly #log: Log;
  readonly #chunks: ChunkWriter;
  readonly #records: HandedOverRecords;
  readonly #changed = new Signal();
  #stage: Stage = 'reading';
  #backlog: TableEvent[] = [];
  #reads = 0;
  #eventsLost = false;
  #interrupted = false;
  #sentinel: { readonly mark: Sentinel; passed: boolean } | null = null;
  #drained: Drained | null = null;

  constructor(request: SourceRequest, world: SourceWorld, emit: (chunk: StateChunk) => void) {
    this.scope = request.scope;
    this.#id = request.migration;
    this.#request = request;
    this.#world = world;
    this.#log = world.log.with({ migration: request.migration });
    this.#chunks = new ChunkWriter(
      request.migration,
      (chunk) => {
        if (!this.#interrupted && (request.follow || chunk.phase === Phase.PHASE_SNAPSHOT)) emit(chunk);
      },
      world.chunkBytes,
    );
    this.#records = new HandedOverRecords(request.scope.vnid);
  }

  get records(): number {
    return this.#records.size;
  }

  /** True while what happens here is still sent on before the lift. */
  get serving(): boolean {
    return this.#stage !== 'late' && this.#stage !== 'over' && !this.#interrupted;
  }

  /** The session it was asked for in was lost. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** Reads and sends everything in scope; the manifest lacks the ruleset digest. Events wait until `beginFollowing`. */
  async snapshot(): Promise<Omit<Manifest, 'rulesetDigest'>> {
    const { table, shadow, somWallMs } = this.#world;
    const selected = shadow.select(this.scope);
    if (selected.length > this.#request.limit) {
      throw new RefusedError('over-limit', this.#id, `${selected.length} records, limit ${this.#request.limit}`);
    }
    const tcp = selected.filter((s) => s.orig.proto?.num === PROTO.TCP);
    await table.ask(tcp.map((s) => request('update', liberalUpdate(s.orig, s.zone))));
    const answers = await table.ask(
      selected.map((s) => request('get', { tupleOrig: s.orig, ...(s.zone !== 0 && { zone: s.zone }) })),
    );
    this.#checkIntact();
    const capturedWallMs = somWallMs();
    const found: [TupleKey, ConntrackEntry][] = [];
    selected.forEach((s, i) => {
      const entry = answers[i]?.entry;
      if (entry === null || entry === undefined) shadow.forget(s.key);
      else found.push([s.key, entry]);
    });
    // Masters before what is related to them: the destination's kernel wants them there.
    found.sort(([, a], [, b]) => Number(a.tupleMaster !== undefined) - Number(b.tupleMaster !== undefined));
    for (const [key, entry] of found) {
      this.#records.put(key, entry, capturedWallMs);
      this.#send(Phase.PHASE_SNAPSHOT, 'new', entry, capturedWallMs);
    }
    this.#chunks.finish(Phase.PHASE_SNAPSHOT);
    return {
      records: BigInt(this.#records.size),
      digest: this.#records.digest(),
      kinds: ['conntrack'],
      counts: this.#records.counts(),
    };
  }

  /** After the manifest went out: what happened since the snapshot was read, and whatever comes. */
  beginFollowing(): void {
    if (this.#stage === 'reading') this.#resume('following');
  }

  /** The kernel's events, of every scope, in order. */
  apply(events: readonly TableEvent[]): void {
    const fresh: ConntrackEntry[] = [];
    for (const event of events) {
      if (this.#stage === 'over') return;
      if (this.#stage === 'reading' || this.#reads > 0) this.#backlog.push(event);
      else this.#follow(event, fresh);
    }
    this.#makeLiberal(fresh);
    if (this.#stage === 'following') this.#chunks.flush(Phase.PHASE_DELTA);
    else if (this.#stage === 'draining') this.#chunks.flush(Phase.PHASE_DRAIN);
    else if (this.#stage === 'late') this.#chunks.flush(Phase.PHASE_LATE);
    this.#changed.raise();
  }

  /** Events were lost: what was sent cannot be vouched for. */
  overrun(): void {
    if (this.serving) this.#eventsLost = true;
    this.#changed.raise();
  }

  /**
   * Nobody takes the chunks any more. The gate opens (hard case 4); what was handed over stays known, because a SOM that comes
   * back after the lift will retire it. Before the lift it has to upload anew.
   */
  async interrupt(): Promise<void> {
    this.#interrupted = true;
    this.#changed.raise();
    await this.#world.gate.open(this.#id);
  }

  /**
   * Resolves with the handshakes still under way after at most `boundMs`; `ready` is asked on every change as well. One that
   * has not moved for as long as that already (its SYN found nobody) is not waited for: it may stand there for a minute.
   */
  async quiesce(ready: Signal, isReady: () => boolean, boundMs: number): Promise<number> {
    await this.#following();
    const { clock } = this.#world;
    const deadline = clock.now() + boundMs;
    const since = this.#world.somWallMs() - boundMs;
    await this.#refresh();
    const settled = (): boolean =>
      this.#eventsLost || (!this.#records.handshakesSince(since) && this.#backlog.length === 0);
    await ready.until(isReady, Math.max(0, deadline - clock.now()), clock);
    await this.#changed.until(settled, Math.max(0, deadline - clock.now()), clock);
    this.#checkIntact();
    return this.#records.handshakes;
  }

  /** Refuses new connections, then ends the deltas at a point that is exact in the event stream (hard case 15). */
  async drain(): Promise<Drained> {
    if (this.#drained !== null && !this.#interrupted) return this.#drained;
    await this.#following();
    const { gate, table, clock, settleMs, nextSentinel } = this.#world;
    await gate.close(this.#id, this.scope);
    if (settleMs > 0) await clock.sleep(settleMs);
    if (this.#interrupted || this.#stage !== 'following') await gate.open(this.#id);
    this.#checkStage('following');
    const mark = sentinel(nextSentinel());
    const waiting = { mark, passed: false };
    this.#sentinel = waiting;
    this.#stage = 'draining';
    const answers = await table.ask(mark.requests);
    const failed = answers.find((a) => a.errno !== 0);
    const seen =
      failed === undefined &&
      (await this.#changed.until(() => waiting.passed || this.#eventsLost, SENTINEL_BOUND_MS, clock));
    if (!seen || this.#eventsLost) {
      this.#stage = 'following';
      await gate.open(this.#id);
      this.#checkIntact();
      throw new RefusedError(
        'not-settled',
        this.#id,
        `sentinel: ${failed === undefined ? 'no event' : `errno ${failed.errno}`}`,
        {
          retriable: true,
        },
      );
    }
    return this.#result();
  }

  /** Deletes what was handed over, if it is still the same; resolves with how many there were. */
  async retire(): Promise<number> {
    if (this.#stage === 'over') return 0;
    const entries = [...this.#records.entries()].map(([, record]) => record.entry);
    await this.end();
    const answers = await this.#world.table.ask(entries.map((entry) => deletionOf(entry)));
    return answers.filter((a) => a.errno === 0).length;
  }

  /** Stops following and opens the gate; entries stay, and stay liberal. */
  async end(): Promise<void> {
    this.#stage = 'over';
    this.#backlog = [];
    this.#changed.raise();
    await this.#world.gate.open(this.#id);
  }

  /**
   * The flows of `scope` come back here (hard case 23): they are not to be retired any more. Returns what was handed over of
   * them, which the new state takes the place of.
   */
  async yieldTo(scope: Scope): Promise<ConntrackEntry[]> {
    if (this.#stage === 'over' || !scopesOverlap(this.scope, scope)) return [];
    const left: ConntrackEntry[] = [];
    for (const [key, { entry }] of [...this.#records.entries()]) {
      if (!entryInScope(scope, entry)) continue;
      this.#records.delete(key);
      left.push(entry);
    }
    await this.#world.gate.open(this.#id);
    return left;
  }

  #follow(event: TableEvent, fresh: ConntrackEntry[]): void {
    const key = entryKey(event.entry);
    if (key === null) return;
    if (event.own) {
      if (event.kind === 'destroy' && this.#sentinel !== null && key === entryKey(this.#sentinel.mark.entry)) {
        this.#passSentinel();
      }
      return;
    }
    if (!entryInScope(this.scope, event.entry)) return;
    if (this.#stage === 'late') {
      this.#followLate(key, event);
      return;
    }
    const phase = this.#stage === 'draining' ? Phase.PHASE_DRAIN : Phase.PHASE_DELTA;
    const now = this.#world.somWallMs();
    if (event.kind === 'destroy') {
      if (this.#records.delete(key) !== undefined) this.#send(phase, 'destroy', event.entry, now);
      return;
    }
    const known = event.kind === 'new' ? undefined : this.#records.get(key);
    if (event.kind === 'update' && known === undefined) {
      this.#readUnknown(event.entry);
      return;
    }
    const entry = known === undefined ? event.entry : mergeEntry(known.entry, event.entry);
    this.#records.put(key, entry, now);
    this.#send(phase, known === undefined ? 'new' : 'update', entry, now);
    if (isTcp(entry) && !isLiberal(entry)) fresh.push(entry);
  }

  /** Hard case 17: FIN and RST may still cross the source; nothing else it says counts. */
  #followLate(key: TupleKey, event: TableEvent): void {
    const known = this.#records.get(key);
    if (known === undefined) return;
    if (event.kind !== 'update') {
      // Gone, or another connection with its tuple: in either case no longer what was handed over.
      this.#records.delete(key);
      return;
    }
    const entry = mergeEntry(known.entry, event.entry);
    const forward = tcpRank(entry.protoinfo?.tcp?.state ?? 0) > tcpRank(known.entry.protoinfo?.tcp?.state ?? 0);
    const now = this.#world.somWallMs();
    this.#records.put(key, entry, now);
    if (isTcp(entry) && forward) this.#send(Phase.PHASE_LATE, 'update', entry, now);
  }

  #result(): Drained {
    if (this.#drained === null) throw new RefusedError('wrong-phase', this.#id, 'ended while draining');
    return this.#drained;
  }

  #passSentinel(): void {
    if (this.#sentinel === null || this.#sentinel.passed) return;
    this.#sentinel.passed = true;
    this.#chunks.finish(Phase.PHASE_DRAIN);
    this.#drained = {
      migration: this.#id,
      sequence: this.#chunks.lastSequence,
      records: BigInt(this.#records.size),
      digest: this.#records.digest(),
      handshakes: this.#records.describeHandshakes(),
    };
    this.#stage = 'late';
  }

  /** A change of an entry whose beginning was not seen: the event alone is not a whole record. Events wait for the answer. */
  #readUnknown(event: ConntrackEntry): void {
    if (event.tupleOrig === undefined) return;
    this.#reads += 1;
    const { zone, tupleOrig } = event;
    this.#world.table
      .ask([request('get', { tupleOrig, ...(zone !== undefined && { zone }) })])
      .then(([answer]) => {
        this.#reads -= 1;
        const entry = answer?.entry;
        if (entry !== null && entry !== undefined) this.#backlog.unshift({ kind: 'new', own: false, entry });
        if (this.#reads === 0 && this.#stage !== 'over') this.#resume(this.#stage);
      })
      .catch((error: unknown) => {
        this.#log.error('could not read an entry', { error });
        this.#eventsLost = true;
        this.#changed.raise();
      });
  }

  #resume(stage: Stage): void {
    this.#stage = stage;
    const backlog = this.#backlog;
    this.#backlog = [];
    this.apply(backlog);
  }

  /** Rule 18: copies age at the destination while a migration waits. */
  async #refresh(): Promise<void> {
    const now = this.#world.somWallMs();
    const aged = [...this.#records.entries()].filter(([, r]) => now - r.capturedWallMs > REFRESH_AGE_MS);
    if (aged.length === 0) return;
    const answers = await this.#world.table.ask(
      aged.map(([, { entry }]) =>
        request('get', {
          ...(entry.tupleOrig !== undefined && { tupleOrig: entry.tupleOrig }),
          ...(entry.zone !== undefined && { zone: entry.zone }),
        }),
      ),
    );
    if (this.#stage !== 'following') return;
    const at = this.#world.somWallMs();
    aged.forEach(([key, before], i) => {
      const entry = answers[i]?.entry;
      // Changed meanwhile: its event has said more than this answer can. Gone: its event says so.
      if (entry === null || entry === undefined || this.#records.get(key) !== before) return;
      const expected = (before.entry.timeout ?? 0) - (at - before.capturedWallMs) / 1000;
      if ((entry.timeout ?? 0) - expected <= DRIFT_SECONDS) return; // idle: the copy ages as this one does
      this.#records.put(key, entry, at);
      this.#send(Phase.PHASE_DELTA, 'update', entry, at);
    });
    this.#chunks.flush(Phase.PHASE_DELTA);
  }

  #makeLiberal(entries: readonly ConntrackEntry[]): void {
    if (entries.length === 0) return;
    const updates = entries.flatMap((e) =>
      e.tupleOrig === undefined ? [] : [request('update', liberalUpdate(e.tupleOrig, e.zone ?? 0))],
    );
    this.#world.table.ask(updates).catch((error: unknown) => {
      this.#log.error('could not make new connections liberal', { error });
    });
  }

  #send(phase: Phase, operation: RecordOperation, entry: ConntrackEntry, capturedWallMs: number): void {
    if (entry.tupleOrig === undefined) return;
    const family = familyOf(entry.tupleOrig);
    this.#chunks.add(phase, { operation, vnid: this.scope.vnid, family, capturedWallMs, entry });
  }

  /** The snapshot may have gone out a moment ago. */
  async #following(): Promise<void> {
    await this.#changed.until(() => this.#stage !== 'reading', READING_BOUND_MS, this.#world.clock);
    this.#checkStage('following');
  }

  #checkIntact(): void {
    if (!this.#eventsLost) return;
    throw new RefusedError('events-lost', this.#id, 'the kernel dropped events', { retriable: true });
  }

  #checkStage(stage: Stage): void {
    this.#checkIntact();
    if (this.#interrupted) throw new RefusedError('wrong-phase', this.#id, 'the session was lost: upload anew');
    if (this.#stage === stage) return;
    throw new RefusedError('wrong-phase', this.#id, `${this.#stage}, not ${stage}`);
  }
}

const request = (operation: ConntrackRequest['operation'], entry: ConntrackEntry): ConntrackRequest => ({
  operation,
  family: entry.tupleOrig === undefined ? 0 : familyOf(entry.tupleOrig),
  entry,
});

/** By tuple and id: an entry that took the tuple since is not deleted (as far as ids tell: hard case 23). */
export function deletionOf(entry: ConntrackEntry): ConntrackRequest {
  return request('delete', {
    ...(entry.tupleOrig !== undefined && { tupleOrig: entry.tupleOrig }),
    ...(entry.zone !== undefined && { zone: entry.zone }),
    ...(entry.id !== undefined && { id: entry.id }),
  });
}
