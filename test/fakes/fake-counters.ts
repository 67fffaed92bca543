// Sets of SYN counters in memory, with the rules of nf_tables: an element counts, its quota lets packets pass up to a number of bytes,
// its window is set by its first packet, a change is one transaction and tells what it deleted.

import type { Clock } from '../../src/base/clock.ts';
import type { CountedElement, SetDescription } from '../../src/netlink/counting-set.ts';
import { parseAddress } from '../../src/netlink/tuple.ts';
import { type CounterSet, type CounterTable, nameOfSet, type Replaced } from '../../src/soa/counter-table.ts';
import { ERRNO } from '../../src/soa/kernel-table.ts';

interface Stored {
  readonly packets: bigint;
  readonly bytes: bigint;
  readonly endsAtMs: number;
}

export const SYN4: CounterSet = { family: 'inet', table: 'firewall', set: 'syn4' };
export const SYN4_NAME = nameOfSet(SYN4);
export const SYN_BYTES = 40;

export class FakeCounters implements CounterTable {
  readonly sets: readonly CounterSet[] = [SYN4];
  description: SetDescription | null;
  /** Elements there is room for. */
  room = 100;
  /** Called between a reading and the change that follows it. */
  beforeChange: () => void = () => undefined;
  readonly #clock: Clock;
  readonly #stored = new Map<string, Stored>();

  constructor(clock: Clock, { threshold = 10, windowMs = 60_000 } = {}) {
    this.#clock = clock;
    this.description = {
      keyLength: 8,
      timeoutMs: windowMs,
      expressions: ['counter', 'quota'],
      quotaBytes: BigInt(threshold * SYN_BYTES),
    };
  }

  /** A SYN of that source is counted; whether it may pass. */
  syn(zone: number, address: string, size = SYN_BYTES): boolean {
    const key = this.#key(zone, address);
    const { timeoutMs, quotaBytes } = this.description as SetDescription;
    const { packets, bytes, endsAtMs } = this.#find(key) ?? {
      packets: 0n,
      bytes: 0n,
      endsAtMs: this.#clock.now() + timeoutMs,
    };
    const now = { packets: packets + 1n, bytes: bytes + BigInt(size), endsAtMs };
    this.#stored.set(key, now);
    return now.bytes <= (quotaBytes ?? 0n);
  }

  packets(zone: number, address: string): number {
    return Number(this.#find(this.#key(zone, address))?.packets ?? 0n);
  }

  endsInMs(zone: number, address: string): number {
    return (this.#find(this.#key(zone, address))?.endsAtMs ?? 0) - this.#clock.now();
  }

  async describe(): Promise<SetDescription | null> {
    await Promise.resolve();
    return this.description;
  }

  async read(_set: CounterSet, key: Buffer): Promise<CountedElement | null> {
    await Promise.resolve();
    const found = this.#find(key.toString('hex'));
    return found === undefined ? null : this.#show(key, found);
  }

  async replace(
    _set: CounterSet,
    { key, there, after }: { readonly key: Buffer; readonly there: boolean; readonly after: CountedElement | null },
  ): Promise<Replaced> {
    await Promise.resolve();
    this.beforeChange();
    const name = key.toString('hex');
    const before = this.#find(name);
    if (there && before === undefined) return { errno: ERRNO.ENOENT, deleted: null };
    if (!there && before !== undefined) return { errno: ERRNO.EEXIST, deleted: null };
    if (after !== null && before === undefined && this.#stored.size >= this.room) {
      return { errno: ERRNO.ENFILE, deleted: null };
    }
    this.#stored.delete(name);
    if (after !== null) {
      const { packets, bytes, expiresMs } = after;
      this.#stored.set(name, { packets, bytes, endsAtMs: this.#clock.now() + (expiresMs ?? 0) });
    }
    return { errno: 0, deleted: before === undefined ? null : this.#show(key, before) };
  }

  #key(zone: number, address: string): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt16LE(zone);
    return Buffer.concat([bytes, Buffer.from(parseAddress(address), 'latin1')]).toString('hex');
  }

  #find(key: string): Stored | undefined {
    const found = this.#stored.get(key);
    if (found !== undefined && found.endsAtMs <= this.#clock.now()) this.#stored.delete(key);
    return this.#stored.get(key);
  }

  #show(key: Buffer, { packets, bytes, endsAtMs }: Stored): CountedElement {
    return { key, packets, bytes, expiresMs: endsAtMs - this.#clock.now() };
  }
}
