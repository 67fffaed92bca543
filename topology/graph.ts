// The graph paths are computed on: nodes are NVEs and State Hosts, edges are links with the ports at their NVE ends.

import type { Dpid, PortNo, StateHostId } from '../src/base/ids.ts';
import type { LinkView } from './links.ts';
import type { Place } from './place.ts';

/** `n:<dpid>` or `s:<State Host>`. Compared as text, it is the tie-break of path computation. */
export type NodeKey = string;

export interface Edge {
  readonly to: NodeKey;
  /** Null at a State Host's end: which of its ports that is, only the State Host knows. */
  readonly outPort: PortNo | null;
  readonly inPort: PortNo | null;
}

export type Graph = ReadonlyMap<NodeKey, readonly Edge[]>;

export const nveNode = (nve: Dpid): NodeKey => `n:${nve}`;
export const stateHostNode = (id: StateHostId): NodeKey => `s:${id}`;
export const isStateHostNode = (node: NodeKey): boolean => node.startsWith('s:');

export interface GraphInput {
  readonly nves: Iterable<Dpid>;
  readonly links: readonly Pick<LinkView, 'a' | 'b' | 'usable'>[];
  readonly stateHosts: readonly { readonly id: StateHostId; readonly at: readonly Place[] }[];
}

/** Edges of a node are sorted: by neighbour, then by ports. A State Host at fewer than two NVE ports joins nothing. */
export function buildGraph(input: GraphInput): Graph {
  const graph = new Map<NodeKey, Edge[]>();
  for (const nve of input.nves) graph.set(nveNode(nve), []);
  const add = (from: NodeKey, edge: Edge): void => {
    const edges = graph.get(from);
    if (edges !== undefined && graph.has(edge.to)) edges.push(edge);
  };
  for (const { a, b, usable } of input.links) {
    if (!usable || a.nve === b.nve) continue;
    add(nveNode(a.nve), { to: nveNode(b.nve), outPort: a.port, inPort: b.port });
    add(nveNode(b.nve), { to: nveNode(a.nve), outPort: b.port, inPort: a.port });
  }
  for (const { id, at } of input.stateHosts) {
    if (at.length < 2) continue;
    const node = stateHostNode(id);
    graph.set(node, []);
    for (const { nve, port } of at) {
      add(nveNode(nve), { to: node, outPort: port, inPort: null });
      add(node, { to: nveNode(nve), outPort: null, inPort: port });
    }
  }
  for (const edges of graph.values()) edges.sort(compareEdges);
  return graph;
}

function compareEdges(x: Edge, y: Edge): number {
  if (x.to !== y.to) return x.to < y.to ? -1 : 1;
  return (x.outPort ?? 0) - (y.outPort ?? 0) || (x.inPort ?? 0) - (y.inPort ?? 0);
}
