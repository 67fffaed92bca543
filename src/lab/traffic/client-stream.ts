// One test connection as its opener sees it: what was written, what came back verified, and what went wrong. Timers and scheduling are stream-client.ts's business.

import { connect, type Socket } from 'node:net';
import { epochMs } from '../deadline.ts';
import type { PlannedConnection } from './connection-plan.ts';
import { failureKind, type AnswerKind, type StreamFailure } from './stream-server.ts';
import { createVerifiedStream } from './verified-stream.ts';

export interface ClientStream {
  readonly plan: PlannedConnection;
  readonly failure: StreamFailure | null;
  readonly writtenBytes: number;
  readonly answeredBytes: number;
  readonly unsentBytes: number;
  write(length: number): void;
  /** Calls back once, when everything written up to now has been answered. */
  whenAnswered(offset: number, then: () => void): void;
  destroy(): void;
}

export interface OpenStream {
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly answer: AnswerKind;
  readonly timeoutMs: number;
}

/** Opens `plan` from its own local port; resolves when connected. */
export function openStream(plan: PlannedConnection, to: OpenStream): Promise<ClientStream> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: to.host, port: to.port, localPort: plan.id, family: plan.family, noDelay: true });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`connection ${plan.id} to ${to.host} port ${to.port}: no answer in ${to.timeoutMs} ms`));
    }, to.timeoutMs);
    const onError = (error: Error): void => {
      clearTimeout(timer);
      reject(new Error(`connection ${plan.id} to ${to.host} port ${to.port}: ${error.message}`, { cause: error }));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(clientStream(plan, to, socket));
    });
  });
}

function clientStream(plan: PlannedConnection, to: OpenStream, socket: Socket): ClientStream {
  const content = createVerifiedStream(to.key, `${plan.id} up`);
  const state = {
    failure: null as StreamFailure | null,
    destroyed: false,
  };
  const waiting: { offset: number; then: () => void }[] = [];
  const fail = (kind: StreamFailure['kind'], detail: string): void => {
    if (!state.destroyed) state.failure ??= { id: plan.id, kind, atMs: epochMs(), detail };
  };
  const answers = to.answer === 'echo' ? echoes(to.key, plan.id) : acknowledgements();
  socket.on('data', (chunk: Buffer) => {
    const wrong = answers.take(chunk);
    if (wrong !== null) fail('wrong-byte', wrong);
    while (waiting[0] !== undefined && waiting[0].offset <= answers.offset()) waiting.shift()?.then();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    fail(failureKind(error), error.message);
  });
  socket.on('close', () => {
    fail('ended', 'the connection ended');
  });
  return {
    plan,
    get failure() {
      return state.failure;
    },
    get writtenBytes() {
      return content.offset;
    },
    get answeredBytes() {
      return answers.offset();
    },
    get unsentBytes() {
      return socket.writableLength;
    },
    write: (length) => {
      if (socket.writable) socket.write(content.next(length));
    },
    whenAnswered: (offset, then) => {
      if (answers.offset() >= offset) then();
      else waiting.push({ offset, then });
    },
    destroy: () => {
      state.destroyed = true;
      socket.destroy();
    },
  };
}

interface Answers {
  /** What is wrong with this part of the answer, or null. */
  take(chunk: Buffer): string | null;
  offset(): number;
}

function echoes(key: string, id: number): Answers {
  const expected = createVerifiedStream(key, `${id} up`);
  let good = 0;
  return {
    take(chunk) {
      const bad = expected.check(chunk);
      if (bad === null) {
        good = expected.offset;
        return null;
      }
      return `echoed byte ${bad} is not the one sent`;
    },
    offset: () => good,
  };
}

function acknowledgements(): Answers {
  let rest = Buffer.alloc(0);
  let offset = 0;
  return {
    take(chunk) {
      const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      const whole = all.length - (all.length % 8);
      rest = Buffer.from(all.subarray(whole));
      for (let at = 0; at < whole; at += 8) {
        const next = all.readDoubleBE(at);
        if (!(next >= offset)) return `acknowledged ${next} after ${offset}`;
        offset = next;
      }
      return null;
    },
    offset: () => offset,
  };
}
