// What the TDE knows, in the words of flows. An object whose content has not changed stays the same object, because the
// compiler of flows keeps its work by identity.

import type { Dpid } from '../base/ids.ts';
import type { Route } from '../base/route.ts';
import type { Tde } from '../../topology/tde.ts';
import type { NveView, PortRole, VmView, VnView, KnownWorld } from '../../flows/world.ts';
import type { FabricView } from './fabric.ts';

export class TdeView implements FabricView {
  readonly #tde: Tde;
  readonly #vns: readonly VnView[];
  readonly #kept = new Map<string, { readonly content: string; readonly value: unknown }>();
  readonly #serials = new Map<string, number>();
  #world: KnownWorld | null = null;

  constructor(tde: Tde, vns: readonly VnView[]) {
    this.#tde = tde;
    this.#vns = vns;
  }

  /** The TDE has learnt something: look again. */
  changed(): void {
    this.#world = null;
  }

  world(): KnownWorld {
    this.#world ??= { vns: this.#vns, nves: this.#nves(), vms: this.#vms(), routes: this.#routes() };
    return this.#world;
  }

  route(from: Dpid, to: Dpid): Route | null {
    return this.#tde.route(from, to);
  }

  #nves(): NveView[] {
    return this.#tde.nves().map((nve) =>
      this.#keep<NveView>(`nve ${nve.dpid}`, {
        dpid: nve.dpid,
        ports: nve.ports.map((p) => ({ no: p.port, name: p.name, role: roleOf(p.role) })),
      }),
    );
  }

  #vms(): VmView[] {
    return this.#tde.vms().map((vm) => {
      const name = `vm ${vm.vnid} ${vm.mac}`;
      const serial = this.#serials.get(name) ?? this.#serials.size + 1;
      this.#serials.set(name, serial);
      const { vnid, mac, addresses, at, lastAt } = vm;
      return this.#keep<VmView>(name, { serial, vnid, mac, addresses, at, lastAt });
    });
  }

  #routes(): Route[] {
    const dpids = this.#tde.nves().map((n) => n.dpid);
    const routes: Route[] = [];
    for (const [i, a] of dpids.entries()) {
      for (const b of dpids.slice(i + 1)) {
        const route = this.#tde.route(a, b);
        if (route !== null) routes.push(this.#keep(`route ${a} ${b}`, route));
      }
    }
    return routes;
  }

  #keep<T>(key: string, value: T): T {
    const content = JSON.stringify(value);
    const kept = this.#kept.get(key);
    if (kept?.content === content) return kept.value as T;
    this.#kept.set(key, { content, value });
    return value;
  }
}

function roleOf(role: ReturnType<Tde['nves']>[number]['ports'][number]['role']): PortRole {
  switch (role.kind) {
    case 'vap':
      return { kind: 'vap', vns: role.vns };
    case 'fabric':
    case 'state-host':
      return { kind: 'fabric' };
    default:
      return { kind: 'closed' };
  }
}
