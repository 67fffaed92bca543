// A gRPC bidirectional call as a SessionStream: sends resolve as flow control lets them go, reading can be paused.

import type { SessionPeer, SessionStream, StreamEnd, StreamHandlers } from './session-stream.ts';
import type { Decoded } from './session-service.ts';

/** What we use of a gRPC call, which is an object-mode Duplex on both sides. */
interface RawCall<Out, In> {
  on(event: 'data', listener: (decoded: Decoded<In>) => void): unknown;
  write(message: Out, done: (error?: Error | null) => void): boolean;
  pause(): unknown;
  resume(): unknown;
}

export interface GrpcStreamIo {
  readonly peer: SessionPeer;
  /** Half-close, or on the serving side the status. */
  end(refusal: string | undefined): void;
  destroy(): void;
}

/** `raw` is written messages of `Out` and read as `Decoded<In>`. `finish` reports how it ended; the first report counts. */
export function createGrpcStream<Out, In>(
  raw: RawCall<Out, In>,
  io: GrpcStreamIo,
): { stream: SessionStream<Out, In>; finish: (end: StreamEnd) => void } {
  let handlers: StreamHandlers<In> | null = null;
  let over: StreamEnd | null = null;
  const waiting = new Set<(error: Error) => void>();

  const finish = (end: StreamEnd): void => {
    if (over !== null) return;
    over = end;
    for (const reject of waiting) reject(new Error(end.detail));
    waiting.clear();
    handlers?.ended(end);
  };
  const deliver = (decoded: Decoded<In>): void => {
    if (over !== null || handlers === null) return;
    if (decoded.kind === 'message') handlers.message(decoded.message);
    else if (decoded.kind === 'malformed') handlers.malformed(decoded.detail);
    else handlers.oversized(decoded.bytes);
  };

  const stream: SessionStream<Out, In> = {
    peer: io.peer,
    listen: (given) => {
      handlers = given;
      if (over !== null) {
        given.ended(over);
        return;
      }
      raw.on('data', deliver);
    },
    send: (message) =>
      new Promise((resolve, reject) => {
        if (over !== null) {
          reject(new Error(over.detail));
          return;
        }
        waiting.add(reject);
        raw.write(message, (error) => {
          waiting.delete(reject);
          if (error) reject(error);
          else resolve();
        });
      }),
    pause: () => raw.pause(),
    resume: () => raw.resume(),
    end: (refusal) => io.end(refusal),
    destroy: () => {
      io.destroy();
      finish({ kind: 'ended', detail: 'closed here' });
    },
  };
  return { stream, finish };
}
