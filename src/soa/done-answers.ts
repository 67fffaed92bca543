// How migrations ended, for requests that are repeated: a session may have been cut before the answer arrived.

import type { Done } from '../protocol/generated/stateferry.ts';

const KEPT = 1000;

export class DoneAnswers {
  /** The oldest first. */
  readonly #answers = new Map<string, Done>();

  get(migration: string): Done | undefined {
    return this.#answers.get(migration);
  }

  keep(done: Done): Done {
    this.#answers.delete(done.migration);
    this.#answers.set(done.migration, done);
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= KEPT) break;
      this.#answers.delete(oldest);
    }
    return done;
  }
}
