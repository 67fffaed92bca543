// Chunks go through the SOM in the order the source sent them: queued until the destination is ready, then handed over
// one after the other. Knows nothing of steps; reports each Installed by the phase that the chunk ended.

import type { Installed, StateChunk } from '../protocol/generated/stateferry.ts';
import type { Agent } from './ports.ts';

export class Relay {
  readonly #queue: StateChunk[] = [];
  readonly #installed = new Map<number, (installed: Installed) => void>();
  #destination: Agent | undefined;
  #pumping = false;
  #failure: unknown;
  #failed = false;
  readonly #onFailure: ((cause: unknown) => void)[] = [];
  #bytes = 0;
  #chunks = 0;

  /** The destination did not take a chunk. */
  get failed(): boolean {
    return this.#failed;
  }
  get bytes(): number {
    return this.#bytes;
  }
  get chunks(): number {
    return this.#chunks;
  }

  push(chunk: StateChunk): void {
    this.#bytes += chunk.records.length;
    this.#chunks += 1;
    this.#queue.push(chunk);
    void this.#pump();
  }

  /** From now on chunks flow to `destination`. */
  start(destination: Agent): void {
    this.#destination = destination;
    void this.#pump();
  }

  /** No chunk is handed over any more. */
  stop(): void {
    this.#destination = undefined;
    this.#queue.length = 0;
  }

  /** Resolves when the destination has acknowledged the final chunk of `phase`; call before that chunk can arrive. */
  installed(phase: number): Promise<Installed> {
    return new Promise((resolve, reject) => {
      if (this.#failed) {
        reject(asError(this.#failure));
        return;
      }
      this.#installed.set(phase, resolve);
      this.#onFailure.push((cause) => {
        reject(asError(cause));
      });
    });
  }

  async #pump(): Promise<void> {
    if (this.#pumping || this.#failed) return;
    this.#pumping = true;
    try {
      for (;;) {
        const destination = this.#destination;
        const chunk = destination === undefined ? undefined : this.#queue.shift();
        if (destination === undefined || chunk === undefined) return;
        const installed = await destination.download(chunk);
        if (chunk.final && installed !== null) this.#installed.get(chunk.phase)?.(installed);
      }
    } catch (cause) {
      this.#failed = true;
      this.#failure = cause;
      this.#queue.length = 0;
      for (const fail of this.#onFailure) fail(cause);
    } finally {
      this.#pumping = false;
    }
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
