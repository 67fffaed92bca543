// The SYN counters of this State Host: which part of each was counted here and which came with a VM, reading them for a migration, and
// adding what a migration brings. A packet that is counted while a count is changed is in the count afterwards. Must not
// know what a migration is.

import type { CountedElement, SetDescription } from '../netlink/counting-set.ts';
import type { AddressBytes } from '../netlink/conntrack-entry.ts';
import { changeCount, CounterError, describeSet, keyOf } from './counter-change.ts';
import { type CounterSet, type CounterTable, nameOfSet } from './counter-table.ts';
import { ERRNO } from './kernel-table.ts';
import { errnoName } from './netfilter-table.ts';
import type { Scope } from './scope.ts';
import {
  isOriginOf,
  minus,
  newOrigin,
  type Origin,
  placeOfCounts,
  type Shares,
  type SynCounts,
  type Tally,
  total,
  union,
} from './syn-counts.ts';

/** An element in this State Host's own zone. */
export interface CounterPlace {
  readonly set: string;
  readonly address: AddressBytes;
  readonly zone: number;
}

/** What is known of an element beside what the kernel tells. */
interface Life {
  readonly own: Origin;
  /** What others have counted of it. */
  readonly foreign: Shares;
  /** When it was last looked at. */
  readonly packets: bigint;
  readonly endsAtMs: number;
}

export interface LimitOfSet {
  readonly thresholdBytes: bigint;
  readonly windowMs: number;
}

/** An element that ends at another time than the one we knew is another one: its window is set by its first packet. */
const SAME_END_MS = 1500;

export class SynCounters {
  readonly #identity: string;
  readonly #table: CounterTable;
  readonly #now: () => number;
  readonly #onlyVn: boolean;
  readonly #lives = new Map<string, Life>();
  #queue: Promise<unknown> = Promise.resolve();

  /** `onlyVn`: one VN is served here, so that keys need not tell VNs apart. `now`: milliseconds. */
  constructor(identity: string, table: CounterTable, { now, onlyVn }: { now: () => number; onlyVn: boolean }) {
    this.#identity = identity;
    this.#table = table;
    this.#now = now;
    this.#onlyVn = onlyVn;
  }

  /** Every set and its limit. Rejects with CounterError where one is missing or cannot keep counts apart and end them. */
  async limits(): Promise<(LimitOfSet & { readonly set: string })[]> {
    const described = this.#table.sets.map(async (set) => ({ set: nameOfSet(set), ...(await this.#limit(set)) }));
    return Promise.all(described);
  }

  /** Null: this State Host counts in no such set. */
  async limitOf(name: string): Promise<LimitOfSet | null> {
    const set = this.#setNamed(name);
    return set === undefined ? null : this.#limit(set);
  }

  async #limit(set: CounterSet): Promise<LimitOfSet> {
    const { quotaBytes, timeoutMs } = await describeSet(this.#table, set, this.#onlyVn);
    return { thresholdBytes: quotaBytes, windowMs: timeoutMs };
  }

  /** What is counted of the VM's own packets, in every set that takes its addresses. */
  async select({ vm, zone }: Pick<Scope, 'vm' | 'zone'>): Promise<SynCounts[]> {
    const out: SynCounts[] = [];
    for (const set of this.#table.sets) {
      const description = await describeSet(this.#table, set, this.#onlyVn);
      for (const address of vm) {
        if (keyOf(description, { zone, address }) === null) continue;
        const found = await this.look({ set: nameOfSet(set), address, zone });
        if (found !== null) out.push(found);
      }
    }
    return out;
  }

  /** Null: nothing is counted there. */
  look(place: CounterPlace): Promise<SynCounts | null> {
    return this.#inTurn(async () => {
      const { set, description, key } = await this.#placed(place);
      return this.#countsOf(place, await this.#table.read(set, key), description);
    });
  }

  /**
   * Adds what others have counted, as far as it is not in it already. The window ends when the later of both does. It is not taken
   * back, whatever becomes of the migration: what is known of a source stays true. Rejects with CounterError (SET_FULL).
   */
  add(place: CounterPlace, shares: Shares, expiresMs: number): Promise<void> {
    return this.#inTurn(async () => {
      const { set, description, key } = await this.#placed(place);
      const here = this.#countsOf(place, await this.#table.read(set, key), description);
      if (here === null) this.#begin(place, shares);
      const before = here?.shares ?? new Map<Origin, Tally>();
      const after = union(before, shares);
      const by = minus(total(after), total(before));
      if (by.packets === 0n && here !== null && expiresMs <= here.expiresMs) return;
      const life = this.#lives.get(keyOfLife(place)) as Life;
      const foreign = new Map([...after].filter(([origin]) => origin !== life.own));
      const now = await changeCount(this.#table, { set, key, description }, by, expiresMs);
      this.#remember(place, { own: life.own, foreign }, now, description);
    });
  }

  /** Sets it to zero, if nothing more has been counted than `packets`; whether it did. */
  clear(place: CounterPlace, packets: bigint): Promise<boolean> {
    return this.#inTurn(async () => {
      const { set, description, key } = await this.#placed(place);
      const here = this.#countsOf(place, await this.#table.read(set, key), description);
      if (here === null || total(here.shares).packets !== packets) return false;
      const { errno, deleted } = await this.#table.replace(set, { key, there: true, after: null }, description);
      if (errno !== 0 && errno !== ERRNO.ENOENT) {
        throw new CounterError('KERNEL', `set ${place.set}: ${errnoName(errno)}`);
      }
      if (deleted !== null && deleted.packets > packets) {
        await changeCount(this.#table, { set, key, description }, deleted, deleted.expiresMs ?? 0);
        return false;
      }
      this.#lives.delete(keyOfLife(place));
      return true;
    });
  }

  #setNamed(name: string): CounterSet | undefined {
    return this.#table.sets.find((set) => nameOfSet(set) === name);
  }

  async #placed(place: CounterPlace): Promise<{ set: CounterSet; description: SetDescription; key: Buffer }> {
    const set = this.#setNamed(place.set);
    if (set === undefined) throw new CounterError('BAD_SET', `synCounters: set ${place.set} is none of them`);
    const description = await describeSet(this.#table, set, this.#onlyVn);
    const key = keyOf(description, place);
    if (key === null) throw new CounterError('BAD_SET', `synCounters: set ${place.set} is for other addresses`);
    return { set, description, key };
  }

  /** What the kernel says, and whose it is. */
  #countsOf(place: CounterPlace, found: CountedElement | null, { timeoutMs }: SetDescription): SynCounts | null {
    const at = keyOfLife(place);
    if (found === null) {
      this.#lives.delete(at);
      return null;
    }
    const expiresMs = found.expiresMs ?? timeoutMs;
    const endsAtMs = this.#now() + expiresMs;
    const known = this.#lives.get(at);
    const same =
      known !== undefined && found.packets >= known.packets && Math.abs(endsAtMs - known.endsAtMs) < SAME_END_MS;
    const life = same ? known : { own: newOrigin(this.#identity), foreign: new Map<Origin, Tally>() };
    this.#lives.set(at, { ...life, packets: found.packets, endsAtMs });
    const own = minus(found, total(life.foreign));
    const shares = own.packets > 0n ? union(life.foreign, new Map([[life.own, own]])) : life.foreign;
    return { set: place.set, address: place.address, expiresMs, shares };
  }

  /** Where nothing is counted: a count of ours that has come back is gone on with, so that it does not grow by every return. */
  #begin(place: CounterPlace, shares: Shares): void {
    const ours = [...shares].filter(([origin]) => isOriginOf(this.#identity, origin));
    const greatest = ours.sort(([, a], [, b]) => (a.packets > b.packets ? -1 : 1))[0]?.[0];
    const own = greatest ?? newOrigin(this.#identity);
    this.#lives.set(keyOfLife(place), { own, foreign: new Map(), packets: 0n, endsAtMs: 0 });
  }

  #remember(
    place: CounterPlace,
    life: Pick<Life, 'own' | 'foreign'>,
    now: CountedElement | null,
    { timeoutMs }: SetDescription,
  ): void {
    const at = keyOfLife(place);
    if (now === null) this.#lives.delete(at);
    else this.#lives.set(at, { ...life, packets: now.packets, endsAtMs: this.#now() + (now.expiresMs ?? timeoutMs) });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

const keyOfLife = (place: CounterPlace): string => `${place.zone} ${placeOfCounts(place)}`;
