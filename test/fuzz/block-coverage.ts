// Which blocks of the decoder a run went through, as V8 counts them (precise block coverage of the inspector). Nothing is
// instrumented: it is the very code that is shipped.

import { Session } from 'node:inspector';

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

export class BlockCoverage {
  readonly #session = new Session();
  readonly #rooms: readonly string[];

  /** Of scripts whose address contains one of `rooms`. */
  constructor(rooms: readonly string[]) {
    this.#rooms = rooms;
    if (rooms.length === 0) return;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** The blocks that have run since the last call. */
  take(): readonly string[] {
    let scripts: readonly ScriptCoverage[] = [];
    // Answers before it returns: the session is this thread's own.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error;
      scripts = result;
    });
    return scripts
      .filter(({ url }) => this.#rooms.some((room) => url.includes(room)))
      .flatMap(({ url, functions }) => functions.flatMap(({ ranges }) => blocksOf(url, ranges)));
  }
}

function blocksOf(url: string, ranges: readonly Range[]): string[] {
  return ranges
    .filter(({ count }) => count > 0)
    .map(({ startOffset, endOffset }) => `${url}:${startOffset}-${endOffset}`);
}
