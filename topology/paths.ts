// Path computation: one shortest path per unordered NVE pair, the same whoever asks and in whatever order things were learnt
// (hard case 13).

import { stateHostId, type Dpid } from '../src/base/ids.ts';
import { reverse, type Hop, type Route } from '../src/base/route.ts';
import { isStateHostNode, nveNode, stateHostNode, type Edge, type Graph, type NodeKey } from './graph.ts';

/** `bare` paths cross no State Host. */
export type PathKind = 'any' | 'bare';

/**
 * Fewest edges, where a State Host passed counts as the two edges it is; among equals the first by the names of the nodes
 * met, seen from the smaller dpid. Null when there is none or one end is unknown.
 */
export function shortestRoute(graph: Graph, a: Dpid, b: Dpid, kind: PathKind = 'any'): Route | null {
  if (a > b) {
    const route = shortestRoute(graph, b, a, kind);
    return route === null ? null : reverse(route);
  }
  const start = nveNode(a);
  const goal = nveNode(b);
  if (!graph.has(start) || !graph.has(goal)) return null;
  const distance = distancesTo(graph, goal, kind);
  const walk: Edge[] = [];
  for (let node = start; node !== goal;) {
    const left = distance.get(node);
    if (left === undefined) return null;
    const edge = graph.get(node)?.find((e) => distance.get(e.to) === left - 1);
    if (edge === undefined) return null;
    walk.push(edge);
    node = edge.to;
  }
  return toRoute(a, b, walk);
}

/** Whether every step of a route is still an edge, by the same ports, through State Hosts of the route only. */
export function stillLeads(graph: Graph, route: Route): boolean {
  const passed: ReadonlySet<NodeKey> = new Set(route.stateHosts.map(stateHostNode));
  if (route.hops.some((hop) => !graph.has(nveNode(hop.nve)))) return false;
  return route.hops.slice(1).every((hop, i) => {
    const before = route.hops[i];
    const goal = nveNode(hop.nve);
    const out = (graph.get(nveNode(before?.nve ?? hop.nve)) ?? []).filter((e) => e.outPort === before?.outPort);
    const arrives = (e: Edge): boolean => e.to === goal && e.inPort === hop.inPort;
    const chain = (node: NodeKey, left: number): boolean =>
      left > 0 &&
      passed.has(node) &&
      (graph.get(node) ?? []).some((e) => arrives(e) || (isStateHostNode(e.to) && chain(e.to, left - 1)));
    return out.some((e) => arrives(e) || chain(e.to, passed.size));
  });
}

function distancesTo(graph: Graph, goal: NodeKey, kind: PathKind): Map<NodeKey, number> {
  const distance = new Map<NodeKey, number>([[goal, 0]]);
  let front: NodeKey[] = [goal];
  for (let d = 1; front.length > 0; d += 1) {
    const next: NodeKey[] = [];
    for (const node of front) {
      for (const { to } of graph.get(node) ?? []) {
        if (distance.has(to) || (kind === 'bare' && isStateHostNode(to))) continue;
        distance.set(to, d);
        next.push(to);
      }
    }
    front = next;
  }
  return distance;
}

function toRoute(from: Dpid, to: Dpid, walk: readonly Edge[]): Route {
  const hops: { nve: Dpid; inPort: Hop['inPort']; outPort: Hop['outPort'] }[] = [
    { nve: from, inPort: null, outPort: null },
  ];
  const stateHosts = [];
  for (const edge of walk) {
    const last = hops.at(-1);
    // The port an NVE sends out of: known on the edge that leaves the NVE, whether to an NVE or into a State Host.
    if (last !== undefined && edge.outPort !== null) last.outPort = edge.outPort;
    if (isStateHostNode(edge.to)) stateHosts.push(stateHostId(edge.to.slice(2)));
    else hops.push({ nve: edge.to.slice(2) as Dpid, inPort: edge.inPort, outPort: null });
  }
  return { from, to, hops, stateHosts };
}
