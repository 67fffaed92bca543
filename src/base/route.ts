// A route as both topology (which computes it) and flows (which compiles it) speak of it.

import type { Dpid, PortNo, StateHostId } from './ids.ts';

/** One NVE on a route. `inPort` is null at the first hop (frames enter at a VAP), `outPort` is null at the last. */
export interface Hop {
  readonly nve: Dpid;
  readonly inPort: PortNo | null;
  readonly outPort: PortNo | null;
}

/**
 * The way from one NVE to another. State Hosts are bumps in the wire between hops; `stateHosts` lists them in order.
 * One route per unordered NVE pair serves both directions (`reverse`). Hops of the same NVE twice are allowed (detours).
 */
export interface Route {
  readonly from: Dpid;
  readonly to: Dpid;
  readonly hops: readonly Hop[];
  readonly stateHosts: readonly StateHostId[];
}

/** The same way, walked backwards. */
export function reverse(route: Route): Route {
  return {
    from: route.to,
    to: route.from,
    hops: route.hops.map((h) => ({ nve: h.nve, inPort: h.outPort, outPort: h.inPort })).reverse(),
    stateHosts: [...route.stateHosts].reverse(),
  };
}

/** `first`, then `second`, which must begin where `first` ends; the joining NVE becomes one transit hop. */
export function join(first: Route, second: Route): Route {
  const last = first.hops.at(-1);
  const next = second.hops[0];
  if (last === undefined || next === undefined) throw new RangeError('a route has at least one hop');
  if (last.nve !== next.nve) throw new RangeError(`routes do not meet: ${last.nve} and ${next.nve}`);
  return {
    from: first.from,
    to: second.to,
    hops: [
      ...first.hops.slice(0, -1),
      { nve: last.nve, inPort: last.inPort, outPort: next.outPort },
      ...second.hops.slice(1),
    ],
    stateHosts: [...first.stateHosts, ...second.stateHosts],
  };
}
