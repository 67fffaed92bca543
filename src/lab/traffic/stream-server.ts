// The listening end of the test connections: verifies every byte and answers with an echo (trickle, idle) or with the
// offset verified so far (bulk). Measures the longest silence between two arrivals of a connection that sends by itself: at
// the receiving end, where a longer way there and back is not counted twice. Never resets, never closes first: what ends a connection is the network's doing.

import { createServer, type Server, type Socket } from 'node:net';
import { epochMs } from '../deadline.ts';
import { createVerifiedStream, type VerifiedStream } from './verified-stream.ts';

export type AnswerKind = 'echo' | 'acknowledge';

export interface StreamServerReport {
  readonly connections: number;
  /** Connections (by the opener's port) that carried a wrong byte, were reset, or ended before they were told to. */
  readonly failures: readonly StreamFailure[];
}

export interface StreamFailure {
  readonly id: number;
  readonly kind: 'wrong-byte' | 'reset' | 'timed-out' | 'ended' | 'not-opened';
  readonly atMs: number;
  readonly detail: string;
}

/** Bulk receivers acknowledge at most this often; 8 bytes, big endian double: the offset verified. */
const ACKNOWLEDGE_EVERY_MS = 20;

/** The longest time between two arrivals of one connection (by the opener's port), and when it began. */
export interface ConnectionGap {
  readonly id: number;
  readonly gapMs: number;
  readonly atMs: number;
}

export interface StreamServer {
  listen(port: number): Promise<void>;
  beginWindow(): void;
  /** Of the connections from which something has arrived since the window began. */
  endWindow(): readonly ConnectionGap[];
  report(): StreamServerReport;
  close(): Promise<void>;
}

export function createStreamServer(key: string, answer: AnswerKind): StreamServer {
  const failures: StreamFailure[] = [];
  const sockets = new Set<Socket>();
  const arrivals = new Map<number, Arrivals>();
  let closing = false;
  const fail = (failure: StreamFailure): void => {
    if (!closing) failures.push(failure);
  };
  const server = createServer({ noDelay: true }, (socket) => {
    const id = socket.remotePort ?? 0;
    sockets.add(socket);
    socket.on('data', () => {
      noteArrival(arrivals, id, epochMs());
    });
    serve(socket, createVerifiedStream(key, `${id} up`), answer, (detail) => {
      fail({ id, kind: 'wrong-byte', atMs: epochMs(), detail });
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      fail({ id, kind: failureKind(error), atMs: epochMs(), detail: error.message });
    });
    socket.on('end', () => {
      fail({ id, kind: 'ended', atMs: epochMs(), detail: 'the opener closed' });
    });
    socket.on('close', () => sockets.delete(socket));
  });
  return {
    listen: (port) => listening(server, port),
    beginWindow: () => {
      arrivals.clear();
    },
    endWindow: () => {
      const nowMs = epochMs();
      for (const id of arrivals.keys()) noteArrival(arrivals, id, nowMs);
      return [...arrivals].map(([id, { longest }]) => ({ id, ...longest }));
    },
    report: () => ({ connections: sockets.size, failures }),
    close: () =>
      new Promise((resolve) => {
        closing = true;
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

interface Arrivals {
  lastMs: number;
  longest: { gapMs: number; atMs: number };
}

function noteArrival(arrivals: Map<number, Arrivals>, id: number, nowMs: number): void {
  const seen = arrivals.get(id) ?? { lastMs: nowMs, longest: { gapMs: 0, atMs: nowMs } };
  if (nowMs - seen.lastMs > seen.longest.gapMs) seen.longest = { gapMs: nowMs - seen.lastMs, atMs: seen.lastMs };
  seen.lastMs = nowMs;
  arrivals.set(id, seen);
}

function serve(socket: Socket, content: VerifiedStream, answer: AnswerKind, wrong: (detail: string) => void): void {
  let acknowledgeTimer: NodeJS.Timeout | null = null;
  const acknowledge = (): void => {
    acknowledgeTimer = null;
    const offset = Buffer.alloc(8);
    offset.writeDoubleBE(content.offset);
    if (socket.writable) socket.write(offset);
  };
  socket.on('data', (chunk: Buffer) => {
    const bad = content.check(chunk);
    if (bad !== null) {
      wrong(`byte ${bad} is not the one sent`);
      socket.pause();
      return;
    }
    if (answer === 'echo') socket.write(chunk);
    else acknowledgeTimer ??= setTimeout(acknowledge, ACKNOWLEDGE_EVERY_MS);
  });
  socket.on('close', () => {
    if (acknowledgeTimer !== null) clearTimeout(acknowledgeTimer);
  });
}

/** ECONNRESET is a reset, ETIMEDOUT the kernel giving up, anything else an end. */
export function failureKind(error: NodeJS.ErrnoException): StreamFailure['kind'] {
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return 'reset';
  return error.code === 'ETIMEDOUT' ? 'timed-out' : 'ended';
}

export function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '::', backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
