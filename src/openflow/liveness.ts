// Whether the peer is alive, by what is heard of it: a pure machine. It asks by echo after a silence and gives up after
// another. Anything heard counts, not only echo replies. It asks an idle peer less often, and is patient with a slow one.

export interface LivenessLimits {
  /** Silence after which an echo request is sent. */
  readonly quietMs: number;
  /** What that silence may grow to while the peer says nothing but echo replies; `quietMs` unless given: it does not. */
  readonly idleQuietMs?: number;
  /** Silence after the echo request after which the peer is dead. */
  readonly answerMs: number;
  /** What that silence may grow to for a peer whose answers take long; `answerMs` unless given. */
  readonly slowAnswerMs?: number;
}

export interface Liveness {
  readonly heardAtMs: number;
  /** When the echo request was sent that nothing has been heard since, or null. */
  readonly askedAtMs: number | null;
  /** Silence after which it is asked next. */
  readonly quietMs: number;
  /** Smoothed round trip of echo and its variation (RFC 6298); null before the first. */
  readonly rtt: RoundTrip | null;
}

export interface RoundTrip {
  readonly smoothedMs: number;
  readonly variationMs: number;
}

export const DEFAULT_LIVENESS: LivenessLimits = {
  quietMs: 5_000,
  idleQuietMs: 10_000,
  answerMs: 5_000,
  slowAnswerMs: 20_000,
};

/** An idle peer is asked after half as long again, each time. */
const IDLE_GROWTH = 1.5;
/** A peer is silent when it is this many times slower than ever expected of it. */
const PATIENCE = 4;

export function beginLiveness(now: number, { quietMs }: LivenessLimits): Liveness {
  return { heardAtMs: now, askedAtMs: null, quietMs, rtt: null };
}

/** Bytes came, of whatever kind. */
export function heard(state: Liveness, atMs: number): Liveness {
  if (atMs < state.heardAtMs) return state;
  const asked = state.askedAtMs !== null && atMs < state.askedAtMs;
  return { ...state, heardAtMs: atMs, askedAtMs: asked ? state.askedAtMs : null };
}

/** It says more than echo replies: it is not idle. */
export function spoken(state: Liveness, { quietMs }: LivenessLimits): Liveness {
  return state.quietMs === quietMs ? state : { ...state, quietMs };
}

/** The echo reply came that had been asked for at `sentAtMs`. */
export function answered(state: Liveness, now: number, sentAtMs: number, limits: LivenessLimits): Liveness {
  const quietMs = Math.min(state.quietMs * IDLE_GROWTH, Math.max(limits.quietMs, limits.idleQuietMs ?? 0));
  return { heardAtMs: now, askedAtMs: null, quietMs, rtt: smoothed(state.rtt, Math.max(0, now - sentAtMs)) };
}

export interface LivenessStep {
  readonly state: Liveness;
  readonly effect: 'wait' | 'ask' | 'dead';
  /** When to come back. */
  readonly nextAtMs: number;
}

/** What to do at `now`. */
export function checkLiveness(state: Liveness, now: number, limits: LivenessLimits): LivenessStep {
  if (state.askedAtMs !== null) {
    const deadAtMs = state.askedAtMs + patienceMs(state.rtt, limits);
    return { state, effect: now >= deadAtMs ? 'dead' : 'wait', nextAtMs: deadAtMs };
  }
  const askAtMs = state.heardAtMs + state.quietMs;
  if (now < askAtMs) return { state, effect: 'wait', nextAtMs: askAtMs };
  return { state: { ...state, askedAtMs: now }, effect: 'ask', nextAtMs: now + patienceMs(state.rtt, limits) };
}

function patienceMs(rtt: RoundTrip | null, { answerMs, slowAnswerMs = answerMs }: LivenessLimits): number {
  const expectedMs = rtt === null ? 0 : rtt.smoothedMs + 4 * rtt.variationMs;
  return Math.max(answerMs, Math.min(PATIENCE * expectedMs, slowAnswerMs));
}

function smoothed(rtt: RoundTrip | null, sampleMs: number): RoundTrip {
  if (rtt === null) return { smoothedMs: sampleMs, variationMs: sampleMs / 2 };
  const { smoothedMs, variationMs } = rtt;
  return {
    smoothedMs: smoothedMs + (sampleMs - smoothedMs) / 8,
    variationMs: variationMs + (Math.abs(smoothedMs - sampleMs) - variationMs) / 4,
  };
}
