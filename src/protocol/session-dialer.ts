// The agent's end of IF(M,A): dials the SOM with mutual TLS, checks the server's name and that it is not revoked, opens the
// one stream. Why a dial failed is said in words an operator can act on.

import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
import { Client, credentials, status, type ClientDuplexStream, type StatusObject } from '@grpc/grpc-js';
import type { FromSoa, ToSoa } from './generated/stateferry.ts';
import { createGrpcStream } from './grpc-stream.ts';
import { MAX_FRAME_BYTES, WINDOW_BYTES } from './limits.ts';
import { findRevoked } from './peer-certificate.ts';
import { encodeFromSoa, sessionService, type Decoded } from './session-service.ts';
import type { SessionStream, StreamEnd } from './session-stream.ts';
import type { TlsMaterial } from './tls-material.ts';

export type DialedStream = SessionStream<FromSoa, ToSoa>;

export interface DialOptions {
  /** host:port */
  readonly address: string;
  /** The name the server's certificate must carry. */
  readonly serverName: string;
  readonly material: TlsMaterial;
  /** How long a silent connection is believed. */
  readonly keepaliveMs: number;
}

/** A channel of its own, so that backoff is the caller's alone. */
export function channelOf(options: DialOptions): Client {
  const { material, serverName } = options;
  return new Client(
    options.address,
    credentials.createFromSecureContext(
      createSecureContext({ ca: material.ca, cert: material.cert, key: material.key, minVersion: 'TLSv1.2' }),
      { checkServerIdentity: (host, cert) => checkServer(host, cert, material) },
    ),
    {
      'grpc.ssl_target_name_override': serverName,
      'grpc.default_authority': serverName,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_channelz': 0,
      'grpc.keepalive_time_ms': options.keepaliveMs,
      'grpc.keepalive_timeout_ms': options.keepaliveMs,
      'grpc.max_receive_message_length': MAX_FRAME_BYTES,
      'grpc.max_send_message_length': MAX_FRAME_BYTES,
      'grpc-node.flow_control_window': WINDOW_BYTES,
    },
  );
}

/** Returns at once; a failed dial ends the stream. */
export function dialSession(options: DialOptions): DialedStream {
  const client = channelOf(options);
  const { session } = sessionService;
  const call: ClientDuplexStream<FromSoa, Decoded<ToSoa>> = client.makeBidiStreamRequest(
    session.path,
    encodeFromSoa,
    session.responseDeserialize,
  );
  const { stream, finish } = createGrpcStream<FromSoa, ToSoa>(call, {
    peer: { remote: options.address, certificate: null },
    end: () => call.end(),
    destroy: () => {
      call.cancel();
      client.close();
    },
  });
  call.on('error', () => undefined);
  call.once('status', (ended: StatusObject) => {
    client.close();
    finish(explain(ended));
  });
  return stream;
}

function checkServer(host: string, cert: PeerCertificate, material: TlsMaterial): Error | undefined {
  const mismatch = checkServerIdentity(host, cert);
  if (mismatch !== undefined) return mismatch;
  const revoked = findRevoked(cert, material.lists);
  return revoked === null ? undefined : new Error(`the server's certificate is revoked (serial ${revoked})`);
}

function explain(ended: StatusObject): StreamEnd {
  if (ended.code === status.OK) return { kind: 'ended', detail: 'the SOM ended the stream' };
  if (ended.code === status.UNAUTHENTICATED || ended.code === status.PERMISSION_DENIED) {
    return { kind: 'refused', detail: ended.details };
  }
  const cause = /Last error: (.*?)(?: \(\d{4}-\d\d-\d\dT[^)]*\))?\.? ?(?:Resolution note:.*)?$/s.exec(ended.details);
  return { kind: 'lost', detail: (cause?.[1] ?? ended.details).trim() };
}
