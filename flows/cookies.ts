// Every rule carries a cookie that names its owner and why it exists; a packet-in shows it, so the controller knows why it
// was asked. 16 bits owner, 8 bits kind, 40 bits id.

import type { MigrationId } from '../src/base/ids.ts';

const OWNER = 0x5fe7n;
const ID_MASK = (1n << 40n) - 1n;

/**
 * - `base`: the fabric itself; id 0
 * - `lldp`, `probe`: control frames from fabric ports; id 0
 * - `punt`: a VAP frame that was not forwarded: unknown source (id 0) or unknown address of a known VM (id = VM serial)
 * - `announce`: RARP, GARP (consumed) and unsolicited NA (forwarded as well); id = VM serial where known
 * - `learn`: a copy of a frame that was forwarded: DAD, ARP probe, DHCP; id = VM serial
 * - `limbo`: for a VM whose port is gone; id = VM serial
 * - `gate`: held by a gate; id = gate serial
 * - `pin`: explicit route; id as `pinCookie` makes it
 * - `trail`: after a VM that left; id = VM serial
 * - `stray`: from a VAP, of none of its VNs; id 0
 */
export const COOKIE_KINDS = [
  'base',
  'lldp',
  'probe',
  'punt',
  'announce',
  'learn',
  'limbo',
  'gate',
  'pin',
  'trail',
  'stray',
] as const;
export type CookieKind = (typeof COOKIE_KINDS)[number];

export interface Cookie {
  readonly kind: CookieKind;
  /** At most 40 bits. */
  readonly id: number;
}

export function encodeCookie(kind: CookieKind, id = 0): bigint {
  const wide = BigInt(id);
  if (wide < 0n || wide > ID_MASK) throw new RangeError(`cookie id does not fit 40 bits: ${id}`);
  return (OWNER << 48n) | (BigInt(COOKIE_KINDS.indexOf(kind)) << 40n) | wide;
}

/** All rules of one pin carry this: 40 bits of FNV-1a over its id, so that a restarted controller recognises them. */
export function pinCookie(id: MigrationId): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(id)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return encodeCookie('pin', Number((hash >> 40n) ^ (hash & ID_MASK)));
}

/** Null for a cookie that is not ours. */
export function decodeCookie(cookie: bigint): Cookie | null {
  if (cookie >> 48n !== OWNER) return null;
  const kind = COOKIE_KINDS[Number((cookie >> 40n) & 0xffn)];
  return kind === undefined ? null : { kind, id: Number(cookie & ID_MASK) };
}

/** Whether a rule in a switch is one that we put there. */
export function isOurs(cookie: bigint): boolean {
  return cookie >> 48n === OWNER;
}
