// Routes between NVEs on the graph as it is, computed when asked for, and the last known ones of pairs that have none any more.

import type { Dpid } from '../src/base/ids.ts';
import { reverse, type Route } from '../src/base/route.ts';
import type { Graph } from './graph.ts';
import { shortestRoute } from './paths.ts';

const MAX_REMEMBERED = 65_536;

export class Routes {
  readonly #build: () => Graph;
  #graph: Graph | null = null;
  #memo = new Map<string, Route | null>();
  readonly #remembered = new Map<string, Route>();

  constructor(build: () => Graph) {
    this.#build = build;
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
    this.#graph = null;
    this.#memo = new Map();
  }

  route(a: Dpid, b: Dpid): Route | null {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    let route = this.#memo.get(key);
    if (route === undefined) {
      route = shortestRoute(this.#current(), a < b ? a : b, a < b ? b : a);
      this.#memo.set(key, route);
    }
    return orient(route, a);
  }

  /** The route, or where there is none any more (the old NVE died with its server) the last one that was asked for. */
  routeAsKnown(a: Dpid, b: Dpid): Route | null {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    return this.route(a, b) ?? orient(this.#remembered.get(key) ?? null, a);
  }

  bareRoute(a: Dpid, b: Dpid): Route | null {
    return shortestRoute(this.#current(), a, b, 'bare');
  }

  #current(): Graph {
    return (this.#graph ??= this.#build());
  }
}

function orient(route: Route | null, from: Dpid): Route | null {
  return route === null || route.from === from ? route : reverse(route);
}
