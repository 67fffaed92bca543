// Everything that can happen to the TDE.

import type { Dpid, IpAddress, Mac, PortNo, StateHostId, Vnid } from '../src/base/ids.ts';
import type { PortDesc } from '../src/openflow/model.ts';
import type { Announcement } from './announcement.ts';
import type { Place } from './place.ts';

export interface StateHostRegistered {
  readonly kind: 'stateHostRegistered';
  readonly id: StateHostId;
  /** Pairs State Hosts of a chain, e.g. `firewall`. */
  readonly role: string;
  /** MACs of its data ports. */
  readonly macs: readonly Mac[];
  /** Of the AaReply; a new one each session. */
  readonly lldpKey: Buffer;
  /** VNIDs it serves. */
  readonly zones: readonly Vnid[];
}

/** A VM as an earlier life of the controller knew it. */
export interface RestoredVm {
  readonly vnid: Vnid;
  readonly mac: Mac;
  readonly addresses: readonly IpAddress[];
  readonly lastAt: Place;
  /** The State Host between it and its NVE there. */
  readonly guard?: StateHostId | null;
}

export type TdeInput =
  /** Also when a known NVE connects again: its ports are compared with what was known. */
  | { readonly kind: 'nveUp'; readonly dpid: Dpid; readonly name?: string; readonly ports: readonly PortDesc[] }
  | { readonly kind: 'nveDown'; readonly dpid: Dpid }
  | {
      readonly kind: 'portStatus';
      readonly dpid: Dpid;
      readonly reason: 'add' | 'delete' | 'modify';
      readonly port: PortDesc;
    }
  /** `frame` begins at the Ethernet header and carries an 802.1Q tag only if it arrived with one. */
  | { readonly kind: 'packetIn'; readonly dpid: Dpid; readonly inPort: PortNo; readonly frame: Buffer }
  | StateHostRegistered
  | { readonly kind: 'stateHostGone'; readonly id: StateHostId }
  /** An operator takes a State Host out of all paths that have another way, or lets it in again. */
  | { readonly kind: 'drain'; readonly id: StateHostId; readonly drained: boolean }
  /** Half of the control channel's echo time: corrects link latencies. */
  | { readonly kind: 'controlLatency'; readonly dpid: Dpid; readonly oneWayMs: number }
  /** Another TDE says where a VM is: answered by an effect `answer`. */
  | { readonly kind: 'announced'; readonly announcement: Announcement }
  /** Puts VMs in limbo at their last place: they are back there when its port is seen up, before they say anything. */
  | { readonly kind: 'restore'; readonly vms: readonly RestoredVm[] }
  /** At least every 100 ms. */
  | { readonly kind: 'tick' };
