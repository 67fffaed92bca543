// One migration at its source, as a SOM asks for it: snapshot, quiesce, drain, retire, and what becomes of it when the SOM is
// lost or the flows come back. What is sent on is source-stream.ts's. Must not know the destination.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type ConntrackEntry, PROTO } from '../netlink/conntrack-entry.ts';
import type { TupleKey } from '../netlink/tuple.ts';
import { type Drained, type Manifest, Phase, type StateChunk } from '../protocol/generated/stateferry.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { deletionOf, readingOf, request } from './entry-requests.ts';
import type { Gatekeeper, RefusedTaker } from './gatekeeper.ts';
import { countByProtocol } from './handed-over.ts';
import type { KernelTable, TableEvent } from './kernel-table.ts';
import { SYN_COUNTERS_KIND } from './kinds-of-state.ts';
import { liberalUpdate } from './rewrite.ts';
import { entryInScope, isWithNeighbour, type Scope, scopesOverlap, tuplesInScope } from './scope.ts';
import { sentinel } from './sentinel.ts';
import type { Shadow } from './shadow.ts';
import { SourceCounts } from './source-counts.ts';
import type { Signal } from './signal.ts';
import { SourceStream, type Stage } from './source-stream.ts';
import { RefusedError } from './state-host.ts';
import type { SynCounters } from './syn-counters.ts';
import type { IndexedTuple } from './tuple-index.ts';

/** What a migration at its source works with. */
export interface SourceWorld {
  readonly table: KernelTable;
  readonly shadow: Shadow;
  readonly gate: Gatekeeper;
  readonly counters?: SynCounters | undefined;
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
  /** Of state, as the destination has them too. */
  readonly kinds: readonly string[];
  readonly follow: boolean;
  readonly limit: number;
}

/** Without the ruleset's digest. */
export type StateManifest = Omit<Manifest, 'rulesetDigest'>;

/** Entries that are asked for together: while the kernel answers, those before them are packed and sent. */
const SLICE = 256;
const SENTINEL_BOUND_MS = 2000;
const READING_BOUND_MS = 1000;

export class SourceMigration {
  readonly scope: Scope;
  readonly #id: string;
  readonly #request: SourceRequest;
  readonly #world: SourceWorld;
  readonly #stream: SourceStream;
  readonly #counts: SourceCounts | null;
  #interrupted = false;

  constructor(request: SourceRequest, world: SourceWorld, emit: (chunk: StateChunk) => void) {
    const { migration, scope, follow, kinds } = request;
    this.scope = scope;
    this.#id = migration;
    this.#request = request;
    this.#world = world;
    const send = (chunk: StateChunk): void => {
      if (!this.#interrupted && (follow || chunk.phase === Phase.PHASE_SNAPSHOT)) emit(chunk);
    };
    const { counters, somWallMs } = world;
    this.#counts =
      counters === undefined || !kinds.includes(SYN_COUNTERS_KIND.name)
        ? null
        : new SourceCounts({ scope, counters, somWallMs });
    this.#stream = new SourceStream({
      migration,
      scope,
      table: world.table,
      chunks: new ChunkWriter(migration, send, world.chunkBytes),
      counts: this.#counts,
      limit: request.limit,
      log: world.log.with({ migration }),
      somWallMs,
    });
  }

  get records(): number {
    return this.#stream.records.size;
  }

  /** True while what happens here is still sent on before the lift. */
  get serving(): boolean {
    return this.#stream.stage !== 'late' && !this.#over && !this.#interrupted;
  }

  /** The session it was asked for in was lost. */
  get interrupted(): boolean {
    return this.#interrupted;
  }

  get #over(): boolean {
    return this.#stream.stage === 'over';
  }

  /** Says what is to come, then reads and sends everything in scope. Events wait until `beginFollowing`. */
  async snapshot(onBegun: (manifest: StateManifest) => void): Promise<StateManifest> {
    const selected = this.#world.shadow.select(this.scope);
    await this.#counts?.read();
    const { limit, kinds } = this.#request;
    const all = selected.length + (this.#counts?.size ?? 0);
    if (all > limit) throw new RefusedError('over-limit', this.#id, `${all} records, limit ${limit}`);
    onBegun({
      records: BigInt(all),
      digest: Buffer.alloc(0),
      kinds: [...kinds],
      counts: { ...countByProtocol(selected.map(({ orig }) => orig)), ...this.#counts?.totals() },
    });
    await this.#sendAll(selected);
    this.#stream.endSnapshot();
    const digest = this.#stream.digest();
    return {
      records: BigInt(digest.records),
      digest: digest.value(),
      kinds: [...kinds],
      counts: { ...this.#stream.records.counts(), ...this.#counts?.totals() },
    };
  }

  /** Masters before what is related to them: the destination's kernel wants them there. */
  async #sendAll(selected: readonly IndexedTuple[]): Promise<void> {
    const related: Reading[] = [];
    let reading = this.#read(selected.slice(0, SLICE));
    for (let next = SLICE; next < selected.length + SLICE; next += SLICE) {
      const read = await reading;
      reading = this.#read(selected.slice(next, next + SLICE));
      this.#checkStage('reading');
      for (const one of read) {
        if (one.entry.tupleMaster === undefined) this.#send(one);
        else related.push(one);
      }
    }
    for (const one of related) this.#send(one);
  }

  #send({ key, entry, capturedWallMs }: Reading): void {
    this.#stream.snapshot(key, entry, capturedWallMs);
  }

  /** After the manifest went out: what happened since the snapshot was read, and whatever comes. */
  beginFollowing(): void {
    this.#stream.begin();
  }

  /** The kernel's events, of every scope, in order. */
  apply(events: readonly TableEvent[]): void {
    this.#stream.apply(events);
  }

  /** Events were lost: what was sent cannot be vouched for. */
  overrun(): void {
    if (this.serving) this.#stream.lose();
  }

  /**
   * Nobody takes the chunks any more. The gate opens (hard case 4); what was handed over stays known, because a SOM that comes
   * back after the lift will retire it. Before the lift it has to upload anew.
   */
  async interrupt(): Promise<void> {
    this.#interrupted = true;
    this.#stream.changed.raise();
    await this.#world.gate.open(this.#id);
  }

  /**
   * Waits at most `boundMs` for answers to openers, and resolves with the handshakes still under way; `ready` is asked on every
   * change as well. An opener that has waited for as long as that already (it found nobody) may stand there for a minute.
   */
  async quiesce(ready: Signal, isReady: () => boolean, boundMs: number): Promise<number> {
    await this.#following();
    const { clock } = this.#world;
    const deadline = clock.now() + boundMs;
    await this.#stream.refresh();
    await ready.until(isReady, boundMs, clock);
    await this.#openersAnswered(deadline, boundMs);
    this.#checkIntact();
    return this.#stream.records.handshakes;
  }

  /**
   * Refuses new connections, gives those that have just begun `boundMs` to be answered, then ends the deltas at a point that is
   * exact in the event stream (hard case 15).
   */
  async drain(boundMs: number, onRefused?: RefusedTaker): Promise<Drained> {
    const before = this.#stream.drained;
    if (before !== null && !this.#interrupted) return before;
    await this.#following();
    const { gate, table, clock, settleMs, nextSentinel } = this.#world;
    await gate.close(this.#id, this.scope, onRefused);
    if (settleMs > 0) await clock.sleep(settleMs);
    if (boundMs > 0) {
      const deadline = clock.now() + boundMs;
      await this.#stream.refresh();
      await this.#openersAnswered(deadline, boundMs);
    }
    await this.#counts?.read();
    if (this.#interrupted || this.#stream.stage !== 'following') await gate.open(this.#id);
    this.#checkStage('following');
    const mark = sentinel(nextSentinel());
    this.#stream.drainTo(mark);
    const failed = (await table.ask(mark.requests)).find((a) => a.errno !== 0);
    const stream = this.#stream;
    const settled = (): boolean => stream.drained !== null || stream.broken !== null || this.#over;
    const seen = failed === undefined && (await stream.changed.until(settled, SENTINEL_BOUND_MS, clock));
    if (!seen || stream.broken !== null) await this.#unsettled(failed?.errno);
    if (stream.drained === null) throw new RefusedError('wrong-phase', this.#id, 'ended while draining');
    return stream.drained;
  }

  /** Deletes what was handed over, if it is still the same; resolves with how many there were. */
  async retire(): Promise<number> {
    if (this.#over) return 0;
    const entries = [...this.#stream.records.entries()]
      .map(([, record]) => record.entry)
      .filter((entry) => !isWithNeighbour(this.scope, entry.tupleOrig));
    // Behind the gate, which `end` opens: until then nothing of the selector is counted here.
    if (!this.#servesOn()) await this.#counts?.retire();
    await this.end();
    const answers = await this.#world.table.ask(entries.map((entry) => deletionOf(entry)));
    return answers.filter((a) => a.errno === 0).length;
  }

  /** Stops following and opens the gate; entries stay, and stay liberal. */
  async end(): Promise<void> {
    this.#stream.end();
    await this.#world.gate.open(this.#id);
  }

  /**
   * The flows of `scope` come back here (hard case 23): they are not to be retired any more. Returns what was handed over of
   * them, which the new state takes the place of.
   */
  async yieldTo(scope: Scope): Promise<ConntrackEntry[]> {
    if (this.#over || !scopesOverlap(this.scope, scope)) return [];
    this.#counts?.yieldTo(scope);
    const { records } = this.#stream;
    const left: ConntrackEntry[] = [];
    for (const [key, { entry }] of [...records.entries()]) {
      if (!entryInScope(scope, entry)) continue;
      records.delete(key);
      left.push(entry);
    }
    await this.#world.gate.open(this.#id);
    return left;
  }

  /** Flows of the VM stay here: with other peers, or with a neighbour. Its counts are theirs, too (hard case 24). */
  #servesOn(): boolean {
    const { scope } = this;
    return this.#world.shadow
      .select({ ...scope, peers: null })
      .some(({ orig }) => isWithNeighbour(scope, orig) || !tuplesInScope(scope, orig, undefined));
  }

  /** Makes these liberal, and reads what the kernel has of them. */
  async #read(selected: readonly IndexedTuple[]): Promise<readonly Reading[]> {
    const { table, shadow, somWallMs } = this.#world;
    const liberal = selected.flatMap(({ orig, zone }) =>
      orig.proto?.num === PROTO.TCP ? [request('update', liberalUpdate(orig, zone))] : [],
    );
    const readings = selected.map(({ orig, zone }) => readingOf({ tupleOrig: orig, zone }));
    const answers = await table.ask([...liberal, ...readings]);
    const capturedWallMs = somWallMs();
    return selected.flatMap(({ key }, i) => {
      const entry = answers[liberal.length + i]?.entry;
      if (entry !== null && entry !== undefined) return [{ key, entry, capturedWallMs }];
      shadow.forget(key);
      return [];
    });
  }

  /**
   * Each that came less than `boundMs` ago has its answer, has failed, or has run out of time. What is left of its handshake
   * needs nothing that only this kernel knows (docs/decisions/0014).
   */
  async #openersAnswered(deadline: number, boundMs: number): Promise<void> {
    const { clock, somWallMs } = this.#world;
    const { records, changed } = this.#stream;
    const since = somWallMs() - boundMs;
    const settled = (): boolean =>
      this.#stream.broken !== null || (!records.awaitsAnswerSince(since) && this.#stream.level);
    await changed.until(settled, Math.max(0, deadline - clock.now()), clock);
  }

  /** The sentinel did not come: the gate must not stay closed for it. */
  async #unsettled(errno: number | undefined): Promise<never> {
    this.#stream.goOn();
    await this.#world.gate.open(this.#id);
    this.#checkIntact();
    const detail = `sentinel: ${errno === undefined ? 'no event' : `errno ${errno}`}`;
    throw new RefusedError('not-settled', this.#id, detail, { retriable: true });
  }

  /** The snapshot may have gone out a moment ago. */
  async #following(): Promise<void> {
    await this.#stream.changed.until(() => this.#stream.stage !== 'reading', READING_BOUND_MS, this.#world.clock);
    this.#checkStage('following');
  }

  #checkIntact(): void {
    if (this.#stream.broken !== null) throw this.#stream.broken;
  }

  #checkStage(stage: Stage): void {
    this.#checkIntact();
    if (this.#interrupted) throw new RefusedError('wrong-phase', this.#id, 'the session was lost: upload anew');
    if (this.#stream.stage === stage) return;
    throw new RefusedError('wrong-phase', this.#id, `${this.#stream.stage}, not ${stage}`);
  }
}

interface Reading {
  readonly key: TupleKey;
  readonly entry: ConntrackEntry;
  readonly capturedWallMs: number;
}
