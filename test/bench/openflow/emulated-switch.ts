// One switch of the load: handshake, echo, and a bounded window of packet-ins that are numbered and matched to answers.
// Packet-ins live in a ring of slots that are patched and written in place, so that sending one costs a few stores.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { answeredBy, eachMessage } from './answers.ts';
import {
  answer,
  DESTINATION_INDEX,
  hello,
  PACKET_NUMBER,
  packetInLayout,
  packetInTemplate,
  PORTS,
  SOURCE_INDEX,
} from './switch-frames.ts';
import type { LoadVersion, PacketInLayout } from './switch-frames.ts';

export interface EmulatedSwitchOptions {
  readonly version: LoadVersion;
  readonly host: string;
  readonly port: number;
  readonly datapathId: number;
  /** Packet-ins that may be unanswered at a time; a power of two. */
  readonly window: number;
  /** Different source addresses. */
  readonly macs: number;
  /** Called with the milliseconds from a packet-in to its answer; costs a clock reading for each. */
  readonly onRoundTrip: ((ms: number) => void) | null;
}

export interface SwitchCounts {
  sent: number;
  answered: number;
  /** Messages that came back as answers, of which some controllers send two or three. */
  flowMods: number;
  packetOuts: number;
  /** Unanswered for so long that the slot was used again. */
  lost: number;
}

const READ_BYTES = 256 * 1024;

export class EmulatedSwitch {
  readonly counts: SwitchCounts = { sent: 0, answered: 0, flowMods: 0, packetOuts: 0, lost: 0 };
  readonly #options: EmulatedSwitchOptions;
  readonly #layout: PacketInLayout;
  readonly #ring: Buffer;
  /** The number of the packet-in that waits in each slot, or -1. */
  readonly #waiting: Float64Array;
  readonly #sentAtMs: Float64Array;
  readonly #input = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #socket: Socket;
  #held = 0;
  #next = 0;
  #running = false;
  closed = false;
  featuresSent = false;

  constructor(options: EmulatedSwitchOptions) {
    const { window, version, macs } = options;
    if ((window & (window - 1)) !== 0) throw new RangeError(`a window of ${window} is not a power of two`);
    if (macs > 0xffff) throw new RangeError('at most 65,535 addresses');
    this.#options = options;
    this.#layout = packetInLayout(version);
    const template = packetInTemplate(version);
    this.#ring = Buffer.concat(Array.from({ length: window }, () => template));
    this.#waiting = new Float64Array(window).fill(-1);
    this.#sentAtMs = new Float64Array(window);
    this.#socket = connect({
      host: options.host,
      port: options.port,
      noDelay: true,
      onread: {
        buffer: () => this.#input.subarray(this.#held),
        callback: (count) => {
          this.#receive(count);
          return true;
        },
      },
    });
    this.#socket.on('error', () => undefined).on('close', () => (this.closed = true));
    this.#socket.write(hello(version));
  }

  /** Begins to keep the window full. */
  start(): void {
    this.#running = true;
    this.#fill();
  }

  stop(): void {
    this.#running = false;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Gives up what has waited for longer than `ms`: a controller may drop packet-ins, and the load is to go on. */
  giveUp(ms: number): void {
    if (this.#socket.writableLength > 0) return;
    const before = performance.now() - ms;
    for (let slot = 0; slot < this.#waiting.length; slot += 1) {
      if ((this.#waiting[slot] ?? -1) < 0 || (this.#sentAtMs[slot] ?? 0) > before) continue;
      this.#waiting[slot] = -1;
      this.counts.lost += 1;
    }
    if (this.#running) this.#fill();
  }

  #receive(count: number): void {
    this.#held = eachMessage(this.#input, this.#held + count, (start, end) => {
      this.#onMessage(start, end);
    });
    if (this.#running) this.#fill();
  }

  #onMessage(start: number, end: number): void {
    const { version, datapathId, onRoundTrip } = this.#options;
    const type = this.#input[start + 1];
    if (type !== 14 && type !== 13) {
      const reply = answer(version, this.#input.subarray(start, end), datapathId);
      if (reply === null) return;
      if (type === 5) this.featuresSent = true;
      this.#socket.write(reply);
      return;
    }
    if (type === 14) this.counts.flowMods += 1;
    else this.counts.packetOuts += 1;
    const number = answeredBy(version, this.#input, start, end);
    if (number < 0) return;
    const slot = number & (this.#waiting.length - 1);
    if (this.#waiting[slot] !== number) return;
    this.#waiting[slot] = -1;
    this.counts.answered += 1;
    if (onRoundTrip !== null) onRoundTrip(performance.now() - (this.#sentAtMs[slot] ?? 0));
  }

  /** Sends into every slot from the next one on that is free. */
  #fill(): void {
    const { length: slots } = this.#waiting;
    const now = performance.now();
    let first = this.#next & (slots - 1);
    let slot = first;
    while ((this.#waiting[slot] ?? 0) < 0) {
      this.#patch(slot, this.#next);
      this.#waiting[slot] = this.#next;
      this.#sentAtMs[slot] = now;
      this.#next += 1;
      this.counts.sent += 1;
      slot += 1;
      if (slot < slots) continue;
      this.#write(first, slot);
      first = slot = 0;
    }
    this.#write(first, slot);
  }

  /** The bytes are not touched again before the answer: by then they have left. */
  #write(first: number, end: number): void {
    const { bytes } = this.#layout;
    if (end > first) this.#socket.write(this.#ring.subarray(first * bytes, end * bytes));
  }

  #patch(slot: number, number: number): void {
    const { bytes, xid, bufferId, inPort, packet } = this.#layout;
    const { macs } = this.#options;
    const at = slot * bytes;
    const source = number % macs;
    // Always one that has been a source, after the first round.
    const destination = (number + 1) % macs;
    put32(this.#ring, at + xid, number);
    put32(this.#ring, at + bufferId, number);
    this.#ring[at + inPort] = 1 + (source % PORTS);
    put16(this.#ring, at + packet + DESTINATION_INDEX, destination);
    put16(this.#ring, at + packet + SOURCE_INDEX, source);
    put32(this.#ring, at + packet + PACKET_NUMBER, number);
  }
}

function put16(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

function put32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
