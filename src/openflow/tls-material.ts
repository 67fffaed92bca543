// Keys and certificates of a listener or a dialled connection. Both sides must show a certificate signed by `ca`; what a
// certificate is made out to does not count: switches have no names of their own.

import type { Socket } from 'node:net';
import type { SecureContextOptions, TLSSocket } from 'node:tls';

/** PEM texts. Both sides must show a certificate signed by `ca`. */
export interface TlsMaterial {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  readonly ca: string | Buffer | readonly (string | Buffer)[];
}

export function secureContext({ key, cert, ca }: TlsMaterial): SecureContextOptions {
  return { key, cert, ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca], minVersion: 'TLSv1.2' };
}

/** Why a peer that is through the TLS handshake is not to be trusted, or null. */
export function distrust(socket: TLSSocket): string | null {
  return socket.authorized ? null : String(socket.authorizationError);
}

export const remoteOf = (socket: Socket): string => `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? '?'}`;
