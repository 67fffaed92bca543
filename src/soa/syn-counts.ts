// What is known of one source's SYNs, as it travels: who has counted how many. Counts of several State Hosts are added, and a count
// that comes back, or comes twice, is not counted twice: each State Host's part is known by its origin, and of one origin the greater
// count is the newer. Pure.

import { hash, randomBytes } from 'node:crypto';
import type { Vnid } from '../base/ids.ts';
import type { AddressBytes } from '../netlink/conntrack-entry.ts';
import { formatAddress } from '../netlink/tuple.ts';

/** Packets and bytes, as an element's `counter` has them. */
export interface Tally {
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** A State Host and one life of an element there: 16 hexadecimal digits. */
export type Origin = string & { readonly __brand: 'Origin' };
/** What each State Host has counted itself. */
export type Shares = ReadonlyMap<Origin, Tally>;

/** One source's counts in one set. */
export interface SynCounts {
  /** Family, table and name: `inet firewall syn4`. */
  readonly set: string;
  readonly address: AddressBytes;
  /** Until the window ends, from `capturedWallMs` on. */
  readonly expiresMs: number;
  readonly shares: Shares;
}

export interface SynRecord extends SynCounts {
  readonly operation: 'count' | 'gone';
  readonly vnid: Vnid;
  /** The SOM's wall clock when the source's kernel was read. */
  readonly capturedWallMs: number;
  /** The set's at the source: counts under another limit are not the same counts. */
  readonly thresholdBytes: bigint;
  readonly windowMs: number;
}

export const NO_TALLY: Tally = { packets: 0n, bytes: 0n };

const ORIGIN_HOST_DIGITS = 8;

const hostOf = (identity: string): string => hash('sha256', identity).slice(0, ORIGIN_HOST_DIGITS);
export const newOrigin = (identity: string): Origin => (hostOf(identity) + randomBytes(4).toString('hex')) as Origin;
export const isOriginOf = (identity: string, origin: Origin): boolean => origin.startsWith(hostOf(identity));

export const plus = (a: Tally, b: Tally): Tally => ({ packets: a.packets + b.packets, bytes: a.bytes + b.bytes });
export const minus = (a: Tally, b: Tally): Tally => ({ packets: a.packets - b.packets, bytes: a.bytes - b.bytes });
export const total = (shares: Shares): Tally => [...shares.values()].reduce(plus, NO_TALLY);

/** Of one origin, the greater. */
export function union(a: Shares, b: Shares): Shares {
  const out = new Map(a);
  for (const [origin, tally] of b) {
    const known = out.get(origin);
    if (known === undefined || tally.packets > known.packets) out.set(origin, tally);
  }
  return out;
}

/** Whether `here` has all of `wanted`: as many of each origin, or more. */
export const covers = (here: Shares, wanted: Shares): boolean =>
  [...wanted].every(([origin, { packets }]) => (here.get(origin)?.packets ?? 0n) >= packets);

/** 32 bytes: what both State Hosts take their digest of (docs/protocol.md). */
export function countsHash(
  vnid: Vnid,
  { set, address, shares }: Pick<SynCounts, 'set' | 'address' | 'shares'>,
): Buffer {
  const parts = [...shares]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([origin, { packets, bytes }]) => `${origin} ${packets} ${bytes}`);
  return hash('sha256', ['sc1', vnid, set, formatAddress(address), ...parts].join('\n'), 'buffer');
}

export const placeOfCounts = ({ set, address }: Pick<SynCounts, 'set' | 'address'>): string => `${set}\n${address}`;
export const formatCounts = ({ set, address }: Pick<SynCounts, 'set' | 'address'>): string =>
  `${formatAddress(address)} in ${set}`;
