// Nothing in the lab waits for ever: every wait has a deadline and says what it was waiting for.

import { LabError } from './lab-error.ts';

/** Epoch milliseconds, fractional: one clock for all processes of one machine, comparable with captures. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}

export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(interrupted(signal));
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      if (signal !== undefined) reject(interrupted(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function interrupted(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new LabError('INTERRUPTED', 'interrupted');
}

/** `promise`, or TIMED_OUT naming `what`. */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new LabError('TIMED_OUT', `waited ${timeoutMs} ms for ${what}`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export interface Wait {
  readonly what: string;
  readonly timeoutMs: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Asks `probe` until it gives something other than a text; a text is the reason why not yet, and the last one is part of
 * the error. What `probe` throws is a reason too: programs under start refuse connections.
 */
export async function until<T extends object | number | boolean>(
  wait: Wait,
  probe: () => Promise<T | string>,
): Promise<T> {
  const end = performance.now() + wait.timeoutMs;
  let reason: string;
  for (;;) {
    try {
      const got = await within(wait.timeoutMs, wait.what, probe());
      if (typeof got !== 'string') return got;
      reason = got;
    } catch (error) {
      if (error instanceof LabError && (error.code === 'PROCESS_ENDED' || error.code === 'INTERRUPTED')) throw error;
      reason = error instanceof Error ? error.message : String(error);
    }
    if (performance.now() >= end)
      throw new LabError('TIMED_OUT', `waited ${wait.timeoutMs} ms for ${wait.what}: ${reason}`);
    await sleep(wait.everyMs ?? 50, wait.signal);
  }
}
