// The agent registry: listens for State Hosts, keeps who is a member, counts who was refused. Implements AgentDirectory.

import type { AddressInfo } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import type { StateHostId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import type { FromSoa, ToSoa } from '../../protocol/generated/stateferry.ts';
import { PROTOCOL_VERSIONS } from '../../protocol/limits.ts';
import {
  listenForSessions,
  type SessionListener,
  type SessionListenerOptions,
} from '../../protocol/session-listener.ts';
import type { SessionStream } from '../../protocol/session-stream.ts';
import type { TlsFiles } from '../../protocol/tls-material.ts';
import { Nonces } from '../nonces.ts';
import { AgentMembership } from './agent-membership.ts';
import type { AgentDirectory, AgentGone, AgentSession, AgentStats } from './agent-session.ts';
import { DEFAULT_TIMEOUTS, type AgentTimeouts, type LiveAgentSession } from './live-agent-session.ts';
import type { SessionPolicy } from './session-machine.ts';

export interface AgentRegistryOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** State Hosts that may join; absent: every one with a certificate of our authority. */
  readonly allow?: readonly string[] | null;
  readonly versions?: readonly number[];
  readonly heartbeatMs?: number;
  readonly missedHeartbeats?: number;
  readonly joinMs?: number;
  readonly timeouts?: Partial<AgentTimeouts>;
}

const DEFAULT_HEARTBEAT_MS = 1000;
const DEFAULT_MISSED = 5;
const DEFAULT_JOIN_MS = 10_000;

/** Membership without sockets: streams come in through `accept`. */
export class AgentRegistry implements AgentDirectory {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #policy: SessionPolicy;
  readonly #timeouts: AgentTimeouts;
  readonly #nonces = new Nonces();
  readonly #memberships = new Set<AgentMembership>();
  readonly #members = new Map<StateHostId, { session: LiveAgentSession; membership: AgentMembership }>();
  readonly #registeredListeners = new Set<(session: AgentSession) => void>();
  readonly #goneListeners = new Set<(gone: AgentGone) => void>();
  readonly #refused = new Map<string, number>();
  #registered = 0;
  #strayChunks = 0;

  constructor(options: AgentRegistryOptions) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    const allow = options.allow ?? null;
    this.#policy = {
      versions: options.versions ?? PROTOCOL_VERSIONS,
      allow: allow === null ? null : new Set(allow),
      heartbeatMs: options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS,
      missedHeartbeats: options.missedHeartbeats ?? DEFAULT_MISSED,
      joinMs: options.joinMs ?? DEFAULT_JOIN_MS,
    };
  }

  get(id: StateHostId): AgentSession | undefined {
    return this.#members.get(id)?.session;
  }

  all(): readonly AgentSession[] {
    return [...this.#members.values()].map((m) => m.session);
  }

  onRegistered(listener: (session: AgentSession) => void): () => void {
    this.#registeredListeners.add(listener);
    return () => this.#registeredListeners.delete(listener);
  }

  onGone(listener: (gone: AgentGone) => void): () => void {
    this.#goneListeners.add(listener);
    return () => this.#goneListeners.delete(listener);
  }

  stats(): AgentStats {
    return {
      connected: this.#members.size,
      registered: this.#registered,
      refused: Object.fromEntries(this.#refused),
      strayChunks: this.#strayChunks,
    };
  }

  accept(stream: SessionStream<ToSoa, FromSoa>): void {
    const membership = new AgentMembership(stream, {
      clock: this.#clock,
      log: this.#log,
      policy: this.#policy,
      timeouts: this.#timeouts,
      takeNonce: (nonce) => this.#nonces.take(nonce),
      refused: (reason) => this.countRefusal(reason),
      strayChunk: () => {
        this.#strayChunks += 1;
      },
      joined: (session) => this.#onJoined(session, membership),
      over: (session, reason) => this.#onOver(session, membership, reason),
    });
    this.#memberships.add(membership);
    membership.start();
  }

  countRefusal(reason: string): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  /** Ends the sessions that came from `remote`, whose certificate was revoked. */
  revoke(remote: string): void {
    for (const membership of [...this.#memberships]) {
      if (membership.remote === remote) membership.input({ kind: 'revoked' });
    }
  }

  shutdown(): void {
    for (const membership of [...this.#memberships]) membership.input({ kind: 'shutdown' });
  }

  #onJoined(session: LiveAgentSession, membership: AgentMembership): void {
    // The certificate proves it is the same State Host: its new session counts, the old one may be a dead connection.
    const old = this.#members.get(session.id);
    this.#members.set(session.id, { session, membership });
    this.#registered += 1;
    old?.membership.input({ kind: 'replaced', by: session.remote });
    this.#notify(this.#registeredListeners, session);
  }

  #onOver(session: LiveAgentSession | null, membership: AgentMembership, reason: string): void {
    this.#memberships.delete(membership);
    if (session === null) return;
    if (this.#members.get(session.id)?.membership === membership) this.#members.delete(session.id);
    this.#log.info('agent de-registered', { agent: session.id, remote: session.remote, why: reason });
    this.#notify(this.#goneListeners, { session, reason });
  }

  #notify<T>(listeners: ReadonlySet<(value: T) => void>, value: T): void {
    for (const listener of [...listeners]) {
      try {
        listener(value);
      } catch (error) {
        this.#log.error('a listener of the agent registry failed', { error });
      }
    }
  }
}

export interface AgentServerOptions extends AgentRegistryOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: TlsFiles;
  /** IF(M,T) on the same address. */
  readonly onNotification?: SessionListenerOptions['onNotification'];
}

export interface AgentServer {
  readonly directory: AgentDirectory;
  readonly address: AddressInfo;
  /** Looks at the certificate files now instead of within half a second. */
  recheckCertificates(): Promise<void>;
  /** Tells every agent, then closes. */
  close(): Promise<void>;
}

/** For agents to read the goodbye and hang up. */
const GOODBYE_MS = 500;

/** Opens IF(M,A). Rejects with PkiError for certificate files, with the system's error for the address. */
export async function startAgentServer(options: AgentServerOptions): Promise<AgentServer> {
  const registry = new AgentRegistry(options);
  const listener: SessionListener = await listenForSessions({
    host: options.listen.host,
    port: options.listen.port,
    tls: options.tls,
    clock: options.clock,
    log: options.log,
    onSession: (stream) => registry.accept(stream),
    ...(options.onNotification !== undefined && { onNotification: options.onNotification }),
    onRevoked: (remote) => registry.revoke(remote),
    onRefused: (reason) => registry.countRefusal(reason),
  });
  const { address, port } = listener.address;
  options.log.info('listening for agents', { address, port });
  return {
    directory: registry,
    address: listener.address,
    recheckCertificates: () => listener.recheck(),
    close: async () => {
      registry.shutdown();
      await listener.close(GOODBYE_MS);
    },
  };
}
