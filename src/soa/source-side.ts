// The State Host as a source: its migrations by id, and what holds between them. Knows nothing of those it is the destination of.

import { CHUNK_BYTES } from './chunk-writer.ts';
import type { Quiesce, Quiesced, Drained, Gate, StateChunk } from '../protocol/generated/stateferry.ts';
import type { ConntrackEntry } from '../netlink/conntrack-entry.ts';
import type { RefusedTaker } from './gatekeeper.ts';
import type { TableEvent } from './kernel-table.ts';
import type { MarkerLog } from './marker-log.ts';
import { type Scope, scopesOverlap } from './scope.ts';
import { SourceMigration, type SourceRequest, type SourceWorld, type StateManifest } from './source-migration.ts';
import { unknownMigration } from './state-host.ts';

export type SourceSideParts = Omit<SourceWorld, 'nextSentinel' | 'chunkBytes'> & { readonly markers: MarkerLog };

export class SourceSide {
  readonly #parts: SourceSideParts;
  readonly #migrations = new Map<string, SourceMigration>();
  #sentinels = 0;

  constructor(parts: SourceSideParts) {
    this.#parts = parts;
  }

  get(migration: string): SourceMigration | undefined {
    return this.#migrations.get(migration);
  }

  get serving(): boolean {
    return [...this.#migrations.values()].some((source) => source.serving);
  }

  /** Makes room for an upload: one that is asked for again begins anew, and what was interrupted is moot. */
  async clear(migration: string, scope: Scope): Promise<void> {
    for (const [id, earlier] of this.#migrations) {
      if (id !== migration && !(earlier.interrupted && scopesOverlap(earlier.scope, scope))) continue;
      this.#migrations.delete(id);
      await earlier.end();
    }
  }

  /** Reads and emits the snapshot; what happens from then on follows behind the answer. */
  async upload(
    request: SourceRequest,
    emit: (chunk: StateChunk) => void,
    onBegun: (manifest: StateManifest) => void,
  ): Promise<StateManifest> {
    const source = new SourceMigration(request, this.#world(), emit);
    this.#migrations.set(request.migration, source);
    try {
      return await source.snapshot(onBegun);
    } catch (error) {
      // It may have been ended, and asked for anew, while it was read.
      if (this.#migrations.get(request.migration) === source) await this.drop(request.migration);
      throw error;
    }
  }

  /** After the answer went out: deltas go behind the manifest, not before it. */
  beginFollowing(migration: string): void {
    const source = this.#migrations.get(migration);
    this.#parts.clock.after(0, () => source?.beginFollowing());
  }

  async quiesce({ migration, markers, boundMs }: Quiesce): Promise<Quiesced> {
    const log = this.#parts.markers;
    const source = this.#known(migration);
    const handshakes = await source.quiesce(log.seen, () => log.missing(markers) === 0, boundMs);
    return { migration, handshakes: BigInt(handshakes), markersMissing: BigInt(log.missing(markers)) };
  }

  async gate({ migration, boundMs }: Gate, onRefused?: RefusedTaker): Promise<Drained> {
    return this.#known(migration).drain(boundMs, onRefused);
  }

  /** Deletes what was handed over; null when nothing is known of the migration. */
  async retire(migration: string): Promise<number | null> {
    const source = this.#migrations.get(migration);
    if (source === undefined) return null;
    const records = await source.retire();
    this.#migrations.delete(migration);
    return records;
  }

  /** Ends it; how many records it had handed over, null when nothing is known of it. */
  async drop(migration: string): Promise<number | null> {
    const source = this.#migrations.get(migration);
    if (source === undefined) return null;
    await source.end();
    this.#migrations.delete(migration);
    return source.records;
  }

  /** The migration that is taking flows of this scope from here now, before its lift. */
  servingOf(scope: Scope): string | undefined {
    const busy = [...this.#migrations].find(([, source]) => source.serving && scopesOverlap(source.scope, scope));
    return busy?.[0];
  }

  touches(scope: Scope): boolean {
    return [...this.#migrations.values()].some((source) => scopesOverlap(source.scope, scope));
  }

  /** Flows of this scope come back: what was handed over of them. */
  async yieldTo(scope: Scope): Promise<ConntrackEntry[]> {
    const left: ConntrackEntry[] = [];
    for (const source of this.#migrations.values()) left.push(...(await source.yieldTo(scope)));
    return left;
  }

  apply(events: readonly TableEvent[]): void {
    for (const source of this.#migrations.values()) source.apply(events);
  }

  overrun(): void {
    for (const source of this.#migrations.values()) source.overrun();
  }

  interrupt(): void {
    for (const source of this.#migrations.values()) {
      source.interrupt().catch((error: unknown) => {
        this.#parts.log.error('gate not opened', { error });
      });
    }
  }

  async end(): Promise<void> {
    await Promise.allSettled([...this.#migrations.values()].map((source) => source.end()));
    this.#migrations.clear();
  }

  #known(migration: string): SourceMigration {
    const source = this.#migrations.get(migration);
    if (source === undefined) throw unknownMigration(migration);
    return source;
  }

  #world(): SourceWorld {
    const nextSentinel = (): number => (this.#sentinels = (this.#sentinels + 1) & 0xffffff);
    return { ...this.#parts, nextSentinel, chunkBytes: CHUNK_BYTES };
  }
}
