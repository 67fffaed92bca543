// Whether the peer is alive, by what is heard of it: a pure machine. It asks by echo after a silence and gives up after
// another. Anything heard counts, not only echo replies.

export interface LivenessLimits {
  /** Silence after which an echo request is sent. */
  readonly quietMs: number;
  /** Silence after the echo request after which the peer is dead. */
  readonly answerMs: number;
}

export interface Liveness {
  readonly heardAtMs: number;
  /** When the echo request was sent that nothing has been heard since, or null. */
  readonly askedAtMs: number | null;
}

export const DEFAULT_LIVENESS: LivenessLimits = { quietMs: 5_000, answerMs: 5_000 };

export const alive = (now: number): Liveness => ({ heardAtMs: now, askedAtMs: null });

export interface LivenessStep {
  readonly state: Liveness;
  readonly effect: 'wait' | 'ask' | 'dead';
  /** When to come back. */
  readonly nextAtMs: number;
}

/** What to do at `now`. */
export function checkLiveness(state: Liveness, now: number, limits: LivenessLimits): LivenessStep {
  if (state.askedAtMs !== null) {
    const deadAtMs = state.askedAtMs + limits.answerMs;
    return { state, effect: now >= deadAtMs ? 'dead' : 'wait', nextAtMs: deadAtMs };
  }
  const askAtMs = state.heardAtMs + limits.quietMs;
  if (now < askAtMs) return { state, effect: 'wait', nextAtMs: askAtMs };
  return { state: { ...state, askedAtMs: now }, effect: 'ask', nextAtMs: now + limits.answerMs };
}
