// So many at a time of what has one key, the others in the order in which they came: many migrations at once would each take as
// long as all of them together, with all their gates closed meanwhile.

interface Line {
  busy: number;
  readonly waiting: (() => void)[];
}

export class Turns {
  readonly #atOnce: number;
  readonly #lines = new Map<string, Line>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Does `work` when it has its turn. Rejects with the signal's reason when that is aborted while it waits. */
  async inTurn<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#take(key, signal);
    try {
      return await work();
    } finally {
      this.#end(key);
    }
  }

  #take(key: string, signal: AbortSignal): Promise<void> {
    const line = this.#lines.get(key) ?? { busy: 0, waiting: [] };
    this.#lines.set(key, line);
    if (line.busy < this.#atOnce) {
      line.busy += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        line.waiting.splice(line.waiting.indexOf(begin), 1);
        reject(signal.reason as Error);
      };
      line.waiting.push(begin);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** The turn goes to who waits longest. */
  #end(key: string): void {
    const line = this.#lines.get(key);
    if (line === undefined) return;
    const next = line.waiting.shift();
    if (next !== undefined) next();
    else if (line.busy === 1) this.#lines.delete(key);
    else line.busy -= 1;
  }
}
