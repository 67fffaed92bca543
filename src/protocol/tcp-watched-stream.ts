// A connection as a plain stream, for an HTTP/2 session to run on. Given the TLS socket itself, Node's session writes to it
// beneath JavaScript and drops the error of a write that fails because the peer is gone (nodejs/node 50884, 61304); it also
// stops reading while a write is under way, and so never learns it. Through here the socket sees its own writes fail, and ends.

import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

export class TcpWatchedStream extends Duplex {
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket) {
    super();
    this.#socket = socket;
    socket.on('data', (data: Buffer) => {
      if (!this.push(data)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('error', (error: Error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(data: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(data, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.cork();
    chunks.forEach(({ chunk }, i) => this.#socket.write(chunk, i === chunks.length - 1 ? done : undefined));
    this.#socket.uncork();
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}
