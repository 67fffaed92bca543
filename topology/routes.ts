// Routes between NVEs on the graph as it is, computed when asked for, and the last known ones of pairs that have none any more.
// A route that was taken because another one broke stays in use while it leads, though a shorter one appears (sticky).

import type { Dpid } from '../src/base/ids.ts';
import { reverse, type Route } from '../src/base/route.ts';
import type { Graph } from './graph.ts';
import { shortestRoute, stillLeads } from './paths.ts';

const MAX_REMEMBERED = 65_536;

/** `preferred`: without State Hosts that do not forward or are drained. `forwarding`: with the drained ones. `all`: every one. */
export type GraphScope = 'preferred' | 'forwarding' | 'all';

export class Routes {
  readonly #build: (scope: GraphScope) => Graph;
  #graphs = new Map<GraphScope, Graph>();
  #memo = new Map<string, Route | null>();
  readonly #remembered = new Map<string, Route>();
  readonly #sticky = new Map<string, Route>();
  #version = 0;

  constructor(build: (scope: GraphScope) => Graph) {
    this.#build = build;
  }

  /** Grows with every change of the graph. */
  get version(): number {
    return this.#version;
  }

  /** The graph changed. */
  invalidate(): void {
    for (const [key, route] of this.#memo) {
      if (route === null) continue;
      this.#remembered.delete(key);
      this.#remembered.set(key, route);
    }
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MAX_REMEMBERED) break;
      this.#remembered.delete(oldest);
    }
    this.#graphs = new Map();
    this.#memo = new Map();
    this.#version += 1;
  }

  /** What no longer forwards is used only where there is nothing else. */
  route(a: Dpid, b: Dpid): Route | null {
    const key = keyOf(a, b);
    let route = this.#memo.get(key);
    if (route === undefined) {
      const sticky = this.#sticky.get(key);
      route = sticky !== undefined && this.leads(sticky) ? sticky : this.shortest(a, b);
      this.#memo.set(key, route);
    }
    return orient(route, a);
  }

  /** As `route`, whatever is in use. */
  shortest(a: Dpid, b: Dpid): Route | null {
    const [from, to] = a < b ? [a, b] : [b, a];
    const found = shortestRoute(this.#graph('preferred'), from, to) ?? shortestRoute(this.#graph('all'), from, to);
    return orient(found, a);
  }

  leads(route: Route, scope: GraphScope = 'preferred'): boolean {
    return stillLeads(this.#graph(scope), route);
  }

  /** From now on this route is the one in use between its ends, as long as it leads. */
  keep(route: Route): void {
    this.#sticky.set(keyOf(route.from, route.to), orient(route, first(route)) ?? route);
  }

  /** The shortest is in use again. */
  letGo(a: Dpid, b: Dpid): void {
    this.#sticky.delete(keyOf(a, b));
    this.invalidate();
  }

  /** Routes that are kept, from the smaller dpid. */
  kept(): Iterable<Route> {
    return this.#sticky.values();
  }

  /** The route, or where there is none any more (the old NVE died with its server) the last one that was asked for. */
  routeAsKnown(a: Dpid, b: Dpid): Route | null {
    return this.route(a, b) ?? orient(this.#remembered.get(keyOf(a, b)) ?? null, a);
  }

  bareRoute(a: Dpid, b: Dpid): Route | null {
    return shortestRoute(this.#graph('all'), a, b, 'bare');
  }

  #graph(scope: GraphScope): Graph {
    const graph = this.#graphs.get(scope) ?? this.#build(scope);
    this.#graphs.set(scope, graph);
    return graph;
  }
}

const keyOf = (a: Dpid, b: Dpid): string => (a < b ? `${a} ${b}` : `${b} ${a}`);
const first = ({ from, to }: Route): Dpid => (from < to ? from : to);

function orient(route: Route | null, from: Dpid): Route | null {
  return route === null || route.from === from ? route : reverse(route);
}
