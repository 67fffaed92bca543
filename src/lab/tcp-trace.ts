// Sequence numbers over time, as the firewalls' data ports saw them: for a few connections, around a few moves. The plot that
// papers on live migration show, and here also through which firewall each segment went.

import type { Capture } from './capture.ts';
import { addressKey, readCaptureFile, type CapturedPacket } from './capture-file.ts';
import type { SessionTrace } from './result.ts';
import { round1 } from './statistics.ts';

export interface TraceQuestion {
  /** Counted from 1. */
  readonly move: number;
  readonly vlan: number;
  readonly addresses: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  /** Times are told from here. */
  readonly zeroMs: number;
  /** Server port -> what its connections are called, and how many of them are wanted. */
  readonly sessions: ReadonlyMap<number, { readonly name: string; readonly most: number }>;
}

interface Trace {
  readonly serverPort: number;
  readonly clientPort: number;
  readonly name: string;
  readonly segments: { atMs: number; sequence: number; bytes: number; firewall: number }[];
}

/** All questions in one pass over the files. */
export function traceSessions(captures: readonly Capture[], questions: readonly TraceQuestion[]): SessionTrace[] {
  const asked = questions.map((question) => ({
    question,
    keys: new Set(question.addresses.map(addressKey)),
    traces: new Map<string, Trace>(),
  }));
  captures.forEach((capture, firewall) => {
    for (const file of capture.files) {
      readCaptureFile(file, (packet) => {
        if (packet.payloadBytes === 0) return;
        for (const one of asked) {
          const { question, keys } = one;
          if (packet.vlan !== question.vlan || packet.atMs < question.fromMs || packet.atMs > question.toMs) continue;
          if (!keys.has(packet.source) && !keys.has(packet.destination)) continue;
          const { atMs, sequence, payloadBytes: bytes } = packet;
          traceOf(one, packet)?.segments.push({ atMs, sequence, bytes, firewall });
        }
      });
    }
  });
  const names = captures.map((c) => c.firewall);
  return asked.flatMap(({ question, traces }) =>
    chosen([...traces.values()], question).map((trace) => relative(trace, question, names)),
  );
}

/** Of each kind those with the lowest ports, so that a connection is followed over all moves. */
function chosen(traces: readonly Trace[], { sessions }: TraceQuestion): readonly Trace[] {
  return [...sessions].flatMap(([port, { most }]) =>
    traces
      .filter((t) => t.serverPort === port)
      .sort((a, b) => a.clientPort - b.clientPort)
      .slice(0, most),
  );
}

/** The opener's segments: they carry what the connection is for. */
function traceOf(
  { question, traces }: { question: TraceQuestion; traces: Map<string, Trace> },
  { source, destination, sourcePort: clientPort, destinationPort: serverPort }: CapturedPacket,
): Trace | undefined {
  const wanted = question.sessions.get(serverPort);
  if (wanted === undefined) return undefined;
  const key = `${source}:${clientPort}>${destination}:${serverPort}`;
  let trace = traces.get(key);
  if (trace === undefined) {
    const name = `${wanted.name} from port ${clientPort}, ${source.length === 8 ? 'IPv4' : 'IPv6'}`;
    trace = { serverPort, clientPort, name, segments: [] };
    traces.set(key, trace);
  }
  return trace;
}

/** Bytes from the first segment on; TCP counts modulo 2^32. */
function relative(trace: Trace, { move, zeroMs }: TraceQuestion, firewalls: readonly string[]): SessionTrace {
  const segments = trace.segments.sort((a, b) => a.atMs - b.atMs);
  const first = segments[0]?.sequence ?? 0;
  return {
    move,
    session: trace.name,
    firewalls,
    segments: segments.map(({ atMs, sequence, bytes, firewall }) => [
      round1(atMs - zeroMs),
      (sequence - first) | 0,
      bytes,
      firewall,
    ]),
  };
}
