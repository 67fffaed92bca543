// As much of a TDE as one moving VM needs, by the rules of topology/tde.ts: a VM is where its frames come from or its port
// came back; frames of a port that is down count for nothing, and late ones of the place it left are no move back.

import type { Dpid } from '../../src/base/ids.ts';
import type { Place } from '../../flows/world.ts';

/** VM1 has been seen at another place. */
export interface Sighted {
  readonly from: Place;
  readonly to: Place;
}

/** Within which frames from the place it left are taken for late ones (hard case 7). */
const RETURN_GUARD_MS = 1000;

export class OneVmTde {
  /** Null in limbo: its port is down. */
  at: Place | null = null;
  lastAt: Place;
  readonly #nves = new Set<Dpid>();
  readonly #down = new Set<string>();
  readonly #upSince = new Map<string, number>();
  #previous: Place | null = null;
  #movedAt = -Infinity;

  /** `lastAt`: where an earlier life knew it. It is there again when its port is seen. */
  constructor(lastAt: Place) {
    this.lastAt = lastAt;
  }

  knows(nve: Dpid): boolean {
    return this.#nves.has(nve);
  }

  /** A switch has connected and described its VAPs. True when flows change. */
  nveUp(nve: Dpid, ports: readonly { readonly place: Place; readonly up: boolean }[], now: number): boolean {
    this.#nves.add(nve);
    return ports.map(({ place, up }) => this.port(place, up, now)).includes(true);
  }

  /** True when flows change. */
  port(place: Place, up: boolean, now: number): boolean {
    const name = nameOf(place);
    const wasUp = this.#upSince.has(name) && !this.#down.has(name);
    if (!this.#nves.has(place.nve) || wasUp === up) return false;
    if (!up) {
      this.#down.add(name);
      this.#upSince.set(name, Infinity);
      if (!same(this.at, place)) return false;
      this.at = null;
      return true;
    }
    this.#down.delete(name);
    this.#upSince.set(name, now);
    if (this.at !== null || !same(this.lastAt, place)) return false;
    this.at = place;
    return true;
  }

  /** A frame of VM1. Null when it changes nothing. */
  frame(place: Place, announced: boolean, now: number): Sighted | null {
    const name = nameOf(place);
    if (!this.#nves.has(place.nve) || this.#down.has(name) || same(this.at, place)) return null;
    const since = now - this.#movedAt;
    const late = since < RETURN_GUARD_MS && (this.#upSince.get(name) ?? 0) <= this.#movedAt;
    if (this.at !== null && !announced && late && same(this.#previous, place)) return null;
    const from = this.at ?? this.lastAt;
    if (!same(from, place)) {
      this.#previous = from;
      this.#movedAt = now;
    }
    this.at = place;
    this.lastAt = place;
    return { from, to: place };
  }
}

const nameOf = (place: Place): string => `${place.nve}/${place.port}`;
const same = (a: Place | null, b: Place): boolean => a?.nve === b.nve && a.port === b.port;
