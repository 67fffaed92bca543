// How long to wait before the next attempt to connect: doubling, and spread so that many do not come at once.

export interface BackoffLimits {
  readonly firstMs: number;
  readonly mostMs: number;
}

export const DEFAULT_BACKOFF: BackoffLimits = { firstMs: 250, mostMs: 8_000 };

/** After so many failures in a row; `random` is in [0, 1). Between half of the doubled time and all of it. */
export function backoffMs(failures: number, { firstMs, mostMs }: BackoffLimits, random: number): number {
  const ms = Math.min(mostMs, firstMs * 2 ** Math.min(failures, 30));
  return (ms / 2) * (1 + random);
}
