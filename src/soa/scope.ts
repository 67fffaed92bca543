// A selector as this State Host applies it: the VNID's own zone, addresses as bytes. Says which entries belong to it and whether
// two of them can share a flow. Must not know what a migration is.

import type { Vnid } from '../base/ids.ts';
import { vnid as toVnid } from '../base/ids.ts';
import type { AddressBytes, ConntrackEntry, Tuple } from '../netlink/conntrack-entry.ts';
import { endpoints, formatAddress, parseAddress } from '../netlink/tuple.ts';
import type { Selector } from '../protocol/generated/stateferry.ts';
import { RefusedError } from './state-host.ts';

export interface Scope {
  readonly vnid: Vnid;
  readonly zone: number;
  readonly vm: ReadonlySet<AddressBytes>;
  /** null: any. */
  readonly peers: ReadonlySet<AddressBytes> | null;
  /** They stay behind the source: what they have in common with the VM is not retired there. */
  readonly neighbours?: ReadonlySet<AddressBytes>;
}

/** Throws RefusedError: 'bad-selector', 'unknown-vn'. */
export function scopeOf(selector: Selector | undefined, zones: ReadonlyMap<Vnid, number>, migration: string): Scope {
  if (selector === undefined || selector.vm.length === 0) {
    throw new RefusedError('bad-selector', migration, 'the selector names no VM address');
  }
  const parse = (texts: readonly string[]): Set<AddressBytes> => {
    try {
      return new Set(texts.map(parseAddress));
    } catch (cause) {
      throw new RefusedError('bad-selector', migration, (cause as Error).message, { cause });
    }
  };
  const vm = parse(selector.vm);
  const peers = selector.peers.length === 0 ? null : parse(selector.peers);
  const vnid = toVnid(selector.vnid);
  const zone = zones.get(vnid);
  if (zone === undefined) throw new RefusedError('unknown-vn', migration, `no zone for VNID ${selector.vnid}`);
  const neighbours = selector.neighbours === undefined ? {} : { neighbours: parse(selector.neighbours.addresses) };
  return { vnid, zone, vm, peers, ...neighbours };
}

/** A packet between these two. */
export const pairInScope = (scope: Scope, a: AddressBytes, b: AddressBytes): boolean =>
  (scope.vm.has(a) && (scope.peers?.has(b) ?? true)) || (scope.vm.has(b) && (scope.peers?.has(a) ?? true));

/** By addresses alone: in the original or in the reply tuple (inbound connections, DNAT; hard case 11). */
export function tuplesInScope(scope: Scope, orig: Tuple, reply: Tuple | undefined): boolean {
  const o = endpoints(orig);
  if (pairInScope(scope, o.src, o.dst)) return true;
  if (reply === undefined) return false;
  const r = endpoints(reply);
  return pairInScope(scope, r.src, r.dst);
}

/** Zone and addresses. */
export function entryInScope(scope: Scope, entry: ConntrackEntry): boolean {
  if ((entry.zone ?? 0) !== scope.zone || entry.tupleOrig === undefined) return false;
  return tuplesInScope(scope, entry.tupleOrig, entry.tupleReply);
}

/** Whether a flow in scope goes to somebody who stays. */
export function isWithNeighbour({ neighbours }: Scope, orig: Tuple | undefined): boolean {
  if (neighbours === undefined || orig === undefined) return false;
  const { src, dst } = endpoints(orig);
  return neighbours.has(src) || neighbours.has(dst);
}

const meet = (a: ReadonlySet<AddressBytes> | null, b: ReadonlySet<AddressBytes> | null): boolean =>
  a === null || b === null || [...a].some((x) => b.has(x));

/** Whether any flow can be in both: the VM of one may be the peer of the other. */
export function scopesOverlap(a: Scope, b: Scope): boolean {
  if (a.vnid !== b.vnid) return false;
  return (meet(a.vm, b.vm) && meet(a.peers, b.peers)) || (meet(a.vm, b.peers) && meet(a.peers, b.vm));
}

export function formatScope(scope: Scope): string {
  const list = (set: ReadonlySet<AddressBytes>): string => [...set].map(formatAddress).join(',');
  return `vn ${scope.vnid} vm ${list(scope.vm)} peers ${scope.peers === null ? 'any' : list(scope.peers)}`;
}
