// One agent's membership as a pure machine: A&A (F1), registration (F2), heartbeats, leaving. It decides; it does not send,
// look at clocks or know streams.

import { stateHostId, type StateHostId } from '../../base/ids.ts';
import type {
  AaRequest,
  FromSoa,
  Heartbeat,
  StateHostRegistration,
  ToSoa,
} from '../../protocol/generated/stateferry.ts';
import { negotiateVersion, NONCE_BYTES } from '../../protocol/limits.ts';
import type { SessionRefusal } from '../../protocol/session-refusal.ts';
import { checkRegistration } from './registration-check.ts';

export interface SessionPolicy {
  readonly versions: readonly number[];
  /** null: every identity with a good certificate. */
  readonly allow: ReadonlySet<string> | null;
  readonly heartbeatMs: number;
  /** Heartbeats that may be missing in a row. */
  readonly missedHeartbeats: number;
  /** From the connection to the registration. */
  readonly joinMs: number;
}

/** What of the world an A&A request is judged and answered with. */
export interface SessionFacts {
  /** Names the peer's certificate proved. */
  readonly certificateNames: readonly string[];
  /** Remembers a nonce; false when it was seen before. */
  takeNonce(nonce: Buffer): boolean;
  /** Fresh values for the reply. */
  readonly session: string;
  readonly lldpKey: Buffer;
  readonly wallMs: number;
}

export type SessionState =
  | { readonly phase: 'authenticating'; readonly since: number }
  | { readonly phase: 'registering'; readonly since: number; readonly identity: StateHostId }
  | { readonly phase: 'member'; readonly heardAt: number; readonly identity: StateHostId }
  | { readonly phase: 'over' };

export type SessionInput =
  | { readonly kind: 'message'; readonly message: FromSoa }
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'oversized'; readonly bytes: number }
  /** Something else of this peer is against the rules: a chunk out of order, a reply to nothing. */
  | { readonly kind: 'violation'; readonly detail: string }
  | { readonly kind: 'tick'; readonly reading: boolean }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'replaced'; readonly by: string }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'ended'; readonly detail: string };

export type SessionEffect =
  | { readonly kind: 'send'; readonly body: NonNullable<ToSoa['body']> }
  | {
      readonly kind: 'authenticated';
      readonly identity: StateHostId;
      readonly request: AaRequest;
      readonly version: number;
    }
  | { readonly kind: 'joined'; readonly registration: StateHostRegistration }
  | { readonly kind: 'heartbeat'; readonly heartbeat: Heartbeat }
  /** A reply or a chunk of a member. */
  | { readonly kind: 'deliver'; readonly message: FromSoa }
  | { readonly kind: 'refuse'; readonly reason: SessionRefusal; readonly detail: string }
  | { readonly kind: 'left'; readonly reason: string };

export interface SessionStep {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

export const startSession = (now: number): SessionState => ({ phase: 'authenticating', since: now });

export function stepSession(
  state: SessionState,
  input: SessionInput,
  now: number,
  policy: SessionPolicy,
  facts: SessionFacts,
): SessionStep {
  if (state.phase === 'over') return { state, effects: [] };
  switch (input.kind) {
    case 'message':
      return onMessage(state, input.message, now, policy, facts);
    case 'malformed':
      return refuse('malformed', input.detail);
    case 'oversized':
      return refuse('oversized', `a message of ${input.bytes} bytes`);
    case 'violation':
      return refuse('out-of-order', input.detail);
    case 'tick':
      return onTick(state, input.reading, now, policy);
    case 'revoked':
      return refuse('certificate-revoked', 'the certificate was revoked');
    case 'replaced':
      return refuse('replaced', `the same State Host connected again from ${input.by}`);
    case 'shutdown':
      return refuse('shutting-down', 'the SOM is going down');
    case 'ended':
      return { state: OVER, effects: [{ kind: 'left', reason: input.detail }] };
  }
}

const OVER: SessionState = { phase: 'over' };

const refuse = (reason: SessionRefusal, detail: string): SessionStep => ({
  state: OVER,
  effects: [{ kind: 'refuse', reason, detail }],
});

type Live = Exclude<SessionState, { phase: 'over' }>;

function onMessage(
  state: Live,
  message: FromSoa,
  now: number,
  policy: SessionPolicy,
  facts: SessionFacts,
): SessionStep {
  const { body } = message;
  if (body === undefined) return refuse('malformed', 'a message without a body');
  if (body.$case === 'leaving') {
    return { state: OVER, effects: [{ kind: 'left', reason: `leaving: ${body.value.reason}` }] };
  }
  switch (state.phase) {
    case 'authenticating':
      if (body.$case !== 'aaRequest') return refuse('out-of-order', `${body.$case} before the A&A request`);
      return authenticate(body.value, now, policy, facts);
    case 'registering':
      if (body.$case !== 'registration') return refuse('out-of-order', `${body.$case} before the registration`);
      return register(state, body.value, now, policy);
    case 'member':
      return onMemberMessage({ ...state, heardAt: now }, message, body);
  }
}

function onMemberMessage(state: Live, message: FromSoa, body: NonNullable<FromSoa['body']>): SessionStep {
  if (body.$case === 'aaRequest' || body.$case === 'registration') {
    return refuse('out-of-order', `a second ${body.$case}`);
  }
  if (body.$case === 'heartbeat') return { state, effects: [{ kind: 'heartbeat', heartbeat: body.value }] };
  return { state, effects: [{ kind: 'deliver', message }] };
}

function authenticate(request: AaRequest, now: number, policy: SessionPolicy, facts: SessionFacts): SessionStep {
  const { identity } = request;
  if (!facts.certificateNames.includes(identity)) {
    const proven = facts.certificateNames.join(', ') || 'no DNS name';
    return refuse('identity-mismatch', `"${identity.slice(0, 253)}" was claimed, the certificate proves ${proven}`);
  }
  if (policy.allow !== null && !policy.allow.has(identity)) {
    return refuse('not-allowed', `${identity} is not on the list of State Hosts`);
  }
  if (request.nonce.length !== NONCE_BYTES) {
    return refuse('malformed', `a nonce of ${request.nonce.length} bytes`);
  }
  if (!facts.takeNonce(request.nonce)) return refuse('nonce-replayed', `${identity} sent a nonce that was used before`);
  const version = negotiateVersion(policy.versions, request.protocolVersions);
  if (version === null) {
    const theirs = request.protocolVersions.slice(0, 16).join(', ') || 'none';
    return refuse('no-common-version', `${identity} speaks ${theirs}, this SOM ${policy.versions.join(', ')}`);
  }
  const id = stateHostId(identity);
  return {
    state: { phase: 'registering', since: now, identity: id },
    effects: [
      { kind: 'authenticated', identity: id, request, version },
      {
        kind: 'send',
        body: {
          $case: 'aaReply',
          value: {
            protocolVersion: version,
            session: facts.session,
            nonce: request.nonce,
            lldpKey: facts.lldpKey,
            wallMs: facts.wallMs,
          },
        },
      },
    ],
  };
}

function register(
  state: Extract<SessionState, { phase: 'registering' }>,
  registration: StateHostRegistration,
  now: number,
  policy: SessionPolicy,
): SessionStep {
  const problem = checkRegistration(registration);
  if (problem !== null) return refuse('bad-registration', problem);
  return {
    state: { phase: 'member', heardAt: now, identity: state.identity },
    effects: [
      { kind: 'send', body: { $case: 'registrationReply', value: { heartbeatMs: policy.heartbeatMs } } },
      { kind: 'joined', registration },
    ],
  };
}

function onTick(state: Live, reading: boolean, now: number, policy: SessionPolicy): SessionStep {
  if (state.phase === 'member') {
    // While we do not read (back-pressure) its heartbeats wait in our own queue: that is not silence.
    if (!reading) return { state: { ...state, heardAt: now }, effects: [] };
    const silentMs = now - state.heardAt;
    if (silentMs <= policy.heartbeatMs * policy.missedHeartbeats) return { state, effects: [] };
    return refuse('silent', `nothing was heard for ${Math.round(silentMs)} ms`);
  }
  if (now - state.since <= policy.joinMs) return { state, effects: [] };
  return refuse('silent', `still ${state.phase} after ${policy.joinMs} ms`);
}
