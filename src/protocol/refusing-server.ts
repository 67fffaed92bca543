// Tells a peer whose certificate was refused why. TLS 1.3 reports a refused client certificate after the client believes it is
// connected, and Node cannot send the alert's reason: so the connection lives for one gRPC status and nothing it sends is read.

import { createServer, constants, type Http2Server } from 'node:http2';
import { status } from '@grpc/grpc-js';
import type { TLSSocket } from 'node:tls';

const PATIENCE_MS = 3000;
const MAX_REFUSING = 64;

export class RefusingServer {
  readonly #http2: Http2Server;
  readonly #words = new Map<string, string>();

  constructor() {
    this.#http2 = createServer({ settings: { maxConcurrentStreams: 1, initialWindowSize: 0 } });
    this.#http2.on('sessionError', () => undefined);
    this.#http2.on('stream', (stream) => {
      stream.on('error', () => undefined);
      const words = this.#words.get(keyOf(stream.session?.socket)) ?? 'refused';
      stream.respond(
        {
          [constants.HTTP2_HEADER_STATUS]: 200,
          [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
          'grpc-status': status.UNAUTHENTICATED,
          'grpc-message': encodeURI(words),
        },
        { endStream: true },
      );
      stream.session?.close();
    });
  }

  /** Answers the peer's first request with `words` and hangs up; hangs up at once when too many are being told. */
  refuse(socket: TLSSocket, words: string): void {
    const key = keyOf(socket);
    if (this.#words.size >= MAX_REFUSING || socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return;
    }
    this.#words.set(key, words);
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
    timer.unref();
    socket.once('close', () => {
      clearTimeout(timer);
      this.#words.delete(key);
    });
    this.#http2.emit('connection', socket);
  }
}

function keyOf(socket: { remoteAddress?: string | undefined; remotePort?: number | undefined } | undefined): string {
  return `${socket?.remoteAddress ?? ''}:${socket?.remotePort ?? 0}`;
}
