// The checkpoints this State Host feeds, by the id that the SOM gave them. They run beside migrations and know nothing of them.

import type { StateChunk } from '../protocol/generated/stateferry.ts';
import type { TableEvent } from './kernel-table.ts';
import type { StateManifest } from './source-migration.ts';
import { StandbyFeed, type StandbyRequest, type StandbyWorld } from './standby-feed.ts';

export class StandbySide {
  readonly #world: StandbyWorld;
  readonly #feeds = new Map<string, StandbyFeed>();

  constructor(world: StandbyWorld) {
    this.#world = world;
  }

  /** Resolves when the snapshot went out; rounds follow behind the answer. Rejects with RefusedError. */
  async begin(
    request: StandbyRequest,
    emit: (chunk: StateChunk) => void,
    onBegun: (manifest: StateManifest) => void,
  ): Promise<StateManifest> {
    this.drop(request.id);
    const feed = new StandbyFeed(request, this.#world, emit);
    this.#feeds.set(request.id, feed);
    try {
      const manifest = await feed.snapshot(onBegun);
      feed.begin();
      return manifest;
    } catch (error) {
      if (this.#feeds.get(request.id) === feed) this.drop(request.id);
      throw error;
    }
  }

  /** False when nothing is known of it. */
  drop(id: string): boolean {
    this.#feeds.get(id)?.end();
    return this.#feeds.delete(id);
  }

  apply(events: readonly TableEvent[]): void {
    for (const feed of this.#feeds.values()) feed.apply(events);
  }

  overrun(): void {
    for (const feed of this.#feeds.values()) feed.overrun();
  }

  /** Nobody takes the chunks any more. */
  end(): void {
    for (const feed of this.#feeds.values()) feed.end();
    this.#feeds.clear();
  }
}
