// One migration at its destination: what the source sent is checked, brought to its last word and installed, and what is there
// is said from the kernel. Until the lift the source's word is last; after it, this kernel's (hard cases 17 and 21). Must not
// know the source.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type ConntrackEntry, STATUS } from '../netlink/conntrack-entry.ts';
import type { ConntrackRequest } from '../netlink/conntrack-message.ts';
import type { TupleKey } from '../netlink/tuple.ts';
import { type Installed, Phase, type Refusal, type StateChunk } from '../protocol/generated/stateferry.ts';
import { checkRecord, type ImportPolicy, refusal } from './check-record.ts';
import { ChunkQueue } from './chunk-queue.ts';
import { DestinationCounts } from './destination-counts.ts';
import { deletionOf } from './entry-requests.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { InstalledRecords, type KeyedRecord } from './installed-records.ts';
import { ERRNO, type KernelTable } from './kernel-table.ts';
import type { StateRecord } from './record.ts';
import type { Scope } from './scope.ts';
import { RefusedError } from './state-host.ts';
import type { SynCounters } from './syn-counters.ts';
import { tcpRank } from './tcp-state.ts';

export interface DestinationWorld {
  readonly table: KernelTable;
  readonly policy: ImportPolicy;
  readonly counters?: SynCounters | undefined;
  /** Counts under another limit than the source's are taken all the same. */
  readonly anyLimit: boolean;
  /** Records of one migration. */
  readonly maxRecords: number;
  readonly gate: Gatekeeper;
  readonly clock: Clock;
  /** Between closing the gate and what relies on it. */
  readonly settleMs: number;
  readonly log: Log;
  readonly somWallMs: () => number;
}

/** What some chunks come to for one connection. */
interface Outcome {
  readonly record: StateRecord;
  /** A new connection has the tuple: whatever stands there is another one. */
  readonly anew: boolean;
}

const rankOf = ({ protoinfo }: ConntrackEntry): number => tcpRank(protoinfo?.tcp?.state ?? 0);
const hasAnswer = ({ status = 0 }: ConntrackEntry): boolean => (status & STATUS.SEEN_REPLY) !== 0;

export class DestinationMigration {
  readonly scope: Scope;
  readonly #id: string;
  readonly #world: DestinationWorld;
  readonly #log: Log;
  readonly #installed: InstalledRecords;
  readonly #counts: DestinationCounts;
  readonly #chunks: ChunkQueue;
  /** Entries of an earlier stay of the same flows here that the new state must take the place of (hard case 23). */
  readonly #leftovers: Map<TupleKey, ConntrackEntry>;
  /** Records the source has announced. */
  readonly #expected: number;
  #refused: Refusal[] = [];
  #lifted = false;
  #over = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    id: string,
    scope: Scope,
    world: DestinationWorld,
    { expected, left }: { readonly expected: number; readonly left: readonly ConntrackEntry[] },
  ) {
    this.scope = scope;
    this.#expected = expected;
    this.#id = id;
    this.#world = world;
    this.#log = world.log.with({ migration: id });
    const { table, somWallMs } = world;
    const onRefused = (r: Refusal): void => {
      this.#refuse(r);
    };
    const installed = new InstalledRecords({ scope, table, somWallMs, onRefused });
    this.#installed = installed;
    this.#counts = new DestinationCounts({ ...world, counters: world.counters, migration: id, scope, onRefused });
    this.#leftovers = new Map(left.map((entry) => [installed.keyOf(entry), entry]));
    this.#chunks = new ChunkQueue(id, {
      isLifted: () => this.#lifted,
      checkOpen: () => this.#checkOpen(),
      take: async ({ connections, counts }, late) => {
        if (late) {
          await this.#applyLate(connections); // counts are this kernel's own by now
          return;
        }
        await this.#counts.apply(counts);
        await this.#applyAll(connections);
      },
      acknowledge: (final) => this.#acknowledge(final),
    });
  }

  get over(): boolean {
    return this.#over;
  }

  get lifted(): boolean {
    return this.#lifted;
  }

  /** Records that were announced and are not in the table yet: room that is promised. */
  get stillToCome(): number {
    return this.#lifted || this.#over ? 0 : Math.max(0, this.#expected - this.#installed.size);
  }

  /**
   * Another migration of these flows begins here. Returns what it must take the place of: everything installed, unless the
   * lift made it this State Host's own.
   */
  supersede(): ConntrackEntry[] {
    const left = this.#lifted || this.#over ? [] : this.#entries();
    this.#over = true;
    return left;
  }

  /** Chunks are applied in their order, whether the caller waits or not. */
  download(chunk: StateChunk): Promise<Installed | null> {
    const { first, done } = this.#chunks.add(chunk);
    if (first) void this.#inTurn(() => this.#chunks.work());
    return done;
  }

  /** The lift is done: from now on this kernel's word is last. */
  commit(): Promise<number> {
    return this.#inTurn(async () => {
      this.#checkOpen();
      this.#lifted = true;
      await this.#dropLeftovers();
      return this.#installed.count;
    });
  }

  /** Deletes what was installed; refused after the lift. */
  abort(): Promise<number> {
    return this.#inTurn(async () => {
      if (this.#over) return 0;
      if (this.#lifted) throw new RefusedError('wrong-phase', this.#id, 'the lift is done: only forward');
      this.#over = true;
      const answers = await this.#world.table.ask(this.#entries().map((entry) => deletionOf(entry)));
      return answers.filter((a) => a.errno === 0).length;
    });
  }

  #entries(): ConntrackEntry[] {
    return [...this.#leftovers.values(), ...this.#installed.entries()];
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #checkOpen(): void {
    if (this.#over) throw new RefusedError('superseded', this.#id, 'another migration of these flows began here');
  }

  async #acknowledge({ sequence, phase }: StateChunk): Promise<Installed> {
    await this.#installed.readBack();
    const digest = this.#installed.digest().with(await this.#counts.digest());
    if (phase === Phase.PHASE_DRAIN) await this.#installed.presumeAnswers();
    const refused = this.#refused;
    this.#refused = [];
    return { migration: this.#id, sequence, records: BigInt(digest.records), digest: digest.value(), refused };
  }

  /** Records fit to be looked at further; the others are refused one by one. */
  #admit(records: readonly StateRecord[]): StateRecord[] {
    return records.filter((record) => {
      const reason = checkRecord(record, this.scope, this.#world.policy);
      if (reason !== null) this.#refuse(reason);
      return reason === null;
    });
  }

  /** Before the lift no packet changes these entries here: only where each connection ends up matters. */
  async #applyAll(records: readonly StateRecord[]): Promise<void> {
    const outcomes = new Map<TupleKey, Outcome>();
    for (const record of this.#admit(records)) {
      const key = this.#installed.keyOf(record.entry);
      const anew = record.operation !== 'update' || (outcomes.get(key)?.anew ?? false);
      outcomes.set(key, { record, anew });
    }
    const deletions: TupleKey[] = [];
    const creations: KeyedRecord[] = [];
    const updates: KeyedRecord[] = [];
    for (const [key, { record, anew }] of outcomes) {
      const here = this.#installed.has(key);
      if (here && anew) deletions.push(key);
      if (record.operation === 'destroy') continue;
      if (here && !anew) updates.push([key, record]);
      else creations.push([key, record]);
    }
    await this.#installed.delete(deletions);
    await this.#installed.create(this.#withinLimit(creations));
    await this.#installed.update(updates);
  }

  /** What is above the limit is refused, record by record, which fails the migration. */
  #withinLimit(creations: readonly KeyedRecord[]): readonly KeyedRecord[] {
    const { maxRecords } = this.#world;
    const room = Math.max(0, maxRecords - this.#installed.size);
    for (const [, record] of creations.slice(room)) {
      this.#refuse(refusal(record, 'over-limit', `more than ${maxRecords} records`));
    }
    return creations.slice(0, room);
  }

  /** After the lift: forward TCP transitions only; the rest this kernel knows better (hard case 17). */
  async #applyLate(records: readonly StateRecord[]): Promise<void> {
    const last = new Map<TupleKey, StateRecord>();
    for (const record of this.#admit(records)) {
      const key = this.#installed.keyOf(record.entry);
      if (record.operation === 'update' && this.#installed.has(key) && record.entry.protoinfo?.tcp !== undefined) {
        last.set(key, record);
      }
    }
    if (last.size === 0) return;
    const { table } = this.#world;
    const wanted = [...last.values()];
    const now = await table.ask(wanted.map((record) => this.#installed.reading(record)));
    const answers = await table.ask(wanted.flatMap((record, i) => this.#lateChange(record, now[i]?.entry ?? null)));
    const failed = answers.filter((a) => a.errno !== 0 && a.errno !== ERRNO.ENOENT).length;
    if (failed > 0) this.#log.warn('late transitions not applied', { failed });
  }

  /** An answer that this kernel did not see tells of the answering side, however far the connection has come here. */
  #lateChange(record: StateRecord, here: ConntrackEntry | null): ConntrackRequest[] {
    if (here === null) return [];
    if (rankOf(record.entry) > rankOf(here)) return [this.#installed.updating(record)];
    return hasAnswer(record.entry) && !hasAnswer(here) ? [this.#installed.answering(record)] : [];
  }

  async #dropLeftovers(): Promise<void> {
    const left = [...this.#leftovers].filter(([key]) => !this.#installed.has(key)).map(([, entry]) => entry);
    this.#leftovers.clear();
    await this.#world.table.ask(left.map((entry) => deletionOf(entry)));
  }

  #refuse(reason: Refusal): void {
    this.#refused.push(reason);
    this.#log.warn('record refused', { reason: reason.reason, record: reason.record, detail: reason.detail });
  }
}
