// The SYN counts of one VM as a source hands them over. The kernel tells no change of a count: they are read with the snapshot, and
// for good behind the closed gate, where none of the selector's SYNs is counted any more.

import type { HandedOverTotals } from './handed-over.ts';
import type { Scope } from './scope.ts';
import { SYN_COUNTERS_KIND } from './kinds-of-state.ts';
import { StateDigest } from './state-digest.ts';
import type { SynCounters } from './syn-counters.ts';
import { countsHash, placeOfCounts, type SynCounts, type SynRecord, total } from './syn-counts.ts';

export interface SourceCountsParts {
  readonly scope: Scope;
  readonly counters: SynCounters;
  readonly somWallMs: () => number;
}

export class SourceCounts {
  readonly #parts: SourceCountsParts;
  readonly #handedOver = new Map<string, SynCounts>();
  #unsent: SynRecord[] = [];

  constructor(parts: SourceCountsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#handedOver.size;
  }

  /** What the kernel has counted now; what is new of it waits in `take`. */
  async read(): Promise<void> {
    const { scope, counters, somWallMs } = this.#parts;
    const before = new Map(this.#handedOver);
    this.#handedOver.clear();
    const capturedWallMs = somWallMs();
    for (const counts of await counters.select(scope)) {
      const place = placeOfCounts(counts);
      this.#handedOver.set(place, counts);
      const known = before.get(place);
      before.delete(place);
      if (known !== undefined && this.#hash(known).equals(this.#hash(counts))) continue;
      const limit = await counters.limitOf(counts.set);
      if (limit !== null) {
        this.#unsent.push({ ...counts, ...limit, operation: 'count', vnid: scope.vnid, capturedWallMs });
      }
    }
    for (const gone of before.values()) {
      const nothing = { thresholdBytes: 0n, windowMs: 0, expiresMs: 0, shares: new Map() };
      this.#unsent.push({ ...gone, ...nothing, operation: 'gone', vnid: scope.vnid, capturedWallMs });
    }
  }

  /** To be sent, once. */
  take(): readonly SynRecord[] {
    const records = this.#unsent;
    this.#unsent = [];
    return records;
  }

  /** Of what was read last. */
  digest(): StateDigest {
    const digest = new StateDigest();
    for (const counts of this.#handedOver.values()) digest.add(this.#hash(counts));
    return digest;
  }

  totals(): HandedOverTotals {
    return this.size === 0 ? {} : { [SYN_COUNTERS_KIND.name]: BigInt(this.size) };
  }

  /** These VMs come back: their counts are not to be retired any more. */
  yieldTo(scope: Scope): void {
    for (const [place, { address }] of this.#handedOver) if (scope.vm.has(address)) this.#handedOver.delete(place);
  }

  /** Sets to zero what was handed over and has not grown since; resolves with how many. */
  async retire(): Promise<number> {
    const { counters, scope } = this.#parts;
    let cleared = 0;
    for (const { set, address, shares } of this.#handedOver.values()) {
      if (await counters.clear({ set, address, zone: scope.zone }, total(shares).packets)) cleared += 1;
    }
    this.#handedOver.clear();
    return cleared;
  }

  #hash(counts: SynCounts): Buffer {
    return countsHash(this.#parts.scope.vnid, counts);
  }
}
