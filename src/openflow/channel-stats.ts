// The figures of a channel: what came, what waits, and what was given up for whose sake.

import type { ChannelEvents } from './channel-events.ts';
import type { IntakeStats } from './intake.ts';
import type { Line } from './line.ts';

/** Of one connection, main or auxiliary. */
export interface ConnectionFigures {
  readonly intake: IntakeStats;
  /** Smoothed round trip of echo; null before the first. */
  readonly roundTripMs: number | null;
}

/** What has happened on a channel so far, over all its connections. */
export interface ChannelStats {
  readonly received: number;
  readonly malformed: number;
  /** Messages of a kind nobody listens for. */
  readonly ignored: number;
  /** Packet-outs given up because the switch read too slowly. */
  readonly droppedPacketOuts: number;
  /** Packet-ins given up because they came in numbers before the handshake was over. */
  readonly droppedEarly: number;
  /** Packet-ins given up because more came than could be handled; those of discovery (LLDP) apart. */
  readonly droppedPacketIns: number;
  readonly droppedDiscovery: number;
  /** Packet-ins that wait to be handled. */
  readonly waitingPacketIns: number;
  readonly waitingDiscovery: number;
  /** Events given up because an iteration was read too slowly, of all kinds. */
  readonly droppedEvents: number;
  /** Exceptions of the event handler. */
  readonly handlerErrors: number;
  readonly queuedBytes: number;
  readonly pendingRequests: number;
  readonly auxiliaries: number;
  /** Of the main connection. */
  readonly roundTripMs: number | null;
}

export function channelStats(
  connections: readonly ConnectionFigures[],
  line: Line,
  events: ChannelEvents,
  counts: Pick<ChannelStats, 'received' | 'malformed' | 'droppedEarly'>,
): ChannelStats {
  const sum = (of: (stats: IntakeStats) => number): number =>
    connections.reduce((total, { intake }) => total + of(intake), 0);
  const { control, discovery, packet } = events.dropped;
  return {
    ...counts,
    ignored: events.ignored,
    droppedPacketOuts: line.droppedPacketOuts,
    droppedPacketIns: sum(({ dropped }) => dropped.packet),
    droppedDiscovery: sum(({ dropped }) => dropped.discovery),
    waitingPacketIns: sum(({ waiting }) => waiting.packet),
    waitingDiscovery: sum(({ waiting }) => waiting.discovery),
    droppedEvents: control + discovery + packet,
    handlerErrors: events.handlerErrors,
    queuedBytes: line.queuedBytes,
    pendingRequests: line.requests.size,
    auxiliaries: line.auxiliaries.length,
    roundTripMs: connections[0]?.roundTripMs ?? null,
  };
}
