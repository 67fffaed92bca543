// Accepts switches over TCP or TLS and hands each out as a Switch once its handshake is over. Many switches, one at a
// time for a datapath id: a second connection of the same one replaces the first.

import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Dpid } from '../base/ids.ts';
import { silentLog } from '../base/log.ts';
import type { Log } from '../base/log.ts';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import { DEFAULT_LIVENESS } from './liveness.ts';
import type { LivenessLimits } from './liveness.ts';
import type { SwitchEvent } from './model.ts';
import { OpenFlowError } from './openflow-error.ts';
import type { SwitchChannel } from './switch-channel.ts';
import { WIRE_VERSIONS } from './wire-version.ts';
import type { WireVersion } from './wire-version.ts';

/** PEM texts. Both sides must show a certificate signed by `ca`. */
export interface TlsMaterial {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  readonly ca: string | Buffer | readonly (string | Buffer)[];
}

export interface ListenAddress {
  readonly host: string;
  /** 0: any free one (see `addresses` of the server). */
  readonly port: number;
  readonly tls?: TlsMaterial;
}

export interface OpenFlowServerOptions {
  readonly listen: ListenAddress | readonly ListenAddress[];
  readonly versions?: readonly WireVersion[];
  readonly clock?: Clock;
  readonly log?: Log;
  readonly liveness?: LivenessLimits;
  readonly handshakeTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly maxQueuedBytes?: number;
  readonly maxConnections?: number;
  /** The handshake is over. Events follow, never before. */
  readonly onSwitch: (sw: SwitchChannel) => void;
  /** Called in order of arrival, in the tick the bytes arrive. Packet data is a view: copy what is kept for long. */
  readonly onEvent: (sw: SwitchChannel, event: SwitchEvent) => void;
  /** Once for each `onSwitch`. */
  readonly onClose?: (sw: SwitchChannel, reason: OpenFlowError) => void;
}

export interface OpenFlowServer {
  /** Where it listens, in the order of `listen`. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly switches: ReadonlyMap<Dpid, SwitchChannel>;
  /** Stops listening and closes every channel. */
  close(): Promise<void>;
}

/** Reconnect storms: as many switches as this may knock at once. */
const BACKLOG = 1024;
const DEFAULTS = {
  handshakeTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  maxQueuedBytes: 16 * 1024 * 1024,
  maxConnections: 4096,
};
/** How long a closed connection may take to deliver what was queued. */
const LINGER_MS = 1_000;

export async function createOpenFlowServer(options: OpenFlowServerOptions): Promise<OpenFlowServer> {
  const registry = new Registry(options);
  const listen = Array.isArray(options.listen)
    ? (options.listen as readonly ListenAddress[])
    : [options.listen as ListenAddress];
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    registry.closeAll();
    // Also those that have not come so far as to be a connection: half-way through TLS.
    const timer = setTimeout(() => {
      for (const socket of registry.sockets) socket.destroy();
    }, LINGER_MS);
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    clearTimeout(timer);
  };
  try {
    for (const address of listen) servers.push(await startListening(address, options, registry));
  } catch (error) {
    await close();
    throw error;
  }
  return { addresses: servers.map(addressOf), switches: registry.switches, close };
}

async function startListening(
  address: ListenAddress,
  options: OpenFlowServerOptions,
  registry: Registry,
): Promise<Server> {
  const log = options.log ?? silentLog;
  const accept = (socket: Socket): void => {
    registry.accept(socket);
  };
  // Node would drop a peer with a wrong certificate without a word; so it is let in this far and refused here, aloud.
  const acceptVerified = (socket: TLSSocket): void => {
    if (socket.authorized) {
      accept(socket);
      return;
    }
    log.warn('switch refused by TLS', { remote: remoteOf(socket), error: String(socket.authorizationError) });
    socket.destroy();
  };
  const server =
    address.tls === undefined ? createServer(accept) : createTlsServer(tlsOptions(address.tls), acceptVerified);
  server.on('connection', (socket: Socket) => {
    registry.sockets.add(socket);
    socket.once('close', () => registry.sockets.delete(socket));
  });
  server.maxConnections = options.maxConnections ?? DEFAULTS.maxConnections;
  server.on('drop', () => {
    log.warn('too many OpenFlow connections', { limit: server.maxConnections });
  });
  server.on('tlsClientError', (error: Error, socket: Socket) => {
    log.warn('switch refused by TLS', { remote: remoteOf(socket), error });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => {
    log.error('OpenFlow listener failed', { error });
  });
  return server;
}

function tlsOptions({ key, cert, ca }: TlsMaterial): Parameters<typeof createTlsServer>[0] {
  return {
    key,
    cert,
    ca: Array.isArray(ca) ? [...(ca as readonly (string | Buffer)[])] : (ca as string | Buffer),
    requestCert: true,
    rejectUnauthorized: false, // see acceptVerified
    minVersion: 'TLSv1.2',
    handshakeTimeout: DEFAULTS.handshakeTimeoutMs,
  };
}

/** The connections there are, and which of them speaks for which datapath. */
class Registry {
  readonly switches = new Map<Dpid, SwitchChannel>();
  readonly sockets = new Set<Socket>();
  readonly #connections = new Map<SwitchChannel, Connection>();
  readonly #all = new Set<Connection>();
  readonly #options: OpenFlowServerOptions;
  readonly #connectionOptions: ConnectionOptions;
  readonly #log: Log;

  constructor(options: OpenFlowServerOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.#connectionOptions = {
      versions: options.versions ?? WIRE_VERSIONS,
      clock: options.clock ?? systemClock,
      log: this.#log,
      liveness: options.liveness ?? DEFAULT_LIVENESS,
      handshakeTimeoutMs: options.handshakeTimeoutMs ?? DEFAULTS.handshakeTimeoutMs,
      requestTimeoutMs: options.requestTimeoutMs ?? DEFAULTS.requestTimeoutMs,
      maxQueuedBytes: options.maxQueuedBytes ?? DEFAULTS.maxQueuedBytes,
    };
  }

  accept(socket: Socket): void {
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    const remote = remoteOf(socket);
    const connection = new Connection(socket, remote, this.#connectionOptions, {
      onReady: (channel) => {
        this.#admit(channel, connection);
      },
      onEvent: (channel, event) => {
        this.#options.onEvent(channel, event);
      },
      onClosed: (channel, reason) => {
        this.#all.delete(connection);
        const timer = setTimeout(() => socket.destroy(), LINGER_MS);
        socket.once('close', () => {
          clearTimeout(timer);
        });
        if (channel === null) this.#log.warn('OpenFlow connection failed', { remote, reason: reason.message });
        else this.#release(channel, reason);
      },
    });
    this.#all.add(connection);
  }

  closeAll(): void {
    for (const connection of [...this.#all]) connection.close(new OpenFlowError('CLOSED', 'the controller closed'));
  }

  #admit(channel: SwitchChannel, connection: Connection): void {
    const former = this.switches.get(channel.dpid);
    if (former !== undefined) {
      this.#connections.get(former)?.close(new OpenFlowError('REPLACED', `${channel.dpid} connected again`));
    }
    this.switches.set(channel.dpid, channel);
    this.#connections.set(channel, connection);
    const { dpid, version, remote } = channel;
    this.#log.info('switch connected', { dpid, version, remote });
    this.#guard('onSwitch', () => {
      this.#options.onSwitch(channel);
    });
  }

  #release(channel: SwitchChannel, reason: OpenFlowError): void {
    this.#connections.delete(channel);
    if (this.switches.get(channel.dpid) === channel) this.switches.delete(channel.dpid);
    this.#log.info('switch gone', { dpid: channel.dpid, remote: channel.remote, reason: reason.message });
    this.#guard('onClose', () => {
      this.#options.onClose?.(channel, reason);
    });
  }

  /** A handler that throws must not take the connection, or other switches, with it. */
  #guard(handler: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#log.error('OpenFlow handler threw', { handler, error });
    }
  }
}

const remoteOf = (socket: Socket): string => `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`;

function addressOf(server: Server): { host: string; port: number } {
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}
