// Requests that wait for their answers, by xid: replies, the parts of multipart replies, and errors find their way here.

import type { Clock } from '../base/clock.ts';
import { errorName } from './error-names.ts';
import type { Message } from './message.ts';
import type { ErrorMessage } from './messages/session.ts';
import type { ReplyBody } from './messages/multipart.ts';
import { OpenFlowError } from './openflow-error.ts';
import type { WireVersion } from './wire-version.ts';

/** What is known of a request while it waits. */
export interface Expectation {
  /** In words, for errors. */
  readonly what: string;
  readonly replyType: Message['type'];
  /** Of a multipart request: all of the reply must be of it. */
  readonly part?: string;
  /** The connection it went out on: its end is the end of the request. */
  readonly via?: object;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

interface Pending extends Expectation {
  /** Parts so far, for multipart replies, and the bytes they came in. */
  readonly parts: ReplyBody[];
  bytes: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly onAbort: () => void;
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

export interface RequestTableOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly firstXid: number;
  /** A multipart reply of more bytes is refused: it would hold memory without bound. */
  readonly maxReplyBytes?: number;
  /** Of the errors that come. */
  readonly version?: WireVersion;
}

const MAX_REPLY_BYTES = 256 * 1024 * 1024;
/** Parts that hold nothing cost memory too. */
const MAX_PARTS = 100_000;
/** The upper half is the connection's own. */
const MAX_XID = 0x7fffffff;

export class RequestTable {
  readonly #pending = new Map<number, Pending>();
  readonly #watches = new Set<ErrorWatch>();
  readonly #options: RequestTableOptions;
  #nextXid: number;

  constructor(options: RequestTableOptions) {
    this.#options = options;
    this.#nextXid = options.firstXid;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** The first of `count` consecutive xids. */
  takeXids(count = 1): number {
    if (this.#nextXid + count - 1 > MAX_XID) this.#nextXid = this.#options.firstXid;
    const first = this.#nextXid;
    this.#nextXid += count;
    return first;
  }

  expect(xid: number, expectation: Expectation): Promise<Answer> {
    const { signal } = expectation;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#take(xid)?.reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      const cancelTimer = this.#startTimer(xid, expectation);
      this.#pending.set(xid, { ...expectation, parts: [], bytes: 0, resolve, reject, onAbort, cancelTimer });
    });
  }

  /** Forgets a request that could not be sent. */
  cancel(xid: number, error: Error): void {
    this.#take(xid)?.reject(error);
  }

  watch(watch: ErrorWatch): () => void {
    this.#watches.add(watch);
    return () => this.#watches.delete(watch);
  }

  /** Whether `message`, which came in `bytes` bytes, answers a request. */
  accept(xid: number, message: Message, bytes = 0): boolean {
    const pending = this.#pending.get(xid);
    if (pending === undefined) return false;
    if (message.type === 'error') {
      this.#take(xid)?.reject(rejected(pending.what, message, this.#options.version));
    } else if (message.type !== pending.replyType) {
      this.#refuse(xid, `${message.type} in answer to ${pending.what}`);
    } else if (message.type !== 'multipart_reply') {
      this.#take(xid)?.resolve({ message, parts: [] });
    } else if (pending.part !== undefined && message.body.part !== pending.part) {
      this.#refuse(xid, `${message.body.part} in answer to ${pending.what}`);
    } else {
      this.#collect(xid, pending, message, bytes);
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

  /** Of all that went out on a connection that is gone. */
  rejectVia(via: object, error: OpenFlowError): void {
    for (const [xid, pending] of [...this.#pending]) if (pending.via === via) this.#take(xid)?.reject(error);
  }

  #collect(xid: number, pending: Pending, message: Extract<Message, { type: 'multipart_reply' }>, bytes: number): void {
    const { maxReplyBytes = MAX_REPLY_BYTES } = this.#options;
    pending.parts.push(message.body);
    pending.bytes += bytes;
    if (pending.parts.length > MAX_PARTS) this.#refuse(xid, `more than ${MAX_PARTS} parts`);
    else if (pending.bytes > maxReplyBytes) this.#refuse(xid, `a reply of more than ${maxReplyBytes} bytes`);
    else if (!message.more) this.#take(xid)?.resolve({ message, parts: pending.parts });
    else {
      // A long reply may take its time as long as it comes.
      pending.cancelTimer();
      pending.cancelTimer = this.#startTimer(xid, pending);
    }
  }

  #refuse(xid: number, why: string): void {
    this.#take(xid)?.reject(new OpenFlowError('UNEXPECTED_REPLY', why));
  }

  #startTimer(xid: number, { what, timeoutMs = this.#options.timeoutMs }: Expectation): () => void {
    return this.#options.clock.after(timeoutMs, () => {
      this.#take(xid)?.reject(new OpenFlowError('TIMEOUT', `no answer to ${what} in ${timeoutMs} ms`));
    });
  }

  #take(xid: number): Pending | undefined {
    const pending = this.#pending.get(xid);
    if (pending === undefined) return undefined;
    this.#pending.delete(xid);
    pending.cancelTimer();
    pending.signal?.removeEventListener('abort', pending.onAbort);
    return pending;
  }
}

/** The switch's OFPT_ERROR as the error a request rejects with. */
export function rejected(
  what: string,
  error: ErrorMessage,
  version: WireVersion = 4,
  refused?: Message,
): OpenFlowError {
  const { errorType, errorCode, data } = error;
  const name = errorName(errorType, errorCode, { version, data });
  return new OpenFlowError('REJECTED', `the switch refused ${what}: ${name}`, {
    errorType,
    errorCode,
    data,
    version,
    ...(refused === undefined ? {} : { refused }),
  });
}
