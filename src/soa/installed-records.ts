// What one migration has put into its destination's kernel: made, replaced, changed, deleted and read back, in batches. Whether a
// record may be installed at all, and when, is decided elsewhere.

import type { ConntrackEntry } from '../netlink/conntrack-entry.ts';
import type { ConntrackRequest } from '../netlink/conntrack-message.ts';
import { formatTuple, tupleKey, type TupleKey } from '../netlink/tuple.ts';
import type { Refusal } from '../protocol/generated/stateferry.ts';
import { type RecordRefusedReason, refusal } from './check-record.ts';
import { deletionOf, identityOf, placeOf, readingOf, request } from './entry-requests.ts';
import { ERRNO, type KernelTable } from './kernel-table.ts';
import { errnoName } from './netfilter-table.ts';
import type { StateRecord } from './record.ts';
import { rewriteForAnswer, rewriteForCreate, rewriteForUpdate } from './rewrite.ts';
import type { Scope } from './scope.ts';
import { recordHash, StateDigest } from './state-digest.ts';
import { isUnanswered, TCP_STATE } from './tcp-state.ts';

export type KeyedRecord = readonly [TupleKey, StateRecord];

interface InstalledRecord {
  /** Identity for deletion; the kernel's id is known once it was read back. */
  readonly entry: ConntrackEntry;
  readonly hash: Buffer | null;
  /** An opener that waits for its answer, as it was read back. */
  readonly unanswered: boolean;
}

export interface InstalledRecordsParts {
  readonly scope: Scope;
  readonly table: KernelTable;
  readonly somWallMs: () => number;
  readonly onRefused: (refusal: Refusal) => void;
}

export class InstalledRecords {
  readonly #parts: InstalledRecordsParts;
  readonly #records = new Map<TupleKey, InstalledRecord>();
  /** Changed since they were last read back. */
  readonly #touched = new Set<TupleKey>();
  readonly #digest = new StateDigest();

  constructor(parts: InstalledRecordsParts) {
    this.#parts = parts;
  }

  /** Read back and there. */
  get count(): number {
    return this.#digest.records;
  }

  /** Made, whether read back yet or not. */
  get size(): number {
    return this.#records.size;
  }

  digest(): StateDigest {
    return this.#digest;
  }

  has(key: TupleKey): boolean {
    return this.#records.has(key);
  }

  entries(): ConntrackEntry[] {
    return [...this.#records.values()].map((record) => record.entry);
  }

  /** The key of a record here, whatever its zone was at the source. */
  keyOf(entry: ConntrackEntry): TupleKey {
    if (entry.tupleOrig === undefined) throw new RangeError('an entry without a tuple');
    return tupleKey(this.#parts.scope.zone, entry.tupleOrig);
  }

  async delete(keys: readonly TupleKey[]): Promise<void> {
    const entries = keys.flatMap((key) => this.#records.get(key)?.entry ?? []);
    await this.#parts.table.ask(entries.map((entry) => deletionOf(entry)));
    for (const key of keys) this.#forget(key);
  }

  async create(wanted: readonly KeyedRecord[]): Promise<void> {
    if (wanted.length === 0) return;
    // Masters first: the kernel refuses a related entry whose master is missing.
    const ordered = [...wanted].sort(
      ([, a], [, b]) => Number(a.entry.tupleMaster !== undefined) - Number(b.entry.tupleMaster !== undefined),
    );
    // Read back behind their creation, while the source's next ones are on their way: no packet changes them before the lift.
    const answers = await this.#parts.table.ask([
      ...ordered.map(([, record]) => this.#creation(record)),
      ...ordered.map(([, record]) => this.reading(record)),
    ]);
    const taken: KeyedRecord[] = [];
    ordered.forEach((one, i) => {
      const errno = answers[i]?.errno ?? 0;
      if (errno === ERRNO.EEXIST) taken.push(one);
      else this.#noteCreation(one, errno, answers[ordered.length + i]?.entry ?? null);
    });
    await this.#replace(taken);
  }

  async update(wanted: readonly KeyedRecord[]): Promise<void> {
    if (wanted.length === 0) return;
    for (const [key] of wanted) this.#touched.add(key);
    const answers = await this.#parts.table.ask(wanted.map(([, record]) => this.updating(record)));
    // Gone meanwhile, or a change the kernel does not make to an entry that lives: make it anew.
    const anew = wanted.filter((_, i) => (answers[i]?.errno ?? 0) !== 0);
    await this.delete(anew.map(([key]) => key));
    await this.create(anew);
  }

  /** What is in the kernel now, of everything touched since it was last read. */
  async readBack(): Promise<void> {
    const keys = [...this.#touched].filter((key) => this.#records.has(key));
    this.#touched.clear();
    const entries = keys.flatMap((key) => this.#records.get(key)?.entry ?? []);
    const answers = await this.#parts.table.ask(entries.map((entry) => readingOf(entry)));
    keys.forEach((key, i) => {
      this.#forget(key);
      const entry = answers[i]?.entry ?? null;
      if (entry !== null) this.#noteRead(key, entry); // else gone already: it does not count
    });
  }

  /**
   * An opener's answer may cross the source just before the lift, and word of it come here behind the acknowledgement, which is INVALID
   * in SYN_SENT. In SYN_RECV all that can follow is valid, an answer or another opener, too (docs/decisions/0014).
   */
  async presumeAnswers(): Promise<void> {
    const waiting = [...this.#records.values()].filter(({ unanswered }) => unanswered);
    const protoinfo = { tcp: { state: TCP_STATE.SYN_RECV } };
    await this.#parts.table.ask(waiting.map(({ entry }) => request('update', { ...placeOf(entry), protoinfo })));
  }

  /** The request that tells an entry here what the answer at the source told that one. */
  answering(record: StateRecord): ConntrackRequest {
    return request('update', rewriteForAnswer(record.entry, this.#parts.scope.zone));
  }

  /** The request that changes an entry that is here. */
  updating(record: StateRecord): ConntrackRequest {
    return request('update', rewriteForUpdate(this.#rewriting(record)));
  }

  /** The request that reads what is here in its place. */
  reading(record: StateRecord): ConntrackRequest {
    return readingOf(this.#here(record.entry));
  }

  /** Something stands there (hard case 21): born here, or left over. With the same tuple it gives way, else it is a clash. */
  async #replace(taken: readonly KeyedRecord[]): Promise<void> {
    if (taken.length === 0) return;
    const { table } = this.#parts;
    const found = await table.ask(taken.map(([, record]) => this.reading(record)));
    const standing = taken.flatMap(([key], i) => {
      const entry = found[i]?.entry ?? null;
      return entry !== null && this.keyOf(entry) === key ? [entry] : [];
    });
    await table.ask(standing.map((entry) => deletionOf(entry)));
    const answers = await table.ask(taken.map(([, record]) => this.#creation(record)));
    const clashing = taken.filter((_, i) => answers[i]?.errno === ERRNO.EEXIST);
    taken.forEach((one, i) => {
      if (!clashing.includes(one)) this.#noteCreation(one, answers[i]?.errno ?? 0, null);
    });
    await this.#refuseClashes(clashing);
  }

  /** Whose tuple it is that stands in the way: the other end of a translation is a tuple, too. */
  async #refuseClashes(clashing: readonly KeyedRecord[]): Promise<void> {
    if (clashing.length === 0) return;
    const places = clashing.map(([, { entry }]) =>
      this.#here(entry.tupleReply === undefined ? entry : { tupleOrig: entry.tupleReply }),
    );
    const found = await this.#parts.table.ask(places.map((place) => readingOf(place)));
    clashing.forEach(([, record], i) => {
      const { tupleOrig, tupleReply } = found[i]?.entry ?? {};
      const holder =
        tupleOrig === undefined || tupleReply === undefined
          ? 'another connection'
          : `${formatTuple(tupleOrig)}, answered by ${formatTuple(tupleReply)}`;
      this.#parts.onRefused(refusal(record, 'clash', `in use by ${holder}`));
    });
  }

  /** `entry`: what was read of it since; null when nothing was. */
  #noteCreation([key, record]: KeyedRecord, errno: number, entry: ConntrackEntry | null): void {
    if (errno !== 0) {
      this.#parts.onRefused(refusal(record, reasonOf(errno, record), errnoName(errno)));
    } else if (entry !== null) {
      this.#noteRead(key, entry);
    } else {
      this.#records.set(key, { entry: identityOf(this.#here(record.entry)), hash: null, unanswered: false });
      this.#touched.add(key);
    }
  }

  #noteRead(key: TupleKey, entry: ConntrackEntry): void {
    const recorded = recordHash(this.#parts.scope.vnid, entry);
    this.#digest.add(recorded);
    const unanswered = isUnanswered(entry.protoinfo?.tcp?.state);
    this.#records.set(key, { entry: identityOf(this.#here(entry)), hash: recorded, unanswered });
  }

  #forget(key: TupleKey): void {
    const before = this.#records.get(key);
    if (before !== undefined && before.hash !== null) this.#digest.remove(before.hash);
    this.#records.delete(key);
  }

  #creation(record: StateRecord): ConntrackRequest {
    return request('create', rewriteForCreate(this.#rewriting(record)));
  }

  #rewriting({ entry, capturedWallMs }: StateRecord): Parameters<typeof rewriteForCreate>[0] {
    return { entry, zone: this.#parts.scope.zone, ageMs: this.#parts.somWallMs() - capturedWallMs };
  }

  #here(entry: ConntrackEntry): ConntrackEntry {
    return { ...entry, zone: this.#parts.scope.zone };
  }
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
