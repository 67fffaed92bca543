// One migration at its destination: checks, rewrites and installs what the source sent, and says from the kernel what is there.
// Until the lift the source's word is last; after it, this kernel's (hard cases 17 and 21). Must not know the source.

import { hash } from 'node:crypto';
import { WireError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { AF, type ConntrackEntry } from '../netlink/conntrack-entry.ts';
import type { ConntrackRequest } from '../netlink/conntrack-message.ts';
import { tupleKey, type TupleKey } from '../netlink/tuple.ts';
import { type Installed, Phase, type Refusal, type StateChunk } from '../protocol/generated/stateferry.ts';
import { checkRecord, type ImportPolicy, type RecordRefusedReason, refusal } from './check-record.ts';
import { tcpRank } from './handed-over.ts';
import { ERRNO, type KernelAnswer, type KernelTable } from './kernel-table.ts';
import { errnoName } from './netfilter-table.ts';
import { readRecords, type StateRecord } from './record.ts';
import { rewriteForCreate, rewriteForUpdate } from './rewrite.ts';
import type { Scope } from './scope.ts';
import { deletionOf } from './source-migration.ts';
import { recordHash, StateDigest } from './state-digest.ts';
import { RefusedError } from './state-host.ts';

export interface DestinationWorld {
  readonly table: KernelTable;
  readonly policy: ImportPolicy;
  readonly log: Log;
  readonly somWallMs: () => number;
}

interface InstalledRecord {
  /** Identity for deletion; the kernel's id is known once it was read back. */
  readonly entry: ConntrackEntry;
  readonly hash: Buffer | null;
}

/** What a chunk comes to for one connection. */
interface Outcome {
  readonly record: StateRecord;
  /** A new connection has the tuple: whatever stands there is another one. */
  readonly anew: boolean;
}

interface WaitingChunk {
  readonly chunk: StateChunk;
  readonly resolve: (installed: Installed | null) => void;
  readonly reject: (cause: unknown) => void;
}

export class DestinationMigration {
  readonly scope: Scope;
  readonly #id: string;
  readonly #world: DestinationWorld;
  readonly #log: Log;
  readonly #installed: Map<TupleKey, InstalledRecord>;
  readonly #touched = new Set<TupleKey>();
  readonly #digest = new StateDigest();
  readonly #answers = new Map<bigint, Installed>();
  /** Entries of an earlier stay of the same flows here that the new state must take the place of (hard case 23). */
  readonly #leftovers: Map<TupleKey, ConntrackEntry>;
  readonly #waiting: WaitingChunk[] = [];
  #refused: Refusal[] = [];
  #nextSequence = 0n;
  #lifted = false;
  #over = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(id: string, scope: Scope, world: DestinationWorld, leftovers: readonly ConntrackEntry[]) {
    this.scope = scope;
    this.#id = id;
    this.#world = world;
    this.#log = world.log.with({ migration: id });
    this.#installed = new Map();
    this.#leftovers = new Map(leftovers.map((entry) => [keyOf(scope, entry), entry]));
  }

  get records(): number {
    return this.#digest.records;
  }

  get over(): boolean {
    return this.#over;
  }

  get lifted(): boolean {
    return this.#lifted;
  }

  /**
   * Another migration of these flows begins here. Returns what it must take the place of: everything installed, unless the
   * lift made it this State Host's own.
   */
  supersede(): ConntrackEntry[] {
    const left = this.#lifted || this.#over ? [] : this.#installedEntries();
    this.#over = true;
    return left;
  }

  /**
   * Chunks are applied in their order, whether the caller waits or not; those that wait are applied together, so that a
   * burst of small deltas costs the kernel no more than one.
   */
  download(chunk: StateChunk): Promise<Installed | null> {
    const { promise, resolve, reject } = Promise.withResolvers<Installed | null>();
    this.#waiting.push({ chunk, resolve, reject });
    if (this.#waiting.length === 1) void this.#inTurn(() => this.#applyWaiting());
    return promise;
  }

  /** The lift is done: from now on this kernel's word is last. */
  commit(): Promise<number> {
    return this.#inTurn(async () => {
      if (this.#over) throw new RefusedError('superseded', this.#id, 'another migration of these flows began here');
      this.#lifted = true;
      await this.#dropLeftovers();
      return this.#digest.records;
    });
  }

  /** Deletes what was installed; refused after the lift. */
  abort(): Promise<number> {
    return this.#inTurn(async () => {
      if (this.#over) return 0;
      if (this.#lifted) throw new RefusedError('wrong-phase', this.#id, 'the lift is done: only forward');
      this.#over = true;
      const answers = await this.#world.table.ask(this.#installedEntries().map((entry) => deletionOf(entry)));
      return answers.filter((a) => a.errno === 0).length;
    });
  }

  #installedEntries(): ConntrackEntry[] {
    return [...this.#leftovers.values(), ...[...this.#installed.values()].map((i) => i.entry)];
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #applyWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      const together = this.#waiting.slice(0, this.#runLength());
      await this.#applyTogether(together);
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
    return this.#lifted || chunk?.phase === Phase.PHASE_LATE;
  }

  /** A chunk that cannot be read is refused by itself; what came before it counts. */
  async #applyTogether(together: readonly WaitingChunk[]): Promise<void> {
    const late = this.#isLate(together[0]?.chunk);
    const records: StateRecord[] = [];
    const good: WaitingChunk[] = [];
    for (const waiting of together) {
      const { chunk, resolve, reject } = waiting;
      try {
        if (this.#over) throw new RefusedError('superseded', this.#id, 'another migration of these flows began here');
        if (chunk.sequence < this.#nextSequence) {
          resolve(this.#answers.get(chunk.sequence) ?? null); // sent again
          continue;
        }
        records.push(...this.#open(chunk));
        this.#nextSequence = chunk.sequence + 1n;
        good.push(waiting);
      } catch (error) {
        reject(error);
      }
    }
    try {
      if (late) await this.#applyLate(records);
      else await this.#applyAll(records);
      for (const { chunk, resolve } of good) resolve(chunk.final ? await this.#acknowledge(chunk) : null);
    } catch (error) {
      for (const { reject } of good) reject(error);
    }
  }

  async #acknowledge(chunk: StateChunk): Promise<Installed> {
    await this.#readBack();
    const installed: Installed = {
      migration: this.#id,
      sequence: chunk.sequence,
      records: BigInt(this.#digest.records),
      digest: this.#digest.value(),
      refused: this.#refused,
    };
    this.#refused = [];
    this.#answers.set(chunk.sequence, installed);
    return installed;
  }

  #open(chunk: StateChunk): StateRecord[] {
    const bad = (detail: string, cause?: unknown): RefusedError =>
      new RefusedError('bad-chunk', this.#id, `chunk ${chunk.sequence}: ${detail}`, { cause });
    if (chunk.sequence !== this.#nextSequence) throw bad(`expected ${this.#nextSequence}`);
    if (!hash('sha256', chunk.records, 'buffer').equals(chunk.digest)) throw bad('digest');
    try {
      const records = readRecords(chunk.records);
      if (records.length !== chunk.count) throw bad(`${records.length} records instead of ${chunk.count}`);
      return records;
    } catch (error) {
      if (error instanceof WireError) throw bad(error.message, error);
      throw error;
    }
  }

  /** Records fit to be looked at further; the others are refused one by one. */
  #admit(records: readonly StateRecord[]): StateRecord[] {
    return records.filter((record) => {
      const reason = checkRecord(record, this.scope, this.#world.policy);
      if (reason !== null) this.#refuse(reason);
      return reason === null;
    });
  }

  /** Before the lift no packet changes these entries here: only where each connection ends up in this chunk matters. */
  async #applyAll(records: readonly StateRecord[]): Promise<void> {
    const outcomes = new Map<TupleKey, Outcome>();
    for (const record of this.#admit(records)) {
      const key = keyOf(this.scope, record.entry);
      const anew = record.operation !== 'update' || (outcomes.get(key)?.anew ?? false);
      outcomes.set(key, { record, anew });
    }
    const deletions: TupleKey[] = [];
    const creations: [TupleKey, StateRecord][] = [];
    const updates: [TupleKey, StateRecord][] = [];
    for (const [key, { record, anew }] of outcomes) {
      this.#touched.add(key);
      const here = this.#installed.has(key);
      if (here && anew) deletions.push(key);
      if (record.operation === 'destroy') continue;
      if (here && !anew) updates.push([key, record]);
      else creations.push([key, record]);
    }
    await this.#delete(deletions);
    await this.#create(creations);
    await this.#update(updates);
  }

  async #delete(keys: readonly TupleKey[]): Promise<void> {
    const entries = keys.flatMap((key) => this.#installed.get(key)?.entry ?? []);
    await this.#world.table.ask(entries.map((entry) => deletionOf(entry)));
    for (const key of keys) this.#forget(key);
  }

  async #create(wanted: readonly [TupleKey, StateRecord][]): Promise<void> {
    if (wanted.length === 0) return;
    // Masters first: the kernel refuses a related entry whose master is missing.
    const ordered = [...wanted].sort(
      ([, a], [, b]) => Number(a.entry.tupleMaster !== undefined) - Number(b.entry.tupleMaster !== undefined),
    );
    const answers = await this.#world.table.ask(ordered.map(([, record]) => this.#creation(record)));
    const taken: [TupleKey, StateRecord][] = [];
    ordered.forEach(([key, record], i) => {
      const errno = answers[i]?.errno ?? 0;
      if (errno === ERRNO.EEXIST) taken.push([key, record]);
      else this.#noteCreation(key, record, errno);
    });
    await this.#replace(taken);
  }

  /** Something stands there (hard case 21): born here, or left over. With the same tuple it gives way, else it is a clash. */
  async #replace(taken: readonly [TupleKey, StateRecord][]): Promise<void> {
    if (taken.length === 0) return;
    const { table } = this.#world;
    const found = await table.ask(taken.map(([, r]) => ask('get', r.family, this.#tuple(r.entry))));
    const mine = (answer: KernelAnswer | undefined, key: TupleKey): ConntrackEntry | null => {
      const entry = answer?.entry ?? null;
      return entry !== null && keyOf(this.scope, entry) === key ? entry : null;
    };
    const standing = taken.flatMap(([key], i) => mine(found[i], key) ?? []);
    await table.ask(standing.map((entry) => deletionOf(entry)));
    const answers = await table.ask(taken.map(([, record]) => this.#creation(record)));
    taken.forEach(([key, record], i) => {
      this.#noteCreation(key, record, answers[i]?.errno ?? 0);
    });
  }

  async #update(wanted: readonly [TupleKey, StateRecord][]): Promise<void> {
    if (wanted.length === 0) return;
    const answers = await this.#world.table.ask(
      wanted.map(([, record]) => ask('update', record.family, rewriteForUpdate(this.#rewriting(record)))),
    );
    // Gone meanwhile, or a change the kernel does not make to an entry that lives: make it anew.
    const anew = wanted.filter((_, i) => (answers[i]?.errno ?? 0) !== 0);
    await this.#delete(anew.map(([key]) => key));
    await this.#create(anew);
  }

  /** After the lift: forward TCP transitions only; the rest this kernel knows better (hard case 17). */
  async #applyLate(records: readonly StateRecord[]): Promise<void> {
    const last = new Map<TupleKey, StateRecord>();
    for (const record of this.#admit(records)) {
      const key = keyOf(this.scope, record.entry);
      if (record.operation === 'update' && this.#installed.has(key) && record.entry.protoinfo?.tcp !== undefined) {
        last.set(key, record);
      }
    }
    if (last.size === 0) return;
    const wanted = [...last.values()];
    const now = await this.#world.table.ask(wanted.map((r) => ask('get', r.family, this.#tuple(r.entry))));
    const forward = wanted.filter((record, i) => {
      const here = now[i]?.entry?.protoinfo?.tcp?.state;
      return here !== undefined && tcpRank(record.entry.protoinfo?.tcp?.state ?? 0) > tcpRank(here);
    });
    const answers = await this.#world.table.ask(
      forward.map((record) => ask('update', record.family, rewriteForUpdate(this.#rewriting(record)))),
    );
    const failed = answers.filter((a) => a.errno !== 0 && a.errno !== ERRNO.ENOENT).length;
    if (failed > 0) this.#log.warn('late transitions not applied', { failed });
  }

  /** What is in the kernel now, of everything touched since it was last read. */
  async #readBack(): Promise<void> {
    const keys = [...this.#touched].filter((key) => this.#installed.has(key));
    this.#touched.clear();
    const answers = await this.#world.table.ask(
      keys.map((key) => {
        const { entry } = this.#installed.get(key) as InstalledRecord;
        return ask('get', familyOfEntry(entry), this.#tuple(entry));
      }),
    );
    keys.forEach((key, i) => {
      this.#forget(key);
      const entry = answers[i]?.entry ?? null;
      if (entry === null) return; // gone already: it does not count
      const recorded = recordHash(this.scope.vnid, entry);
      this.#digest.add(recorded);
      this.#installed.set(key, { entry: this.#identity(entry), hash: recorded });
    });
  }

  async #dropLeftovers(): Promise<void> {
    const left = [...this.#leftovers].filter(([key]) => !this.#installed.has(key)).map(([, entry]) => entry);
    this.#leftovers.clear();
    await this.#world.table.ask(left.map((entry) => deletionOf(entry)));
  }

  #forget(key: TupleKey): void {
    const before = this.#installed.get(key);
    if (before !== undefined && before.hash !== null) this.#digest.remove(before.hash);
    this.#installed.delete(key);
  }

  #noteCreation(key: TupleKey, record: StateRecord, errno: number): void {
    if (errno === 0) this.#installed.set(key, { entry: this.#identity(record.entry), hash: null });
    else this.#refuse(refusal(record, reasonOf(errno, record), errnoName(errno)));
  }

  #refuse(reason: Refusal): void {
    this.#refused.push(reason);
    this.#log.warn('record refused', { reason: reason.reason, record: reason.record, detail: reason.detail });
  }

  #creation(record: StateRecord): ConntrackRequest {
    return ask('create', record.family, rewriteForCreate(this.#rewriting(record)));
  }

  #rewriting(record: StateRecord): Parameters<typeof rewriteForCreate>[0] {
    const ageMs = this.#world.somWallMs() - record.capturedWallMs;
    return { entry: record.entry, zone: this.scope.zone, ageMs };
  }

  #tuple({ tupleOrig }: ConntrackEntry): ConntrackEntry {
    return {
      ...(tupleOrig !== undefined && { tupleOrig }),
      ...(this.scope.zone !== 0 && { zone: this.scope.zone }),
    };
  }

  #identity(entry: ConntrackEntry): ConntrackEntry {
    return { ...this.#tuple(entry), ...(entry.id !== undefined && { id: entry.id }) };
  }
}

const ask = (operation: ConntrackRequest['operation'], family: number, entry: ConntrackEntry): ConntrackRequest => ({
  operation,
  family,
  entry,
});

const familyOfEntry = (entry: ConntrackEntry): number =>
  entry.tupleOrig?.ip?.v6Src === undefined ? AF.INET : AF.INET6;

function keyOf(scope: Scope, entry: ConntrackEntry): TupleKey {
  if (entry.tupleOrig === undefined) throw new RangeError('an entry without a tuple');
  return tupleKey(scope.zone, entry.tupleOrig);
}

function reasonOf(errno: number, record: StateRecord): RecordRefusedReason {
  switch (errno) {
    case ERRNO.EEXIST:
      return 'clash';
    case ERRNO.ENOMEM:
    case ERRNO.ENOSPC:
      return 'table-full';
    case ERRNO.ENOENT:
      return record.entry.tupleMaster === undefined ? 'kernel' : 'no-master';
    case ERRNO.EOPNOTSUPP:
      return record.entry.help === undefined ? 'kernel' : 'no-helper';
    default:
      return 'kernel';
  }
}
