// The world, indexed once per compilation: who is where, which way leads there. Routes are indexed once per array of routes.
// Knows no rules.

import type { Dpid, Mac, PortNo, Vnid } from '../src/base/ids.ts';
import { reverse } from '../src/base/route.ts';
import type { Route } from '../src/base/route.ts';
import type { NveView, VmView, VnView, World } from './world.ts';

/** A base route passing an NVE on its way to another: it comes in at `inPort` and leaves by `outPort`. */
export interface Transit {
  readonly nve: Dpid;
  readonly from: Dpid;
  readonly inPort: PortNo;
  readonly outPort: PortNo;
}

/** A way out to VMs: a port, and the 802.1Q tag frames carry there. */
export interface Exit {
  readonly port: PortNo;
  readonly tag: number | null;
}

interface RouteIndex {
  readonly ways: ReadonlyMap<Dpid, ReadonlyMap<Dpid, Route>>;
  /** By destination NVE. */
  readonly transits: ReadonlyMap<Dpid, readonly Transit[]>;
}

/** One VN with all that belongs to it. */
export interface VnPlan {
  readonly vn: VnView;
  readonly vms: readonly VmView[];
  /** NVEs that have VAPs of this VN, and how frames leave by each. */
  readonly vaps: ReadonlyMap<Dpid, readonly Exit[]>;
  /** NVEs from which frames of this VN may set out: those with VAPs, and those a VM has just left. */
  readonly origins: ReadonlySet<Dpid>;
}

const routeIndexes = new WeakMap<readonly Route[], RouteIndex>();
interface PortIndex {
  readonly fabric: readonly PortNo[];
  readonly vaps: ReadonlyMap<Vnid, readonly Exit[]>;
}

const portIndexes = new WeakMap<NveView, PortIndex>();

export class Atlas {
  readonly world: World;
  readonly plans: ReadonlyMap<Vnid, VnPlan>;
  readonly #routes: RouteIndex;
  readonly #vms = new Map<string, VmView>();

  constructor(world: World) {
    this.world = world;
    this.#routes = indexRoutes(world.routes);
    for (const vm of world.vms) this.#vms.set(`${vm.vnid}/${vm.mac}`, vm);
    this.plans = new Map(world.vns.map((vn) => [vn.vnid, this.#plan(vn)]));
  }

  vm(vnid: Vnid, mac: Mac): VmView | undefined {
    return this.#vms.get(`${vnid}/${mac}`);
  }

  /** The base route, walked from `from`. */
  route(from: Dpid, to: Dpid): Route | undefined {
    return this.#routes.ways.get(from)?.get(to);
  }

  firstHop(from: Dpid, to: Dpid): PortNo | null {
    return this.route(from, to)?.hops[0]?.outPort ?? null;
  }

  /** Where base routes to `to` pass other NVEs. */
  transitsTo(to: Dpid): readonly Transit[] {
    return this.#routes.transits.get(to) ?? [];
  }

  /** The other VMs of the VN that are, or were until their port went, at `nve`. */
  peersAt(vnid: Vnid, nve: Dpid, except: Mac): VmView[] {
    const vms = this.plans.get(vnid)?.vms ?? [];
    return vms.filter((vm) => vm.mac !== except && locationOf(vm) === nve);
  }

  #plan(vn: VnView): VnPlan {
    const vaps = new Map<Dpid, readonly Exit[]>();
    for (const nve of this.world.nves) {
      const exits = portsOf(nve).vaps.get(vn.vnid);
      if (exits !== undefined) vaps.set(nve.dpid, exits);
    }
    const origins = new Set(vaps.keys());
    for (const trail of this.world.trails) if (trail.vnid === vn.vnid) origins.add(trail.from);
    const vms = this.world.vms.filter((vm) => vm.vnid === vn.vnid && this.#vms.get(`${vm.vnid}/${vm.mac}`) === vm);
    return { vn, vms, vaps, origins };
  }
}

/** Where frames for a VM are sent: its NVE, or the one it was last seen at. */
export const locationOf = (vm: VmView): Dpid | null => (vm.at ?? vm.lastAt)?.nve ?? null;

/** An NVE's ports by role, from its view alone. */
export function portsOf(nve: NveView): PortIndex {
  let index = portIndexes.get(nve);
  if (index === undefined) {
    const fabric: PortNo[] = [];
    const vaps = new Map<Vnid, Exit[]>();
    for (const { no, role } of nve.ports) {
      if (role.kind === 'fabric') fabric.push(no);
      if (role.kind !== 'vap') continue;
      for (const { vnid, tag } of role.vns) vaps.set(vnid, [...(vaps.get(vnid) ?? []), { port: no, tag }]);
    }
    index = { fabric, vaps };
    portIndexes.set(nve, index);
  }
  return index;
}

function indexRoutes(routes: readonly Route[]): RouteIndex {
  let index = routeIndexes.get(routes);
  if (index !== undefined) return index;
  const ways = new Map<Dpid, Map<Dpid, Route>>();
  const transits = new Map<Dpid, Transit[]>();
  for (const route of routes.flatMap((r) => [r, reverse(r)])) {
    const from = ways.get(route.from) ?? new Map<Dpid, Route>();
    ways.set(route.from, from);
    if (from.has(route.to)) continue; // one route per unordered pair: the first counts
    from.set(route.to, route);
    const to = transits.get(route.to) ?? [];
    transits.set(route.to, to);
    for (const { nve, inPort, outPort } of route.hops) {
      if (inPort !== null && outPort !== null) to.push({ nve, from: route.from, inPort, outPort });
    }
  }
  index = { ways, transits };
  routeIndexes.set(routes, index);
  return index;
}
