// Connections by their tuples, and by the addresses in them: who has a flow in a scope. Knows nothing of where they come from.

import type { AddressBytes, ConntrackEntry, Tuple } from '../netlink/conntrack-entry.ts';
import { endpoints, tupleKey, type TupleKey } from '../netlink/tuple.ts';
import { type Scope, tuplesInScope } from './scope.ts';

export interface IndexedTuple {
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

export class TupleIndex {
  readonly #entries = new Map<TupleKey, IndexedTuple>();
  readonly #byAddress = new Map<AddressKey, Set<TupleKey>>();

  get size(): number {
    return this.#entries.size;
  }

  get(key: TupleKey): IndexedTuple | undefined {
    return this.#entries.get(key);
  }

  keys(): IterableIterator<TupleKey> {
    return this.#entries.keys();
  }

  inZone(zone: number): IndexedTuple[] {
    return [...this.#entries.values()].filter((one) => one.zone === zone);
  }

  select(scope: Scope): IndexedTuple[] {
    const found = new Map<TupleKey, IndexedTuple>();
    for (const address of scope.vm) {
      for (const key of this.#byAddress.get(addressKey(scope.zone, address)) ?? []) {
        const entry = this.#entries.get(key);
        if (entry !== undefined && tuplesInScope(scope, entry.orig, entry.reply)) found.set(key, entry);
      }
    }
    return [...found.values()];
  }

  /** One that is there already stays as it is. */
  put(key: TupleKey, entry: ConntrackEntry): void {
    if (entry.tupleOrig === undefined || this.#entries.has(key)) return;
    const zone = entry.zone ?? 0;
    const indexed: IndexedTuple = { key, zone, orig: entry.tupleOrig, reply: entry.tupleReply };
    this.#entries.set(key, indexed);
    for (const address of addressesOf(indexed)) {
      const at = addressKey(zone, address);
      const keys = this.#byAddress.get(at);
      if (keys === undefined) this.#byAddress.set(at, new Set([key]));
      else keys.add(key);
    }
  }

  remove(key: TupleKey): void {
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

function addressesOf(entry: IndexedTuple): Set<AddressBytes> {
  const { src, dst } = endpoints(entry.orig);
  const out = new Set([src, dst]);
  if (entry.reply !== undefined) {
    const reply = endpoints(entry.reply);
    out.add(reply.src).add(reply.dst);
  }
  return out;
}
