// One stream of IF(M,A) as both ends see it, whatever carries it: real gRPC, or a fake in a test.

import type { PeerCertificateNames } from './peer-certificate.ts';

export interface SessionPeer {
  /** `address:port`, for log lines. */
  readonly remote: string;
  /** From the certificate the TLS handshake proved; null on the dialing side, which checked the name while it dialed. */
  readonly certificate: PeerCertificateNames | null;
}

/** How a stream ended: `refused` carries the words of the other end, `lost` everything else. */
export interface StreamEnd {
  readonly kind: 'ended' | 'refused' | 'lost';
  readonly detail: string;
}

export interface StreamHandlers<In> {
  message(message: In): void;
  /** Bytes that are no message. The stream goes on; the handler decides. */
  malformed(detail: string): void;
  oversized(bytes: number): void;
  /** Once, last. */
  ended(end: StreamEnd): void;
}

export interface SessionStream<Out, In> {
  readonly peer: SessionPeer;
  /** Starts delivery; once. */
  listen(handlers: StreamHandlers<In>): void;
  /** Resolves when flow control has let the message go, rejects when the stream is gone. Messages keep their order. */
  send(message: Out): Promise<void>;
  /** Stops and resumes reading: back-pressure for the other end. */
  pause(): void;
  resume(): void;
  /** Ends after what was sent; with a refusal the other end sees it as the stream's status. */
  end(refusal?: string): void;
  /** Tears the connection down at once. */
  destroy(): void;
}
