// The SOM's end of IF(M,A), and of IF(M,T): listens with TLS, judges every peer's certificate itself, and hands over each Session
// stream and each notification with the names its peer has proven. What they mean is not known here.

import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import {
  Metadata,
  Server as GrpcServer,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type ServerDuplexStream,
} from '@grpc/grpc-js';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { FromSoa, Notified, StateMigrationNotification, ToSoa } from './generated/stateferry.ts';
import { createGrpcStream } from './grpc-stream.ts';
import { MAX_FRAME_BYTES, WINDOW_BYTES } from './limits.ts';
import { NOTIFICATION_REFUSALS, NotificationRefusal } from './notification-refusal.ts';
import { notificationService } from './notification-service.ts';
import { findRevoked, judgePeer, type PeerCertificateNames } from './peer-certificate.ts';
import { RefusingServer } from './refusing-server.ts';
import type { SessionRefusal } from './session-refusal.ts';
import { sessionService, type Decoded } from './session-service.ts';
import type { SessionStream } from './session-stream.ts';
import { TcpWatchedStream } from './tcp-watched-stream.ts';
import { watchTlsMaterial, type TlsFiles, type TlsMaterial, type TlsMaterialWatch } from './tls-material.ts';

export type ServedStream = SessionStream<ToSoa, FromSoa>;

export interface SessionListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsFiles;
  readonly clock: Clock;
  readonly log: Log;
  onSession(stream: ServedStream): void;
  /** A notification of IF(M,T). Rejects with NotificationRefusal. */
  readonly onNotification?: (
    from: NotificationSource,
    notification: Decoded<StateMigrationNotification>,
  ) => Promise<Notified>;
  /** A live connection's certificate was revoked; its stream is ended right after. */
  onRevoked(remote: string): void;
  /** Counted refusals before any stream: TLS failures and certificates. */
  onRefused(reason: SessionRefusal | 'tls'): void;
}

/** Who has sent a notification. */
export interface NotificationSource {
  readonly names: readonly string[];
  readonly remote: string;
}

export interface SessionListener {
  readonly address: AddressInfo;
  /** Looks at the certificate files now. */
  recheck(): Promise<void>;
  /** Takes no more connections, and gives those that are there `graceMs` to end by themselves. */
  close(graceMs: number): Promise<void>;
}

const HANDSHAKE_MS = 10_000;
const REVOKED_PATIENCE_MS = 500;
/** A connection without a stream: one that never opened it, or whose session is over. */
const IDLE_MS = 10_000;
const MAX_CONNECTIONS = 4096;
/** How a stream's connection is told through gRPC; a peer's own header of that name is overwritten. */
const CONNECTION_HEADER = 'stateferry-connection';

interface Admitted {
  readonly socket: TLSSocket;
  readonly certificate: PeerCertificateNames;
  readonly remote: string;
  hadStream: boolean;
}

export async function listenForSessions(options: SessionListenerOptions): Promise<SessionListener> {
  const admitted = new Map<string, Admitted>();
  const watch = await watchTlsMaterial(options.tls, {
    clock: options.clock,
    log: options.log,
    onChange: (material) => {
      tls.setSecureContext(contextOf(material));
      dropRevoked(admitted, material, options);
    },
  });
  const grpc = createGrpcServer(admitted, options);
  const tls = createListener(watch, options, (socket, certificate) => {
    const remote = remoteOf(socket);
    const entry: Admitted = { socket, certificate, remote, hadStream: false };
    admitted.set(remote, entry);
    socket.once('close', () => {
      admitted.delete(remote);
      if (!entry.hadStream) options.log.warn('connection ended without a session', { remote });
    });
    grpc.inject(socket);
  });
  const sockets = new Set<Socket>();
  tls.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    tls.once('error', (cause: Error) => {
      watch.close();
      grpc.stop();
      reject(cause);
    });
    tls.listen(options.port, options.host, () => {
      tls.removeAllListeners('error');
      resolve();
    });
  });
  return {
    address: tls.address() as AddressInfo,
    recheck: () => watch.recheck(),
    close: async (graceMs) => {
      watch.close();
      const closed = new Promise((resolve) => tls.close(resolve));
      const cancel = options.clock.after(graceMs, () => {
        for (const socket of sockets) socket.destroy();
      });
      await closed;
      cancel();
      grpc.stop();
    },
  };
}

const contextOf = (material: TlsMaterial) =>
  ({ ca: material.ca, cert: material.cert, key: material.key, minVersion: 'TLSv1.2' }) as const;

/** Asks every peer for a certificate and judges it here, where the reason for a refusal can be said to both sides. */
function createListener(
  watch: TlsMaterialWatch,
  options: SessionListenerOptions,
  admit: (socket: TLSSocket, certificate: PeerCertificateNames) => void,
): TlsServer {
  const refusing = new RefusingServer();
  const tls = createTlsServer({
    ...contextOf(watch.current()),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_MS,
  });
  tls.maxConnections = MAX_CONNECTIONS;
  tls.on('secureConnection', (socket) => {
    // HTTP/2 reports its own errors; a reset in between must not be an uncaught exception.
    socket.on('error', () => undefined);
    const verdict = judgePeer(socket, watch.current().lists, options.clock.wallMs());
    if (verdict.kind === 'accepted') {
      admit(socket, verdict.certificate);
      return;
    }
    options.onRefused(verdict.reason);
    options.log.warn(`refused a connection: ${verdict.detail}`, { remote: remoteOf(socket), reason: verdict.reason });
    refusing.refuse(socket, `${verdict.reason}: ${verdict.detail}`);
  });
  tls.on('tlsClientError', (error, socket) => {
    options.onRefused('tls');
    const reason = (error as NodeJS.ErrnoException).code ?? 'TLS';
    options.log.warn(`refused a connection: TLS handshake failed: ${error.message.trim()}`, {
      remote: remoteOf(socket),
      reason,
    });
  });
  return tls;
}

function createGrpcServer(
  admitted: ReadonlyMap<string, Admitted>,
  options: SessionListenerOptions,
): { inject(socket: TLSSocket): void; stop(): void } {
  const grpc = new GrpcServer({
    'grpc.max_receive_message_length': MAX_FRAME_BYTES,
    'grpc.max_send_message_length': MAX_FRAME_BYTES,
    'grpc.max_concurrent_streams': 4,
    'grpc.max_connection_idle_ms': IDLE_MS,
    'grpc.enable_channelz': 0,
  });
  grpc.addService(sessionService, {
    session: (call: ServerDuplexStream<Decoded<FromSoa>, ToSoa>) => {
      const entry = admitted.get(String(call.metadata.get(CONNECTION_HEADER)[0]));
      if (entry === undefined) {
        call.emit('error', { code: status.UNAUTHENTICATED, details: 'certificate-required' });
        return;
      }
      entry.hadStream = true;
      options.onSession(serve(call, entry));
    },
  });
  const { onNotification } = options;
  if (onNotification !== undefined)
    grpc.addService(notificationService, { notify: notifyHandler(admitted, onNotification) });
  const injector = openInjector(grpc, options.log);
  return {
    inject: (socket) => injector.injectConnection(socket),
    stop: () => grpc.forceShutdown(),
  };
}

type NotifyHandler = handleUnaryCall<Decoded<StateMigrationNotification>, Notified>;

function notifyHandler(
  admitted: ReadonlyMap<string, Admitted>,
  onNotification: NonNullable<SessionListenerOptions['onNotification']>,
): NotifyHandler {
  return ({ metadata, request }, reply) => {
    const entry = admitted.get(String(metadata.get(CONNECTION_HEADER)[0]));
    if (entry === undefined) {
      reply({ code: status.UNAUTHENTICATED, details: 'certificate-required' });
      return;
    }
    entry.hadStream = true;
    onNotification({ names: entry.certificate.dnsNames, remote: entry.remote }, request).then(
      (notified) => {
        reply(null, notified);
      },
      (cause: unknown) => {
        const refused = cause instanceof NotificationRefusal;
        reply({
          code: refused ? NOTIFICATION_REFUSALS[cause.code] : status.INTERNAL,
          details: refused ? cause.message : 'internal',
        });
      },
    );
  };
}

function serve(call: ServerDuplexStream<Decoded<FromSoa>, ToSoa>, entry: Admitted): ServedStream {
  const { socket, certificate, remote } = entry;
  const { stream, finish } = createGrpcStream<ToSoa, FromSoa>(call, {
    peer: { remote, certificate },
    end: (refusal) => {
      if (refusal === undefined) call.end();
      else call.emit('error', { code: status.PERMISSION_DENIED, details: refusal, metadata: new Metadata() });
    },
    destroy: () => socket.destroy(),
  });
  call.once('end', () => finish({ kind: 'ended', detail: 'the agent ended the stream' }));
  call.once('cancelled', () => finish({ kind: 'lost', detail: 'the stream was reset' }));
  call.on('error', () => undefined);
  socket.once('close', () => finish({ kind: 'lost', detail: 'the connection was lost' }));
  return stream;
}

function dropRevoked(admitted: Map<string, Admitted>, material: TlsMaterial, options: SessionListenerOptions): void {
  for (const [remote, { socket, certificate }] of admitted) {
    const serial = findRevoked(socket.getPeerCertificate(true), material.lists);
    if (serial === null) continue;
    const who = certificate.dnsNames.join(', ');
    options.onRefused('certificate-revoked');
    options.log.warn(`dropped a connection: the certificate of ${who} was revoked`, { remote, serial });
    // No new stream on this connection; the old one is told why before the connection goes.
    admitted.delete(remote);
    options.onRevoked(remote);
    options.clock.after(REVOKED_PATIENCE_MS, () => socket.destroy());
  }
}

/**
 * grpc-js takes connections made elsewhere (so that TLS is ours), but offers the HTTP/2 windows to clients only, swallows errors of
 * the session, and knows a connection by its socket's address alone: all that is set on the HTTP/2 server it makes.
 */
function openInjector(grpc: GrpcServer, log: Log): { injectConnection(socket: TLSSocket): void } {
  const inside = grpc as unknown as {
    commonServerOptions: { settings?: object };
    http2Servers: Map<Http2Server, unknown>;
  };
  const settings = { ...inside.commonServerOptions.settings, initialWindowSize: WINDOW_BYTES };
  inside.commonServerOptions.settings = settings;
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const remotes = new WeakMap<ServerHttp2Session, string>();
  let injecting = '';
  for (const http2 of inside.http2Servers.keys()) {
    http2.on('session', (session: ServerHttp2Session) => {
      remotes.set(session, injecting);
      session.setLocalWindowSize(WINDOW_BYTES);
    });
    http2.prependListener('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const { session } = stream;
      headers[CONNECTION_HEADER] = session === undefined ? '' : remotes.get(session as ServerHttp2Session);
    });
    http2.on('sessionError', (error: Error) => log.warn(`connection is not HTTP/2: ${error.message}`));
  }
  return {
    injectConnection: (socket) => {
      injecting = remoteOf(socket);
      injector.injectConnection(new TcpWatchedStream(socket)); // makes its session before it returns
    },
  };
}

function remoteOf(socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }): string {
  return `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
}
