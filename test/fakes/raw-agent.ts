// An agent that says whatever a test wants, message by message or byte by byte, over real TLS and gRPC.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { Client, credentials, type ClientDuplexStream, type StatusObject } from '@grpc/grpc-js';
import { FromSoa, ToSoa, type AaRequest } from '../../src/protocol/generated/stateferry.ts';
import { SESSION_PATH } from '../../src/protocol/session-service.ts';
import type { TlsFiles } from '../../src/protocol/tls-material.ts';
import { FAKE_REGISTRATION } from './fake-state-host.ts';

export type Body = NonNullable<FromSoa['body']>;

export const aaRequest = (identity: string, given: Partial<AaRequest> = {}): Body => ({
  $case: 'aaRequest',
  value: {
    identity,
    protocolVersions: [1],
    networkAddresses: [],
    bootId: 'boot',
    nonce: randomBytes(16),
    wallMs: Date.now(),
    software: 'raw',
    ...given,
  },
});

export const registration = (given: Partial<typeof FAKE_REGISTRATION> = {}): Body => ({
  $case: 'registration',
  value: { ...FAKE_REGISTRATION, ...given },
});

export class RawAgent {
  readonly received: ToSoa[] = [];
  status: StatusObject | null = null;
  readonly call: ClientDuplexStream<Buffer, Buffer>;
  readonly #client: Client;

  constructor(port: number, files: TlsFiles) {
    const read = (path: string): Buffer => readFileSync(path);
    this.#client = new Client(
      `127.0.0.1:${port}`,
      credentials.createSsl(read(files.ca), read(files.key), read(files.cert)),
      {
        'grpc.ssl_target_name_override': 'som',
        'grpc.use_local_subchannel_pool': 1,
        'grpc.max_send_message_length': -1,
      },
    );
    const same = (bytes: Buffer): Buffer => bytes;
    this.call = this.#client.makeBidiStreamRequest(SESSION_PATH, same, same);
    this.call.on('data', (bytes: Buffer) => this.received.push(ToSoa.decode(bytes)));
    this.call.on('error', () => undefined);
    this.call.on('status', (status: StatusObject) => {
      this.status = status;
      this.#client.close();
    });
  }

  say(body: Body, inReplyTo = 0n): void {
    this.sayBytes(Buffer.from(FromSoa.encode({ inReplyTo, body }).finish()));
  }

  sayBytes(bytes: Buffer): void {
    this.call.write(bytes);
  }

  /** The reason the SOM gave before it hung up. */
  get refusal(): string | null {
    const body = this.received.at(-1)?.body;
    return body?.$case === 'refused' ? body.value.reason : null;
  }

  /** Resets the stream as a killed process does. */
  kill(): void {
    this.call.cancel();
    this.#client.close();
  }
}

/** A TLS connection that may or may not speak HTTP/2. */
export function rawTls(port: number, files: TlsFiles | null, ca: string): TLSSocket {
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'som',
    ca: readFileSync(ca),
    ALPNProtocols: ['h2'],
    ...(files === null ? {} : { cert: readFileSync(files.cert), key: readFileSync(files.key) }),
  });
  socket.on('error', () => undefined);
  return socket;
}
