// A SessionStream without a network: what one side sends is recorded, what the other says is called by the test.

import type { SessionPeer, SessionStream, StreamEnd, StreamHandlers } from '../../src/protocol/session-stream.ts';

export class FakeStream<Out, In> implements SessionStream<Out, In> {
  readonly peer: SessionPeer;
  readonly sent: Out[] = [];
  paused = false;
  /** What `end` was called with; undefined when it was not. */
  endedWith: string | null | undefined = undefined;
  destroyed = false;
  #handlers: StreamHandlers<In> | null = null;
  #over = false;

  constructor(dnsNames: readonly string[] | null = null, remote = '192.0.2.1:1') {
    this.peer = {
      remote,
      certificate: dnsNames === null ? null : { dnsNames, serial: '1', issuer: 'CN=x', notAfter: new Date() },
    };
  }

  listen(handlers: StreamHandlers<In>): void {
    this.#handlers = handlers;
  }

  send(message: Out): Promise<void> {
    if (this.#over) return Promise.reject(new Error('the stream is gone'));
    this.sent.push(message);
    return Promise.resolve();
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  end(refusal?: string): void {
    this.endedWith = refusal ?? null;
    this.finish({ kind: 'ended', detail: 'ended here' });
  }

  destroy(): void {
    this.destroyed = true;
    this.finish({ kind: 'ended', detail: 'closed here' });
  }

  /** The other side speaks. */
  say(message: In): void {
    if (!this.#over) this.#handlers?.message(message);
  }

  sayMalformed(detail: string): void {
    if (!this.#over) this.#handlers?.malformed(detail);
  }

  finish(end: StreamEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#handlers?.ended(end);
  }
}
