// Binds one stream to the session machine: carries out its effects, and becomes an AgentSession when the agent has joined.

import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { StateHostId } from '../../base/ids.ts';
import type { Log } from '../../base/log.ts';
import type { AaRequest, FromSoa, StateHostRegistration, ToSoa } from '../../protocol/generated/stateferry.ts';
import { LLDP_KEY_BYTES } from '../../protocol/limits.ts';
import type { SessionRefusal } from '../../protocol/session-refusal.ts';
import type { SessionStream } from '../../protocol/session-stream.ts';
import { AgentError } from './agent-error.ts';
import { LiveAgentSession, type AgentTimeouts } from './live-agent-session.ts';
import {
  startSession,
  stepSession,
  type SessionEffect,
  type SessionFacts,
  type SessionInput,
  type SessionPolicy,
  type SessionState,
} from './session-machine.ts';

export interface MembershipIo {
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: SessionPolicy;
  readonly timeouts: AgentTimeouts;
  takeNonce(nonce: Buffer): boolean;
  joined(session: LiveAgentSession): void;
  refused(reason: SessionRefusal): void;
  strayChunk(): void;
  /** Once, last, whether it had joined or not. */
  over(session: LiveAgentSession | null, reason: string): void;
}

/** For a refused peer to read why. */
const PATIENCE_MS = 1000;

export class AgentMembership {
  readonly remote: string;
  readonly #stream: SessionStream<ToSoa, FromSoa>;
  readonly #io: MembershipIo;
  readonly #facts: Omit<SessionFacts, 'wallMs'>;
  #log: Log;
  #state: SessionState;
  #aa: { request: AaRequest; identity: StateHostId; clockOffsetMs: number } | null = null;
  #session: LiveAgentSession | null = null;
  #cancelTick = (): void => undefined;

  constructor(stream: SessionStream<ToSoa, FromSoa>, io: MembershipIo) {
    this.#stream = stream;
    this.#io = io;
    this.remote = stream.peer.remote;
    this.#log = io.log.with({ remote: this.remote });
    this.#state = startSession(io.clock.now());
    this.#facts = {
      certificateNames: stream.peer.certificate?.dnsNames ?? [],
      takeNonce: (nonce) => io.takeNonce(nonce),
      session: randomUUID(),
      lldpKey: randomBytes(LLDP_KEY_BYTES),
    };
  }

  start(): void {
    this.#scheduleTick();
    this.#stream.listen({
      message: (message) => this.input({ kind: 'message', message }),
      malformed: (detail) => this.input({ kind: 'malformed', detail }),
      oversized: (bytes) => this.input({ kind: 'oversized', bytes }),
      ended: (end) => this.input({ kind: 'ended', detail: end.detail }),
    });
  }

  input(input: SessionInput): void {
    const { clock, policy } = this.#io;
    const facts = { ...this.#facts, wallMs: clock.wallMs() };
    const step = stepSession(this.#state, input, clock.now(), policy, facts);
    this.#state = step.state;
    for (const effect of step.effects) this.#carryOut(effect);
  }

  #carryOut(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#send({ request: 0n, body: effect.body });
        break;
      case 'authenticated':
        this.#onAuthenticated(effect.identity, effect.request);
        break;
      case 'joined':
        this.#onJoined(effect.registration);
        break;
      case 'heartbeat':
        this.#session?.takeHeartbeat(effect.heartbeat);
        break;
      case 'deliver':
        this.#session?.deliver(effect.message);
        break;
      case 'refuse':
        this.#onRefuse(effect.reason, effect.detail);
        break;
      case 'left':
        this.#finish(effect.reason, 'gone');
        this.#stream.end();
        break;
    }
  }

  #onAuthenticated(identity: StateHostId, request: AaRequest): void {
    const clockOffsetMs = request.wallMs - this.#io.clock.wallMs();
    this.#aa = { request, identity, clockOffsetMs };
    this.#log = this.#log.with({ agent: identity });
    this.#log.debug('agent authenticated', { software: request.software, bootId: request.bootId });
  }

  #onJoined(registration: StateHostRegistration): void {
    if (this.#aa === null) return;
    const { request, identity, clockOffsetMs } = this.#aa;
    const { lldpKey } = this.#facts;
    const stream = this.#stream;
    this.#session = new LiveAgentSession(
      { id: identity, request, registration, lldpKey, remote: this.remote, clockOffsetMs },
      {
        clock: this.#io.clock,
        log: this.#log,
        timeouts: this.#io.timeouts,
        send: (message) => stream.send(message),
        pause: () => stream.pause(),
        resume: () => stream.resume(),
        violation: (detail) => this.input({ kind: 'violation', detail }),
        strayChunk: () => this.#io.strayChunk(),
      },
    );
    this.#log.info('agent registered', {
      kind: registration.kind,
      role: registration.role,
      software: request.software,
      vnids: registration.zones.map((z) => z.vnid),
      dataPorts: registration.dataPorts.map((p) => p.name),
    });
    this.#io.joined(this.#session);
  }

  #onRefuse(reason: SessionRefusal, detail: string): void {
    this.#io.refused(reason);
    const line = this.#session === null ? 'refused an agent' : 'cut an agent off';
    this.#log.warn(`${line}: ${detail}`, { reason });
    this.#send({
      request: 0n,
      body: { $case: 'refused', value: { migration: '', reason, detail, records: [] } },
    });
    this.#stream.end(`${reason}: ${detail}`);
    this.#finish(`${reason}: ${detail}`, isViolation(reason) ? 'protocol' : 'gone');
    // A peer that is dead, or does not care, keeps its connection open.
    this.#io.clock.after(PATIENCE_MS, () => this.#stream.destroy());
  }

  #finish(reason: string, code: 'gone' | 'protocol'): void {
    this.#cancelTick();
    const session = this.#session;
    session?.end(new AgentError(code, session.id, reason));
    this.#io.over(session, reason);
  }

  #send(message: ToSoa): void {
    // A stream that is gone says so through `ended`.
    this.#stream.send(message).catch(() => undefined);
  }

  #scheduleTick(): void {
    const { clock, policy } = this.#io;
    const due = clock.now() + policy.heartbeatMs / 2;
    this.#cancelTick = clock.after(policy.heartbeatMs / 2, () => {
      if (this.#state.phase === 'over') return;
      // When this process itself was held up, heartbeats may be waiting behind this very timer.
      const late = clock.now() - due > policy.heartbeatMs;
      this.#scheduleTick();
      this.input({ kind: 'tick', reading: !late && !(this.#session?.paused ?? false) });
    });
  }
}

function isViolation(reason: SessionRefusal): boolean {
  return reason === 'malformed' || reason === 'oversized' || reason === 'out-of-order';
}
