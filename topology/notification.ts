// IF(M,T) F1, State Migration Notification (draft 4.1): what the TDE tells the SOM about a move.

import type { Dpid, IpAddress, Mac, PortNo, StateHostId, Vnid } from '../src/base/ids.ts';
import type { Route } from '../src/base/route.ts';
import type { Selector } from '../src/base/selector.ts';

/** Why a move was believed. `probe-answer`: the old place answered, the move is taken back; `notified`: another TDE said so. */
export type MoveEvidence = 'port-status' | 'mac-relocation' | 'rarp' | 'garp' | 'na' | 'probe-answer' | 'notified';

/**
 * Why the path of a pair changed. `path-loss`: a link or an end of it is gone, by port-status or by silence of its LLDP;
 * `probe-loss`: a State Host stopped forwarding with its links up; `drained`: an operator's word; `path-healed`: back by policy.
 */
export type PathEvidence = 'path-loss' | 'probe-loss' | 'drained' | 'path-healed';

/** The state of `selector` at `source` is needed at `destination`, because the path to `peerNve` changed. */
export interface Transfer {
  /** Null: there is no State Host on the old path that corresponds (hard case 25). */
  readonly source: StateHostId | null;
  /** Null: there is none on the new path. */
  readonly destination: StateHostId | null;
  readonly peerNve: Dpid;
  readonly selector: Selector;
  /**
   * From the new NVE to the old one past no State Host, then the old path to the peer; null where there is none, and where the
   * path itself broke.
   */
  readonly detour: Route | null;
  /** The new path, null where there is none. */
  readonly direct: Route | null;
  /**
   * The State Hosts stand between the VM and its NVE, at the old and at the new VAP (hard case 29). No detour exists; the selector
   * has no peers, and `peerNve` is the VM's new NVE.
   */
  readonly atVap?: true;
}

export interface Notification {
  /** Counts from 1 in each life of the TDE. */
  readonly id: number;
  readonly wallMs: number;
  /** `path-change` is Use Case 2; a VM's move is Use Case 1. */
  readonly cause: 'vm-move' | 'path-change';
  readonly evidence: readonly (MoveEvidence | PathEvidence)[];
  readonly vnid: Vnid;
  readonly vnName: string;
  readonly vm: { readonly mac: Mac; readonly addresses: readonly IpAddress[] };
  readonly oldNve: Dpid;
  readonly oldPort: PortNo;
  readonly newNve: Dpid;
  readonly newPort: PortNo;
  /** The State Host between the VM and its new NVE, if there is one. */
  readonly guard?: StateHostId | null;
  /** Empty when no State Host is concerned: flows must be re-pointed all the same. */
  readonly transfers: readonly Transfer[];
}
