// The migrations' records and journal lines: every change is stored before anybody acts on it, and told to listeners.

import type { Clock } from '../base/clock.ts';
import { migrationId } from '../base/ids.ts';
import type { MigrationId } from '../base/ids.ts';
import type { Journal, Store, Table } from '../store/store.ts';
import type { MigrationRecord, Step, StepRecord } from './record.ts';
import type { StepJournal } from './saga.ts';

/** How many ended migrations are kept, with their journal lines. */
const KEEP_ENDED = 1000;

export class Records {
  readonly #journal: Journal;
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #records = new Map<MigrationId, MigrationRecord>();
  readonly #listeners: ((record: MigrationRecord) => void)[] = [];
  #serial = 0;

  constructor(store: Store, clock: Clock) {
    this.#journal = store.journal;
    this.#table = store.table('migrations');
    this.#clock = clock;
    for (const row of this.#table.list()) {
      const record = row.value as MigrationRecord;
      this.#records.set(record.id, record);
      this.#serial = Math.max(this.#serial, Number(record.id.slice(2)));
    }
  }

  nextId(): MigrationId {
    this.#serial += 1;
    return migrationId(`m-${String(this.#serial).padStart(6, '0')}`);
  }

  get(id: string): MigrationRecord | undefined {
    return this.#records.get(migrationId(id));
  }

  /** Oldest first. */
  list(): MigrationRecord[] {
    return [...this.#records.values()];
  }

  onChange(listener: (record: MigrationRecord) => void): void {
    this.#listeners.push(listener);
  }

  /** Stores the record as it is now. */
  save(record: MigrationRecord): void {
    this.#records.set(record.id, record);
    this.#table.put(record.id, record);
    for (const listener of this.#listeners) listener(record);
    if (record.endedWallMs !== null) this.#forgetOldest();
  }

  /** Who said what is among its evidence. */
  witnessed(record: MigrationRecord, evidence: string, by: string): void {
    record.evidence = record.evidence.map((one) => (one === evidence ? `${one} by ${by}` : one));
    this.save(record);
  }

  /** The journal of one transfer of a migration (`transfer` null: the migration as a whole), one line per step. */
  steps(record: MigrationRecord, transfer: number | null, attempt: number): StepJournal {
    return {
      begin: (step: Step) => {
        this.#append(record.id, 'begin', { transfer, attempt, step });
      },
      end: (ended) => {
        const line: StepRecord = { ...ended, transfer, attempt };
        this.#append(record.id, 'end', line);
        record.steps.push(line);
        this.save(record);
      },
    };
  }

  #append(key: MigrationId, kind: string, data: unknown): void {
    this.#journal.append({ key, wallMs: this.#clock.wallMs(), kind, data });
  }

  #forgetOldest(): void {
    const ended = this.list().filter((r) => r.endedWallMs !== null);
    const tooMany = ended.slice(0, Math.max(0, ended.length - KEEP_ENDED));
    for (const record of tooMany) {
      this.#records.delete(record.id);
      this.#table.delete(record.id);
    }
    if (tooMany.length > 0) this.#journal.compact(tooMany.map((r) => r.id));
  }
}
