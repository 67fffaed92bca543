// A clock that stands still until the test moves it. Timers fire in order of their time, then of their making.

import type { Clock } from '../../src/base/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #epochMs: number;
  #timers: Timer[] = [];

  constructor(epochMs = 1_700_000_000_000) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#now;
  }

  wallMs(): number {
    return this.#epochMs + this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const cancel = this.after(ms, resolve);
      signal?.addEventListener(
        'abort',
        () => {
          cancel();
          reject(signal.reason as Error);
        },
        { once: true },
      );
    });
  }

  after(ms: number, fire: () => void): () => void {
    this.#order += 1;
    const timer = { at: this.#now + Math.max(0, ms), order: this.#order, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }

  /** Moves time on, firing what falls due. Synchronous: promises settle in the microtasks afterwards. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) this.#fire(next);
    this.#now = until;
  }

  /** Fires the earliest timer, moving time to it; false when there is none. */
  step(): boolean {
    const next = this.#next(Infinity);
    if (next === undefined) return false;
    this.#fire(next);
    return true;
  }

  get pending(): number {
    return this.#timers.length;
  }

  #next(until: number): Timer | undefined {
    let best: Timer | undefined;
    for (const t of this.#timers) {
      if (t.at <= until && (best === undefined || t.at < best.at || (t.at === best.at && t.order < best.order)))
        best = t;
    }
    return best;
  }

  #fire(timer: Timer): void {
    this.#timers = this.#timers.filter((t) => t !== timer);
    this.#now = Math.max(this.#now, timer.at);
    timer.fire();
  }
}
