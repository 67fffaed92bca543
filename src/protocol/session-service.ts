// The gRPC service of IF(M,A) with decoding that cannot throw: bytes that are no message become a value, so that the
// session can count and answer them instead of gRPC closing the stream without a word to us.

import type { ServiceDefinition } from '@grpc/grpc-js';
import { FromSoa, StateOrchestrationService, ToSoa } from './generated/stateferry.ts';
import { MAX_MESSAGE_BYTES } from './limits.ts';

export type Decoded<T> =
  | { readonly kind: 'message'; readonly message: T }
  | { readonly kind: 'malformed'; readonly detail: string }
  | { readonly kind: 'oversized'; readonly bytes: number };

export const decodeFromSoa = (bytes: Buffer): Decoded<FromSoa> => decode(bytes, (b) => FromSoa.decode(b));
export const decodeToSoa = (bytes: Buffer): Decoded<ToSoa> => decode(bytes, (b) => ToSoa.decode(b));

export const encodeFromSoa = (message: FromSoa): Buffer => Buffer.from(FromSoa.encode(message).finish());
export const encodeToSoa = (message: ToSoa): Buffer => Buffer.from(ToSoa.encode(message).finish());

export const SESSION_PATH = StateOrchestrationService.session.path;

export const sessionService = {
  session: {
    path: SESSION_PATH,
    requestStream: true,
    responseStream: true,
    requestSerialize: encodeFromSoa,
    requestDeserialize: decodeFromSoa,
    responseSerialize: encodeToSoa,
    responseDeserialize: decodeToSoa,
  },
} satisfies ServiceDefinition;

function decode<T extends { body: unknown }>(bytes: Buffer, read: (bytes: Buffer) => T): Decoded<T> {
  if (bytes.length > MAX_MESSAGE_BYTES) return { kind: 'oversized', bytes: bytes.length };
  try {
    const message = read(bytes);
    if (message.body === undefined) return { kind: 'malformed', detail: 'a message without a body this version knows' };
    return { kind: 'message', message };
  } catch (error) {
    return { kind: 'malformed', detail: error instanceof Error ? error.message : 'undecodable' };
  }
}
