// Finite ordered work with undo. Each step is journalled before it acts; until the point of no return a failure undoes
// what was done in reverse order, afterwards there is only forward.

import type { Clock } from '../base/clock.ts';
import type { Step, StepRecord } from './record.ts';

/** What a step leaves in the journal and the record; `begin` is durable before the step acts. */
export interface StepJournal {
  begin(step: Step): void;
  end(record: Omit<StepRecord, 'transfer' | 'attempt'>): void;
}

export interface StepAction<T> {
  run(): Promise<T>;
  /** Must cope with a step that failed half way. */
  undo?(): Promise<void>;
  /** What the record shows of a finished step. */
  detail?(result: T): Readonly<Record<string, unknown>>;
}

export class Saga {
  readonly #journal: StepJournal;
  readonly #clock: Clock;
  readonly #undos: { readonly step: Step; readonly undo: () => Promise<void> }[] = [];
  #onlyForward = false;

  constructor(journal: StepJournal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
  }

  async step<T>(step: Step, action: StepAction<T>): Promise<T> {
    const started = this.#clock.now();
    const startedWallMs = this.#clock.wallMs();
    const stamp = (): { startedWallMs: number; wallMs: number; ms: number } => {
      const ms = this.#clock.now() - started;
      return { startedWallMs, wallMs: startedWallMs + ms, ms };
    };
    this.#journal.begin(step);
    if (action.undo !== undefined) this.#undos.push({ step, undo: () => action.undo?.() ?? Promise.resolve() });
    try {
      const result = await action.run();
      this.#journal.end({ step, ...stamp(), detail: action.detail?.(result) ?? {} });
      return result;
    } catch (cause) {
      this.#journal.end({
        step,
        ...stamp(),
        detail: {},
        failed: cause instanceof Error ? cause.message : String(cause),
      });
      throw cause;
    }
  }

  /** What another saga would have to undo becomes this one's. */
  takeOver(other: Saga): void {
    this.#undos.push(...other.#undos.splice(0));
  }

  get onlyForward(): boolean {
    return this.#onlyForward;
  }

  /** Every switch has confirmed the lift: the destination carries the traffic. */
  pointOfNoReturn(): void {
    this.#onlyForward = true;
    this.#undos.length = 0;
  }

  /** Runs the undos in reverse. Each is tried; what fails is returned, for the others must not wait for it. */
  async unwind(): Promise<{ step: Step; cause: unknown }[]> {
    const failed: { step: Step; cause: unknown }[] = [];
    for (let next = this.#undos.pop(); next !== undefined; next = this.#undos.pop()) {
      try {
        await next.undo();
      } catch (cause) {
        failed.push({ step: next.step, cause });
      }
    }
    return failed;
  }
}
