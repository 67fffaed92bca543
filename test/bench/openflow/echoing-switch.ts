// One of very many switches: it connects, answers what it is asked, sends echo requests one after another, and can drop its
// connection and come back. Bytes by hand, so that a thousand of them cost little.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { eachMessage } from './answers.ts';
import { answer, hello, message } from './switch-frames.ts';
import type { LoadVersion } from './switch-frames.ts';

export interface EchoingSwitchOptions {
  readonly version: LoadVersion;
  readonly port: number;
  readonly datapathId: number;
  /** Between an echo reply and the next request. */
  readonly pauseMs: number;
}

const READ_BYTES = 4096;
const ECHO_REPLY = 3;
const FEATURES_REQUEST = 5;
/** The last thing a controller asks for in its handshake. */
const LAST_ASKED: Readonly<Record<LoadVersion, number>> = { 1: FEATURES_REQUEST, 4: 18, 5: 18, 6: 18 };

export class EchoingSwitch {
  echoes = 0;
  /** Times that it was refused or cut off without wanting to. */
  losses = 0;
  connects = 0;
  longestEchoMs = 0;
  /** Whether the present connection has had its handshake. */
  ready = false;
  readonly #options: EchoingSwitchOptions;
  #input = Buffer.alloc(READ_BYTES);
  #socket: Socket | null = null;
  #held = 0;
  #askedAtMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: EchoingSwitchOptions) {
    this.#options = options;
  }

  connect(): void {
    const { port, version } = this.#options;
    this.#held = 0;
    this.ready = false;
    this.connects += 1;
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#socket === socket) this.losses += 1;
    });
    socket.write(hello(version));
  }

  /** Cuts the connection without a word. */
  drop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
    this.ready = false;
  }

  /** How long it has waited for an echo reply by now. */
  waitingMs(): number {
    return this.#askedAtMs === 0 ? 0 : performance.now() - this.#askedAtMs;
  }

  #receive(chunk: Buffer): void {
    if (this.#held + chunk.length > this.#input.length) {
      this.#input = Buffer.concat([this.#input.subarray(0, this.#held), Buffer.alloc(chunk.length)]);
    }
    chunk.copy(this.#input, this.#held);
    this.#held = eachMessage(this.#input, this.#held + chunk.length, (start, end) => {
      this.#onMessage(this.#input.subarray(start, end));
    });
  }

  #onMessage(bytes: Buffer): void {
    const { version, datapathId, pauseMs } = this.#options;
    const type = bytes.readUInt8(1);
    if (type === ECHO_REPLY) {
      this.echoes += 1;
      this.longestEchoMs = Math.max(this.longestEchoMs, this.waitingMs());
      this.#askedAtMs = 0;
      this.#timer = setTimeout(() => {
        this.#ask();
      }, pauseMs);
      return;
    }
    const reply = answer(version, bytes, datapathId);
    if (reply === null) return;
    this.#socket?.write(reply);
    if (type !== LAST_ASKED[version] || this.ready) return;
    this.ready = true;
    this.#ask();
  }

  #ask(): void {
    this.#askedAtMs = performance.now();
    this.#socket?.write(message(this.#options.version, 2, this.echoes));
  }
}
