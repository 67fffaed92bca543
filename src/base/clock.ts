// Time as a parameter: everything that waits or stamps takes a Clock, so that tests and the simulator own time.

export interface Clock {
  /** Monotonic milliseconds (fractional). */
  now(): number;
  /** Milliseconds since the Unix epoch (fractional): for journals, records and comparison with captures. */
  wallMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fire` once after `ms`; the returned function cancels it. */
  after(ms: number, fire: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => performance.timeOrigin + performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal?.addEventListener('abort', onAbort, { once: true });
    }),
  after: (ms, fire) => {
    const timer = setTimeout(fire, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** One that can be stopped: from then on nobody who waits by it goes on, and nothing that waits keeps the process alive. */
export interface StoppableClock extends Clock {
  stop(): void;
}

export function stoppable(clock: Clock): StoppableClock {
  const cancels = new Set<() => void>();
  let stopped = false;
  const after = (ms: number, fire: () => void): (() => void) => {
    if (stopped) return () => undefined;
    const cancelTimer = clock.after(ms, () => {
      cancels.delete(cancelTimer);
      fire();
    });
    cancels.add(cancelTimer);
    return () => {
      cancels.delete(cancelTimer);
      cancelTimer();
    };
  };
  return {
    now: () => clock.now(),
    wallMs: () => clock.wallMs(),
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const onAbort = (): void => {
          cancel();
          if (!stopped) reject(signal?.reason as Error);
        };
        const cancel = after(ms, () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        });
        signal?.addEventListener('abort', onAbort, { once: true });
      }),
    stop: () => {
      stopped = true;
      for (const cancel of cancels) cancel();
      cancels.clear();
    },
  };
}
