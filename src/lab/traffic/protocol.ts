// What a scenario asks of a traffic process: one JSON object a line on stdin, `{id, op, args}`, answered on stdout by
// `{id, result}` or `{id, error}`. Ops of one process may overlap; answers come when they are ready.

import type { PlannedConnection } from './connection-plan.ts';
import type { SentRange } from './datagram-probe.ts';
import type { DrainedAttempts, OpenerTarget } from './opener.ts';
import type { CheckResult } from './stream-client.ts';
import type { AnswerKind, ConnectionGap, StreamFailure, StreamServerReport } from './stream-server.ts';

export interface StreamTarget {
  readonly host4: string;
  readonly host6: string;
  readonly port: number;
}

type Nothing = Record<string, never>;

export interface TrafficOps {
  'stream.listen': { args: { key: string; port: number; answer: AnswerKind }; result: Nothing };
  'stream.served': { args: Nothing; result: StreamServerReport };
  'stream.open': {
    args: { key: string; plans: readonly PlannedConnection[]; to: StreamTarget; answer: AnswerKind; timeoutMs: number };
    result: { open: number };
  };
  'stream.start': { args: { bulkBitsPerS: number }; result: Nothing };
  'stream.pause': { args: Nothing; result: Nothing };
  'stream.beginWindow': { args: Nothing; result: Nothing };
  'stream.endWindow': { args: Nothing; result: { gaps: readonly ConnectionGap[] } };
  /** Writes `bytes` on every connection; answers when all have been answered or `timeoutMs` is over. */
  'stream.check': { args: { timeoutMs: number; bytes: number }; result: CheckResult };
  'stream.failures': { args: Nothing; result: { failures: readonly StreamFailure[] } };
  'datagram.open': { args: { port: number }; result: Nothing };
  'datagram.start': { args: { host: string; port: number; everyMs: number }; result: Nothing };
  'datagram.stop': { args: Nothing; result: Nothing };
  'datagram.sent': { args: { fromMs: number; toMs: number }; result: SentRange };
  'datagram.arrivals': { args: { firstSequence: number; count: number }; result: { stampsMs: readonly number[] } };
  'datagram.arrivedBetween': { args: { fromMs: number; toMs: number }; result: { stampsMs: readonly number[] } };
  'opener.listen': { args: { port: number }; result: Nothing };
  'opener.start': { args: OpenerTarget; result: Nothing };
  'opener.stop': { args: Nothing; result: Nothing };
  'opener.drain': { args: Nothing; result: DrainedAttempts };
}

export type TrafficOp = keyof TrafficOps;
