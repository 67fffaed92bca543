// Requests that wait for their answers, by xid: replies, the parts of multipart replies, and errors find their way here.

import type { Clock } from '../base/clock.ts';
import type { Message } from './message.ts';
import type { ErrorMessage } from './messages/session.ts';
import type { ReplyBody } from './messages/multipart.ts';
import { errorName } from './error-names.ts';
import { OpenFlowError } from './openflow-error.ts';

interface Pending {
  readonly what: string;
  readonly replyType: Message['type'];
  /** Parts so far, for multipart replies. */
  readonly parts: ReplyBody[];
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: OpenFlowError) => void;
  cancelTimer: () => void;
}

/** The last message of the reply, and every part of a multipart one. */
export interface Answer {
  readonly message: Message;
  readonly parts: readonly ReplyBody[];
}

/** Messages without an answer of their own whose errors somebody wants: `first` to `last`, inclusive. */
export interface ErrorWatch {
  readonly first: number;
  readonly last: number;
  readonly onError: (xid: number, error: ErrorMessage) => void;
}

/** A reply of more parts than this is refused: it would hold memory without bound. */
const MAX_PARTS = 100_000;
/** The upper half is the connection's own. */
const MAX_XID = 0x7fffffff;

export class RequestTable {
  readonly #pending = new Map<number, Pending>();
  readonly #watches = new Set<ErrorWatch>();
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #firstXid: number;
  #nextXid: number;

  constructor(clock: Clock, timeoutMs: number, firstXid: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#firstXid = firstXid;
    this.#nextXid = firstXid;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** The first of `count` consecutive xids. */
  takeXids(count = 1): number {
    if (this.#nextXid + count - 1 > MAX_XID) this.#nextXid = this.#firstXid;
    const first = this.#nextXid;
    this.#nextXid += count;
    return first;
  }

  expect(xid: number, what: string, replyType: Message['type']): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#pending.set(xid, { what, replyType, parts: [], resolve, reject, cancelTimer: this.#startTimer(xid) });
    });
  }

  /** Forgets a request that could not be sent. */
  cancel(xid: number, error: OpenFlowError): void {
    this.#take(xid)?.reject(error);
  }

  watch(watch: ErrorWatch): () => void {
    this.#watches.add(watch);
    return () => this.#watches.delete(watch);
  }

  /** Whether `message` answers a request. */
  accept(xid: number, message: Message): boolean {
    const pending = this.#pending.get(xid);
    if (pending === undefined) return false;
    if (message.type === 'error') {
      this.#take(xid)?.reject(rejected(pending.what, message));
    } else if (message.type !== pending.replyType) {
      this.#take(xid)?.reject(new OpenFlowError('UNEXPECTED_REPLY', `${message.type} in answer to ${pending.what}`));
    } else if (message.type === 'multipart_reply') {
      pending.parts.push(message.body);
      if (pending.parts.length > MAX_PARTS) {
        this.#take(xid)?.reject(new OpenFlowError('UNEXPECTED_REPLY', `more than ${MAX_PARTS} parts`));
      } else if (message.more) {
        // A long reply may take its time as long as it comes.
        pending.cancelTimer();
        pending.cancelTimer = this.#startTimer(xid);
      } else {
        this.#take(xid)?.resolve({ message, parts: pending.parts });
      }
    } else {
      this.#take(xid)?.resolve({ message, parts: [] });
    }
    return true;
  }

  /** Whether somebody watches for errors of this xid. */
  acceptWatched(xid: number, error: ErrorMessage): boolean {
    for (const watch of this.#watches) {
      if (xid < watch.first || xid > watch.last) continue;
      watch.onError(xid, error);
      return true;
    }
    return false;
  }

  rejectAll(error: OpenFlowError): void {
    for (const xid of [...this.#pending.keys()]) this.#take(xid)?.reject(error);
    this.#watches.clear();
  }

  #startTimer(xid: number): () => void {
    return this.#clock.after(this.#timeoutMs, () => {
      const pending = this.#take(xid);
      pending?.reject(new OpenFlowError('TIMEOUT', `no answer to ${pending.what} in ${this.#timeoutMs} ms`));
    });
  }

  #take(xid: number): Pending | undefined {
    const pending = this.#pending.get(xid);
    this.#pending.delete(xid);
    pending?.cancelTimer();
    return pending;
  }
}

/** The switch's OFPT_ERROR as the error a request rejects with. */
export function rejected(what: string, error: ErrorMessage, cause?: unknown): OpenFlowError {
  const { errorType, errorCode, data } = error;
  return new OpenFlowError('REJECTED', `the switch refused ${what}: ${errorName(errorType, errorCode, { data })}`, {
    errorType,
    errorCode,
    data,
    cause,
  });
}
