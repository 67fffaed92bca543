// Which connections opened during a move were too slow to open: an opener may wait for the VM to be back, and 300 ms more.
// That each then echoes its byte is checked by the opener (it fails otherwise); what it loses while the VM is away is TCP's.

import { LEARNING_MS, type Blackout } from './blackout.ts';
import type { Attempt } from './traffic/opener.ts';

/** What a new connection may take beyond the rest of the blackout. */
export const NEW_CONNECTION_MS = 300;
/** A SYN or its answer that was in the air when the VM was unplugged is sent again after this (RFC 6298, 2.1). */
const RETRANSMISSION_MS = 1000;

/** An attempt, and who opened it. */
export interface DirectedAttempt extends Attempt {
  readonly direction: 'to-vm' | 'from-vm';
}

export interface NewConnectionCount {
  readonly opened: number;
  readonly failed: number;
  readonly slow: number;
  /** Not slow: its SYN or the answer was on the way to the VM in the instant of the unplugging, and was sent again. */
  readonly caught: number;
  /** The longest time beyond what it may wait for, of those not caught. */
  readonly worstBeyondMs: number;
}

/** What an undisturbed network needs: without a move `blackout` is null; `roundTripMs` is the direct path's. */
export interface Circumstances {
  readonly blackout: Blackout | null;
  readonly roundTripMs: number;
  /** Until its flows are lifted the VM is reached over the detour. */
  readonly detour?: { readonly untilMs: number; readonly roundTripMs: number } | null;
}

/** `attempts` of one move. */
export function countNewConnections(
  attempts: readonly DirectedAttempt[],
  circumstances: Circumstances,
): NewConnectionCount {
  const done = attempts.filter((a) => a.error === null);
  const caught = done.filter((a) => isCaught(a, circumstances));
  const others = done.filter((a) => !caught.includes(a)).map((a) => beyondMs(a, circumstances));
  return {
    opened: attempts.length,
    failed: attempts.length - done.length,
    slow: others.filter((ms) => ms > NEW_CONNECTION_MS).length,
    caught: caught.length,
    worstBeyondMs: Math.max(0, ...others),
  };
}

/**
 * Nobody can save a SYN to the VM, or the answer to one of its own, that was on its way to a port when that port went: the
 * next retransmission is the first that can arrive. The network is given LEARNING_MS to notice that the port is gone.
 */
function isCaught(a: DirectedAttempt, { blackout, roundTripMs }: Circumstances): boolean {
  if (blackout === null || a.connectMs === null) return false;
  const answeredAfterMs = a.direction === 'to-vm' ? 0 : roundTripMs;
  const isInstant =
    a.startMs >= blackout.fromMs - answeredAfterMs && a.startMs + answeredAfterMs < blackout.goneMs + LEARNING_MS;
  const afterRetransmissionMs = a.connectMs - RETRANSMISSION_MS;
  const isRetransmitted = afterRetransmissionMs >= 0 && afterRetransmissionMs - roundTripMs <= NEW_CONNECTION_MS;
  return isInstant && isRetransmitted;
}

/** The handshake waits for the VM and takes a round trip. */
function beyondMs(a: Attempt, { blackout, roundTripMs, detour = null }: Circumstances): number {
  const isPinned = detour !== null && a.startMs < detour.untilMs;
  return (a.connectMs ?? 0) - restOfBlackoutMs(a.startMs, blackout) - (isPinned ? detour.roundTripMs : roundTripMs);
}

function restOfBlackoutMs(startMs: number, blackout: Blackout | null): number {
  return blackout === null ? 0 : Math.max(0, blackout.backMs - startMs);
}

/** The failed, slow and caught ones in words, for whoever looks for the cause: when, which way, how long. */
export function troubledAttempts(
  attempts: readonly DirectedAttempt[],
  circumstances: Circumstances,
  zeroMs: number,
): readonly string[] {
  return attempts
    .filter((a) => a.error !== null || beyondMs(a, circumstances) > NEW_CONNECTION_MS)
    .map((a) => {
      const at = `${a.direction} IPv${a.family} at ${(a.startMs - zeroMs).toFixed(0)} ms`;
      const took = `${(a.totalMs ?? 0).toFixed(0)} ms, of it ${(a.connectMs ?? 0).toFixed(0)} ms to connect`;
      return `${at}: ${a.error ?? took}${isCaught(a, circumstances) ? ' (caught by the unplugging)' : ''}`;
    });
}
