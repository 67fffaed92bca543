// The library as its users see it: all that is not named here is its own affair. See README.md.

// Switches: a server that accepts and dials them, and a channel to each.
export { createOpenFlowServer } from './openflow-server.ts';
export type { Dialing, OpenFlowServer, OpenFlowServerOptions, ServerStats } from './openflow-server.ts';
export type { RegistryStats, SwitchHandlers } from './switch-registry.ts';
export type { ListenAddress, ListenerAddress } from './switch-listener.ts';
export type { DialAddress } from './switch-dialer.ts';
export type { TlsMaterial } from './tls-material.ts';
export type { BackoffLimits } from './backoff.ts';
export type { LivenessLimits } from './liveness.ts';
export type { TurnLimits } from './turns.ts';
export type { SwitchChannel } from './switch-channel.ts';
export type { ChannelStats } from './channel-stats.ts';
export type { ChannelEvent, UnaskedMessage } from './channel-events.ts';
export type { EventStream, EventStreamOptions } from './event-stream.ts';
export type { Lane, PacketLane } from './lanes.ts';
export type { RequestOptions } from './line.ts';
export type { BundleOptions } from './bundle-transaction.ts';
export type { PartsOf, ReplyTo, Request } from './replies.ts';
export { isStaleGeneration } from './roles.ts';
export type { Role, RoleOutcome, RoleState } from './roles.ts';
export { OpenFlowError } from './openflow-error.ts';
export type { OpenFlowErrorCode, OpenFlowErrorDetail } from './openflow-error.ts';

// Messages: what is said, in every version.
export type * from './model.ts';
export * from './constants.ts';
export type { Message, UnknownMessage } from './message.ts';
export type { MultipartReply, MultipartRequest, ReplyBody, RequestBody } from './messages/multipart.ts';
export type { EthernetPort, PortDescription, PortProperty } from './ports.ts';
export type { Stat, StatName } from './stats.ts';
export { isWireVersion, versionName, WIRE_VERSIONS } from './wire-version.ts';
export type { OxmVersion, WireVersion } from './wire-version.ts';
export { unmetPrerequisite } from './prerequisites.ts';
export type { Unmet, UnmetPrerequisite } from './prerequisites.ts';

// Bytes: for those who bring their own streams, captures or clocks.
export { decodeHello, decodeMessage, encodeFrame, encodeMessage, writeMessage } from './message.ts';
export type { Frame } from './message.ts';
export { FrameSplitter } from './frame-splitter.ts';
export { answerToMalformed } from './malformed.ts';
export { beginHandshake, negotiate, stepHandshake } from './handshake.ts';
export type { HandshakeEffect, HandshakeInput, HandshakeState, HandshakeStep, Session } from './handshake.ts';
export { Connection } from './connection.ts';
export type { ConnectionHandlers, ConnectionOptions } from './connection.ts';
export { Turns } from './turns.ts';
export { WireError } from '../base/errors.ts';
export type { WireErrorCode } from '../base/errors.ts';
export { Writer } from '../wire/writer.ts';
export { systemClock } from '../base/clock.ts';
export type { Clock } from '../base/clock.ts';
export { createLog } from '../base/log.ts';
export type { Log, LogOptions } from '../base/log.ts';
export type { Dpid, Mac, PortNo } from '../base/ids.ts';

// Words: the syntax of ovs-ofctl, and JSON, both ways.
export { formatFrame, formatMessage } from './text/print-message.ts';
export { formatFlow, formatFlowMod, formatFlowStats } from './text/print-flow.ts';
export { formatAction, formatActions, formatInstructions } from './text/print-actions.ts';
export { formatMatch } from './text/print-match.ts';
export { parseFlow } from './text/parse-flow.ts';
export type { FlowOptions } from './text/parse-flow.ts';
export { parseActions, parseInstructions } from './text/parse-actions.ts';
export type { ActionOptions } from './text/parse-actions.ts';
export { parseMatch } from './text/parse-match.ts';
export type { PortNames } from './text/ports.ts';
export { TextError } from './text/text-error.ts';
export type { TextErrorCode } from './text/text-error.ts';
export { frameFromJson, frameToJson, fromJson, toJson } from './json.ts';
export type { Json } from './json.ts';
export { errorName, errorNumbers } from './error-names.ts';
export type { ErrorContext } from './error-names.ts';
