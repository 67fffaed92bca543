// Virtual time: a heap of events. Quiet events (packets) settle no promises; after a loud one (controllers, agents) the
// microtasks must run before time goes on. Each life of a controller has a clock of its own that can be stopped.

import type { Clock } from '../../src/base/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly loud: boolean;
  fire: (() => void) | null;
}

const EPOCH_MS = 1_700_000_000_000;

export class VirtualClock {
  #now = 0;
  #order = 0;
  readonly #heap: Timer[] = [];

  now(): number {
    return this.#now;
  }

  quiet(ms: number, fire: () => void): void {
    this.#push(ms, false, fire);
  }

  loud(ms: number, fire: () => void): () => void {
    const timer = this.#push(ms, true, fire);
    return () => {
      timer.fire = null;
    };
  }

  /** Fires the earliest event up to `untilMs`. */
  step(untilMs: number): 'none' | 'quiet' | 'loud' {
    for (let first = this.#heap[0]; first !== undefined && first.at <= untilMs; first = this.#heap[0]) {
      this.#pop();
      const { fire } = first;
      if (fire === null) continue;
      this.#now = Math.max(this.#now, first.at);
      fire();
      return first.loud ? 'loud' : 'quiet';
    }
    return 'none';
  }

  /** What happens at `untilMs` at the latest has happened. */
  passTo(untilMs: number): void {
    this.#now = Math.max(this.#now, untilMs);
  }

  #push(ms: number, loud: boolean, fire: () => void): Timer {
    this.#order += 1;
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order, loud, fire };
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above] as Timer;
      if (!before(timer, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = timer;
    return timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Timer;
    const size = heap.length;
    if (size === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && before(heap[child + 1] as Timer, heap[child] as Timer)) child += 1;
      if (!before(heap[child] as Timer, last)) break;
      heap[at] = heap[child] as Timer;
      at = child;
    }
    heap[at] = last;
  }
}

const before = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** The clock of one life: when it has stopped, nothing of it fires any more. */
export class LifeClock implements Clock {
  readonly #clock: VirtualClock;
  #over = false;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  wallMs(): number {
    return EPOCH_MS + this.#clock.now();
  }

  stop(): void {
    this.#over = true;
  }

  after(ms: number, fire: () => void): () => void {
    return this.#clock.loud(ms, () => {
      if (!this.#over) fire();
    });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal === undefined) {
        this.after(ms, resolve);
        return;
      }
      signal.throwIfAborted();
      const onAbort = (): void => {
        cancel();
        reject(signal.reason as Error);
      };
      const cancel = this.after(ms, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** First in, first out, with a delay that varies: a link, or a channel to a switch or an agent. */
export class DelayLine {
  readonly #clock: VirtualClock;
  readonly #delayMs: () => number;
  readonly #loud: boolean;
  #freeAt = 0;

  constructor(clock: VirtualClock, delayMs: () => number, kind: 'quiet' | 'loud') {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#loud = kind === 'loud';
  }

  /** `holdMs`: how long what arrives keeps what is behind it waiting. */
  send(arrive: () => void, holdMs = 0): void {
    const now = this.#clock.now();
    this.#freeAt = Math.max(this.#freeAt, now + this.#delayMs()) + holdMs;
    if (this.#loud) this.#clock.loud(this.#freeAt - now, arrive);
    else this.#clock.quiet(this.#freeAt - now, arrive);
  }
}
