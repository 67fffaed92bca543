// When a moving VM could not be reached by anybody's fault but its own, and which losses that excuses.

import type { TestbedMove } from './testbed.ts';

export interface Blackout {
  /** Sends before this must arrive. */
  readonly fromMs: number;
  /** Sends from here on must arrive. */
  readonly toMs: number;
  /** When the VM's port was gone. */
  readonly goneMs: number;
  /** When the VM was back: plugged in, awake and, where it does that, announced. */
  readonly backMs: number;
}

/** How long a network may take to learn of the new place: the bound of `lab move`. */
export const LEARNING_MS = 50;
/** Stamps are taken before the system call; scheduling on a busy machine lies between. */
const STAMP_SLACK_MS = 2;

/** When the VM was back: plugged in, awake and announced (where it is). */
export function backAtMs(move: TestbedMove): number {
  return Math.max(move.pluggedAt, move.thawedAt, move.announcedAt ?? 0);
}

/**
 * The VM's blackout: from the unplugging (earlier by what was in flight then: `inFlightMs`, the longest way of a packet
 * just before) until the new place is learnt, for which LEARNING_MS after the announcement are given and no more.
 * `learntMs` is the send stamp of the first packet sent after the VM was back that arrived; null: none did. The two
 * directions learn by themselves: delivery at the new place, and admission of the VM's frames there.
 */
export function blackoutOf(move: TestbedMove, inFlightMs: number, learntMs: number | null): Blackout {
  const backMs = backAtMs(move);
  return {
    fromMs: move.unplugRequestedAt - inFlightMs - STAMP_SLACK_MS,
    toMs: Math.min(backMs + LEARNING_MS, learntMs ?? Infinity),
    goneMs: move.unpluggedAt,
    backMs,
  };
}

/** The longest way of a datagram that arrived before `untilMs`. */
export function longestWayMs(
  windows: readonly { readonly sentMs: readonly number[]; readonly arrivedMs: readonly number[] }[],
  untilMs: number,
): number {
  const ways = windows.flatMap((w) =>
    w.sentMs.flatMap((sent, i) => {
      const arrived = w.arrivedMs[i] ?? 0;
      return arrived > 0 && arrived < untilMs ? [arrived - sent] : [];
    }),
  );
  return ways.reduce((a, b) => Math.max(a, b), 0);
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
