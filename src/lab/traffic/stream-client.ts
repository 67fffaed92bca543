// The opening end of many test connections: opens them, writes on schedule, and answers what the scenario asks about a
// window of time. One timer for all connections, so that a thousand of them cost little.

import { sleep } from '../deadline.ts';
import type { PlannedConnection } from './connection-plan.ts';
import { openStream, type ClientStream, type OpenStream } from './client-stream.ts';
import type { StreamFailure } from './stream-server.ts';

/** One trickle write: also the size of one keyed block of content. */
const TRICKLE_BYTES = 32;
const TRICKLE_EVERY_MS = 100;
/** Writes that are due within one tick go out together: a packet at a time would cost the switches and both ends several times as much. */
const TICK_MS = 10;
const BULK_EVERY_MS = 40;
/** A sender further behind than this waits instead of filling its own memory. */
const MAX_UNSENT_BYTES = 256 * 1024;
const OPEN_AT_ONCE = 25;
const CHECK_AT_ONCE = 10;
const CHECK_PAUSE_MS = 20;

export interface CheckResult {
  /** Connections that answered what was written after the check began. */
  readonly answered: number;
  readonly silent: readonly number[];
  readonly longestAnswerMs: number;
}

export interface StreamClient {
  open(
    plans: readonly PlannedConnection[],
    to: { host4: string; host6: string } & Omit<OpenStream, 'host'>,
  ): Promise<number>;
  start(bulkBitsPerS: number): void;
  pause(): void;
  check(timeoutMs: number, bytes: number): Promise<CheckResult>;
  failures(): readonly StreamFailure[];
  close(): void;
}

interface Scheduled {
  readonly stream: ClientStream;
  dueMs: number;
}

export function createStreamClient(): StreamClient {
  const streams: ClientStream[] = [];
  let timer: NodeJS.Timeout | null = null;
  return {
    open: async (plans, to) => {
      const queue = [...plans];
      const next = async (): Promise<void> => {
        for (let plan = queue.shift(); plan !== undefined; plan = queue.shift()) {
          streams.push(await openStream(plan, { ...to, host: plan.family === 4 ? to.host4 : to.host6 }));
        }
      };
      await Promise.all(Array.from({ length: OPEN_AT_ONCE }, next));
      return streams.length;
    },
    start: (bulkBitsPerS) => {
      timer ??= schedule(streams, bulkBitsPerS);
    },
    pause: () => {
      if (timer !== null) clearInterval(timer);
      timer = null;
    },
    check: (timeoutMs, bytes) => check(streams, timeoutMs, bytes),
    failures: () => streams.flatMap((s) => (s.failure === null ? [] : [s.failure])),
    close: () => {
      if (timer !== null) clearInterval(timer);
      for (const stream of streams) stream.destroy();
    },
  };
}

/** Spreads the writes of all connections evenly over their period. */
function schedule(streams: readonly ClientStream[], bulkBitsPerS: number): NodeJS.Timeout {
  const startMs = performance.now();
  const every = (kind: string, periodMs: number): Scheduled[] =>
    streams
      .filter((s) => s.plan.kind === kind)
      .map((stream, i, all) => ({ stream, dueMs: startMs + (i * periodMs) / all.length }));
  const trickle = every('trickle', TRICKLE_EVERY_MS);
  const bulk = every('bulk', BULK_EVERY_MS);
  const bulkBytes = Math.max(1, Math.round((bulkBitsPerS / 8 / 1000) * BULK_EVERY_MS));
  return setInterval(() => {
    writeDue(trickle, TRICKLE_EVERY_MS, TRICKLE_BYTES);
    writeDue(bulk, BULK_EVERY_MS, bulkBytes);
  }, TICK_MS);
}

function writeDue(all: readonly Scheduled[], periodMs: number, bytes: number): void {
  const nowMs = performance.now();
  for (const each of all) {
    if (each.dueMs > nowMs) continue;
    // After a freeze the schedule goes on from now: a burst of all missed writes would measure itself.
    each.dueMs = Math.max(each.dueMs + periodMs, nowMs);
    if (each.stream.unsentBytes < MAX_UNSENT_BYTES) each.stream.write(bytes);
  }
}

/** Writes `bytes` on every connection and waits for the answers. */
async function check(streams: readonly ClientStream[], timeoutMs: number, bytes: number): Promise<CheckResult> {
  const silent = new Set(streams.map((s) => s.plan.id));
  let longestAnswerMs = 0;
  let done: () => void = () => undefined;
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  for (const [i, stream] of streams.entries()) {
    // Not all at once: a burst over every connection would be the heaviest load of the whole run.
    if (i > 0 && i % CHECK_AT_ONCE === 0) await sleep(CHECK_PAUSE_MS);
    stream.write(bytes);
    const offset = stream.writtenBytes;
    const writtenMs = performance.now();
    stream.whenAnswered(offset, () => {
      if (!silent.delete(stream.plan.id)) return;
      longestAnswerMs = Math.max(longestAnswerMs, performance.now() - writtenMs);
      if (silent.size === 0) done();
    });
  }
  const stop = new AbortController();
  if (silent.size > 0) await Promise.race([all, sleep(timeoutMs, stop.signal).catch(() => undefined)]);
  stop.abort();
  return { answered: streams.length - silent.size, silent: [...silent], longestAnswerMs };
}
