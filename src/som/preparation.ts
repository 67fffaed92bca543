// A planned move before its VM has moved (design section 2): the state is copied ahead and follows, so that gate, drain and lift
// are all that is left when the VM resumes. Whoever plans has a verdict before the deadline, whatever happens.

import type { IpAddress, Mac, Vnid } from '../base/ids.ts';
import { epochOf, wireIdAhead } from './attempts.ts';
import { CopyAhead } from './copy-ahead.ts';
import { MigrationError } from './errors.ts';
import { keyOf } from './pins.ts';
import type { MovePlan, PlannedTransfer } from './plan.ts';
import type { PlannedMigrationRecord } from './record.ts';
import { endPrepared } from './records-of-moves.ts';
import type { UnitWorld } from './unit.ts';

export type PreparationWorld = Pick<UnitWorld, 'clock' | 'agents' | 'records' | 'debts' | 'limits'>;

/** Milliseconds. */
export interface PlannedTimes {
  /** Until the verdict. */
  readonly deadlineMs: number;
  /** A copy that the VM does not follow is given up after this. */
  readonly keepMs: number;
}

/** Copies age at the destination while nothing but packets happens at the source (hard case 18): half of what a UDP entry lives unanswered. */
const REFRESH_MS = 15_000;

export class Preparation {
  readonly move: MovePlan;
  readonly record: PlannedMigrationRecord;
  /** Settles when the verdict is in the record. Never rejects. */
  readonly verdict: Promise<void>;
  /** Settles when nothing of it is left that is not handed over. Never rejects. */
  readonly over: Promise<void>;
  readonly #world: PreparationWorld;
  readonly #copies: readonly { readonly transfer: PlannedTransfer; readonly copy: CopyAhead }[];
  readonly #abort = new AbortController();
  readonly #handedOver = new Set<CopyAhead>();
  #finish: () => void = () => undefined;
  #cancelGivingUp: () => void = () => undefined;

  constructor(move: MovePlan, record: PlannedMigrationRecord, world: PreparationWorld) {
    this.move = move;
    this.record = record;
    this.#world = world;
    this.#copies = move.transfers.flatMap((transfer, index) => this.#copyOf(transfer, index));
    this.over = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.verdict = this.#prepare();
  }

  /** It is of this VM, or moves flows of it with others. */
  concerns(vnid: Vnid, vm: Mac, addresses: readonly IpAddress[]): boolean {
    if (this.move.vnid !== vnid) return false;
    const isPeer = ({ selector }: PlannedTransfer): boolean =>
      selector.peers?.some((p) => addresses.includes(p)) ?? true;
    return this.move.vm === vm || this.move.transfers.some(isPeer);
  }

  /** Neither over nor handed over. */
  get isWaiting(): boolean {
    return !this.#abort.signal.aborted;
  }

  /** The copy of just this transfer, which is the caller's from now on; null when there is none. */
  take(wanted: PlannedTransfer): { readonly index: number; readonly copy: CopyAhead } | null {
    const found = this.#copies.find(({ transfer, copy }) => !this.#handedOver.has(copy) && isSame(transfer, wanted));
    if (found === undefined) return null;
    this.#handedOver.add(found.copy);
    return { index: this.move.transfers.indexOf(found.transfer), copy: found.copy };
  }

  /** The VM has moved: what was not taken is undone. The record is its migration's from now on. */
  async handedOver(): Promise<void> {
    this.#stop('the VM has moved');
    await this.#undo();
  }

  /** The VM moves after all, elsewhere or not at all. */
  async end(state: 'superseded' | 'abandoned' | 'degraded', reason: string): Promise<void> {
    if (this.#abort.signal.aborted) {
      await this.over;
      return;
    }
    this.#stop(reason);
    const { records, clock } = this.#world;
    endPrepared(this.record, records, { state, reason, wallMs: clock.wallMs() });
    await this.#undo();
  }

  /** The planner says that the VM is there. It is kept for as long again, until the VM is seen. */
  committed(keepMs: number): void {
    const { clock, records } = this.#world;
    this.record.planned.committedWallMs ??= clock.wallMs();
    this.record.planned.keepUntilWallMs = clock.wallMs() + keepMs;
    records.save(this.record);
    this.#giveUpAfter(keepMs);
  }

  async #prepare(): Promise<void> {
    const { clock } = this.#world;
    const { signal } = this.#abort;
    const leftMs = this.record.planned.deadlineWallMs - clock.wallMs();
    const tooLate = clock.sleep(leftMs, signal).then(() => {
      throw new MigrationError('not-in-time', 'the state was not copied before the deadline');
    });
    try {
      const impossible = this.move.transfers.map((t) => t.impossible).find((why) => why !== null);
      if (impossible != null) throw new MigrationError('cannot-be-moved', impossible);
      await Promise.race([Promise.all(this.#copies.map(({ copy }) => copy.make())), tooLate]);
      if (signal.aborted) return;
      this.record.planned.readyWallMs = clock.wallMs();
      for (const transfer of this.record.transfers) transfer.state = 'prepared';
      this.record.state = 'prepared';
      this.#world.records.save(this.record);
      this.#giveUpAfter(this.record.planned.keepUntilWallMs - clock.wallMs());
      this.#refreshLater();
    } catch (cause) {
      if (signal.aborted) return;
      const code = cause instanceof MigrationError ? cause.code : 'internal';
      // The verdict does not wait for the undoing.
      void this.end('degraded', `${code}: ${cause instanceof Error ? cause.message : String(cause)}`);
    } finally {
      tooLate.catch(() => undefined);
    }
  }

  #giveUpAfter(ms: number): void {
    this.#cancelGivingUp();
    this.#cancelGivingUp = this.#world.clock.after(Math.max(0, ms), () => {
      void this.end('abandoned', 'the VM was not seen at its new place before the copy had to be given up');
    });
  }

  #refreshLater(): void {
    const { clock } = this.#world;
    void clock
      .sleep(REFRESH_MS, this.#abort.signal)
      .then(async () => {
        for (const { copy } of this.#copies) {
          await copy.refresh();
          if (!copy.isGood) throw new MigrationError('agent-gone', 'an agent left while the move was prepared');
        }
        this.#refreshLater();
      })
      .catch((cause: unknown) => {
        if (this.#abort.signal.aborted) return;
        void this.end('degraded', cause instanceof Error ? cause.message : String(cause));
      });
  }

  #stop(reason: string): void {
    this.#cancelGivingUp();
    this.#abort.abort(new MigrationError('superseded', reason));
  }

  async #undo(): Promise<void> {
    const left = this.#copies.map(({ copy }) => copy).filter((copy) => !this.#handedOver.has(copy));
    await Promise.allSettled(left.map((copy) => copy.undo()));
    this.#finish();
  }

  #copyOf(transfer: PlannedTransfer, index: number): { transfer: PlannedTransfer; copy: CopyAhead }[] {
    const { source, destination, peerNve, selector } = transfer;
    const record = this.record.transfers[index];
    if (source === null || destination === null || record === undefined) return [];
    const { clock, agents, debts, limits, records } = this.#world;
    record.attempt = 1;
    const plan = {
      wireId: wireIdAhead(this.record.id, index),
      key: keyOf(this.record.id, index),
      source,
      destination,
      peerNve,
      selector,
      strategy: 'detour',
      epoch: epochOf(this.record.id, 1),
    } as const;
    const io = { clock, agents, debts, limits, record };
    const journal = records.steps(this.record, index, 1);
    return [{ transfer, copy: new CopyAhead({ plan, journal, io }) }];
  }
}

function isSame(a: PlannedTransfer, b: PlannedTransfer): boolean {
  const key = ({ source, destination, peerNve, selector }: PlannedTransfer): string =>
    JSON.stringify([
      source,
      destination,
      peerNve,
      selector.vnid,
      selector.vm,
      selector.peers,
      selector.neighbours ?? [],
    ]);
  return key(a) === key(b);
}
