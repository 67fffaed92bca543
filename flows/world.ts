// What the network should look like, as the compiler of flows sees it: made by SOM from what the TDE knows and what the
// migrations want. Plain values; an object that has not changed should be the same object (rules are cached by identity).

import type { Dpid, IpAddress, Mac, MigrationId, PortNo, Vnid } from '../src/base/ids.ts';
import type { Route } from '../src/base/route.ts';
import type { VapVn } from '../src/base/vap-vn.ts';

/**
 * `vap`: no VN twice and no tag twice. `fabric`: towards another NVE or a State Host. `closed`: unknown or quarantined (hard
 * case 12).
 */
export type PortRole =
  { readonly kind: 'vap'; readonly vns: readonly VapVn[] } | { readonly kind: 'fabric' } | { readonly kind: 'closed' };

export interface PortView {
  readonly no: PortNo;
  readonly name: string;
  readonly role: PortRole;
}

export interface NveView {
  readonly dpid: Dpid;
  readonly ports: readonly PortView[];
}

/** `vlan` is the VN Context on every fabric link (1..4094). */
export interface VnView {
  readonly vnid: Vnid;
  readonly name: string;
  readonly vlan: number;
}

export interface Place {
  readonly nve: Dpid;
  readonly port: PortNo;
}

/**
 * One VM's interface. `at` is null while its port is gone; `lastAt` then says where frames for it are caught ("limbo").
 * `serial` (32 bits, unique among VMs) names it in cookies.
 */
export interface VmView {
  readonly serial: number;
  readonly vnid: Vnid;
  readonly mac: Mac;
  readonly addresses: readonly IpAddress[];
  readonly at: Place | null;
  readonly lastAt: Place | null;
}

/**
 * The pairs (VM, each VM at `peerNve`) use `route`, which runs from the VM's present NVE to `peerNve`, in both directions.
 * `lifted`: new frames use the base route again, those already on `route` still find their way.
 */
export interface Pin {
  readonly id: MigrationId;
  readonly vnid: Vnid;
  readonly vm: Mac;
  readonly peerNve: Dpid;
  readonly route: Route;
  readonly phase: 'pinned' | 'lifted';
}

/**
 * Openers between the VM and the VMs at `peerNve` go to the controller; with `all`, also their packets of protocols that
 * have no openers; `everything`: all their packets, at a metered rate, `nothing`: all are dropped and counted (a halt: no path leads
 * to the State Host that has their state). `serial` (32 bits) names the gate in cookies: a new closing needs a new serial.
 */
export interface Gate {
  readonly id: MigrationId;
  readonly serial: number;
  readonly vnid: Vnid;
  readonly vm: Mac;
  readonly peerNve: Dpid;
  /** The VM's NVE and `peerNve`. */
  readonly nves: readonly Dpid[];
  readonly holds: 'openers' | 'all' | 'everything' | 'nothing';
}

/** The VM has left `from` not long ago: what still arrives there for it is sent after it. */
export interface Trail {
  readonly vnid: Vnid;
  readonly vm: Mac;
  readonly from: Dpid;
  /** What the VMs behind these NVEs sent on a detour that ended at `from`, where it came in by this port. */
  readonly detours?: readonly { readonly peerNve: Dpid; readonly inPort: PortNo }[];
}

export interface World {
  readonly nves: readonly NveView[];
  readonly vns: readonly VnView[];
  readonly vms: readonly VmView[];
  /** Base routes: one per unordered NVE pair, simple paths (hard case 13). */
  readonly routes: readonly Route[];
  readonly pins: readonly Pin[];
  readonly gates: readonly Gate[];
  readonly trails: readonly Trail[];
}

/** What is known of the network, without what migrations want of it. */
export type KnownWorld = Omit<World, 'pins' | 'gates' | 'trails'>;
