// One connection from a switch: bytes in, handshake, then a SwitchChannel; liveness and malformed messages all along.
// It knows a stream, not what kind of socket it is.

import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import { WireError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { beginHandshake, stepHandshake } from './handshake.ts';
import type { HandshakeEffect, HandshakeInput, HandshakeState, HelloFailed, Session } from './handshake.ts';
import { alive, checkLiveness } from './liveness.ts';
import type { Liveness, LivenessLimits } from './liveness.ts';
import { answerToMalformed, answerToUnknownType } from './malformed.ts';
import { decodeHello, decodeMessage } from './message.ts';
import type { Frame, Message } from './message.ts';
import type { SwitchEvent } from './model.ts';
import { OpenFlowError } from './openflow-error.ts';
import { Outbox } from './outbox.ts';
import { SwitchChannel } from './switch-channel.ts';
import type { WireVersion } from './wire-version.ts';

export interface ConnectionOptions {
  readonly versions: readonly WireVersion[];
  readonly clock: Clock;
  readonly log: Log;
  readonly liveness: LivenessLimits;
  readonly handshakeTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Bytes that may wait for one switch. */
  readonly maxQueuedBytes: number;
}

export interface ConnectionHandlers {
  onReady(channel: SwitchChannel): void;
  onEvent(channel: SwitchChannel, event: SwitchEvent): void;
  /** Once, at the end; `channel` is null when the handshake was not finished. */
  onClosed(channel: SwitchChannel | null, reason: OpenFlowError): void;
}

/** Message types up to this one have a meaning in some version (OFPT_CONTROLLER_STATUS). */
const LAST_TYPE = 35;

export class Connection {
  readonly remote: string;
  readonly #socket: Duplex;
  readonly #options: ConnectionOptions;
  readonly #handlers: ConnectionHandlers;
  readonly #outbox: Outbox;
  readonly #splitter = new FrameSplitter();
  readonly #closing = new AbortController();
  #handshake: HandshakeState;
  #channel: SwitchChannel | null = null;
  #liveness: Liveness;
  #cancelTimer: () => void;
  #xid = 0x8000_0000; // of what the connection itself sends: echo requests

  constructor(socket: Duplex, remote: string, options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.remote = remote;
    this.#socket = socket;
    this.#options = options;
    this.#handlers = handlers;
    this.#outbox = new Outbox(socket, options.maxQueuedBytes);
    this.#liveness = alive(options.clock.now());
    this.#cancelTimer = options.clock.after(options.handshakeTimeoutMs, () => {
      this.close(new OpenFlowError('TIMEOUT', `no handshake in ${options.handshakeTimeoutMs} ms`));
    });
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('error', (error) => {
      this.close(new OpenFlowError('CLOSED', error.message, { cause: error }));
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.close(new OpenFlowError('CLOSED', 'the switch closed the connection'));
      });
    }
    const { state, effects } = beginHandshake(options.versions);
    this.#handshake = state;
    this.#run(effects);
    this.#outbox.flush();
  }

  /** Ends the connection; nothing is delivered afterwards. */
  close(reason: OpenFlowError): void {
    if (this.#closing.signal.aborted) return;
    this.#cancelTimer();
    this.#outbox.flush();
    // What is queued still goes out if the peer reads; a peer that does not is cut off by the server.
    this.#socket.end();
    this.#closing.abort(reason);
    this.#handlers.onClosed(this.#channel, reason);
  }

  #receive(chunk: Buffer): void {
    if (this.#closing.signal.aborted) return;
    this.#liveness = alive(this.#options.clock.now());
    try {
      this.#splitter.push(chunk, (frame) => {
        this.#onFrame(frame);
        return !this.#closing.signal.aborted;
      });
    } catch (error) {
      this.#options.log.warn('OpenFlow stream broken', { remote: this.remote, error });
      this.close(new OpenFlowError('CLOSED', 'the stream cannot be followed', { cause: error }));
    }
    // What the chunk caused goes out at once: this is the latency of a packet-in's answer.
    this.#outbox.flush();
  }

  #onFrame(bytes: Buffer): void {
    if (this.#handshake.phase === 'hello') {
      const hello = decodeHello(bytes);
      if (hello !== null) {
        this.#step({ kind: 'hello', ...hello });
        return;
      }
    }
    const frame = this.#decode(bytes);
    if (frame === null) return;
    const { message, xid } = frame;
    if (message.type === 'echo_request') {
      this.#send(xid, { type: 'echo_reply', data: message.data });
    } else if (this.#channel === null) {
      this.#step({ kind: 'message', frame });
    } else {
      if (message.type === 'unknown' && message.messageType > LAST_TYPE) this.#send(xid, answerToUnknownType(bytes));
      this.#channel.receive(xid, message);
    }
  }

  /** The message, or null: counted, answered where the specification has a code, and the connection goes on. */
  #decode(bytes: Buffer): Frame | null {
    let frame: Frame;
    try {
      frame = decodeMessage(bytes);
      const agreed = this.#version;
      if (agreed !== null && frame.version !== agreed)
        throw new WireError('BAD_VERSION', 'version', 0, `not ${agreed}`);
    } catch (fault) {
      if (!(fault instanceof WireError)) throw fault;
      this.#channel?.countMalformed();
      this.#options.log.warn('malformed OpenFlow message', {
        remote: this.remote,
        dpid: this.#channel?.dpid,
        error: fault,
      });
      const answer = answerToMalformed(bytes, fault);
      if (answer !== null) this.#send(bytes.readUInt32BE(4), answer);
      return null;
    }
    return frame;
  }

  get #version(): WireVersion | null {
    const state = this.#handshake;
    if (this.#channel !== null) return this.#channel.version;
    return state.phase === 'features' || state.phase === 'ports' ? state.version : null;
  }

  #send(xid: number, message: Message): void {
    const version = this.#version ?? this.#options.versions.at(-1);
    if (version === undefined || this.#outbox.full) return;
    this.#outbox.append(version, xid, message);
  }

  #step(input: HandshakeInput): void {
    const { state, effects } = stepHandshake(this.#handshake, input);
    this.#handshake = state;
    this.#run(effects);
  }

  #run(effects: readonly HandshakeEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'send') this.#outbox.append(effect.version, effect.xid, effect.message);
      else if (effect.kind === 'ready') this.#ready(effect.session);
      else this.#refuse(effect.reason, effect.tell);
    }
  }

  #ready(found: Session): void {
    const { clock, requestTimeoutMs } = this.#options;
    const channel = new SwitchChannel(found, {
      clock,
      requestTimeoutMs,
      remote: this.remote,
      outbox: this.#outbox,
      closed: this.#closing.signal,
      log: this.#options.log,
      onEvent: (from, event) => {
        this.#handlers.onEvent(from, event);
      },
    });
    this.#channel = channel;
    this.#cancelTimer();
    this.#watchLiveness();
    this.#handlers.onReady(channel);
    for (const { xid, message } of found.early) {
      if (!this.#closing.signal.aborted) channel.receive(xid, message);
    }
  }

  /** OFPET_HELLO_FAILED goes out in the peer's version, so it is written by hand: we may not speak that one. */
  #refuse(reason: string, tell: HelloFailed | null): void {
    if (tell !== null) {
      const text = Buffer.from(reason, 'latin1');
      const bytes = Buffer.alloc(12 + text.length);
      bytes.writeUInt8(tell.version, 0);
      bytes.writeUInt8(1, 1);
      bytes.writeUInt16BE(bytes.length, 2);
      bytes.writeUInt16BE(tell.errorCode, 10);
      text.copy(bytes, 12);
      this.#outbox.flush();
      this.#socket.write(bytes);
    }
    this.close(new OpenFlowError('INCOMPATIBLE', reason));
  }

  #watchLiveness(): void {
    const { clock, liveness } = this.#options;
    const { state, effect, nextAtMs } = checkLiveness(this.#liveness, clock.now(), liveness);
    this.#liveness = state;
    if (effect === 'dead') {
      this.close(new OpenFlowError('TIMEOUT', `no answer to echo in ${liveness.answerMs} ms`));
      return;
    }
    if (effect === 'ask') this.#send((this.#xid += 1), { type: 'echo_request', data: Buffer.alloc(0) });
    this.#cancelTimer = clock.after(Math.max(1, nextAtMs - clock.now()), () => {
      this.#watchLiveness();
    });
  }
}
