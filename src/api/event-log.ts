// What has happened lately, numbered: who subscribes gets what comes, and who comes back what it has missed. Knows no HTTP.

export interface ApiEvent {
  /** `LIFE-NUMBER`: numbers begin anew with each life of the controller. */
  readonly id: string;
  readonly type: 'migration' | 'topology' | 'alarm';
  readonly data: unknown;
}

/** `known` false: what was missed is not known any more, and everything has to be read again. */
export interface Missed {
  readonly known: boolean;
  readonly events: readonly ApiEvent[];
}

const KEPT = 1000;

export class EventLog {
  readonly #life: string;
  #last = 0;
  readonly #events: ApiEvent[] = [];
  readonly #listeners = new Set<(event: ApiEvent) => void>();

  /** `life`: another one for each life of the controller, of letters and digits. */
  constructor(life: string) {
    this.#life = life;
  }

  /** The id of the newest event. */
  get lastId(): string {
    return `${this.#life}-${this.#last}`;
  }

  publish(type: ApiEvent['type'], data: unknown): void {
    this.#last += 1;
    const event = { id: this.lastId, type, data };
    this.#events.push(event);
    if (this.#events.length > KEPT) this.#events.shift();
    for (const listener of this.#listeners) listener(event);
  }

  /** What came after the event of this id. */
  since(id: string): Missed {
    const [life, number] = [id.slice(0, id.lastIndexOf('-')), Number(id.slice(id.lastIndexOf('-') + 1))];
    const oldest = this.#last - this.#events.length;
    const known = life === this.#life && Number.isInteger(number) && number >= oldest && number <= this.#last;
    return { known, events: known ? this.#events.slice(number - oldest) : [] };
  }

  /** The returned function unsubscribes. */
  subscribe(listener: (event: ApiEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  get subscribers(): number {
    return this.#listeners.size;
  }
}
