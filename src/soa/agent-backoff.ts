// How long the agent waits before it dials again: doubling, with jitter so that State Hosts cut off together do not come
// back together.

export interface BackoffBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

export const DEFAULT_BACKOFF: BackoffBounds = { minMs: 200, maxMs: 10_000 };

/** `failures` in a row, from 1; `random` in [0, 1). Between half of the doubled delay and all of it. */
export function backoffMs(failures: number, bounds: BackoffBounds, random: number): number {
  const full = Math.min(bounds.maxMs, bounds.minMs * 2 ** Math.min(failures - 1, 30));
  return full / 2 + (full / 2) * random;
}
