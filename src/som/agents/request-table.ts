// Requests on one stream that wait for their answer, by number. Late answers (after a timeout) are told apart from answers to
// nothing, which break the protocol.

import type { Clock } from '../../base/clock.ts';
import type { StateHostId } from '../../base/ids.ts';
import type { FromSoa, Refused } from '../../protocol/generated/stateferry.ts';
import { AgentError } from './agent-error.ts';

type Reply = NonNullable<FromSoa['body']>;
export type ReplyCase = 'uploadState' | 'ready' | 'installed' | 'quiesced' | 'drained' | 'done';
export type ReplyValue<C extends ReplyCase> = Extract<Reply, { $case: C }>['value'];

interface Waiting {
  readonly migration: string;
  readonly expected: ReplyCase;
  settle(reply: Reply): void;
  fail(error: Error): void;
}

export interface RequestSpec<C extends ReplyCase> {
  readonly migration: string;
  readonly expected: C;
  readonly timeoutMs: number;
}

export class RequestTable {
  readonly #id: StateHostId;
  readonly #clock: Clock;
  readonly #waiting = new Map<bigint, Waiting>();
  #last = 0n;

  constructor(id: StateHostId, clock: Clock) {
    this.#id = id;
    this.#clock = clock;
  }

  /** Takes a number, hands it to `send`, and waits for the answer. */
  async ask<C extends ReplyCase>(
    spec: RequestSpec<C>,
    send: (request: bigint) => Promise<void>,
  ): Promise<ReplyValue<C>> {
    // `answer` lets nothing through that is not of the expected case.
    return (await this.#wait(spec, send)) as ReplyValue<C>;
  }

  #wait(spec: RequestSpec<ReplyCase>, send: (request: bigint) => Promise<void>): Promise<Reply['value']> {
    return new Promise((resolve, reject) => {
      this.#last += 1n;
      const number = this.#last;
      const fail = (error: Error): void => {
        release();
        reject(error);
      };
      const cancelTimer = this.#clock.after(spec.timeoutMs, () => {
        fail(new AgentError('timeout', this.#id, `no ${spec.expected} for ${spec.migration} in ${spec.timeoutMs} ms`));
      });
      const release = (): void => {
        this.#waiting.delete(number);
        cancelTimer();
      };
      this.#waiting.set(number, {
        migration: spec.migration,
        expected: spec.expected,
        settle: (reply) => {
          release();
          if (reply.$case === 'refused') reject(refusedError(this.#id, reply.value));
          else resolve(reply.value);
        },
        fail,
      });
      send(number).catch((cause: unknown) => {
        fail(new AgentError('gone', this.#id, 'the session ended', { cause }));
      });
    });
  }

  /** Null when the answer was taken (or came too late), otherwise how it breaks the protocol. */
  answer(inReplyTo: bigint, reply: Reply): string | null {
    const waiting = this.#waiting.get(inReplyTo);
    if (waiting === undefined) {
      if (inReplyTo > 0n && inReplyTo <= this.#last) return null;
      return `${reply.$case} answers request ${inReplyTo}, which was never made`;
    }
    if (reply.$case !== 'refused') {
      if (reply.$case !== waiting.expected) return `${reply.$case} where ${waiting.expected} was due`;
      if ((reply.value as { migration: string }).migration !== waiting.migration) {
        return `${reply.$case} for another migration than ${waiting.migration}`;
      }
    }
    waiting.settle(reply);
    return null;
  }

  failMigration(migration: string, refused: Refused): void {
    for (const waiting of [...this.#waiting.values()]) {
      if (waiting.migration === migration) waiting.fail(refusedError(this.#id, refused));
    }
  }

  failAll(error: AgentError): void {
    for (const waiting of [...this.#waiting.values()]) waiting.fail(error);
  }
}

export function refusedError(id: StateHostId, refused: Refused): AgentError {
  return new AgentError('refused', id, refused.detail, { reason: refused.reason, records: refused.records });
}
