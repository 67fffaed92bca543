// The controller's side of a new connection as a pure machine: hello, version, features, configuration, ports.
// It neither reads nor writes bytes; early events are kept in order for whoever gets the switch.

import type { Frame, Message } from './message.ts';
import type { FeaturesReply, Hello } from './messages/session.ts';
import { OFPCML_NO_BUFFER } from './constants.ts';
import type { PortDescription } from './ports.ts';
import type { FeaturesReply10 } from './v10/session.ts';
import { versionName, WIRE_VERSIONS } from './wire-version.ts';
import type { WireVersion } from './wire-version.ts';

/** Xids of the handshake; later requests begin above. */
export const HANDSHAKE_XIDS = { hello: 1, features: 2, setConfig: 3, ports: 4, first: 16 } as const;

/** Messages that arrive before the ports are known are kept up to this number; beyond it packet-ins are dropped. */
const MAX_EARLY = 1024;
const MAX_PORTS = 65_536;
/** A message holds 900 ports: whoever sends them one by one only costs time. */
const MAX_PARTS = 1024;

export type HandshakeInput =
  /** A hello of any version: it must be understood across versions. */
  | { readonly kind: 'hello'; readonly version: number; readonly hello: Hello }
  | { readonly kind: 'message'; readonly frame: Frame };

export type HandshakeEffect =
  | { readonly kind: 'send'; readonly version: WireVersion; readonly xid: number; readonly message: Message }
  | { readonly kind: 'ready'; readonly session: Session }
  /** The connection is of no use: tell the peer where the specification says how, and close. */
  | { readonly kind: 'fail'; readonly reason: string; readonly tell: HelloFailed | null };

/** An OFPT_ERROR of type OFPET_HELLO_FAILED to send first. */
export interface HelloFailed {
  readonly version: number;
  readonly errorCode: number;
}

/** What the handshake found out. With an auxiliary id other than 0 it is not about a switch but about one more way to it. */
export interface Session {
  readonly version: WireVersion;
  readonly features: FeaturesReply;
  readonly ports: readonly PortDescription[];
  readonly early: readonly Frame[];
  readonly dropped: number;
}

interface Common {
  readonly supported: readonly WireVersion[];
  readonly early: readonly Frame[];
  readonly dropped: number;
}

export type HandshakeState = Common &
  (
    | { readonly phase: 'hello' }
    | { readonly phase: 'features'; readonly version: WireVersion }
    | {
        readonly phase: 'ports';
        readonly version: WireVersion;
        readonly features: FeaturesReply;
        readonly ports: readonly PortDescription[];
        /** Messages the ports came in so far. */
        readonly parts: number;
      }
    | { readonly phase: 'over' }
  );

export interface HandshakeStep {
  readonly state: HandshakeState;
  readonly effects: readonly HandshakeEffect[];
}

const OFPHFC_INCOMPATIBLE = 0;
const OFPHFC_EPERM = 1;

/** Begins with our hello, in the highest version we speak and with the bitmap of all of them. */
export function beginHandshake(versions: readonly WireVersion[] = WIRE_VERSIONS): HandshakeStep {
  const supported = [...new Set(versions)].sort((a, b) => a - b);
  const highest = supported.at(-1);
  if (highest === undefined) throw new RangeError('at least one version');
  const bitmap = supported.reduce((bits, version) => bits | (1 << version), 0);
  const hello: Hello = { type: 'hello', elements: [{ type: 'version_bitmap', bitmaps: [bitmap] }] };
  return {
    state: { phase: 'hello', supported, early: [], dropped: 0 },
    effects: [{ kind: 'send', version: highest, xid: HANDSHAKE_XIDS.hello, message: hello }],
  };
}

export function stepHandshake(state: HandshakeState, input: HandshakeInput): HandshakeStep {
  if (state.phase === 'over') return { state, effects: [] };
  if (input.kind === 'hello') return state.phase === 'hello' ? onHello(state, input) : { state, effects: [] };
  if (state.phase === 'hello') {
    return fail(state, `${input.frame.message.type} before hello`, {
      version: input.frame.version,
      errorCode: OFPHFC_EPERM,
    });
  }
  const { message, xid } = input.frame;
  if (message.type === 'error') {
    // Only what the handshake cannot do without ends it: a switch may refuse its configuration.
    const fatal = xid === HANDSHAKE_XIDS.features || xid === HANDSHAKE_XIDS.ports || message.errorType === 0;
    return fatal
      ? fail(state, `the switch refused (error ${message.errorType}/${message.errorCode})`, null)
      : { state, effects: [] };
  }
  if (state.phase === 'features' && message.type === 'features_reply') return onFeatures(state, message);
  if (state.phase === 'ports' && message.type === 'multipart_reply' && xid === HANDSHAKE_XIDS.ports) {
    return message.body.part === 'port_desc'
      ? onPorts(state, message.body.ports, message.more)
      : fail(state, 'not the ports that were asked for', null);
  }
  return { state: keepEarly(state, input.frame), effects: [] };
}

/** The version of the specification's rule (1.3.5 section 6.3.1), or null when there is none in common. */
export function negotiate(supported: readonly WireVersion[], version: number, hello: Hello): WireVersion | null {
  for (const element of hello.elements) {
    if (element.type !== 'version_bitmap') continue;
    // Versions we speak are all in the first word.
    const bits = element.bitmaps[0] ?? 0;
    return supported.findLast((candidate) => (bits & (1 << candidate)) !== 0) ?? null;
  }
  const smaller = Math.min(version, supported.at(-1) ?? 0);
  return supported.find((candidate) => candidate === smaller) ?? null;
}

function onHello(state: HandshakeState & { phase: 'hello' }, input: HandshakeInput & { kind: 'hello' }): HandshakeStep {
  const version = negotiate(state.supported, input.version, input.hello);
  if (version === null) {
    const ours = state.supported.map(versionName).join(', ');
    return fail(state, `no common version: the switch says ${versionName(input.version)}, we speak ${ours}`, {
      version: Math.min(input.version, state.supported.at(-1) ?? input.version),
      errorCode: OFPHFC_INCOMPATIBLE,
    });
  }
  return {
    state: { ...state, phase: 'features', version },
    effects: [{ kind: 'send', version, xid: HANDSHAKE_XIDS.features, message: { type: 'features_request' } }],
  };
}

function onFeatures(
  state: HandshakeState & { phase: 'features' },
  features: FeaturesReply | FeaturesReply10,
): HandshakeStep {
  const { version } = state;
  // One more connection of a switch that is known: its ports and settings are those of the main one (section 6.3.8).
  if (features.auxiliaryId !== 0)
    return onPorts({ ...state, phase: 'ports', features, ports: [], parts: 0 }, [], false);
  const configure: HandshakeEffect = {
    kind: 'send',
    version,
    xid: HANDSHAKE_XIDS.setConfig,
    // Packet-ins are to hold whole packets: nothing is buffered at the switch (1.3.5 section 7.3.2).
    message: { type: 'set_config', flags: 0, missSendLen: OFPCML_NO_BUFFER },
  };
  // In 1.0 the ports are part of the features (1.0.1 section 5.3.1).
  if ('ports' in features) {
    const done = onPorts({ ...state, phase: 'ports', features, ports: [], parts: 0 }, features.ports, false);
    return { state: done.state, effects: [configure, ...done.effects] };
  }
  return {
    state: { ...state, phase: 'ports', features, ports: [], parts: 0 },
    effects: [
      configure,
      {
        kind: 'send',
        version,
        xid: HANDSHAKE_XIDS.ports,
        message: { type: 'multipart_request', more: false, body: { part: 'port_desc' } },
      },
    ],
  };
}

function onPorts(
  state: HandshakeState & { phase: 'ports' },
  part: readonly PortDescription[],
  more: boolean,
): HandshakeStep {
  const ports = [...state.ports, ...part];
  if (ports.length > MAX_PORTS) return fail(state, `more than ${MAX_PORTS} ports`, null);
  const parts = state.parts + 1;
  if (parts > MAX_PARTS) return fail(state, `ports in more than ${MAX_PARTS} messages`, null);
  if (more) return { state: { ...state, ports, parts }, effects: [] };
  const { version, features, early, dropped } = state;
  return {
    state: { ...state, phase: 'over' },
    effects: [{ kind: 'ready', session: { version, features, ports, early, dropped } }],
  };
}

/** Port-status is never dropped for a packet-in: the ports would be wrong for ever. */
function keepEarly(state: HandshakeState, frame: Frame): HandshakeState {
  if (state.early.length < MAX_EARLY) return { ...state, early: [...state.early, frame] };
  const packetIn = state.early.findIndex((kept) => kept.message.type === 'packet_in');
  const dropped = state.dropped + 1;
  if (frame.message.type === 'packet_in' || packetIn === -1) return { ...state, dropped };
  return { ...state, early: [...state.early.toSpliced(packetIn, 1), frame], dropped };
}

function fail(state: HandshakeState, reason: string, tell: HelloFailed | null): HandshakeStep {
  return {
    state: { phase: 'over', supported: state.supported, early: [], dropped: state.dropped },
    effects: [{ kind: 'fail', reason, tell }],
  };
}
