// Which connections opened during a move were too slow: an opener may wait for the VM to be back, and 300 ms more.

import type { Blackout } from './blackout.ts';
import type { Attempt } from './traffic/opener.ts';

/** What a new connection may take beyond the rest of the blackout. */
export const NEW_CONNECTION_MS = 300;

export interface NewConnectionCount {
  readonly opened: number;
  readonly failed: number;
  readonly slow: number;
  /** The longest time beyond the rest of the blackout. */
  readonly worstBeyondMs: number;
}

/** `attempts` of one move; without a move (`blackout` null) nothing is left of a blackout. */
export function countNewConnections(attempts: readonly Attempt[], blackout: Blackout | null): NewConnectionCount {
  const beyond = attempts
    .filter((a) => a.error === null && a.totalMs !== null)
    .map((a) => (a.totalMs ?? 0) - restOfBlackoutMs(a.startMs, blackout));
  return {
    opened: attempts.length,
    failed: attempts.filter((a) => a.error !== null).length,
    slow: beyond.filter((ms) => ms > NEW_CONNECTION_MS).length,
    worstBeyondMs: Math.max(0, ...beyond),
  };
}

function restOfBlackoutMs(startMs: number, blackout: Blackout | null): number {
  return blackout === null ? 0 : Math.max(0, blackout.backMs - startMs);
}
