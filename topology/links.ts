// Links between NVEs, as proven by LLDP in each direction: a link carries traffic once both directions have been seen.

import type { Dpid } from '../src/base/ids.ts';
import { LatencyWindow } from './latency.ts';
import { placeKey, samePlace, type Place } from './place.ts';

interface Sighting {
  readonly from: Place;
  readonly to: Place;
  readonly since: number;
  lastSeen: number;
  readonly latency: LatencyWindow;
}

/** A link as queries show it: `a` is the end with the smaller key. */
export interface LinkView {
  readonly a: Place;
  readonly b: Place;
  /** LLDP accepted in both directions: only then routes use it. */
  readonly usable: boolean;
  /** Estimates, null before the first: control channel latencies subtracted where known. */
  readonly latencyAbMs: number | null;
  readonly latencyBaMs: number | null;
  readonly lastSeen: number;
}

export type SightingVerdict = 'new' | 'known' | 'taken';

export class Links {
  /** By the sending place. */
  readonly #from = new Map<string, Sighting>();
  /** By the receiving place. */
  readonly #to = new Map<string, Sighting>();

  /** LLDP sent at `from` was accepted at `to`. `taken`: one of the ends is already seen with another. */
  see(from: Place, to: Place, now: number): SightingVerdict {
    const known = this.#from.get(placeKey(from));
    if (known !== undefined && samePlace(known.to, to)) {
      known.lastSeen = now;
      return 'known';
    }
    if (known !== undefined || this.#to.has(placeKey(to))) return 'taken';
    // What arrives from one place and leaves to another is no link either.
    const reverse = this.#from.get(placeKey(to));
    const forward = this.#to.get(placeKey(from));
    if (reverse !== undefined && !samePlace(reverse.to, from)) return 'taken';
    if (forward !== undefined && !samePlace(forward.from, to)) return 'taken';
    const sighting: Sighting = { from, to, since: now, lastSeen: now, latency: new LatencyWindow() };
    this.#from.set(placeKey(from), sighting);
    this.#to.set(placeKey(to), sighting);
    return 'new';
  }

  /** True: an outlier. Call after `see`. */
  measure(from: Place, latencyMs: number, excessMs: number): boolean {
    return this.#from.get(placeKey(from))?.latency.add(latencyMs, excessMs) ?? false;
  }

  /** The place at the other end of what is sent at `from`, null when nobody sees it. */
  peer(from: Place): Place | null {
    return this.#from.get(placeKey(from))?.to ?? null;
  }

  /** Has LLDP been accepted from or at this place, and not aged since? */
  touches(place: Place): boolean {
    const key = placeKey(place);
    return this.#from.has(key) || this.#to.has(key);
  }

  /** Forgets what touches the place; the other ends, which lose what proved their role. */
  drop(place: Place): Place[] {
    const key = placeKey(place);
    const lost: Place[] = [];
    for (const sighting of [this.#from.get(key), this.#to.get(key)]) {
      if (sighting === undefined) continue;
      this.#remove(sighting);
      lost.push(samePlace(sighting.from, place) ? sighting.to : sighting.from);
    }
    return lost;
  }

  /** Forgets sightings older than `maxAgeMs`, unless one end is held; the places they touched. */
  age(now: number, maxAgeMs: number, held: (nve: Dpid) => boolean): Place[] {
    const lost: Place[] = [];
    for (const sighting of this.#from.values()) {
      if (now - sighting.lastSeen <= maxAgeMs) continue;
      if (held(sighting.from.nve) || held(sighting.to.nve)) {
        // Its LLDP cannot arrive while the control connection is away: the clock starts anew when it is back.
        sighting.lastSeen = now;
        continue;
      }
      this.#remove(sighting);
      lost.push(sighting.from, sighting.to);
    }
    return lost;
  }

  views(): LinkView[] {
    const views: LinkView[] = [];
    const seen = new Set<Sighting>();
    for (const sighting of this.#from.values()) {
      if (seen.has(sighting)) continue;
      const back = this.#from.get(placeKey(sighting.to));
      seen.add(sighting);
      if (back !== undefined) seen.add(back);
      const inOrder = placeKey(sighting.from) < placeKey(sighting.to);
      const [ab, ba] = inOrder ? [sighting, back] : [back, sighting];
      views.push({
        a: inOrder ? sighting.from : sighting.to,
        b: inOrder ? sighting.to : sighting.from,
        usable: back !== undefined,
        latencyAbMs: ab?.latency.medianMs() ?? null,
        latencyBaMs: ba?.latency.medianMs() ?? null,
        lastSeen: Math.max(sighting.lastSeen, back?.lastSeen ?? sighting.lastSeen),
      });
    }
    return views.sort((x, y) => (placeKey(x.a) < placeKey(y.a) ? -1 : 1));
  }

  #remove(sighting: Sighting): void {
    this.#from.delete(placeKey(sighting.from));
    this.#to.delete(placeKey(sighting.to));
  }
}
