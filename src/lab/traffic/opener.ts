// New connections at a steady rate: connect, one byte, its echo, close. Every attempt is recorded with its times; which of
// them were too slow is decided by who knows when the VM was away.

import { connect, createServer, type Socket } from 'node:net';
import { epochMs } from '../deadline.ts';
import { listening } from './stream-server.ts';

export interface Attempt {
  readonly startMs: number;
  readonly family: 4 | 6;
  /** Until the handshake was through; null when it never was. */
  readonly connectMs: number | null;
  /** Until the byte was back; null when it never was. */
  readonly totalMs: number | null;
  readonly error: string | null;
}

export interface OpenerTarget {
  readonly host4: string;
  readonly host6: string;
  readonly port: number;
  readonly perSecond: number;
}

export interface DrainedAttempts {
  readonly attempts: readonly Attempt[];
  readonly oldestMs: number | null;
}

/** An attempt that has no echo by then has failed. Long enough for three retransmitted SYNs. */
const GIVE_UP_MS = 10_000;

export interface Opener {
  start(target: OpenerTarget): void;
  stop(): void;
  /** Attempts finished since the last call, and when the oldest that still runs began (null: none runs). */
  drain(): DrainedAttempts;
}

export function createOpener(): Opener {
  let finished: Attempt[] = [];
  const underWay = new Set<{ readonly startMs: number }>();
  let timer: NodeJS.Timeout | null = null;
  const attempt = (target: OpenerTarget, family: 4 | 6): void => {
    const running = { startMs: epochMs() };
    underWay.add(running);
    openOnce(target, family, (done) => {
      underWay.delete(running);
      finished.push(done);
    });
  };
  return {
    start: (target) => {
      let count = 0;
      const everyMs = 1000 / target.perSecond;
      let dueMs = performance.now();
      const tick = (): void => {
        const nowMs = performance.now();
        // A frozen opener does not make up for what it could not do.
        if (nowMs - dueMs > 5 * everyMs) dueMs = nowMs;
        for (; dueMs <= nowMs; dueMs += everyMs) attempt(target, count++ % 10 < 3 ? 6 : 4);
        timer = setTimeout(tick, Math.max(0, dueMs - performance.now()));
      };
      if (timer === null && target.perSecond > 0) tick();
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
    drain: () => {
      const attempts = finished;
      finished = [];
      // A set keeps the order of insertion: the first is the oldest.
      const [oldest] = underWay;
      return { attempts, oldestMs: oldest?.startMs ?? null };
    },
  };
}

function openOnce(target: OpenerTarget, family: 4 | 6, done: (attempt: Attempt) => void): void {
  const startMs = epochMs();
  let connectMs: number | null = null;
  let totalMs: number | null = null;
  let ended = false;
  const socket = connect({
    host: family === 4 ? target.host4 : target.host6,
    port: target.port,
    family,
    noDelay: true,
  });
  const finish = (error: string | null): void => {
    if (ended) return;
    ended = true;
    clearTimeout(timer);
    if (error === null) socket.end();
    else socket.destroy();
    done({ startMs, family, connectMs, totalMs, error });
  };
  const timer = setTimeout(() => {
    finish(connectMs === null ? 'no handshake' : 'no echo');
  }, GIVE_UP_MS);
  socket.on('connect', () => {
    connectMs = epochMs() - startMs;
    socket.write(Buffer.of(0x5f));
  });
  socket.on('data', () => {
    totalMs = epochMs() - startMs;
    finish(null);
  });
  socket.on('error', (error) => {
    finish(error.message);
  });
  socket.on('close', () => {
    finish('closed before the echo');
  });
}

/** Answers each connection's byte and closes when the opener does. */
export function createOpenerServer(): { listen(port: number): Promise<void>; close(): void } {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  return {
    listen: (port) => listening(server, port),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
