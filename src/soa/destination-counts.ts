// The SYN counts one migration has brought to its destination: checked, added to what is counted here, and read back from
// the kernel.

import type { Refusal } from '../protocol/generated/stateferry.ts';
import type { RecordRefusedReason } from './check-record.ts';
import type { Clock } from '../base/clock.ts';
import { CounterError } from './counter-change.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { Scope } from './scope.ts';
import { StateDigest } from './state-digest.ts';
import type { CounterPlace, SynCounters } from './syn-counters.ts';
import { countsHash, covers, formatCounts, placeOfCounts, type SynRecord } from './syn-counts.ts';

export interface DestinationCountsParts {
  readonly migration: string;
  readonly scope: Scope;
  /** Undefined: none are configured here, and every record is refused. */
  readonly counters: SynCounters | undefined;
  /** Counts under another limit than the source's are taken all the same. */
  readonly anyLimit: boolean;
  readonly gate: Gatekeeper;
  readonly clock: Clock;
  readonly settleMs: number;
  readonly somWallMs: () => number;
  readonly onRefused: (refusal: Refusal) => void;
}

/** As many as the parts of a count can be: hosts and returns of one window, not a table. */
const MOST_SHARES = 256;
const MOST_PACKETS = 1n << 48n;
const MOST_BYTES = 1n << 62n;

export class DestinationCounts {
  readonly #parts: DestinationCountsParts;
  readonly #arrived = new Map<string, SynRecord>();

  constructor(parts: DestinationCountsParts) {
    this.#parts = parts;
  }

  async apply(records: readonly SynRecord[]): Promise<void> {
    const admitted: SynRecord[] = [];
    for (const record of records) {
      const place = placeOfCounts(record);
      if (record.operation === 'gone') this.#arrived.delete(place);
      else if (await this.#admit(record)) admitted.push(record);
    }
    if (admitted.length === 0) return;
    await this.#uncounted(async () => {
      for (const record of admitted) {
        if (await this.#add(record)) this.#arrived.set(placeOfCounts(record), record);
      }
    });
  }

  /** For the moment of the change this State Host's own gate drops the VM's openers: it may serve other peers of it already. */
  async #uncounted(change: () => Promise<void>): Promise<void> {
    const { migration, scope, gate, clock, settleMs } = this.#parts;
    const holder = `counts of ${migration}`;
    await gate.close(holder, { ...scope, peers: null });
    try {
      if (settleMs > 0) await clock.sleep(settleMs);
      await change();
    } finally {
      await gate.open(holder);
    }
  }

  /** What the kernel has now of all that came; a count whose window has ended is as good as there. */
  async digest(): Promise<StateDigest> {
    const digest = new StateDigest();
    const { scope, somWallMs } = this.#parts;
    for (const record of this.#arrived.values()) {
      const here = await this.#parts.counters?.look(this.#placeOf(record));
      const ended = record.capturedWallMs + record.expiresMs <= somWallMs();
      const there = here === null || here === undefined ? ended : covers(here.shares, record.shares);
      if (there) digest.add(countsHash(scope.vnid, record));
    }
    return digest;
  }

  async #admit(record: SynRecord): Promise<boolean> {
    const { scope, counters, anyLimit } = this.#parts;
    const no = (reason: RecordRefusedReason, detail: string): false => {
      this.#refuse(record, reason, detail);
      return false;
    };
    if (record.vnid !== scope.vnid) return no('out-of-scope', `VNID ${record.vnid}`);
    if (!scope.vm.has(record.address)) return no('out-of-scope', 'no address of the VM');
    if (record.shares.size > MOST_SHARES) return no('bad-value', `${record.shares.size} shares`);
    const wrong = [...record.shares.values()].some(
      ({ packets, bytes }) => packets === 0n || packets > MOST_PACKETS || bytes > MOST_BYTES,
    );
    if (wrong) return no('bad-value', 'a count no kernel gives');
    if (record.expiresMs > record.windowMs) return no('bad-value', 'ends later than a window lasts');
    const limit = (await counters?.limitOf(record.set)) ?? null;
    if (limit === null) return no('no-counter-set', `set ${record.set} is none of this State Host's`);
    if (anyLimit) return true;
    if (limit.thresholdBytes !== record.thresholdBytes || limit.windowMs !== record.windowMs) {
      const ours = `${limit.thresholdBytes} bytes in ${limit.windowMs} ms here`;
      return no('limit-differs', `${ours}, ${record.thresholdBytes} in ${record.windowMs} at the source`);
    }
    return true;
  }

  async #add(record: SynRecord): Promise<boolean> {
    const { counters, somWallMs } = this.#parts;
    const ageMs = Math.max(0, somWallMs() - record.capturedWallMs);
    const leftMs = record.expiresMs - ageMs;
    if (leftMs <= 0) return true;
    try {
      await counters?.add(this.#placeOf(record), record.shares, leftMs);
      return true;
    } catch (error) {
      if (!(error instanceof CounterError)) throw error;
      this.#refuse(record, error.code === 'SET_FULL' ? 'table-full' : 'kernel', error.message);
      return false;
    }
  }

  #placeOf({ set, address }: SynRecord): CounterPlace {
    return { set, address, zone: this.#parts.scope.zone };
  }

  #refuse(record: SynRecord, reason: RecordRefusedReason, detail: string): void {
    this.#parts.onRefused({ reason, record: formatCounts(record), detail });
  }
}
