// Changes a count while packets go on counting, and says which sets can be used so. Must not know whose counts they are.

import { StateferryError } from '../base/errors.ts';
import type { CountedElement, SetDescription } from '../netlink/counting-set.ts';
import type { AddressBytes } from '../netlink/conntrack-entry.ts';
import { type CounterSet, type CounterTable, nameOfSet } from './counter-table.ts';
import { ERRNO } from './kernel-table.ts';
import { errnoName } from './netfilter-table.ts';
import { minus, NO_TALLY, plus, type Tally } from './syn-counts.ts';

export type CounterErrorCode =
  | 'BAD_SET' // the set is not there, or cannot keep counts apart and end them
  | 'SET_FULL'
  | 'KERNEL';

export class CounterError extends StateferryError<CounterErrorCode> {}

/** Nothing is counted meanwhile but what was on its way: more rounds than this, and something else is wrong. */
const MOST_ROUNDS = 16;

/** Bytes of keys: `ct zone . ip saddr`, `ct zone . ip6 saddr`, and the addresses alone. */
const ZONED_KEYS: readonly number[] = [8, 20];
const PLAIN_KEYS: readonly number[] = [4, 16];

/** A set that is fit for use. */
export type UsableSet = SetDescription & { readonly quotaBytes: bigint };

/** Rejects with CounterError where the set is not fit for use. `onlyVn`: keys need not tell VNs apart. */
export async function describeSet(table: CounterTable, set: CounterSet, onlyVn: boolean): Promise<UsableSet> {
  const bad = (what: string): CounterError => new CounterError('BAD_SET', `synCounters: set ${nameOfSet(set)} ${what}`);
  const description = await table.describe(set);
  if (description === null) throw bad('is not there');
  const { keyLength, timeoutMs, expressions, quotaBytes } = description;
  if (expressions.join() !== 'counter,quota' || quotaBytes === null) {
    throw bad('has no line "counter quota over N bytes" of its own');
  }
  if (timeoutMs === 0) throw bad('has no timeout: its counts would never end');
  if (PLAIN_KEYS.includes(keyLength) && !onlyVn) {
    throw bad('counts by address alone, and VNs with equal addresses together: use "ct zone . ip saddr"');
  }
  if (!ZONED_KEYS.includes(keyLength) && !PLAIN_KEYS.includes(keyLength)) {
    throw bad('has another key than "ct zone . ip saddr" or "ct zone . ip6 saddr"');
  }
  return { ...description, quotaBytes };
}

/** As the kernel has keys in its registers; null: the set is for other addresses. */
export function keyOf(
  { keyLength }: SetDescription,
  { zone, address }: { readonly zone: number; readonly address: AddressBytes },
): Buffer | null {
  const bytes = Buffer.from(address, 'latin1');
  if (keyLength === bytes.length) return bytes;
  if (keyLength !== bytes.length + 4) return null;
  const zoneBytes = Buffer.alloc(4);
  zoneBytes.writeUInt16LE(zone);
  return Buffer.concat([zoneBytes, bytes]);
}

/**
 * Changes what is counted by `by`, which may be less than nothing, and lets it end no sooner than in `expiresMs`. No packet of the source may
 * be counted meanwhile: a set's rule does not see an element that a transaction is about to delete or to add, and would make
 * another with the same key beside it. What was on its way all the same is told with the deletion, and added in another
 * round. Resolves with what was put there last; null: nothing is left to count.
 */
export async function changeCount(
  table: CounterTable,
  { set, key, description }: { readonly set: CounterSet; readonly key: Buffer; readonly description: SetDescription },
  by: Tally,
  expiresMs: number,
): Promise<CountedElement | null> {
  let owed = by;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const now = await table.read(set, key);
    const after = elementAfter(key, now, owed, expiresMs);
    const { errno, deleted } = await table.replace(set, { key, there: now !== null, after }, description);
    if (errno === ERRNO.ENOENT || errno === ERRNO.EEXIST) continue;
    if (errno === ERRNO.ENFILE || errno === ERRNO.ENOMEM) {
      throw new CounterError('SET_FULL', `set ${nameOfSet(set)} is full`);
    }
    if (errno !== 0) throw new CounterError('KERNEL', `set ${nameOfSet(set)}: ${errnoName(errno)}`);
    owed = deleted === null || now === null ? NO_TALLY : minus(deleted, now);
    if (owed.packets <= 0n) return after;
  }
  throw new CounterError('KERNEL', `set ${nameOfSet(set)}: an element changes as fast as it is read`);
}

function elementAfter(key: Buffer, now: CountedElement | null, owed: Tally, expiresMs: number): CountedElement | null {
  const { packets, bytes } = plus(now ?? NO_TALLY, owed);
  const expires = Math.max(now?.expiresMs ?? 0, expiresMs);
  if (packets <= 0n || expires <= 0) return null;
  return { key, packets, bytes: bytes > 0n ? bytes : 0n, expiresMs: expires };
}
