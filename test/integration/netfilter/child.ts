// A Node process in a network namespace that answers calls over IPC; ended by its pid.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: string;
  readonly refused?: { readonly reason: string; readonly detail: string };
  readonly chunk?: unknown;
  readonly begun?: unknown;
  readonly refusedPacket?: Uint8Array;
}

export class ChildError extends Error {
  /** `Refused.reason` when the agent refused. */
  readonly reason: string | undefined;
  constructor(message: string, reason: string | undefined) {
    super(message);
    this.reason = reason;
  }
}

export class Child {
  readonly #process: ChildProcess;
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;
  onChunk: (chunk: unknown) => void = () => undefined;
  /** What its gate refused and handed over. */
  readonly refusedPackets: Buffer[] = [];
  onBegun: (manifest: never) => void = () => undefined;

  constructor(netns: string, file: string) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    this.#process = spawn('ip', ['netns', 'exec', netns, process.execPath, path], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#process.on('message', (message: Answer) => {
      if (message.refusedPacket !== undefined) {
        this.refusedPackets.push(Buffer.from(message.refusedPacket));
        return;
      }
      if (message.chunk !== undefined) {
        this.onChunk(message.chunk);
        return;
      }
      if (message.begun !== undefined) {
        this.onBegun(message.begun as never);
        return;
      }
      const pending = this.#pending.get(message.id ?? 0);
      this.#pending.delete(message.id ?? 0);
      if (message.error === undefined) pending?.resolve(message.result);
      else pending?.reject(new ChildError(message.error, message.refused?.reason));
    });
    this.#process.on('exit', (code) => {
      for (const p of this.#pending.values()) p.reject(new Error(`${file} ended with ${code}`));
      this.#pending.clear();
    });
  }

  call<T>(method: string, argument?: unknown): Promise<T> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise<T>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      // The callback keeps a send to a process that is gone from being an uncaught error.
      this.#process.send({ id, method, argument }, (error) => {
        if (error !== null) reject(error);
      });
    });
  }

  /** As a crash: no goodbye. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    if (this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 3000);
    await exited;
    clearTimeout(timer);
  }
}
