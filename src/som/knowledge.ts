// What the TDE knew, kept over a restart: VMs at their places, and how much of the fabric there was. The switches go on
// forwarding while the controller is away; until it has found again what it knew, it must not take their rules from them.

import type { Clock } from '../base/clock.ts';
import type { Dpid, IpAddress, Mac, PortNo, StateHostId, Vnid } from '../base/ids.ts';
import type { Store, Table } from '../store/store.ts';

export interface KnownVm {
  readonly vnid: Vnid;
  readonly mac: Mac;
  readonly addresses: readonly IpAddress[];
  readonly lastAt: { readonly nve: Dpid; readonly port: PortNo };
  /** The State Host between it and its NVE there. */
  readonly guard?: StateHostId | null;
}

/** What the TDE shows of itself now. */
export interface Sighting {
  readonly vms: readonly (Omit<KnownVm, 'lastAt'> & { readonly at: KnownVm['lastAt'] | null })[];
  /** `from to over`: one line per route between two NVEs. */
  readonly routes: readonly string[];
  readonly nves: readonly Dpid[];
}

export class Knowledge {
  readonly #vms: Table;
  readonly #fabric: Table;
  readonly #clock: Clock;
  readonly #written = new Map<string, string>();
  readonly #expectedNves: ReadonlySet<string>;
  readonly #expectedRoutes: ReadonlySet<string>;
  readonly #deadline: number;
  #settled = false;

  constructor(store: Store, clock: Clock, patienceMs: number) {
    this.#vms = store.table('vms');
    this.#fabric = store.table('fabric');
    this.#clock = clock;
    this.#expectedNves = new Set((this.#fabric.get('nves')?.value as string[] | undefined) ?? []);
    this.#expectedRoutes = new Set((this.#fabric.get('routes')?.value as string[] | undefined) ?? []);
    this.#deadline = clock.now() + patienceMs;
  }

  vms(): KnownVm[] {
    return this.#vms.list().map((row) => row.value as KnownVm);
  }

  /**
   * Whether flows may be installed: everything known before is there again, or it has been waited for long enough.
   * Once true, always true.
   */
  settled(now: Sighting): boolean {
    if (this.#settled) return true;
    const nves = new Set<string>(now.nves);
    const routes = new Set(now.routes);
    const found =
      [...this.#expectedNves].every((n) => nves.has(n)) && [...this.#expectedRoutes].every((r) => routes.has(r));
    this.#settled = found || this.#clock.now() >= this.#deadline;
    return this.#settled;
  }

  /** Stores what has changed. Call only once settled: before that, less is known than before the restart. */
  remember(now: Sighting): void {
    const seen = new Set<string>();
    for (const { vnid, mac, addresses, at, guard = null } of now.vms) {
      const key = `${vnid} ${mac}`;
      seen.add(key);
      if (at !== null) this.#write(this.#vms, key, { vnid, mac, addresses, lastAt: at, guard });
    }
    for (const row of this.#vms.list()) if (!seen.has(row.key)) this.#vms.delete(row.key);
    this.#write(this.#fabric, 'nves', now.nves);
    this.#write(this.#fabric, 'routes', now.routes);
  }

  #write(table: Table, key: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (this.#written.get(key) === text) return;
    this.#written.set(key, text);
    table.put(key, value);
  }
}
