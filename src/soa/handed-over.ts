// The records a source has read and sent on, as its kernel's events go on changing them: what the digest is taken of and what
// retire deletes. Pure.

import type { Vnid } from '../base/ids.ts';
import { type ConntrackEntry, TCP_STATES, type Tuple } from '../netlink/conntrack-entry.ts';
import type { RawAttribute } from '../netlink/nlattr.ts';
import { formatTuple, protocolName, type TupleKey } from '../netlink/tuple.ts';
import { recordHash, StateDigest } from './state-digest.ts';
import { isHandshake, isUnanswered } from './tcp-state.ts';

export interface HandedOver {
  readonly entry: ConntrackEntry;
  readonly hash: Buffer;
  readonly capturedWallMs: number;
}

const tcpState = (entry: ConntrackEntry | undefined): number | undefined => entry?.protoinfo?.tcp?.state;

/** What an event says on top of what was known: an event holds only what changed and what never does. */
export function mergeEntry(known: ConntrackEntry, event: ConntrackEntry): ConntrackEntry {
  const merged = { ...known, ...event };
  if (known.unknown === undefined || event.unknown === undefined) return merged;
  const byType = new Map<number, RawAttribute>([...known.unknown, ...event.unknown].map((a) => [a.type, a]));
  return { ...merged, unknown: [...byType.values()] };
}

/** Records by the protocol's name, or the kind's where it has no protocols. */
export type HandedOverTotals = Record<string, bigint>;

/** How many there are of each protocol, by its name. */
export function countByProtocol(tuples: readonly (Tuple | undefined)[]): HandedOverTotals {
  const out: Record<string, bigint> = {};
  for (const tuple of tuples) {
    const name = protocolName(tuple?.proto?.num ?? 0);
    out[name] = (out[name] ?? 0n) + 1n;
  }
  return out;
}

export class HandedOverRecords {
  readonly #vnid: Vnid;
  readonly #records = new Map<TupleKey, HandedOver>();
  /** When each handshake under way took its last step. */
  readonly #handshakes = new Map<TupleKey, number>();
  readonly #digest = new StateDigest();

  constructor(vnid: Vnid) {
    this.#vnid = vnid;
  }

  get size(): number {
    return this.#records.size;
  }

  get handshakes(): number {
    return this.#handshakes.size;
  }

  /** Whether a SYN that came since waits for its answer; the others are stalled, and nobody knows for how long. */
  awaitsAnswerSince(wallMs: number): boolean {
    for (const [key, at] of this.#handshakes) {
      if (at >= wallMs && isUnanswered(tcpState(this.#records.get(key)?.entry))) return true;
    }
    return false;
  }

  get(key: TupleKey): HandedOver | undefined {
    return this.#records.get(key);
  }

  entries(): IterableIterator<[TupleKey, HandedOver]> {
    return this.#records.entries();
  }

  put(key: TupleKey, entry: ConntrackEntry, capturedWallMs: number): void {
    const before = this.#records.get(key);
    if (before !== undefined) this.#digest.remove(before.hash);
    const hash = recordHash(this.#vnid, entry);
    this.#digest.add(hash);
    this.#records.set(key, { entry, hash, capturedWallMs });
    if (!isHandshake(tcpState(entry))) this.#handshakes.delete(key);
    else if (tcpState(before?.entry) !== tcpState(entry)) this.#handshakes.set(key, capturedWallMs);
  }

  delete(key: TupleKey): HandedOver | undefined {
    const before = this.#records.get(key);
    if (before === undefined) return undefined;
    this.#digest.remove(before.hash);
    this.#records.delete(key);
    this.#handshakes.delete(key);
    return before;
  }

  digest(): StateDigest {
    return this.#digest;
  }

  counts(): HandedOverTotals {
    return countByProtocol([...this.#records.values()].map(({ entry }) => entry.tupleOrig));
  }

  describeHandshakes(): string[] {
    return [...this.#handshakes.keys()].map((key) => {
      const entry = this.#records.get(key)?.entry;
      return entry?.tupleOrig === undefined
        ? ''
        : `${formatTuple(entry.tupleOrig)} ${TCP_STATES[tcpState(entry) ?? 0] ?? ''}`;
    });
  }
}
