// When a moving VM could not be reached by anybody's fault but its own, and which losses that excuses.

import type { TestbedMove } from './testbed.ts';

export interface Blackout {
  /** Sends before this must arrive. */
  readonly fromMs: number;
  /** Sends from here on must arrive. */
  readonly toMs: number;
  /** When the VM was back: plugged in, awake and, where it does that, announced. */
  readonly backMs: number;
}

/** How long a network may take to learn of the new place: the bound of `lab move`. */
export const LEARNING_MS = 50;
/** Stamps are taken before the system call; scheduling on a busy machine lies between. */
const STAMP_SLACK_MS = 2;

/**
 * The VM's blackout: from the unplugging (earlier by what was in flight then: `inFlightMs` one way) to the first packet at
 * the new place, where learning the new place after the announcement is given LEARNING_MS and no more. `firstArrivalMs`
 * is the send stamp of the first packet that reached the VM after the move.
 */
export function blackoutOf(move: TestbedMove, inFlightMs: number, firstArrivalMs: number | null): Blackout {
  const backMs = Math.max(move.pluggedAt, move.thawedAt, move.announcedAt ?? 0);
  const learntMs = Math.min(backMs + LEARNING_MS, Math.max(backMs, firstArrivalMs ?? Infinity));
  return { fromMs: move.unplugRequestedAt - inFlightMs - STAMP_SLACK_MS, toMs: learntMs, backMs };
}

export interface Losses {
  readonly lost: number;
  /** Of those, sent outside the blackout. */
  readonly outside: number;
  /** Of those inside, sent after the VM was back: while the network learnt. */
  readonly learning: number;
}

export function countLosses(lostSentMs: readonly number[], blackout: Blackout): Losses {
  const within = lostSentMs.filter((t) => t >= blackout.fromMs && t < blackout.toMs);
  return {
    lost: lostSentMs.length,
    outside: lostSentMs.length - within.length,
    learning: within.filter((t) => t >= blackout.backMs).length,
  };
}

/** Send stamps whose sequence number never arrived (arrival stamp 0). */
export function lostSends(sentMs: readonly number[], arrivedMs: readonly number[]): readonly number[] {
  return sentMs.filter((_, i) => (arrivedMs[i] ?? 0) === 0);
}
