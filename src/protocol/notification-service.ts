// The gRPC service of IF(M,T) with decoding that cannot throw, and how a refusal travels: as a status, its details in words.

import type { ServiceDefinition } from '@grpc/grpc-js';
import { Notified, StateMigrationNotification, StateMigrationService } from './generated/stateferry.ts';
import { MAX_NOTIFICATION_BYTES } from './limits.ts';
import type { Decoded } from './session-service.ts';

export const NOTIFY_PATH = StateMigrationService.notify.path;

export const notificationService = {
  notify: {
    path: NOTIFY_PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: (message: StateMigrationNotification) =>
      Buffer.from(StateMigrationNotification.encode(message).finish()),
    requestDeserialize: decodeNotification,
    responseSerialize: (message: Notified) => Buffer.from(Notified.encode(message).finish()),
    responseDeserialize: (bytes: Buffer) => Notified.decode(bytes),
  },
} satisfies ServiceDefinition;

function decodeNotification(bytes: Buffer): Decoded<StateMigrationNotification> {
  if (bytes.length > MAX_NOTIFICATION_BYTES) return { kind: 'oversized', bytes: bytes.length };
  try {
    return { kind: 'message', message: StateMigrationNotification.decode(bytes) };
  } catch (error) {
    return { kind: 'malformed', detail: error instanceof Error ? error.message : 'undecodable' };
  }
}
