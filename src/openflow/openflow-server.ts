// Accepts switches over TCP or TLS, dials those that wait to be dialled, and hands each out once its handshake is over.

import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Dpid } from '../base/ids.ts';
import { silentLog } from '../base/log.ts';
import type { Log } from '../base/log.ts';
import { DEFAULT_BACKOFF } from './backoff.ts';
import type { BackoffLimits } from './backoff.ts';
import { etherTypeTable } from './lanes.ts';
import { DEFAULT_LIVENESS } from './liveness.ts';
import type { LivenessLimits } from './liveness.ts';
import type { SwitchChannel } from './switch-channel.ts';
import { SwitchDialer } from './switch-dialer.ts';
import type { DialAddress } from './switch-dialer.ts';
import { SwitchListener } from './switch-listener.ts';
import type { ListenAddress, ListenerAddress, ListenerLimits } from './switch-listener.ts';
import { LINGER_MS, SwitchRegistry } from './switch-registry.ts';
import type { RegistryStats, SwitchHandlers } from './switch-registry.ts';
import type { TlsMaterial } from './tls-material.ts';
import { DEFAULT_TURNS, Turns } from './turns.ts';
import type { TurnLimits } from './turns.ts';
import { WIRE_VERSIONS } from './wire-version.ts';
import type { WireVersion } from './wire-version.ts';

export type { DialAddress, ListenAddress, TlsMaterial };

export interface OpenFlowServerOptions extends SwitchHandlers {
  /** None unless given: then there are only switches that are dialled. */
  readonly listen?: ListenAddress | readonly ListenAddress[];
  /** Switches that listen themselves. */
  readonly dial?: readonly DialAddress[];
  /** 1.3, 1.4 and 1.5 unless given. */
  readonly versions?: readonly WireVersion[];
  readonly clock?: Clock;
  readonly log?: Log;
  readonly liveness?: LivenessLimits;
  readonly handshakeTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  /** Bytes that may wait to be read by one switch. */
  readonly maxQueuedBytes?: number;
  /** Bytes of one multipart reply. */
  readonly maxReplyBytes?: number;
  readonly maxConnections?: number;
  /** Connections whose handshake is not over; of more, the oldest gives way. */
  readonly maxUnfinished?: number;
  /** Ethernet types whose packet-ins go before the others when there are too many; LLDP unless given. */
  readonly discovery?: readonly number[];
  /** How the time of the event loop is shared. */
  readonly turns?: TurnLimits;
  /** Between attempts to dial a switch. */
  readonly backoff?: BackoffLimits;
}

/** A switch that is dialled, whenever it is not connected. */
export interface Dialing {
  /** Attempts in a row that came to nothing. */
  readonly failures: number;
  /** Dials no more; a switch that is connected stays. */
  close(): void;
}

export interface ServerStats extends RegistryStats {
  /** Peers that were not let in, by TLS or because there were too many. */
  readonly refused: number;
}

export interface OpenFlowServer {
  /** Where it listens, in the order of `listen`. */
  readonly addresses: readonly ListenerAddress[];
  readonly switches: ReadonlyMap<Dpid, SwitchChannel>;
  stats(): ServerStats;
  /** Connects to a switch that listens, again whenever the connection ends, until `signal` aborts. */
  dial(address: DialAddress, options?: { readonly signal?: AbortSignal }): Dialing;
  /** New keys and certificates for every TLS connection from now on; those that there are go on. */
  setCertificates(tls: TlsMaterial): void;
  /** Stops listening and dialling, and closes every channel. */
  close(): Promise<void>;
}

const DEFAULTS = {
  handshakeTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  maxQueuedBytes: 16 * 1024 * 1024,
  maxConnections: 4096,
  maxUnfinished: 2048,
};

export async function createOpenFlowServer(options: OpenFlowServerOptions): Promise<OpenFlowServer> {
  const { listen = [], dial = [] } = options;
  const server = new Server(options);
  try {
    for (const address of asList(listen)) await server.listen(address);
  } catch (error) {
    await server.close();
    throw error;
  }
  for (const address of dial) server.dial(address);
  return server;
}

class Server implements OpenFlowServer {
  readonly #registry: SwitchRegistry;
  readonly #listeners: SwitchListener[] = [];
  readonly #dialers = new Set<SwitchDialer>();
  readonly #limits: ListenerLimits;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #backoff: BackoffLimits;

  constructor(options: OpenFlowServerOptions) {
    const { clock = systemClock, log = silentLog, maxReplyBytes, discovery } = options;
    const given = { ...DEFAULTS, ...definedOf(options) };
    this.#clock = clock;
    this.#log = log;
    this.#backoff = options.backoff ?? DEFAULT_BACKOFF;
    this.#limits = given;
    const connections = {
      versions: options.versions ?? WIRE_VERSIONS,
      clock,
      log,
      liveness: options.liveness ?? DEFAULT_LIVENESS,
      handshakeTimeoutMs: given.handshakeTimeoutMs,
      requestTimeoutMs: given.requestTimeoutMs,
      maxQueuedBytes: given.maxQueuedBytes,
      turns: new Turns(clock, options.turns ?? DEFAULT_TURNS),
      ...(maxReplyBytes === undefined ? {} : { maxReplyBytes }),
      ...(discovery === undefined ? {} : { etherTypes: etherTypeTable(discovery) }),
    };
    this.#registry = new SwitchRegistry(options, connections, given.maxUnfinished);
  }

  get addresses(): readonly ListenerAddress[] {
    return this.#listeners.map(({ address }) => address);
  }

  get switches(): ReadonlyMap<Dpid, SwitchChannel> {
    return this.#registry.switches;
  }

  stats(): ServerStats {
    const refused = this.#listeners.reduce((sum, listener) => sum + listener.refused, 0);
    return { ...this.#registry.stats(), refused };
  }

  async listen(address: ListenAddress): Promise<void> {
    const listener = await SwitchListener.open(address, this.#limits, this.#log, (socket) => {
      this.#registry.accept(socket);
    });
    this.#listeners.push(listener);
  }

  dial(address: DialAddress, { signal }: { readonly signal?: AbortSignal } = {}): Dialing {
    const dialer = new SwitchDialer(address, {
      clock: this.#clock,
      log: this.#log,
      backoff: this.#backoff,
      connectTimeoutMs: this.#limits.handshakeTimeoutMs,
      accept: (socket, onEnd) => {
        this.#registry.accept(socket, onEnd);
      },
    });
    this.#dialers.add(dialer);
    const close = (): void => {
      dialer.close();
      this.#dialers.delete(dialer);
      signal?.removeEventListener('abort', close);
    };
    if (signal?.aborted === true) close();
    else signal?.addEventListener('abort', close, { once: true });
    return {
      get failures() {
        return dialer.failures;
      },
      close,
    };
  }

  setCertificates(tls: TlsMaterial): void {
    for (const each of [...this.#listeners, ...this.#dialers]) each.setCertificates(tls);
  }

  async close(): Promise<void> {
    for (const dialer of this.#dialers) dialer.close();
    const closed = this.#listeners.map((listener) => listener.close());
    this.#registry.closeAll();
    const timer = setTimeout(() => {
      for (const listener of this.#listeners) listener.destroySockets();
    }, LINGER_MS);
    await Promise.all(closed);
    clearTimeout(timer);
  }
}

const asList = (listen: ListenAddress | readonly ListenAddress[]): readonly ListenAddress[] =>
  'port' in listen ? [listen] : listen;

/** Without the keys whose value is undefined: they would hide the defaults. */
function definedOf(options: OpenFlowServerOptions): Partial<typeof DEFAULTS> {
  return Object.fromEntries(
    Object.keys(DEFAULTS).flatMap((key) => {
      const value = options[key as keyof typeof DEFAULTS];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}
