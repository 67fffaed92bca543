// Something happened: waiters look again.

import type { Clock } from '../base/clock.ts';

export class Signal {
  #waiters: (() => void)[] = [];

  raise(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /** True as soon as `holds` does (it is asked after every raise), false when `boundMs` are over first. */
  async until(holds: () => boolean, boundMs: number, clock: Clock): Promise<boolean> {
    if (boundMs <= 0) return holds();
    const bound = new AbortController();
    const cancel = clock.after(boundMs, () => {
      bound.abort();
      this.raise();
    });
    try {
      while (!holds()) {
        if (bound.signal.aborted) return false;
        await new Promise<void>((resolve) => this.#waiters.push(resolve));
      }
      return true;
    } finally {
      cancel();
    }
  }
}
