// From a notification of IF(M,T) to what must be done: which pins, which transfers. Pure.
//
// The TDE names source and destination by the paths before and after the move. Where an earlier migration of the same VM
// has not been lifted, the state is not on the old path but still where the pin keeps it: the holder. Its anchor is the
// NVE whose route to the peers crosses it. State Hosts between the VM and its NVE have neither peers' NVE nor anchor: their
// transfer is one for the VM, without a pin.

import type { Dpid, Mac, StateHostId, Vnid } from '../base/ids.ts';
import { join } from '../base/route.ts';
import type { Route } from '../base/route.ts';
import type { Selector } from '../base/selector.ts';
import type { Notification, Transfer } from '../../topology/notification.ts';

/** Where the state of (VM, peers behind one NVE) is, when it is not on the present path. */
export interface Holding {
  readonly peerNve: Dpid;
  readonly holder: StateHostId;
  readonly anchor: Dpid;
  readonly selector: Selector;
  /** The holder stands between the VM and its NVE, and this one's port is held for what it has. */
  readonly towards?: StateHostId;
}

export interface PlannedTransfer {
  readonly peerNve: Dpid;
  readonly source: StateHostId | null;
  readonly destination: StateHostId | null;
  readonly selector: Selector;
  readonly anchor: Dpid;
  /** Null when nothing has to be pinned or no detour exists. */
  readonly pin: Route | null;
  /** Why the state cannot be moved, when it cannot. */
  readonly impossible: string | null;
  /** Source and destination stand between the VM and its NVE: the destination holds the VM instead of a pin. */
  readonly atVap?: true;
}

export interface MovePlan {
  readonly vnid: Vnid;
  readonly vm: Mac;
  readonly oldNve: Dpid;
  readonly newNve: Dpid;
  readonly transfers: readonly PlannedTransfer[];
}

/** Moves, and no packet may take the new path before: there is no old one to be pinned to, so packets are halted. */
export function isHalted({ source, destination, pin, atVap }: PlannedTransfer): boolean {
  return source !== null && destination !== null && pin === null && atVap !== true;
}

export function planMove(
  notification: Pick<Notification, 'vnid' | 'vm' | 'oldNve' | 'newNve' | 'transfers' | 'guard'>,
  holdings: readonly Holding[],
  route: (from: Dpid, to: Dpid) => Route | null,
): MovePlan {
  const { vnid, oldNve, newNve } = notification;
  const held = new Map(holdings.filter((h) => h.towards === undefined).map((h) => [h.peerNve, h]));
  const transfers = planGuards(notification, holdings.find((h) => h.towards !== undefined) ?? null);
  for (const t of notification.transfers) {
    if (t.atVap === true) continue;
    const holding = held.get(t.peerNve);
    if (holding === undefined) transfers.push(fresh(t, oldNve));
    else transfers.push(...fromHolder(holding, newNve, route));
    held.delete(t.peerNve);
  }
  for (const holding of held.values()) transfers.push(...fromHolder(holding, newNve, route));
  return { vnid, vm: notification.vm.mac, oldNve, newNve, transfers };
}

/** Where an earlier move's state has not arrived yet, it goes from where it is to where the VM is now. */
function planGuards(
  n: Pick<Notification, 'newNve' | 'transfers' | 'guard'>,
  holding: Holding | null,
): PlannedTransfer[] {
  const fresh = n.transfers.filter((t) => t.atVap === true);
  // Who says nothing of the VM's port says that it has not moved.
  const destination = n.guard === undefined ? (holding?.towards ?? null) : n.guard;
  if (holding !== null && destination === holding.holder) return [];
  const moves = holding === null ? fresh : [{ source: holding.holder, destination, selector: holding.selector }];
  return moves.map(({ source, destination, selector }) => ({
    peerNve: n.newNve,
    source,
    destination,
    selector,
    anchor: n.newNve,
    pin: null,
    impossible: missing(source, destination),
    atVap: true as const,
  }));
}

function fresh(t: Transfer, oldNve: Dpid): PlannedTransfer {
  const both = t.source !== null && t.destination !== null;
  return {
    peerNve: t.peerNve,
    source: t.source,
    destination: t.destination,
    selector: t.selector,
    anchor: oldNve,
    pin: both ? t.detour : null,
    impossible: reason(t.source, t.destination, t.detour),
  };
}

function fromHolder(holding: Holding, newNve: Dpid, route: (from: Dpid, to: Dpid) => Route | null): PlannedTransfer[] {
  const direct = newNve === holding.peerNve ? null : route(newNve, holding.peerNve);
  const destination = direct?.stateHosts[0] ?? null;
  // Back behind the State Host that has had the state all along: the pin goes, nothing moves.
  if (destination === holding.holder) return [];
  const over = newNve === holding.anchor ? null : route(newNve, holding.anchor);
  const on = throughHolder(holding, route(holding.anchor, holding.peerNve));
  const reached = over !== null || newNve === holding.anchor;
  const pin = on === null || !reached ? null : over === null ? on : join(over, on);
  return [
    {
      peerNve: holding.peerNve,
      source: holding.holder,
      destination,
      selector: holding.selector,
      anchor: holding.anchor,
      pin: destination === null ? null : pin,
      impossible: reason(holding.holder, destination, pin),
    },
  ];
}

/** Where the anchor's path broke, the holder is on it no more: nothing can be pinned there (Use Case 2). */
function throughHolder({ holder }: Holding, route: Route | null): Route | null {
  return route?.stateHosts.includes(holder) === true ? route : null;
}

function reason(source: StateHostId | null, destination: StateHostId | null, detour: Route | null): string | null {
  const gap = missing(source, destination);
  if (gap !== null) return gap;
  if (detour === null) return 'no detour: the old path is broken, or cannot be reached from the new place';
  return null;
}

function missing(source: StateHostId | null, destination: StateHostId | null): string | null {
  if (source === null) return 'no State Host on the old path: the new one has never seen the flows';
  if (destination === null) return 'no State Host on the new path: the flows run without one';
  return null;
}
