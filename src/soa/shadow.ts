// The shadow: which connections the kernel has, by (zone, address), kept up to date by its events. It holds tuples only;
// attributes are read from the kernel when they are wanted, and the shadow never expires an entry itself (hard case 18):
// an entry the kernel no longer has is found out by asking for it.

import type { Log } from '../base/log.ts';
import type { AddressBytes, ConntrackEntry, Tuple } from '../netlink/conntrack-entry.ts';
import { endpoints, tupleKey, type TupleKey } from '../netlink/tuple.ts';
import type { KernelTable, TableEvent } from './kernel-table.ts';
import { type Scope, tuplesInScope } from './scope.ts';

export interface ShadowEntry {
  readonly key: TupleKey;
  readonly zone: number;
  readonly orig: Tuple;
  readonly reply: Tuple | undefined;
}

type AddressKey = string;
const addressKey = (zone: number, address: AddressBytes): AddressKey => String.fromCharCode(zone) + address;

/** The key of an entry as events and dumps show it; null for one without a tuple. */
export const entryKey = (entry: ConntrackEntry): TupleKey | null =>
  entry.tupleOrig === undefined ? null : tupleKey(entry.zone ?? 0, entry.tupleOrig);

export class Shadow {
  readonly #table: KernelTable;
  readonly #log: Log;
  readonly #entries = new Map<TupleKey, ShadowEntry>();
  readonly #byAddress = new Map<AddressKey, Set<TupleKey>>();
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
    return this.#entries.size;
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
      if (event.kind !== 'update') this.#remove(key); // a new one may have another reply tuple
      if (event.kind !== 'destroy') this.#put(key, event.entry);
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

  select(scope: Scope): ShadowEntry[] {
    const found = new Map<TupleKey, ShadowEntry>();
    for (const address of scope.vm) {
      for (const key of this.#byAddress.get(addressKey(scope.zone, address)) ?? []) {
        const entry = this.#entries.get(key);
        if (entry !== undefined && tuplesInScope(scope, entry.orig, entry.reply)) found.set(key, entry);
      }
    }
    return [...found.values()];
  }

  /** The kernel does not have it, whatever events said. */
  forget(key: TupleKey): void {
    this.#remove(key);
  }

  async #dump(): Promise<void> {
    this.#stale = false;
    this.#touched = new Map();
    const before = new Set(this.#entries.keys());
    try {
      await this.#table.dump((entries) => {
        for (const entry of entries) {
          const key = entryKey(entry);
          if (key === null) continue;
          before.delete(key);
          if (this.#touched?.get(key) !== 'gone') this.#put(key, entry);
        }
      });
      for (const key of before) if (!this.#touched.has(key)) this.#remove(key);
    } catch (error) {
      this.#stale = true;
      throw error;
    } finally {
      this.#touched = null;
    }
    this.#log.debug('shadow filled from a dump', { entries: this.#entries.size });
  }

  #put(key: TupleKey, entry: ConntrackEntry): void {
    if (entry.tupleOrig === undefined || this.#entries.has(key)) return;
    const zone = entry.zone ?? 0;
    const shadowed: ShadowEntry = { key, zone, orig: entry.tupleOrig, reply: entry.tupleReply };
    this.#entries.set(key, shadowed);
    for (const address of addressesOf(shadowed)) {
      const at = addressKey(zone, address);
      const keys = this.#byAddress.get(at);
      if (keys === undefined) this.#byAddress.set(at, new Set([key]));
      else keys.add(key);
    }
  }

  #remove(key: TupleKey): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    for (const address of addressesOf(entry)) {
      const at = addressKey(entry.zone, address);
      const keys = this.#byAddress.get(at);
      keys?.delete(key);
      if (keys?.size === 0) this.#byAddress.delete(at);
    }
  }
}

function addressesOf(entry: ShadowEntry): Set<AddressBytes> {
  const { src, dst } = endpoints(entry.orig);
  const out = new Set([src, dst]);
  if (entry.reply !== undefined) {
    const reply = endpoints(entry.reply);
    out.add(reply.src).add(reply.dst);
  }
  return out;
}
