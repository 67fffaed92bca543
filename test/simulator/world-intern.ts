// Worlds of equal content as one object over all runs, so that what was compiled for one run serves the others.

import type { World } from '../../flows/world.ts';

const parts = new Map<string, unknown>();

function one<T>(kind: string, value: T): T {
  const key = `${kind} ${JSON.stringify(value)}`;
  const known = parts.get(key) as T | undefined;
  if (known !== undefined) return known;
  parts.set(key, value);
  return value;
}

export function interned(world: World): World {
  return {
    ...world,
    pins: world.pins.map((p) => one('pin', p)),
    gates: world.gates.map((g) => one('gate', g)),
    trails: world.trails.map((t) => one('trail', t)),
  };
}
