// The connections there are, and which of them speaks for which datapath. A second connection of a datapath replaces the
// first; auxiliary ones join it.

import type { Socket } from 'node:net';
import type { Dpid } from '../base/ids.ts';
import { dpid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection.ts';
import type { Session } from './handshake.ts';
import type { UnaskedMessage } from './channel-events.ts';
import type { SwitchEvent } from './model.ts';
import { OpenFlowError } from './openflow-error.ts';
import type { SwitchChannel } from './switch-channel.ts';
import { remoteOf } from './tls-material.ts';

export interface SwitchHandlers {
  /** The handshake is over. Events follow, never before. */
  readonly onSwitch?: (sw: SwitchChannel) => void;
  /**
   * Called in order of arrival, in the tick the bytes arrive; more packet-ins than can be handled wait for a later one, and
   * the other events do not wait for them. Packet data is a view: copy what is kept for long.
   */
  readonly onEvent?: (sw: SwitchChannel, event: SwitchEvent) => void;
  /** What else the switch says unasked. */
  readonly onMessage?: (sw: SwitchChannel, xid: number, message: UnaskedMessage) => void;
  /** Once for each `onSwitch`. */
  readonly onClose?: (sw: SwitchChannel, reason: OpenFlowError) => void;
}

export interface RegistryStats {
  readonly switches: number;
  readonly auxiliaries: number;
  /** Connections whose handshake is not over. */
  readonly unfinished: number;
  /** Connections that ended before their handshake did. */
  readonly failed: number;
}

/** How long a closed connection may take to deliver what was queued. */
export const LINGER_MS = 1_000;
/** Auxiliary connections of one switch. */
const MAX_AUXILIARIES = 16;

export class SwitchRegistry {
  readonly switches = new Map<Dpid, SwitchChannel>();
  readonly #connections = new Map<SwitchChannel, Connection>();
  /** In the order they came. */
  readonly #unfinished = new Set<Connection>();
  /** By the switch and auxiliary id they are of. */
  readonly #auxiliaries = new Map<string, Connection>();
  readonly #handlers: SwitchHandlers;
  readonly #options: ConnectionOptions;
  readonly #maxUnfinished: number;
  readonly #log: Log;
  #failed = 0;

  constructor(handlers: SwitchHandlers, options: ConnectionOptions, maxUnfinished: number) {
    this.#handlers = handlers;
    this.#options = options;
    this.#maxUnfinished = maxUnfinished;
    this.#log = options.log;
  }

  stats(): RegistryStats {
    return {
      switches: this.switches.size,
      auxiliaries: this.#auxiliaries.size,
      unfinished: this.#unfinished.size,
      failed: this.#failed,
    };
  }

  /** `onEnd`: the connection is over, and whether its handshake came to its end. */
  accept(socket: Socket, onEnd: (finished: boolean) => void = () => undefined): void {
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    const remote = remoteOf(socket);
    let auxiliary: string | null = null;
    const { onEvent, onMessage } = this.#handlers;
    const connection = new Connection(socket, remote, this.#options, {
      ...(onEvent === undefined ? {} : { onEvent }),
      ...(onMessage === undefined ? {} : { onMessage }),
      onReady: (channel) => {
        this.#unfinished.delete(connection);
        this.#admit(channel, connection);
      },
      onAuxiliary: (session) => {
        const main = this.#mainOf(session, remote);
        if (main === null) return null;
        this.#unfinished.delete(connection);
        auxiliary = `${main.dpid} ${session.features.auxiliaryId}`;
        this.#auxiliaries
          .get(auxiliary)
          ?.close(new OpenFlowError('REPLACED', `auxiliary ${auxiliary} connected again`));
        this.#auxiliaries.set(auxiliary, connection);
        return main;
      },
      onClosed: (channel, reason) => {
        const timer = setTimeout(() => socket.destroy(), LINGER_MS);
        socket.once('close', () => {
          clearTimeout(timer);
        });
        if (channel !== null) this.#release(channel, reason);
        else if (auxiliary === null) this.#countFailed(connection, reason);
        else if (this.#auxiliaries.get(auxiliary) === connection) this.#auxiliaries.delete(auxiliary);
        onEnd(channel !== null || auxiliary !== null);
      },
    });
    this.#unfinished.add(connection);
    this.#makeRoom();
  }

  closeAll(): void {
    const reason = new OpenFlowError('CLOSED', 'the controller closed');
    for (const connection of [...this.#unfinished, ...this.#connections.values()]) connection.close(reason);
  }

  /** Whoever connects and says nothing must not keep switches out: of too many, the oldest gives way. */
  #makeRoom(): void {
    const [oldest] = this.#unfinished;
    if (this.#unfinished.size <= this.#maxUnfinished) return;
    oldest?.close(new OpenFlowError('TIMEOUT', `more than ${this.#maxUnfinished} handshakes at once`));
  }

  #admit(channel: SwitchChannel, connection: Connection): void {
    const former = this.switches.get(channel.dpid);
    if (former !== undefined) {
      this.#connections.get(former)?.close(new OpenFlowError('REPLACED', `${channel.dpid} connected again`));
    }
    this.switches.set(channel.dpid, channel);
    this.#connections.set(channel, connection);
    const { dpid: id, version, remote } = channel;
    this.#log.info('switch connected', { dpid: id, version, remote });
    this.#guard('onSwitch', () => {
      this.#handlers.onSwitch?.(channel);
    });
  }

  /** 1.3.5 section 6.3.8: the main connection is there first; same version, same address. */
  #mainOf({ features, version }: Session, remote: string): SwitchChannel | null {
    const main = this.switches.get(dpid(features.datapathId.toString(16)));
    if (main?.version !== version || hostOf(main.remote) !== hostOf(remote)) return null;
    const known = main.auxiliaries;
    return known.includes(features.auxiliaryId) || known.length < MAX_AUXILIARIES ? main : null;
  }

  #release(channel: SwitchChannel, reason: OpenFlowError): void {
    this.#connections.delete(channel);
    if (this.switches.get(channel.dpid) === channel) this.switches.delete(channel.dpid);
    this.#log.info('switch gone', { dpid: channel.dpid, remote: channel.remote, reason: reason.message });
    this.#guard('onClose', () => {
      this.#handlers.onClose?.(channel, reason);
    });
  }

  /** One line for each doubling: whoever knocks without end must not fill the disk. */
  #countFailed(connection: Connection, reason: OpenFlowError): void {
    this.#unfinished.delete(connection);
    this.#failed += 1;
    if ((this.#failed & (this.#failed - 1)) !== 0) return;
    const { remote } = connection;
    this.#log.warn('OpenFlow connection failed', { remote, reason: reason.message, count: this.#failed });
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

const hostOf = (remote: string): string => remote.slice(0, remote.lastIndexOf(':'));
