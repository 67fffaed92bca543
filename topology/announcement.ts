// IF(M,T) F1 as it comes from another TDE (a hypervisor, a VM manager, a script): a VM is at this VAP now. What it may say is less
// than what our own eyes may: it must name a VAP of the VM's VN that is up, and paths are ours to compute.

import type { Dpid, IpAddress, Mac, StateHostId, Vnid } from '../src/base/ids.ts';
import type { Transfer } from './notification.ts';
import { carries, type Port, type Ports } from './ports.ts';
import type { Vaps } from './vaps.ts';

export interface Announcement {
  readonly vnid: Vnid;
  readonly mac: Mac;
  readonly addresses: readonly IpAddress[];
  readonly nve: Dpid;
  /** Of the port, as the NVE calls it. */
  readonly portName: string;
  /** Where it says that the VM was. */
  readonly oldNve?: Dpid;
  /** Source and destination State Hosts as the other TDE sees them: they have to be ours. */
  readonly stateHosts?: readonly (readonly [source: StateHostId, destination: StateHostId])[];
}

/** Why an announcement changes nothing. docs/protocol.md lists them. */
export type AnnouncementRefusal =
  | 'unknown-vn'
  | 'unknown-nve'
  | 'unknown-port' // the NVE has none of that name, or it is down
  | 'not-a-vap' // of that VN
  | 'quarantined'
  | 'bad-mac' // a group address, all zero, or the TDE's own
  | 'vm-elsewhere' // it was not where it is said to have been
  | 'other-state-hosts' // by the paths the state is elsewhere, or goes elsewhere
  | 'move-rate'
  | 'vm-bound';

/** The port it names, if that may have such a VM. */
export function announcedVap(
  { vnid, nve: dpid, portName }: Announcement,
  { vaps, ports }: { readonly vaps: Vaps; readonly ports: Ports },
): Port | AnnouncementRefusal {
  if (vaps.vn(vnid) === null) return 'unknown-vn';
  const nve = ports.nve(dpid);
  if (nve === null) return 'unknown-nve';
  const port = [...nve.ports.values()].find((p) => p.desc.name === portName);
  if (port?.up !== true) return 'unknown-port';
  if (!carries(port, vnid)) return 'not-a-vap';
  return port.quarantinedUntil === null ? port : 'quarantined';
}

const pairOf = (source: StateHostId | null, destination: StateHostId | null): string => `${source}>${destination}`;

/** Whether these are the State Hosts between which something is to be moved. */
export function agrees(claimed: NonNullable<Announcement['stateHosts']>, transfers: readonly Transfer[]): boolean {
  const ours = new Set(
    transfers
      .filter(({ source, destination }) => source !== null && destination !== null)
      .map(({ source, destination }) => pairOf(source, destination)),
  );
  const theirs = new Set(claimed.map(([source, destination]) => pairOf(source, destination)));
  return ours.size === theirs.size && [...ours].every((pair) => theirs.has(pair));
}
