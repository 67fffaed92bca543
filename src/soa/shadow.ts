// The shadow: which connections the kernel has, by (zone, address), kept up to date by its events. It holds tuples only;
// attributes are read from the kernel when they are wanted, and the shadow never expires an entry itself (hard case 18):
// an entry the kernel no longer has is found out by asking for it.

import type { Log } from '../base/log.ts';
import type { TupleKey } from '../netlink/tuple.ts';
import type { KernelTable, TableEvent } from './kernel-table.ts';
import type { Scope } from './scope.ts';
import { entryKey, type IndexedTuple, TupleIndex } from './tuple-index.ts';

export class Shadow {
  readonly #table: KernelTable;
  readonly #log: Log;
  readonly #index = new TupleIndex();
  /** While a dump runs: what events said meanwhile, which is newer than what the dump may show. */
  #touched: Map<TupleKey, 'present' | 'gone'> | null = null;
  #filling: Promise<void> | null = null;
  #stale = true;
  #overruns = 0;

  constructor(table: KernelTable, log: Log) {
    this.#table = table;
    this.#log = log;
  }

  get size(): number {
    return this.#index.size;
  }

  /** Times the kernel dropped events. */
  get overruns(): number {
    return this.#overruns;
  }

  /** True between a loss of events and the dump that mends it. */
  get stale(): boolean {
    return this.#stale;
  }

  apply(events: readonly TableEvent[]): void {
    for (const event of events) {
      const key = entryKey(event.entry);
      if (key === null) continue;
      if (event.kind !== 'update') this.#index.remove(key); // a new one may have another reply tuple
      if (event.kind !== 'destroy') this.#index.put(key, event.entry);
      this.#touched?.set(key, event.kind === 'destroy' ? 'gone' : 'present');
    }
  }

  overrun(): void {
    this.#overruns += 1;
    this.#stale = true;
  }

  /** Dumps the kernel's table if events were lost (or none were ever seen). Not while a migration runs. */
  async fill(): Promise<void> {
    while (this.#stale) {
      this.#filling ??= this.#dump().finally(() => {
        this.#filling = null;
      });
      await this.#filling;
    }
  }

  get(key: TupleKey): IndexedTuple | undefined {
    return this.#index.get(key);
  }

  select(scope: Scope): IndexedTuple[] {
    return this.#index.select(scope);
  }

  inZone(zone: number): IndexedTuple[] {
    return this.#index.inZone(zone);
  }

  /** The kernel does not have it, whatever events said. */
  forget(key: TupleKey): void {
    this.#index.remove(key);
  }

  async #dump(): Promise<void> {
    this.#stale = false;
    this.#touched = new Map();
    const before = new Set(this.#index.keys());
    try {
      await this.#table.dump((entries) => {
        for (const entry of entries) {
          const key = entryKey(entry);
          if (key === null) continue;
          before.delete(key);
          if (this.#touched?.get(key) !== 'gone') this.#index.put(key, entry);
        }
      });
      for (const key of before) if (!this.#touched.has(key)) this.#index.remove(key);
    } catch (error) {
      this.#stale = true;
      throw error;
    } finally {
      this.#touched = null;
    }
    this.#log.debug('shadow filled from a dump', { entries: this.#index.size });
  }
}
