// What queries of the TDE answer: plain data that can be written as JSON.

import type { Dpid, IpAddress, Mac, PortNo, StateHostId, Vnid } from '../src/base/ids.ts';
import type { LinkView } from './links.ts';
import type { ForwardingView } from './path-probes.ts';
import type { Place } from './place.ts';
import type { PortRole } from './ports.ts';
import type { CounterName } from './tde-effect.ts';

export interface PortView {
  readonly port: PortNo;
  readonly name: string;
  readonly mac: Mac;
  readonly up: boolean;
  readonly role: PortRole;
  /** Tags (null: none) of frames that came lately to a VAP that has no VN for them; they go nowhere. */
  readonly quarantinedTags: readonly (number | null)[];
}

export interface NveView {
  readonly dpid: Dpid;
  readonly name: string | null;
  /** False: its control connection is lost, and it is taken to forward as before until the hold is over. */
  readonly connected: boolean;
  /** By port number. */
  readonly ports: readonly PortView[];
}

export interface AttachmentView extends Place {
  readonly mac: Mac;
  /** Interface name on the State Host. */
  readonly portName: string;
  /** When LLDP was last accepted there, in the machine's time. */
  readonly lastSeen: number;
}

export interface StateHostView extends ForwardingView {
  readonly id: StateHostId;
  readonly role: string;
  readonly zones: readonly Vnid[];
  /** An agent has a session now. */
  readonly registered: boolean;
  /** An operator wants no path through it. */
  readonly drained: boolean;
  readonly attachments: readonly AttachmentView[];
}

export interface VmView {
  readonly vnid: Vnid;
  readonly mac: Mac;
  /** Sorted as text. */
  readonly addresses: readonly IpAddress[];
  /** Null in limbo. */
  readonly at: Place | null;
  readonly lastAt: Place;
  /** The State Host between it and its NVE, where it is or was last. */
  readonly guard: StateHostId | null;
  readonly lastSeen: number;
}

export interface TdeSnapshot {
  readonly nves: readonly NveView[];
  readonly links: readonly LinkView[];
  readonly stateHosts: readonly StateHostView[];
  readonly vms: readonly VmView[];
  readonly counters: Readonly<Partial<Record<CounterName, number>>>;
}
