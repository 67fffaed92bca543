// One listening socket, TCP or TLS: hands out every connection that may speak, and refuses the others aloud.

import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../base/log.ts';
import { distrust, remoteOf, secureContext } from './tls-material.ts';
import type { TlsMaterial } from './tls-material.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0: any free one (see `addresses` of the server). */
  readonly port: number;
  readonly tls?: TlsMaterial;
}

export interface ListenerLimits {
  readonly maxConnections: number;
  /** Peers half-way through TLS; when there are more, the one that has been for longest gives way. */
  readonly maxUnfinished: number;
  readonly handshakeTimeoutMs: number;
}

export interface ListenerAddress {
  readonly host: string;
  readonly port: number;
}

/** Reconnect storms: as many switches as this may knock at once. The system may allow less (net.core.somaxconn). */
const BACKLOG = 4096;

export class SwitchListener {
  readonly #server: Server;
  readonly #log: Log;
  /** Also those that have not come so far as to be handed out: half-way through TLS. */
  readonly #sockets = new Set<Socket>();
  #address: ListenerAddress = { host: '', port: 0 };
  #refused = 0;

  private constructor(server: Server, log: Log) {
    this.#server = server;
    this.#log = log;
  }

  static async open(
    address: ListenAddress,
    limits: ListenerLimits,
    log: Log,
    accept: (socket: Socket) => void,
  ): Promise<SwitchListener> {
    const { tls } = address;
    const server =
      tls === undefined
        ? createServer(accept)
        : createTlsServer({
            ...secureContext(tls),
            requestCert: true,
            // Node would drop a peer with a wrong certificate without a word; it is let in this far and refused aloud.
            rejectUnauthorized: false,
            handshakeTimeout: limits.handshakeTimeoutMs,
          });
    const listener = new SwitchListener(server, log);
    if (tls !== undefined) listener.#watchTls(limits.maxUnfinished, accept);
    listener.#watch(limits);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, () => {
        server.removeListener('error', reject);
        const { address: host, port } = server.address() as AddressInfo;
        listener.#address = { host, port };
        resolve();
      });
    });
    server.on('error', (error) => {
      log.error('OpenFlow listener failed', { error });
    });
    return listener;
  }

  get address(): ListenerAddress {
    return this.#address;
  }

  /** Peers that were not let in. */
  get refused(): number {
    return this.#refused;
  }

  /** From the next connection on; false where this is no TLS listener. */
  setCertificates(tls: TlsMaterial): boolean {
    if (!(this.#server instanceof TlsServer)) return false;
    this.#server.setSecureContext(secureContext(tls));
    return true;
  }

  /** Lets nobody in any more; resolves when the last socket is closed. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #watch({ maxConnections }: ListenerLimits): void {
    const server = this.#server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.maxConnections = maxConnections;
    server.on('drop', () => {
      this.#refuse('too many OpenFlow connections', { limit: maxConnections });
    });
  }

  #watchTls(maxUnfinished: number, accept: (socket: Socket) => void): void {
    // By address: the TLS socket of a connection is another object than its TCP socket.
    const unfinished = new Map<string, Socket>();
    this.#server.on('connection', (socket: Socket) => {
      const remote = remoteOf(socket);
      unfinished.set(remote, socket);
      socket.once('close', () => unfinished.delete(remote));
      const [oldest] = unfinished.values();
      if (unfinished.size > maxUnfinished) oldest?.destroy();
    });
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      unfinished.delete(remoteOf(socket));
      const reason = distrust(socket);
      if (reason === null) {
        accept(socket);
        return;
      }
      this.#refuse('switch refused by TLS', { remote: remoteOf(socket), error: reason });
      socket.destroy();
    });
    this.#server.on('tlsClientError', (error: Error, socket: Socket) => {
      this.#refuse('switch refused by TLS', { remote: remoteOf(socket), error });
    });
  }

  /** One line for each doubling: whoever knocks without end must not fill the disk. */
  #refuse(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#refused += 1;
    if ((this.#refused & (this.#refused - 1)) === 0) this.#log.warn(message, { ...fields, count: this.#refused });
  }
}
