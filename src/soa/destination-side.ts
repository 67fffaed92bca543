// The State Host as a destination: its migrations by id, and what a new one does to those before it. Knows nothing of those it is
// the source of.

import type { ConntrackEntry } from '../netlink/conntrack-entry.ts';
import type { Installed, StateChunk } from '../protocol/generated/stateferry.ts';
import { DestinationMigration, type DestinationWorld } from './destination-migration.ts';
import { type Scope, scopesOverlap } from './scope.ts';
import { RefusedError, unknownMigration } from './state-host.ts';

export class DestinationSide {
  readonly #world: DestinationWorld;
  readonly #migrations = new Map<string, DestinationMigration>();

  constructor(world: DestinationWorld) {
    this.#world = world;
  }

  has(migration: string): boolean {
    return this.#migrations.has(migration);
  }

  /** Some migration has come but was not lifted yet. */
  get receiving(): boolean {
    return [...this.#migrations.values()].some((d) => !d.lifted && !d.over);
  }

  /** `leftovers`: what an earlier stay of these flows has left in the kernel, as far as it is not known here. */
  begin(migration: string, scope: Scope, records: bigint, leftovers: readonly ConntrackEntry[]): void {
    const left = [...leftovers];
    for (const [id, earlier] of this.#migrations) {
      if (!scopesOverlap(earlier.scope, scope)) continue;
      // Kept for one generation, so that its late chunks are told why they are refused.
      if (earlier.over) this.#migrations.delete(id);
      left.push(...earlier.supersede());
    }
    const { table, maxRecords } = this.#world;
    if (Number(records) > maxRecords) {
      throw new RefusedError('over-limit', migration, `${records} records, limit ${maxRecords} here`);
    }
    const promised = [...this.#migrations.values()].reduce((sum, other) => sum + other.stillToCome, 0);
    const room = table.size() - table.used() + left.length - promised;
    if (records > BigInt(Math.max(0, room))) {
      const others = promised === 0 ? '' : `, ${promised} promised to other migrations`;
      throw new RefusedError('no-room', migration, `${records} records, room for ${Math.max(0, room)}${others}`);
    }
    const expected = Number(records);
    this.#migrations.set(migration, new DestinationMigration(migration, scope, this.#world, { expected, left }));
  }

  async download(chunk: StateChunk): Promise<Installed | null> {
    return this.#known(chunk.migration).download(chunk);
  }

  async commit(migration: string): Promise<number> {
    return this.#known(migration).commit();
  }

  /** Deletes what was installed; null when nothing is known of the migration. */
  async abort(migration: string): Promise<number | null> {
    const deleted = (await this.#migrations.get(migration)?.abort()) ?? null;
    this.#migrations.delete(migration);
    return deleted;
  }

  /** True when it was known. What it has installed stays. */
  forget(migration: string): boolean {
    return this.#migrations.delete(migration);
  }

  touches(scope: Scope): boolean {
    return [...this.#migrations.values()].some((destination) => scopesOverlap(destination.scope, scope));
  }

  end(): void {
    this.#migrations.clear();
  }

  #known(migration: string): DestinationMigration {
    const destination = this.#migrations.get(migration);
    if (destination === undefined) throw unknownMigration(migration);
    return destination;
  }
}
