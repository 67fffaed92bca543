// Everything the TDE asks of the world, and what it counts.

import type { Dpid, PortNo } from '../src/base/ids.ts';
import type { AnnouncementRefusal } from './announcement.ts';
import type { Notification } from './notification.ts';

export type ChangeReason =
  | 'nve-up'
  | 'nve-down'
  | 'nve-gone'
  | 'port-up'
  | 'port-down'
  | 'port-role'
  | 'link-up'
  | 'link-down'
  | 'state-host-registered'
  | 'state-host-gone'
  | 'state-host-attached'
  | 'state-host-detached'
  | 'state-host-not-forwarding'
  | 'state-host-forwarding'
  | 'state-host-drained'
  | 'path-healed'
  | 'vm-new'
  | 'vm-address'
  | 'vm-moved'
  | 'vm-back'
  | 'vm-limbo'
  | 'vm-gone';

export type AlarmCode =
  | 'lldp-on-vap'
  | 'lldp-malformed'
  | 'lldp-forged'
  | 'lldp-replayed'
  | 'lldp-relayed'
  | 'link-latency'
  | 'role-conflict'
  | 'state-host-unregistered'
  | 'state-host-forged'
  | 'state-host-replayed'
  | 'state-host-stale'
  | 'state-host-elsewhere'
  | 'state-host-not-forwarding'
  | 'probe-forged'
  | 'port-quarantined'
  | 'tag-quarantined'
  | 'source-spoofed'
  | 'address-conflict'
  | 'address-bound'
  | 'vm-bound'
  | 'topology-bound'
  | 'move-contradicted'
  | 'move-rate';

/** What became of frames, and alarms by their code. Names of Prometheus labels. */
export type CounterName =
  | AlarmCode
  | 'packet-in'
  | 'malformed'
  | 'unknown-port'
  | 'quarantined'
  | 'not-from-vap'
  | 'tagged-at-vap'
  | 'group-source'
  | 'lldp-accepted'
  | 'lldp-sent'
  | 'lldp-foreign'
  | 'announcement-accepted'
  | 'probe-accepted'
  | 'probe-unexpected'
  | 'late-frame'
  | 'address-refused'
  | 'announced'
  | 'announcement-refused'
  | 'move-believed'
  | 'move-held';

export type AlarmContext = Readonly<Record<string, string | number | boolean | null>>;

export type TdeEffect =
  | { readonly kind: 'packetOut'; readonly dpid: Dpid; readonly port: PortNo; readonly frame: Buffer }
  /** Queries answer differently now: flows must be computed again. At most one of these a call. */
  | { readonly kind: 'changed'; readonly reasons: readonly ChangeReason[] }
  | { readonly kind: 'notify'; readonly notification: Notification }
  /** To an announcement; null: it is so now, or was so already. */
  | { readonly kind: 'answer'; readonly refusal: AnnouncementRefusal | null }
  | { readonly kind: 'alarm'; readonly code: AlarmCode; readonly text: string; readonly context: AlarmContext };
