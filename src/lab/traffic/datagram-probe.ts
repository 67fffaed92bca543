// Numbered datagrams, one every 2 ms in each direction between two fixed ports, with every send and every arrival stamped.
// It judges nothing: losses and gaps are worked out from both ends' stamps (datagram-losses.ts).

import { createSocket, type Socket } from 'node:dgram';
import { epochMs } from '../deadline.ts';

export interface SentRange {
  /** Sequence number of `stamps[0]`. */
  readonly firstSequence: number;
  readonly stampsMs: readonly number[];
}

export interface DatagramProbe {
  open(port: number): Promise<void>;
  start(host: string, port: number, everyMs: number): void;
  stop(): void;
  /** The datagrams sent in [fromMs, toMs). */
  sent(fromMs: number, toMs: number): SentRange;
  /** Arrival stamps of `count` sequence numbers from `firstSequence` on; 0 = has not arrived. */
  arrivals(firstSequence: number, count: number): readonly number[];
  /** Arrivals of any sequence number in [fromMs, toMs), in order of arrival. */
  arrivedBetween(fromMs: number, toMs: number): readonly number[];
  close(): void;
}

/** A sequence number (u32) and padding: what is measured here is arrival, content is TCP's part. */
const BYTES = 64;
/** A sender woken later than this goes on from now; less is caught up, so that the rate stays. */
const MAX_CATCH_UP_MS = 20;

export function createDatagramProbe(): DatagramProbe {
  const sentMs: number[] = [];
  const arrivedMs: number[] = [];
  const order: number[] = [];
  let socket: Socket | null = null;
  let timer: NodeJS.Timeout | null = null;
  return {
    open: (port) =>
      new Promise((resolve, reject) => {
        const opened = createSocket({ type: 'udp6' });
        opened.once('error', reject);
        opened.on('message', (message) => {
          if (message.length !== BYTES) return;
          const nowMs = epochMs();
          arrivedMs[message.readUInt32BE(0)] ??= nowMs;
          order.push(nowMs);
        });
        opened.bind({ port, address: '::' }, () => {
          opened.off('error', reject);
          // The network being away for a while is what is measured, not an error of ours.
          opened.on('error', () => undefined);
          socket = opened;
          resolve();
        });
      }),
    start: (host, port, everyMs) => {
      const to = host.includes(':') ? host : `::ffff:${host}`;
      let dueMs = performance.now();
      const tick = (): void => {
        const nowMs = performance.now();
        if (nowMs - dueMs > MAX_CATCH_UP_MS) dueMs = nowMs;
        for (; dueMs <= nowMs; dueMs += everyMs) {
          const message = Buffer.alloc(BYTES);
          message.writeUInt32BE(sentMs.length);
          sentMs.push(epochMs());
          socket?.send(message, port, to, () => undefined);
        }
        timer = setTimeout(tick, Math.max(0, dueMs - performance.now()));
      };
      if (timer === null) tick();
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
    sent: (fromMs, toMs) => {
      const first = firstAtOrAfter(sentMs, fromMs);
      return { firstSequence: first, stampsMs: sentMs.slice(first, firstAtOrAfter(sentMs, toMs)) };
    },
    arrivals: (firstSequence, count) => Array.from({ length: count }, (_, i) => arrivedMs[firstSequence + i] ?? 0),
    arrivedBetween: (fromMs, toMs) => order.slice(firstAtOrAfter(order, fromMs), firstAtOrAfter(order, toMs)),
    close: () => {
      if (timer !== null) clearTimeout(timer);
      socket?.close();
    },
  };
}

/** Binary search in ascending stamps. */
function firstAtOrAfter(stamps: readonly number[], atMs: number): number {
  let low = 0;
  let high = stamps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((stamps[middle] ?? Infinity) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
