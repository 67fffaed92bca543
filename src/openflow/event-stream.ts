// What a switch tells, as an async iteration: bounded, by the lanes of the intake. A reader that is too slow loses events,
// packet-ins first, and can see how many.

import { Fifo } from './fifo.ts';
import type { Lane } from './lanes.ts';

export interface EventStreamOptions {
  /** How many events may wait in a lane. */
  readonly capacity?: Partial<Readonly<Record<Lane, number>>>;
  /** Ends the iteration with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const CAPACITY: Readonly<Record<Lane, number>> = { control: 16_384, discovery: 1024, packet: 1024 };
const LANES: readonly Lane[] = ['control', 'discovery', 'packet'];

export class EventStream<E> implements AsyncIterableIterator<E, undefined> {
  readonly #lanes: Readonly<Record<Lane, Fifo<E>>>;
  readonly #dropped: Record<Lane, number> = { control: 0, discovery: 0, packet: 0 };
  readonly #readers = new Fifo<PromiseWithResolvers<IteratorResult<E, undefined>>>();
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: (stream: EventStream<E>) => void;
  #ended = false;
  #failure: Error | null = null;

  constructor({ capacity, signal }: EventStreamOptions, onEnd: (stream: EventStream<E>) => void) {
    const most = { ...CAPACITY, ...capacity };
    this.#lanes = {
      control: new Fifo(most.control),
      discovery: new Fifo(most.discovery),
      packet: new Fifo(most.packet),
    };
    this.#onEnd = onEnd;
    this.#signal = signal;
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Events lost because the reader was too slow, by lane. */
  get dropped(): Readonly<Record<Lane, number>> {
    return { ...this.#dropped };
  }

  get waiting(): number {
    return LANES.reduce((sum, lane) => sum + this.#lanes[lane].length, 0);
  }

  /** For the channel. `keep` makes of an event one that may wait: its bytes must not keep those of others alive. */
  push(lane: Lane, event: E, keep: (event: E) => E): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.resolve({ done: false, value: event });
    else if (!this.#lanes[lane].push(keep(event))) this.#dropped[lane] += 1;
  }

  /** For the channel: nothing more comes. What waits is still handed out. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onEnd(this);
    for (let reader = this.#readers.shift(); reader !== undefined; reader = this.#readers.shift()) {
      if (this.#failure === null) reader.resolve({ done: true, value: undefined });
      else reader.reject(this.#failure);
    }
  }

  next(): Promise<IteratorResult<E, undefined>> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    for (const lane of LANES) {
      const event = this.#lanes[lane].shift();
      if (event !== undefined) return Promise.resolve({ done: false, value: event });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    const reader = Promise.withResolvers<IteratorResult<E, undefined>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  return(): Promise<IteratorResult<E, undefined>> {
    this.end();
    for (const lane of LANES) this.#lanes[lane].clear();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #onAbort = (): void => {
    this.#failure = this.#signal?.reason as Error;
    for (const lane of LANES) this.#lanes[lane].clear();
    this.end();
  };
}
