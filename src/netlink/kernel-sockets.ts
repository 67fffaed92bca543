// The main thread's side of the kernel sockets: requests as promises, events and frames as callbacks. Lives in the network
// namespace the process was started in. Must not know what the messages say.

import { closeSync, writeSync } from 'node:fs';
import { MessageChannel, receiveMessageOnPort, type Worker } from 'node:worker_threads';
import { StateferryError } from '../base/errors.ts';
import { eventfd } from './libc.ts';
import { startKernelWorker } from './start-kernel-worker.ts';
import type { PortReport, WorkerCommand, WorkerOptions, WorkerReport } from './worker-protocol.ts';

const EFD_NONBLOCK = 0x800;
const EFD_CLOEXEC = 0x80000;

export type KernelSocketErrorCode =
  | 'NOT_PERMITTED' // CAP_NET_ADMIN (and CAP_NET_RAW for frames) is missing
  | 'CALL_FAILED' // a system call failed; context has call and errno
  | 'CLOSED'; // closed, or the thread died

export class KernelSocketError extends StateferryError<KernelSocketErrorCode> {}

export interface KernelSocketHandlers {
  /** One or more whole netlink messages, in the kernel's order. */
  readonly onEvents: (messages: Buffer) => void;
  /** The kernel dropped events: the stream has a hole before whatever comes next. */
  readonly onOverrun: () => void;
  /** Answers to the subscription to logged packets, then the packets. */
  readonly onLogged?: (messages: Buffer) => void;
  readonly onFrame: (port: string, frame: Buffer) => void;
  readonly onPort: (port: PortReport) => void;
  /** The thread died: no event will come any more. */
  readonly onFailure: (error: KernelSocketError) => void;
}

export interface KernelSockets {
  /** Netlink port id of our requests: events with it are our own doing. */
  readonly portId: number;
  /** The first of `count` sequence numbers nobody else has: an answer that comes too late must not be taken for another's. */
  sequence(count: number): number;
  /**
   * Sends whole messages, of which the one numbered `seq` asks for an acknowledgement (or is a dump), and resolves with
   * everything that came back. Events queued before the answer have been delivered by then.
   */
  query(messages: Uint8Array, seq: number): Promise<readonly Buffer[]>;
  /** Fire and forget: a port that is down or gone loses the frame. */
  sendFrame(port: string, frame: Uint8Array): void;
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (messages: readonly Buffer[]) => void;
  readonly reject: (error: KernelSocketError) => void;
}

export interface KernelSocketOptions {
  readonly groups: readonly number[];
  readonly ports: readonly string[];
  readonly frameEtherType: number;
  readonly receiveBufferBytes?: number;
  readonly log?: WorkerOptions['log'];
}

const view = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const EPERM = 1;

/** Rejects with KernelSocketError. */
export async function openKernelSockets(
  options: KernelSocketOptions,
  handlers: KernelSocketHandlers,
): Promise<KernelSockets> {
  const eventFd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (eventFd < 0) throw new KernelSocketError('CALL_FAILED', 'eventfd failed');
  const { port1: ours, port2: theirs } = new MessageChannel();
  const workerOptions: WorkerOptions = { receiveBufferBytes: 64 << 20, log: null, ...options, eventFd };
  const worker = startKernelWorker({ options: workerOptions, channel: theirs });
  const link = new WorkerLink(worker, ours, eventFd, handlers);
  const portId = await link.ready;
  return {
    portId,
    sequence: (count) => link.sequence(count),
    query: (messages, seq) => link.query(messages, seq),
    sendFrame: (port, frame) => {
      link.command({ kind: 'frame', port, frame: new Uint8Array(frame) });
    },
    close: () => link.close(),
  };
}

class WorkerLink {
  readonly ready: Promise<number>;
  readonly #channel: MessageChannel['port1'];
  readonly #eventFd: number;
  readonly #handlers: KernelSocketHandlers;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  readonly #onProcessExit = (): void => {
    this.command({ kind: 'close' });
  };
  readonly #onReady: (portId: number) => void;
  #nextId = 1;
  #nextSeq = 1;
  #open = true;
  #failure: KernelSocketError | null = null;

  constructor(worker: Worker, channel: MessageChannel['port1'], eventFd: number, handlers: KernelSocketHandlers) {
    this.#channel = channel;
    this.#eventFd = eventFd;
    this.#handlers = handlers;
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.ready = promise;
    this.#onReady = resolve;
    channel.on('message', (message: WorkerReport) => {
      this.#take(message);
    });
    worker.on('error', (cause) => {
      this.#failure ??= new KernelSocketError('CLOSED', 'the kernel thread died', { cause });
    });
    this.#exited = new Promise((done) => {
      worker.on('exit', () => {
        // What it said last may still be on its way.
        for (let m = receiveMessageOnPort(channel); m !== undefined; m = receiveMessageOnPort(channel)) {
          this.#take(m.message as WorkerReport);
        }
        const closed = this.#open;
        this.#open = false;
        process.off('exit', this.#onProcessExit);
        channel.close();
        closeSync(eventFd);
        const error = this.#failure ?? new KernelSocketError('CLOSED', 'the kernel sockets are closed');
        for (const p of this.#pending.values()) p.reject(error);
        this.#pending.clear();
        reject(error);
        if (closed) this.#handlers.onFailure(error);
        done();
      });
    });
    // A thread asleep in poll() would hold up the end of the process.
    process.on('exit', this.#onProcessExit);
  }

  sequence(count: number): number {
    if (this.#nextSeq + count > 0xffffffff) this.#nextSeq = 1;
    const first = this.#nextSeq;
    this.#nextSeq += count;
    return first;
  }

  command(command: WorkerCommand): void {
    if (!this.#open) return;
    this.#channel.postMessage(command);
    writeSync(this.#eventFd, new BigUint64Array([1n]));
  }

  query(messages: Uint8Array, seq: number): Promise<readonly Buffer[]> {
    if (!this.#open) return Promise.reject(new KernelSocketError('CLOSED', 'the kernel sockets are closed'));
    const { promise, resolve, reject } = Promise.withResolvers<readonly Buffer[]>();
    const id = this.#nextId;
    this.#nextId += 1;
    this.#pending.set(id, { resolve, reject });
    // A copy of its own: cloning a view would clone all that is behind it.
    this.command({ kind: 'query', id, seq, messages: new Uint8Array(messages) });
    return promise;
  }

  async close(): Promise<void> {
    if (this.#open) {
      this.command({ kind: 'close' });
      this.#open = false;
    }
    await this.#exited;
  }

  #take(message: WorkerReport): void {
    switch (message.kind) {
      case 'ready':
        this.#onReady(message.queryPortId);
        return;
      case 'events':
        this.#handlers.onEvents(view(message.messages));
        return;
      case 'answer': {
        const pending = this.#pending.get(message.id);
        this.#pending.delete(message.id);
        if (message.failure === null) pending?.resolve(message.messages.map(view));
        else pending?.reject(new KernelSocketError('CALL_FAILED', message.failure, { retriable: true }));
        return;
      }
      case 'overrun':
        this.#handlers.onOverrun();
        return;
      case 'logged':
        this.#handlers.onLogged?.(view(message.messages));
        return;
      case 'received':
        this.#handlers.onFrame(message.port, view(message.frame));
        return;
      case 'port':
        this.#handlers.onPort(message.port);
        return;
      case 'failed':
        this.#failure = new KernelSocketError(
          message.errno === EPERM ? 'NOT_PERMITTED' : 'CALL_FAILED',
          `${message.call}: ${message.name}`,
          { context: { call: message.call, errno: message.errno } },
        );
    }
  }
}
