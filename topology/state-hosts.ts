// State Hosts: who is registered, and at which NVE ports their announcements were seen. An agent's silence never detaches a
// State Host: it may be the agent that is dead, and the firewall forwards on (hard case 31).

import type { Dpid, Mac, StateHostId, Vnid } from '../src/base/ids.ts';
import { verifyAnnouncement, type Announcement, type AnnouncementVerdict } from '../src/packet/lldp-announce.ts';
import { samePlace, type Place } from './place.ts';
import type { StateHostRegistered } from './tde-input.ts';

export interface Attachment {
  readonly mac: Mac;
  portName: string;
  place: Place;
  lastSeen: number;
}

export interface StateHost {
  readonly id: StateHostId;
  role: string;
  zones: readonly Vnid[];
  macs: readonly Mac[];
  /** Null while no agent is registered. */
  lldpKey: Buffer | null;
  readonly attachments: Map<Mac, Attachment>;
  readonly lastWallMs: Map<Mac, number>;
}

export type AttachVerdict =
  | { readonly verdict: 'attached' | 'known'; readonly stateHost: StateHost }
  | { readonly verdict: Exclude<AnnouncementVerdict, 'ok'> | 'unregistered' | 'elsewhere' };

export class StateHosts {
  readonly #all = new Map<StateHostId, StateHost>();
  readonly #bound: number;
  readonly #toleranceMs: number;
  /** Announcements missing for this long make an attachment movable. */
  readonly #silentMs: number;

  constructor(options: { readonly bound: number; readonly toleranceMs: number; readonly silentMs: number }) {
    this.#bound = options.bound;
    this.#toleranceMs = options.toleranceMs;
    this.#silentMs = options.silentMs;
  }

  all(): Iterable<StateHost> {
    return this.#all.values();
  }

  get(id: StateHostId): StateHost | null {
    return this.#all.get(id) ?? null;
  }

  /** Places lost because a new registration no longer has their MAC; null: more State Hosts than allowed. */
  register(input: StateHostRegistered): Place[] | null {
    const known = this.#all.get(input.id);
    if (known === undefined) {
      if (this.#all.size >= this.#bound) return null;
      this.#all.set(input.id, {
        id: input.id,
        role: input.role,
        zones: input.zones,
        macs: input.macs,
        lldpKey: input.lldpKey,
        attachments: new Map(),
        lastWallMs: new Map(),
      });
      return [];
    }
    // A new key makes all earlier announcements worthless: the agent's clock may have been set back since.
    if (known.lldpKey?.equals(input.lldpKey) !== true) known.lastWallMs.clear();
    known.role = input.role;
    known.zones = input.zones;
    known.macs = input.macs;
    known.lldpKey = input.lldpKey;
    const lost: Place[] = [];
    for (const [mac, attachment] of known.attachments) {
      if (input.macs.includes(mac)) continue;
      known.attachments.delete(mac);
      lost.push(attachment.place);
    }
    return lost;
  }

  /** The agent left. The State Host stays where it is known to be, and is forgotten where it is known nowhere. */
  gone(id: StateHostId): boolean {
    const known = this.#all.get(id);
    if (known === undefined) return false;
    known.lldpKey = null;
    if (known.attachments.size === 0) this.#all.delete(id);
    return true;
  }

  /** Is it authentic, fresh, and not already proven elsewhere? Changes nothing but the time of the last one. */
  check(announcement: Announcement, place: Place, now: number, nowWallMs: number): AttachVerdict {
    const stateHost = this.#all.get(announcement.stateHost);
    if (stateHost === undefined || stateHost.lldpKey === null) return { verdict: 'unregistered' };
    const { portMac } = announcement;
    const verdict = verifyAnnouncement(announcement, {
      key: stateHost.lldpKey,
      macs: stateHost.macs,
      nowWallMs,
      toleranceMs: this.#toleranceMs,
      lastWallMs: stateHost.lastWallMs.get(portMac) ?? null,
    });
    if (verdict !== 'ok') return { verdict };
    const attachment = stateHost.attachments.get(portMac);
    if (
      attachment !== undefined &&
      !samePlace(attachment.place, place) &&
      now - attachment.lastSeen <= this.#silentMs
    ) {
      return { verdict: 'elsewhere' };
    }
    stateHost.lastWallMs.set(portMac, announcement.wallMs);
    const known = attachment !== undefined && samePlace(attachment.place, place);
    return { verdict: known ? 'known' : 'attached', stateHost };
  }

  /** The place it was attached at before, if another. */
  attach(stateHost: StateHost, announcement: Announcement, place: Place, now: number): Place | null {
    const { portMac: mac, portName } = announcement;
    const before = stateHost.attachments.get(mac)?.place ?? null;
    stateHost.attachments.set(mac, { mac, portName, place, lastSeen: now });
    return before !== null && !samePlace(before, place) ? before : null;
  }

  /** Its port or NVE is gone; true when a State Host was attached there. */
  detach(at: { readonly nve: Dpid; readonly port?: Place['port'] }): boolean {
    let detached = false;
    for (const stateHost of this.#all.values()) {
      for (const [mac, { place }] of stateHost.attachments) {
        if (place.nve !== at.nve || (at.port !== undefined && place.port !== at.port)) continue;
        stateHost.attachments.delete(mac);
        detached = true;
      }
      if (stateHost.lldpKey === null && stateHost.attachments.size === 0) this.#all.delete(stateHost.id);
    }
    return detached;
  }
}
