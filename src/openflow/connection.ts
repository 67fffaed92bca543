// One connection to a switch: bytes in, handshake, then a SwitchChannel; liveness and malformed messages all along.
// It knows a stream, not what kind of socket it is, nor who began the connection.

import type { Duplex } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { UnaskedMessage } from './channel-events.ts';
import type { ConnectionFigures } from './channel-stats.ts';
import { EchoWatch } from './echo-watch.ts';
import { FrameReader } from './frame-reader.ts';
import { beginHandshake, stepHandshake } from './handshake.ts';
import type { HandshakeEffect, HandshakeInput, HandshakeState, HelloFailed, Session } from './handshake.ts';
import { helloFailed } from './hello-failed.ts';
import { Intake } from './intake.ts';
import { etherTypeTable } from './lanes.ts';
import type { EtherTypeTable } from './lanes.ts';
import type { LivenessLimits } from './liveness.ts';
import { answerToUnknownType } from './malformed.ts';
import { decodeHello } from './message.ts';
import type { Frame, Message } from './message.ts';
import type { SwitchEvent } from './model.ts';
import { OpenFlowError } from './openflow-error.ts';
import { Outbox } from './outbox.ts';
import { Stranger } from './stranger.ts';
import { SwitchChannel } from './switch-channel.ts';
import type { Turns } from './turns.ts';
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
  readonly maxReplyBytes?: number;
  /** Shared by all connections that are to get their turn fairly. */
  readonly turns: Turns;
  /** Which packet-ins go before the others; LLDP unless given. */
  readonly etherTypes?: EtherTypeTable;
}

export interface ConnectionHandlers {
  readonly onReady: (channel: SwitchChannel) => void;
  /** The connection is an auxiliary one: the channel it belongs to, or null, and it is refused. */
  readonly onAuxiliary?: (session: Session) => SwitchChannel | null;
  readonly onEvent?: (channel: SwitchChannel, event: SwitchEvent) => void;
  readonly onMessage?: (channel: SwitchChannel, xid: number, message: UnaskedMessage) => void;
  /** Once, at the end; `channel` is null when the handshake was not finished, and for auxiliary connections. */
  readonly onClosed: (channel: SwitchChannel | null, reason: OpenFlowError) => void;
}

/** Message types up to this one have a meaning in some version (OFPT_CONTROLLER_STATUS). */
const LAST_TYPE = 35;

const STANDARD = etherTypeTable();

export class Connection {
  readonly remote: string;
  readonly #socket: Duplex;
  readonly #options: ConnectionOptions;
  readonly #handlers: ConnectionHandlers;
  readonly #outbox: Outbox;
  readonly #etherTypes: EtherTypeTable;
  readonly #intake: Intake;
  readonly #reader: FrameReader;
  readonly #echo: EchoWatch;
  readonly #closing = new AbortController();
  #closed = false;
  #handshake: HandshakeState;
  /** Where messages go: our own channel, or the one that an auxiliary connection belongs to. */
  #channel: SwitchChannel | null = null;
  #auxiliary = false;
  /** While the handshake is not over. */
  readonly #stranger = new Stranger();
  #cancelTimer: () => void;

  constructor(socket: Duplex, remote: string, options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.remote = remote;
    this.#socket = socket;
    this.#options = options;
    this.#handlers = handlers;
    this.#outbox = new Outbox(socket, options.maxQueuedBytes);
    this.#echo = new EchoWatch(options.clock, options.liveness, {
      ask: (xid) => {
        this.#send(xid, { type: 'echo_request', data: Buffer.alloc(0) });
      },
      dead: (silentMs) => {
        this.close(new OpenFlowError('TIMEOUT', `nothing heard for ${Math.round(silentMs)} ms, not even echo`));
      },
    });
    this.#reader = new FrameReader({
      log: options.log.with({ remote }),
      answer: (xid, message) => {
        this.#send(xid, message);
      },
      onMalformed: (count) => {
        this.#onMalformed(count);
      },
    });
    this.#cancelTimer = options.clock.after(options.handshakeTimeoutMs, () => {
      this.close(new OpenFlowError('TIMEOUT', `no handshake in ${options.handshakeTimeoutMs} ms`));
    });
    this.#etherTypes = options.etherTypes ?? STANDARD;
    this.#intake = new Intake(
      socket,
      { turns: options.turns, etherTypes: this.#etherTypes },
      {
        onRead: () => {
          this.#echo.heard();
        },
        onFrame: (bytes, start, end) => {
          this.#outbox.cork();
          this.#onFrame(bytes, start, end);
          return !this.#closed;
        },
        onBroken: (error) => {
          options.log.warn('OpenFlow stream broken', { remote, error });
          this.close(new OpenFlowError('CLOSED', 'the stream cannot be followed', { cause: error }));
        },
        // What was read has caused goes out at once: this is the latency of a packet-in's answer.
        onPause: () => {
          this.#outbox.uncork();
        },
      },
    );
    this.#watchSocket(socket);
    const { state, effects } = beginHandshake(options.versions);
    this.#handshake = state;
    this.#run(effects);
    this.#outbox.flush();
  }

  /** Ends the connection; nothing is delivered afterwards. */
  close(reason: OpenFlowError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer();
    this.#echo.stop();
    this.#outbox.flush();
    // What is queued still goes out if the peer reads; a peer that does not is cut off by the server.
    this.#socket.end();
    this.#closing.abort(reason);
    this.#intake.close();
    this.#handlers.onClosed(this.#auxiliary ? null : this.#channel, reason);
  }

  #watchSocket(socket: Duplex): void {
    socket.on('error', (error) => {
      this.close(new OpenFlowError('CLOSED', error.message, { cause: error }));
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.close(new OpenFlowError('CLOSED', 'the switch closed the connection'));
      });
    }
  }

  #onFrame(bytes: Buffer, start: number, end: number): void {
    if (this.#channel === null && !this.#mayBeStranger(bytes.subarray(start, end))) return;
    if (this.#handshake.phase === 'hello') {
      const hello = decodeHello(bytes.subarray(start, end));
      if (hello !== null) {
        this.#step({ kind: 'hello', ...hello });
        return;
      }
    }
    const frame = this.#reader.read(bytes, start, end, this.#version);
    if (frame === null) return;
    const { message, xid } = frame;
    if (message.type === 'echo_reply' && this.#echo.answered(xid)) return;
    this.#echo.spoken();
    if (message.type === 'echo_request') {
      this.#send(xid, { type: 'echo_reply', data: message.data });
    } else if (this.#channel === null) {
      this.#step({ kind: 'message', frame });
    } else {
      if (message.type === 'unknown' && message.messageType > LAST_TYPE) {
        this.#send(xid, answerToUnknownType(bytes.subarray(start, end)));
      }
      this.#channel.receive(xid, message, end - start);
    }
  }

  /** Before the handshake is over: whether there is room for one more message. */
  #mayBeStranger(bytes: Buffer): boolean {
    const verdict = this.#stranger.hear(bytes);
    if (verdict === 'close') this.close(new OpenFlowError('INCOMPATIBLE', 'too much before the handshake was over'));
    return verdict === 'take';
  }

  #onMalformed(count: number): void {
    this.#channel?.countMalformed();
    if (this.#channel === null && this.#stranger.countMalformed()) {
      this.close(new OpenFlowError('INCOMPATIBLE', `${count} malformed messages instead of a handshake`));
    }
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
      else if (effect.kind === 'fail') this.#refuse(effect.reason, effect.tell);
      else if (effect.session.features.auxiliaryId === 0) this.#ready(effect.session);
      else this.#joinMain(effect.session);
    }
  }

  #ready(found: Session): void {
    const { clock, log, requestTimeoutMs, maxReplyBytes } = this.#options;
    const { onEvent, onMessage } = this.#handlers;
    const channel = new SwitchChannel(
      { ...found, dropped: found.dropped + this.#stranger.dropped },
      {
        clock,
        log,
        etherTypes: this.#etherTypes,
        requestTimeoutMs,
        remote: this.remote,
        outbox: this.#outbox,
        closed: this.#closing.signal,
        figures: this.#figures,
        ...(maxReplyBytes === undefined ? {} : { maxReplyBytes }),
        ...(onEvent === undefined ? {} : { onEvent }),
        ...(onMessage === undefined ? {} : { onMessage }),
      },
    );
    this.#begin(channel);
    this.#handlers.onReady(channel);
    this.#deliver(channel, found.early);
  }

  /** 1.3.5 section 6.3.8. */
  #joinMain({ features, early, ...found }: Session): void {
    const main = this.#handlers.onAuxiliary?.({ ...found, features, early }) ?? null;
    if (main === null) {
      this.close(new OpenFlowError('INCOMPATIBLE', `auxiliary connection ${features.auxiliaryId} of no main one`));
      return;
    }
    this.#auxiliary = true;
    main.join(features.auxiliaryId, this.#outbox, this.#closing.signal, this.#figures);
    const closeWithMain = (): void => {
      this.close(new OpenFlowError('CLOSED', 'the main connection closed', { cause: main.closed.reason }));
    };
    main.closed.addEventListener('abort', closeWithMain, { once: true, signal: this.#closing.signal });
    this.#begin(main);
    this.#deliver(main, early);
  }

  #begin(channel: SwitchChannel): void {
    this.#channel = channel;
    this.#cancelTimer();
    this.#echo.start();
  }

  #deliver(channel: SwitchChannel, early: readonly Frame[]): void {
    for (const { xid, message } of early) {
      if (!this.#closed) channel.receive(xid, message, 0);
    }
  }

  readonly #figures = (): ConnectionFigures => ({
    intake: this.#intake.stats(),
    roundTripMs: this.#echo.roundTripMs,
  });

  #refuse(reason: string, tell: HelloFailed | null): void {
    if (tell !== null) {
      this.#outbox.flush();
      this.#socket.write(helloFailed(tell, reason));
    }
    this.close(new OpenFlowError('INCOMPATIBLE', reason));
  }
}
