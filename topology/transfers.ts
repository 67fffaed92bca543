// Which state must go where when a VM moves: path computation, not configuration (design section 2). Pure; the SOM decides what
// to do about it.

import type { Dpid, IpAddress, StateHostId, Vnid } from '../src/base/ids.ts';
import { join, type Hop, type Route } from '../src/base/route.ts';
import type { Transfer } from './notification.ts';

export interface TransferInput {
  readonly vnid: Vnid;
  readonly vm: readonly IpAddress[];
  readonly oldNve: Dpid;
  readonly newNve: Dpid;
  /** The other VMs of the VN: NVE and addresses. Those in limbo stand where they were last. */
  readonly peers: readonly { readonly nve: Dpid; readonly addresses: readonly IpAddress[] }[];
  /** From the old NVE to the peer's, as flows run until now. */
  readonly oldRoute: (peer: Dpid) => Route | null;
  /** From the new NVE to the peer's. */
  readonly newRoute: (peer: Dpid) => Route | null;
  /** From the new NVE to the old one past no State Host: one that is passed on the way would see flows it does not know. */
  readonly back: Route | null;
  readonly role: (stateHost: StateHostId) => string;
}

/** In the order of the peers' NVEs; for one peer NVE in the order of the old path. */
export function computeTransfers(input: TransferInput): Transfer[] {
  if (input.vm.length === 0) return [];
  const transfers: Transfer[] = [];
  for (const [peerNve, peers] of addressesByNve(input.peers)) {
    const oldRoute = input.oldRoute(peerNve);
    const direct = input.newRoute(peerNve);
    // Without a new path nothing is to be moved yet: the path's return is a change of its own.
    if (direct === null) continue;
    const pairs = pairByRole(oldRoute?.stateHosts ?? [], direct.stateHosts, input.role);
    if (pairs.length === 0) continue;
    const detour = oldRoute === null || input.back === null ? null : detourOver(input.back, oldRoute);
    const selector = { vnid: input.vnid, vm: input.vm, peers };
    for (const { source, destination } of pairs) {
      transfers.push({ source, destination, peerNve, selector, detour, direct });
    }
  }
  return transfers;
}

export interface PathTransferInput {
  readonly vnid: Vnid;
  readonly vm: readonly IpAddress[];
  readonly peers: readonly IpAddress[];
  /** From the VM's NVE to the peers', as flows ran until now and as they will. */
  readonly before: Route;
  readonly after: Route;
  /** `before` still carries traffic. */
  readonly leads: boolean;
  readonly role: (stateHost: StateHostId) => string;
}

/** What has to move because the path of a pair of NVEs changed under one VM that stays where it is. */
export function pathTransfers({ vnid, vm, peers, before, after, leads, role }: PathTransferInput): Transfer[] {
  if (vm.length === 0 || peers.length === 0) return [];
  return pairByRole(before.stateHosts, after.stateHosts, role).map((pair) => ({
    ...pair,
    peerNve: after.to,
    selector: { vnid, vm, peers: [...new Set(peers)].sort() },
    detour: leads ? before : null,
    direct: after,
  }));
}

export interface GuardTransferInput {
  readonly vnid: Vnid;
  readonly vm: readonly IpAddress[];
  readonly newNve: Dpid;
  /** The State Hosts between the VM and its NVE, before and after. */
  readonly oldGuard: StateHostId | null;
  readonly newGuard: StateHostId | null;
  /** Addresses of the VMs that stay behind the old one. */
  readonly neighbours: readonly IpAddress[];
  /** Empty where no agent has ever registered: taken for the role that is needed. */
  readonly role: (stateHost: StateHostId) => string;
}

/** What the first State Host of the chain has to hand on: whomever the VM speaks with, its packets meet it (hard case 29). */
export function guardTransfers(input: GuardTransferInput): Transfer[] {
  const { vnid, vm, newNve, oldGuard, newGuard } = input;
  if (vm.length === 0) return [];
  const of = (guard: StateHostId | null): StateHostId[] => (guard === null ? [] : [guard]);
  const known =
    [oldGuard, newGuard]
      .flatMap(of)
      .map(input.role)
      .find((role) => role !== '') ?? '';
  const pairs = pairByRole(of(oldGuard), of(newGuard), (id) => input.role(id) || known);
  const staying = input.neighbours.length === 0 ? {} : { neighbours: [...input.neighbours].sort() };
  const selector = { vnid, vm, peers: null, ...staying };
  return pairs.map((pair) => ({
    ...pair,
    peerNve: newNve,
    selector,
    detour: null,
    direct: null,
    atVap: true as const,
  }));
}

export interface Pair {
  readonly source: StateHostId | null;
  readonly destination: StateHostId | null;
}

/**
 * Those on one path only, paired by role in the order in which the VM's packets meet them. One that stands on both paths
 * has its state already.
 */
export function pairByRole(
  before: readonly StateHostId[],
  after: readonly StateHostId[],
  role: (stateHost: StateHostId) => string,
): Pair[] {
  const sources = before.filter((id) => !after.includes(id));
  const destinations = after.filter((id) => !before.includes(id));
  const pairs: Pair[] = [];
  const free = [...destinations];
  for (const source of sources) {
    const at = free.findIndex((id) => role(id) === role(source));
    pairs.push({ source, destination: at === -1 ? null : (free.splice(at, 1)[0] ?? null) });
  }
  return [...pairs, ...free.map((destination) => ({ source: null, destination }))];
}

/**
 * `back`, then the old path. Null where a frame would come to one NVE twice by the same port, in either direction: rules
 * that match in_port could not tell the visits apart, which is a loop (hard case 3).
 */
export function detourOver(back: Route, oldRoute: Route): Route | null {
  const detour = join(back, oldRoute);
  return revisits(detour.hops, 'inPort') || revisits(detour.hops, 'outPort') ? null : detour;
}

function revisits(hops: readonly Hop[], side: 'inPort' | 'outPort'): boolean {
  const keys = hops.filter((h) => h[side] !== null).map((h) => `${h.nve}/${h[side] ?? ''}`);
  return new Set(keys).size !== keys.length;
}

function addressesByNve(peers: TransferInput['peers']): [Dpid, IpAddress[]][] {
  const byNve = new Map<Dpid, Set<IpAddress>>();
  for (const { nve, addresses } of peers) {
    if (addresses.length === 0) continue;
    const all = byNve.get(nve) ?? new Set();
    for (const address of addresses) all.add(address);
    byNve.set(nve, all);
  }
  return [...byNve].sort(([x], [y]) => (x < y ? -1 : 1)).map(([nve, addresses]) => [nve, [...addresses].sort()]);
}
