// Connects to one switch that listens (`ptcp:`, `pssl:`), and again whenever the connection ends, until it is closed.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { backoffMs } from './backoff.ts';
import type { BackoffLimits } from './backoff.ts';
import { distrust, secureContext } from './tls-material.ts';
import type { TlsMaterial } from './tls-material.ts';

export interface DialAddress {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsMaterial;
}

export interface DialerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly backoff: BackoffLimits;
  readonly connectTimeoutMs: number;
  /** The socket speaks; `onEnd` is to be called once, with whether the handshake of OpenFlow came to its end. */
  readonly accept: (socket: Socket, onEnd: (finished: boolean) => void) => void;
}

/** Who a certificate is made out to does not count, as with Open vSwitch; who signed it is asked afterwards, to say why not. */
const AUTHORITY_ALONE = { rejectUnauthorized: false, checkServerIdentity: (): undefined => undefined } as const;

export class SwitchDialer {
  readonly #address: DialAddress;
  readonly #options: DialerOptions;
  #tls: TlsMaterial | undefined;
  #socket: Socket | null = null;
  #failures = 0;
  #closed = false;
  #cancelTimer: () => void = () => undefined;

  constructor(address: DialAddress, options: DialerOptions) {
    this.#address = address;
    this.#tls = address.tls;
    this.#options = options;
    this.#dial();
  }

  /** Attempts in a row that came to nothing. */
  get failures(): number {
    return this.#failures;
  }

  /** From the next connection on; false where this is no TLS connection. */
  setCertificates(tls: TlsMaterial): boolean {
    if (this.#tls === undefined) return false;
    this.#tls = tls;
    return true;
  }

  /** Dials no more. What is connected is not closed by this. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    this.#socket?.destroy();
  }

  #dial(): void {
    const { clock, connectTimeoutMs } = this.#options;
    const { host, port } = this.#address;
    const socket: Socket | TLSSocket =
      this.#tls === undefined
        ? connect({ host, port })
        : connectTls({ ...secureContext(this.#tls), ...AUTHORITY_ALONE, host, port });
    this.#socket = socket;
    let why: unknown = new Error(`no connection in ${connectTimeoutMs} ms`);
    this.#cancelTimer = clock.after(connectTimeoutMs, () => socket.destroy());
    const onError = (error: Error): void => {
      why = error;
    };
    const onClose = (): void => {
      this.#fail(why);
    };
    socket.on('error', onError);
    socket.once('close', onClose);
    socket.once(this.#tls === undefined ? 'connect' : 'secureConnect', () => {
      const reason = this.#tls === undefined ? null : distrust(socket as TLSSocket);
      if (reason !== null) {
        socket.destroy(new Error(reason));
        return;
      }
      this.#cancelTimer();
      this.#socket = null;
      socket.removeListener('close', onClose);
      this.#options.accept(socket, (finished) => {
        this.#onEnd(finished);
      });
      socket.removeListener('error', onError);
    });
  }

  #onEnd(finished: boolean): void {
    if (finished) this.#failures = 0;
    else this.#failures += 1;
    this.#wait();
  }

  #fail(error: unknown): void {
    this.#cancelTimer();
    this.#socket = null;
    this.#failures += 1;
    const { host, port } = this.#address;
    // One line for each doubling: a switch that is gone for good must not fill the disk.
    if (!this.#closed && (this.#failures & (this.#failures - 1)) === 0) {
      this.#options.log.warn('switch not reached', { host, port, error, failures: this.#failures });
    }
    this.#wait();
  }

  #wait(): void {
    if (this.#closed) return;
    const { clock, backoff } = this.#options;
    this.#cancelTimer = clock.after(backoffMs(this.#failures, backoff, Math.random()), () => {
      this.#dial();
    });
  }
}
