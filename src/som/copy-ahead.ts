// The state of one selector, copied before its VM moves: a planned move's half of a transfer. Until a transfer goes on with it,
// its undoing is its own.

import { type CopyEnds, type CopyIo, copyState, endsOf, undoCopy } from './copy.ts';
import { MigrationError } from './errors.ts';
import { Relay } from './relay.ts';
import type { Agent } from './ports.ts';
import { Saga } from './saga.ts';
import type { StepJournal } from './saga.ts';
import type { TransferPlan } from './transfer-plan.ts';

export interface CopyAheadParts {
  readonly plan: TransferPlan;
  readonly journal: StepJournal;
  readonly io: Omit<CopyIo, 'saga' | 'signal'>;
}

export class CopyAhead {
  readonly plan: TransferPlan;
  readonly relay = new Relay();
  readonly #io: CopyIo;
  readonly #abort = new AbortController();
  /** The agents' sessions it was made in: another session knows nothing of it. */
  #sessions: readonly (Agent | undefined)[] = [];
  #ends: CopyEnds | null = null;
  #making: Promise<void> = Promise.resolve();
  #there = false;

  constructor({ plan, journal, io }: CopyAheadParts) {
    this.plan = plan;
    this.#io = { ...io, saga: new Saga(journal, io.clock), signal: this.#abort.signal };
  }

  /** Upload, Get ready, Download: resolves when the destination's kernel has the state. It follows from then on. */
  make(): Promise<void> {
    this.#making = this.#make();
    return this.#making;
  }

  /** The destination has it, and nothing is known to have gone wrong since. */
  get isGood(): boolean {
    return this.#there && !this.relay.failed && this.#present().every((agent, i) => agent === this.#sessions[i]);
  }

  /** Waits for one that is being made. Whether it is good. */
  async settled(): Promise<boolean> {
    await this.#making.catch(() => undefined);
    return this.isGood;
  }

  /** What has aged at the destination without an event is read again (hard case 18): the gate then finds little to refresh. */
  async refresh(): Promise<void> {
    await this.#ends?.source.quiesce({ migration: this.plan.wireId, boundMs: 0, markers: [] });
  }

  /** What would have to be undone is undone by `saga` from now on. */
  handOver(saga: Saga): void {
    saga.takeOver(this.#io.saga);
  }

  /** Takes it back at both ends; what cannot be is owed. */
  async undo(): Promise<void> {
    this.#abort.abort(new MigrationError('superseded', 'the copy is given up'));
    await this.#making.catch(() => undefined);
    this.relay.stop();
    await undoCopy(this.plan, this.#io);
  }

  async #make(): Promise<void> {
    this.#sessions = this.#present();
    this.#ends = endsOf(this.plan, this.#io, this.relay);
    await copyState(this.#ends);
    this.#there = true;
  }

  #present(): readonly (Agent | undefined)[] {
    const { source, destination } = this.plan;
    return [this.#io.agents.get(source), this.#io.agents.get(destination)];
  }
}
