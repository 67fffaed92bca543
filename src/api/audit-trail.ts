// Who has asked this controller to change something, what, and what came of it. It outlives the controller; the oldest is forgotten.

import type { Clock } from '../base/clock.ts';
import type { Table } from '../store/store.ts';
import type { AuditJson } from './schemas/audit.ts';

export type AuditEntry = AuditJson['entries'][number];

/** Some hundred kilobytes. */
const KEPT = 1000;
const KEY_DIGITS = 12;

export class AuditTrail {
  readonly #table: Table;
  readonly #clock: Pick<Clock, 'wallMs'>;
  #next: number;
  #oldest: number;

  constructor(table: Table, clock: Pick<Clock, 'wallMs'>) {
    const keys = table.list().map((row) => Number(row.key));
    this.#table = table;
    this.#clock = clock;
    this.#oldest = keys[0] ?? 0;
    this.#next = (keys.at(-1) ?? -1) + 1;
  }

  note(entry: Omit<AuditEntry, 'wallMs'>): void {
    this.#table.put(keyOf(this.#next), { ...entry, wallMs: this.#clock.wallMs() });
    this.#next += 1;
    for (; this.#next - this.#oldest > KEPT; this.#oldest += 1) this.#table.delete(keyOf(this.#oldest));
  }

  /** Oldest first. */
  list(): AuditEntry[] {
    return this.#table.list().map((row) => row.value as AuditEntry);
  }
}

const keyOf = (n: number): string => String(n).padStart(KEY_DIGITS, '0');
