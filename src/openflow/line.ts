// What is said to one switch: commands and requests over its main connection (number 0) or an auxiliary one. It numbers
// messages and brings answers to those who asked; it does not read.

import type { Message } from './message.ts';
import { OpenFlowError } from './openflow-error.ts';
import type { Outbox } from './outbox.ts';
import { REPLY_TYPE } from './replies.ts';
import type { Request } from './replies.ts';
import { RequestTable } from './request-table.ts';
import type { Answer, RequestTableOptions } from './request-table.ts';
import type { WireVersion } from './wire-version.ts';

export interface RequestOptions {
  /** Rejects with the signal's reason; an answer that still comes is ignored. */
  readonly signal?: AbortSignal | undefined;
  /** Instead of the server's `requestTimeoutMs`; of a multipart reply, between two of its messages. */
  readonly timeoutMs?: number;
  /** The auxiliary connection to ask on, by its id; the main one unless given. */
  readonly auxiliary?: number;
}

export const MAIN = 0;

export class Line {
  readonly version: WireVersion;
  /** Aborted when the main connection closes, and with it all others. */
  readonly closed: AbortSignal;
  readonly requests: RequestTable;
  readonly #main: Outbox;
  /** By auxiliary id, the main one among them. */
  readonly #outboxes = new Map<number, Outbox>();
  #droppedPacketOuts = 0;
  /** As `closed` says; asked for every message. */
  #isClosed: boolean;

  constructor(version: WireVersion, outbox: Outbox, closed: AbortSignal, table: Omit<RequestTableOptions, 'version'>) {
    this.version = version;
    this.closed = closed;
    this.requests = new RequestTable({ ...table, version });
    this.#main = outbox;
    this.#outboxes.set(MAIN, outbox);
    this.#isClosed = closed.aborted;
    closed.addEventListener('abort', () => {
      this.#isClosed = true;
      this.requests.rejectAll(this.#closedError());
    });
  }

  /** Packet-outs given up because the switch read too slowly. */
  get droppedPacketOuts(): number {
    return this.#droppedPacketOuts;
  }

  get queuedBytes(): number {
    let sum = 0;
    for (const outbox of this.#outboxes.values()) sum += outbox.queuedBytes;
    return sum;
  }

  /** Ids of the auxiliary connections. */
  get auxiliaries(): readonly number[] {
    return [...this.#outboxes.keys()].filter((id) => id !== MAIN);
  }

  /** One more connection of the same switch, until `closed` aborts. */
  join(auxiliary: number, outbox: Outbox, closed: AbortSignal): void {
    this.#outboxes.set(auxiliary, outbox);
    closed.addEventListener('abort', () => {
      if (this.#outboxes.get(auxiliary) === outbox) this.#outboxes.delete(auxiliary);
      const error = new OpenFlowError('CLOSED', `auxiliary connection ${auxiliary} is closed`, {
        cause: closed.reason,
      });
      this.requests.rejectVia(outbox, error);
    });
  }

  /** Packet-outs are dropped where the queue is full; anything else raises QUEUE_FULL then. On a closed line: nothing. */
  send(messages: readonly Message[], auxiliary = MAIN): void {
    if (this.#isClosed) return;
    const outbox = this.outbox(auxiliary);
    for (const message of messages) {
      if (message.type === 'packet_out' && outbox.full) this.#droppedPacketOuts += 1;
      else outbox.append(this.version, this.requests.takeXids(), message);
    }
  }

  /** Queues one message under an xid of the caller's; raises CLOSED or QUEUE_FULL. */
  append(xid: number, message: Message): void {
    if (this.closed.aborted) throw this.#closedError();
    this.outbox().append(this.version, xid, message);
  }

  /** Whether bulk work ought to wait for `drained`. */
  get congested(): boolean {
    return this.outbox().congested;
  }

  /** Resolves when the switch has read so far that bulk work may go on. */
  drained(signal?: AbortSignal): Promise<void> {
    return this.outbox().drained(signal === undefined ? this.closed : AbortSignal.any([this.closed, signal]));
  }

  async ask(request: Request, { signal, timeoutMs, auxiliary = MAIN }: RequestOptions = {}): Promise<Answer> {
    if (this.closed.aborted) throw this.#closedError();
    signal?.throwIfAborted();
    const outbox = this.outbox(auxiliary);
    const xid = this.requests.takeXids();
    // First: a message that cannot be sent expects no answer.
    outbox.append(this.version, xid, request);
    const body = request.type === 'multipart_request' ? request.body : null;
    return this.requests.expect(xid, {
      what: body === null ? request.type : `${request.type} (${body.part})`,
      replyType: REPLY_TYPE[request.type],
      via: outbox,
      signal,
      ...(body === null ? {} : { part: body.part }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  }

  outbox(auxiliary = MAIN): Outbox {
    const outbox = auxiliary === MAIN ? this.#main : this.#outboxes.get(auxiliary);
    if (outbox === undefined) throw new OpenFlowError('CLOSED', `there is no auxiliary connection ${auxiliary}`);
    return outbox;
  }

  #closedError(): OpenFlowError {
    return new OpenFlowError('CLOSED', 'the channel is closed', { cause: this.closed.reason });
  }
}
