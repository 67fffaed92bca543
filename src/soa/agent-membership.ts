// One session of the agent with its SOM on an open stream: A&A, registration, heartbeats, then requests, until it ends.

import { randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { AaReply, AaRequest, FromSoa, StateHostRegistration, ToSoa } from '../protocol/generated/stateferry.ts';
import { LLDP_KEY_BYTES, NONCE_BYTES } from '../protocol/limits.ts';
import type { SessionStream } from '../protocol/session-stream.ts';
import { AgentRequests } from './agent-requests.ts';
import type { StateHost } from './state-host.ts';

export interface AgentIdentity {
  readonly identity: string;
  readonly software: string;
  /** New with every start of the agent. */
  readonly bootId: string;
  readonly versions: readonly number[];
  networkAddresses(): string[];
}

export interface AgentMembershipIo {
  readonly clock: Clock;
  readonly log: Log;
  /** From the dial to the registration reply. */
  readonly joinMs: number;
  /** Aborted when the agent is to leave. */
  readonly signal: AbortSignal;
}

export interface MembershipEnd {
  /** It was registered and the State Host was announcing: the next dial need not wait long. */
  readonly joined: boolean;
  readonly refused: boolean;
  readonly detail: string;
}

const HEARTBEAT_BOUNDS_MS = { least: 20, most: 60_000 };
const LEAVING_MS = 1000;

/** Resolves when the stream has ended, whoever ended it. Never rejects. */
export function runMembership(
  stream: SessionStream<FromSoa, ToSoa>,
  host: StateHost,
  who: AgentIdentity,
  io: AgentMembershipIo,
): Promise<MembershipEnd> {
  return new Promise((resolve) => {
    new Membership(stream, host, who, io, resolve).start();
  });
}

class Membership {
  readonly #stream: SessionStream<FromSoa, ToSoa>;
  readonly #host: StateHost;
  readonly #who: AgentIdentity;
  readonly #io: AgentMembershipIo;
  readonly #resolve: (end: MembershipEnd) => void;
  readonly #nonce = randomBytes(NONCE_BYTES);
  #phase: 'authenticating' | 'registering' | 'member' | 'over' = 'authenticating';
  #requests: AgentRequests | null = null;
  #registration: StateHostRegistration | null = null;
  #askedAtWallMs: number | null = null;
  #refusal: string | null = null;
  #joined = false;
  #lldpKey: Buffer | null = null;
  #cancelTimer = (): void => undefined;
  readonly #onLeave = (): void => this.#leave();

  constructor(
    stream: SessionStream<FromSoa, ToSoa>,
    host: StateHost,
    who: AgentIdentity,
    io: AgentMembershipIo,
    resolve: (end: MembershipEnd) => void,
  ) {
    this.#stream = stream;
    this.#host = host;
    this.#who = who;
    this.#io = io;
    this.#resolve = resolve;
  }

  start(): void {
    this.#stream.listen({
      message: (message) => this.#onMessage(message),
      malformed: (detail) => this.#giveUp(`the SOM sent a malformed message: ${detail}`),
      oversized: (bytes) => this.#giveUp(`the SOM sent a message of ${bytes} bytes`),
      ended: (end) => this.#finish(end.detail, end.kind === 'refused'),
    });
    this.#io.signal.addEventListener('abort', this.#onLeave, { once: true });
    this.#cancelTimer = this.#io.clock.after(this.#io.joinMs, () => {
      this.#giveUp(`the SOM did not finish the registration in ${this.#io.joinMs} ms`);
    });
    const request: AaRequest = {
      identity: this.#who.identity,
      protocolVersions: [...this.#who.versions],
      networkAddresses: this.#who.networkAddresses(),
      bootId: this.#who.bootId,
      nonce: this.#nonce,
      wallMs: this.#io.clock.wallMs(),
      software: this.#who.software,
    };
    // It waits for the TLS handshake: only when it is out does the round trip begin that the clock offset is read from.
    this.#stream.send({ inReplyTo: 0n, body: { $case: 'aaRequest', value: request } }).then(
      () => {
        this.#askedAtWallMs = this.#io.clock.wallMs();
      },
      () => undefined, // `ended` reports it
    );
  }

  #onMessage(message: ToSoa): void {
    const { body } = message;
    if (this.#phase === 'over' || body === undefined) return;
    if (body.$case === 'refused') {
      this.#refusal = `${body.value.reason}: ${body.value.detail}`;
      return; // the end of the stream follows
    }
    switch (this.#phase) {
      case 'authenticating':
        if (body.$case === 'aaReply') this.#onAaReply(body.value);
        else this.#giveUp(`${body.$case} before the A&A reply`);
        break;
      case 'registering':
        if (body.$case === 'registrationReply') this.#onRegistered(body.value.heartbeatMs);
        else this.#giveUp(`${body.$case} before the registration reply`);
        break;
      case 'member':
        this.#requests?.handle(message);
        break;
    }
  }

  #onAaReply(reply: AaReply): void {
    const problem = this.#problemWith(reply);
    if (problem !== null) {
      this.#giveUp(problem);
      return;
    }
    this.#phase = 'registering';
    // The SOM stamped its reply about half a round trip ago.
    const ourWallMs = this.#io.clock.wallMs();
    this.#host.setClockOffset(reply.wallMs - ((this.#askedAtWallMs ?? ourWallMs) + ourWallMs) / 2);
    this.#lldpKey = reply.lldpKey;
    this.#host.registration().then(
      (registration) => {
        if (this.#phase !== 'registering') return;
        this.#registration = registration;
        this.#send({ $case: 'registration', value: registration });
      },
      (error: unknown) => this.#giveUp(`the State Host cannot describe itself: ${String(error)}`),
    );
  }

  #problemWith(reply: AaReply): string | null {
    if (!reply.nonce.equals(this.#nonce)) return 'the A&A reply carries another nonce';
    if (!this.#who.versions.includes(reply.protocolVersion)) {
      return `the SOM chose protocol version ${reply.protocolVersion}, which was not offered`;
    }
    return reply.lldpKey.length === LLDP_KEY_BYTES ? null : 'the A&A reply has no LLDP key';
  }

  #onRegistered(heartbeatMs: number): void {
    const { least, most } = HEARTBEAT_BOUNDS_MS;
    if (this.#registration === null || !(heartbeatMs >= least && heartbeatMs <= most)) {
      this.#giveUp(`a registration reply out of order, or heartbeats every ${heartbeatMs} ms`);
      return;
    }
    this.#cancelTimer();
    this.#phase = 'member';
    this.#joined = true;
    // Not before: the TDE takes announcements of nobody who has not registered.
    if (this.#lldpKey !== null) this.#host.startAnnouncing(this.#lldpKey);
    this.#requests = new AgentRequests(this.#host, this.#registration, {
      log: this.#io.log,
      send: (message) => this.#stream.send(message),
      pause: () => this.#stream.pause(),
      resume: () => this.#stream.resume(),
      giveUp: (detail) => this.#giveUp(detail),
    });
    this.#io.log.info('registered with the SOM', { som: this.#stream.peer.remote, heartbeatMs });
    this.#beat(heartbeatMs);
  }

  #beat(everyMs: number): void {
    if (this.#phase !== 'member') return;
    this.#send({ $case: 'heartbeat', value: this.#host.heartbeat() });
    this.#cancelTimer = this.#io.clock.after(everyMs, () => this.#beat(everyMs));
  }

  #leave(): void {
    if (this.#phase === 'over') return;
    if (this.#phase === 'authenticating') {
      this.#giveUp('left');
      return;
    }
    this.#send({ $case: 'leaving', value: { reason: 'the agent is stopping' } });
    this.#stream.end();
    this.#cancelTimer();
    this.#cancelTimer = this.#io.clock.after(LEAVING_MS, () => this.#giveUp('left'));
  }

  #giveUp(detail: string): void {
    if (this.#phase === 'over') return;
    this.#finish(detail, false);
    this.#stream.destroy();
  }

  #finish(detail: string, refused: boolean): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#cancelTimer();
    this.#io.signal.removeEventListener('abort', this.#onLeave);
    this.#requests?.end();
    this.#resolve({
      joined: this.#joined,
      refused: refused || this.#refusal !== null,
      detail: this.#refusal ?? detail,
    });
  }

  #send(body: NonNullable<FromSoa['body']>): void {
    this.#stream.send({ inReplyTo: 0n, body }).catch(() => undefined); // `ended` reports it
  }
}
