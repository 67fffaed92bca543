// Use Case 2: which pairs of NVEs have other State Hosts between them than before, and why. Asks the routes; knows nothing of
// VMs but between which NVEs they speak. A path that broke makes the one that took its place sticky; back it goes by policy.

import type { Dpid, StateHostId } from '../src/base/ids.ts';
import type { Route } from '../src/base/route.ts';
import type { PathEvidence } from './notification.ts';
import type { Routes } from './routes.ts';

/** Null: flows stay where they are though the old path has healed. */
export type RevertMs = number | null;

export interface PathChange {
  /** From the smaller dpid. `before` is how flows ran until now. */
  readonly before: Route;
  readonly after: Route;
  readonly evidence: PathEvidence;
  /** `before` still carries traffic, so nothing need be halted. */
  readonly leads: boolean;
}

export type NvePair = readonly [Dpid, Dpid];

export class PathChanges {
  readonly #routes: Routes;
  readonly #revertMs: RevertMs;
  readonly #used = new Map<string, Route>();
  /** Since when a kept route has had a shorter one beside it. */
  readonly #healedAt = new Map<string, number>();
  readonly #reverting = new Set<string>();
  #checked = '';

  constructor(routes: Routes, revertMs: RevertMs) {
    this.#routes = routes;
    this.#revertMs = revertMs;
  }

  /** `pairs`: NVEs with VMs of one VN, the smaller dpid first. Cheap while neither graph nor pairs have changed. */
  check(pairs: readonly NvePair[], hung: (stateHost: StateHostId) => boolean): PathChange[] {
    const question = `${this.#routes.version} ${pairs.join(' ')}`;
    if (question === this.#checked) return [];
    this.#checked = question;
    const wanted = new Set(pairs.map(([a, b]) => `${a} ${b}`));
    for (const key of this.#used.keys()) if (!wanted.has(key)) this.#used.delete(key);
    const changes = pairs.flatMap(([a, b]) => this.#checkPair(a, b, hung) ?? []);
    this.#reverting.clear();
    return changes;
  }

  /** Kept routes whose better one has been there for long enough go back at the next check; true when there are any. */
  tick(now: number): boolean {
    if (this.#revertMs === null) return false;
    for (const kept of [...this.#routes.kept()]) {
      const key = keyOf(kept);
      const shortest = this.#routes.shortest(kept.from, kept.to);
      if (shortest === null || sameStateHosts(shortest, kept) || !this.#routes.leads(kept)) {
        this.#healedAt.delete(key);
        continue;
      }
      const since = this.#healedAt.get(key) ?? now;
      this.#healedAt.set(key, since);
      if (now - since < this.#revertMs) continue;
      this.#healedAt.delete(key);
      this.#reverting.add(key);
      this.#routes.letGo(kept.from, kept.to);
    }
    return this.#reverting.size > 0;
  }

  #checkPair(a: Dpid, b: Dpid, hung: (stateHost: StateHostId) => boolean): PathChange | null {
    const after = this.#routes.route(a, b);
    // Without a new path nothing is to be moved yet: the path's return is a change of its own.
    if (after === null) return null;
    const key = keyOf(after);
    const before = this.#used.get(key);
    this.#used.set(key, after);
    if (before === undefined || sameStateHosts(before, after)) return null;
    const reverting = this.#reverting.has(key);
    // A better one, found while the network is learnt: nothing was broken, and nobody has asked for it.
    if (!reverting && this.#routes.leads(before)) return null;
    if (!reverting) this.#routes.keep(after);
    const leads = this.#routes.leads(before, 'forwarding');
    return { before, after, leads, evidence: this.#why(before, reverting, leads, hung) };
  }

  #why(before: Route, reverting: boolean, leads: boolean, hung: (stateHost: StateHostId) => boolean): PathEvidence {
    if (reverting) return 'path-healed';
    if (leads) return 'drained';
    return this.#routes.leads(before, 'all') && before.stateHosts.some(hung) ? 'probe-loss' : 'path-loss';
  }
}

const keyOf = ({ from, to }: Route): string => `${from} ${to}`;

function sameStateHosts(a: Route, b: Route): boolean {
  return a.stateHosts.length === b.stateHosts.length && a.stateHosts.every((id, i) => id === b.stateHosts[i]);
}
