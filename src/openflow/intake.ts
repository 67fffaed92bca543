// The reading side of a connection: cuts its stream into messages and hands them out. What is no packet-in is handed out at
// once; packet-ins too while the turn has time for them, later in the order of their lanes, and what no lane can hold is
// dropped and counted. It decodes nothing.

import type { Readable } from 'node:stream';
import { FrameSplitter } from './frame-splitter.ts';
import type { OnSpan } from './frame-splitter.ts';
import { laneOf } from './lanes.ts';
import type { EtherTypeTable, PacketLane } from './lanes.ts';
import { SpanQueue } from './span-queue.ts';
import type { SpanLimits } from './span-queue.ts';
import type { TurnMember, Turns } from './turns.ts';

export interface IntakeOptions {
  readonly turns: Turns;
  /** Which packet-ins go before the others. */
  readonly etherTypes: EtherTypeTable;
  /** What may wait, a connection. */
  readonly waiting?: Readonly<Record<PacketLane, SpanLimits>>;
}

export interface IntakeHandlers {
  /** Bytes have come, of whatever kind. */
  readonly onRead: () => void;
  /** One whole message; false: the connection is over, the rest is dropped. */
  readonly onFrame: OnSpan;
  /** The stream cannot be followed. */
  readonly onBroken: (error: unknown) => void;
  /** All that can be handed out for now has been: what it caused may go out in one write. */
  readonly onPause: () => void;
}

export interface IntakeStats {
  readonly waiting: Readonly<Record<PacketLane, number>>;
  readonly dropped: Readonly<Record<PacketLane, number>>;
}

const WAITING: Readonly<Record<PacketLane, SpanLimits>> = {
  discovery: { messages: 1024, bytes: 256 * 1024 },
  packet: { messages: 4096, bytes: 512 * 1024 },
};
/** A peer that says so little at once floods nobody: it is read even in a turn that has no time left. */
const SMALL_CHUNK = 4096;
/** What one connection may have read in a turn, so that the others get theirs. */
const TURN_BYTES = 256 * 1024;

export class Intake implements TurnMember {
  readonly #source: Readable;
  readonly #turns: Turns;
  readonly #etherTypes: EtherTypeTable;
  readonly #handlers: IntakeHandlers;
  readonly #splitter = new FrameSplitter();
  readonly #waiting: Readonly<Record<PacketLane, SpanQueue>>;
  readonly #dropped: Record<PacketLane, number> = { discovery: 0, packet: 0 };
  /** Chunks that a turn had no time for: one, beside what a paused stream keeps. */
  #unread: Buffer[] = [];
  #turn = 0;
  #turnBytes = 0;
  #closed = false;

  constructor(source: Readable, options: IntakeOptions, handlers: IntakeHandlers) {
    const { turns, etherTypes, waiting = WAITING } = options;
    this.#source = source;
    this.#turns = turns;
    this.#etherTypes = etherTypes;
    this.#handlers = handlers;
    this.#waiting = { discovery: new SpanQueue(waiting.discovery), packet: new SpanQueue(waiting.packet) };
    source.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
  }

  stats(): IntakeStats {
    const { discovery, packet } = this.#waiting;
    return { waiting: { discovery: discovery.length, packet: packet.length }, dropped: { ...this.#dropped } };
  }

  close(): void {
    this.#closed = true;
    this.#turns.leave(this);
    this.#unread = [];
    this.#waiting.discovery.clear();
    this.#waiting.packet.clear();
    // Paused, a stream would never come to its end.
    this.#source.resume();
  }

  /** Of the turn: reads what it had no time for before. */
  read(): void {
    const chunks = this.#unread;
    this.#unread = [];
    for (const chunk of chunks) this.#split(chunk);
    if (!this.#closed) this.#source.resume();
  }

  /** Of the turn: hands out packet-ins that wait. */
  serve(lane: PacketLane, mayGoOn: () => boolean): boolean {
    const queue = this.#waiting[lane];
    try {
      while (queue.shift(this.#handlers.onFrame) && mayGoOn());
    } finally {
      this.#handlers.onPause();
    }
    return queue.length > 0;
  }

  #receive(chunk: Buffer): void {
    this.#handlers.onRead();
    if (this.#closed) return;
    const turn = this.#turns.enter();
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#turnBytes = 0;
    }
    if (this.#unread.length > 0 || (chunk.length > SMALL_CHUNK && !this.#turns.mayRead())) {
      this.#unread.push(chunk);
      this.#pauseSource();
      return;
    }
    this.#turnBytes += chunk.length;
    if (this.#turnBytes >= TURN_BYTES) this.#pauseSource();
    this.#split(chunk);
  }

  #pauseSource(): void {
    this.#source.pause();
    this.#turns.waitToRead(this);
  }

  #split(chunk: Buffer): void {
    try {
      this.#splitter.split(chunk, this.#onSpan);
    } catch (error) {
      this.#handlers.onBroken(error);
    }
    this.#handlers.onPause();
  }

  readonly #onSpan = (bytes: Buffer, start: number, end: number): boolean => {
    const lane = laneOf(bytes, start, end, this.#etherTypes);
    if (lane !== 'control') {
      const queue = this.#waiting[lane];
      if (queue.length > 0 || !this.#turns.mayServe()) {
        if (!this.#queue(lane, bytes, start, end)) this.#dropped[lane] += 1;
        else if (queue.length === 1) this.#turns.waitToServe(lane, this);
        return true;
      }
    }
    return this.#handlers.onFrame(bytes, start, end);
  };

  /** Discovery is rare: a copy of it keeps no chunk of other packet-ins alive. */
  #queue(lane: PacketLane, bytes: Buffer, start: number, end: number): boolean {
    if (lane === 'packet') return this.#waiting.packet.push(bytes, start, end);
    return this.#waiting.discovery.push(Buffer.from(bytes.subarray(start, end)), 0, end - start);
  }
}
