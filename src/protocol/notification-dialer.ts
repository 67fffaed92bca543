// Tells a SOM of a move over IF(M,T): one call on a connection of its own, with mutual TLS.

import { type Client, type ServiceError, status } from '@grpc/grpc-js';
import { StateferryError } from '../base/errors.ts';
import type { Notified, StateMigrationNotification } from './generated/stateferry.ts';
import { notificationService } from './notification-service.ts';
import { channelOf, type DialOptions } from './session-dialer.ts';

/** `refused`: the SOM says why; `unreachable`: nothing was told, or it is not known whether. */
export class NotifyError extends StateferryError<'refused' | 'unreachable'> {}

/** Rejects with NotifyError. */
export function notifySom(
  options: Omit<DialOptions, 'keepaliveMs'> & { readonly timeoutMs: number },
  notification: StateMigrationNotification,
): Promise<Notified> {
  const client: Client = channelOf({ ...options, keepaliveMs: options.timeoutMs });
  const { path, requestSerialize, responseDeserialize } = notificationService.notify;
  return new Promise<Notified>((resolve, reject) => {
    const deadline = Date.now() + options.timeoutMs;
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, notification, { deadline }, (error, reply) => {
      if (reply !== undefined && error === null) resolve(reply);
      else reject(explained(error));
    });
  }).finally(() => {
    client.close();
  });
}

function explained(error: ServiceError | null): NotifyError {
  const details = error?.details ?? 'no reply';
  const unanswered = error === null || error.code === status.DEADLINE_EXCEEDED;
  const unreachable = unanswered || (error.code === status.UNAVAILABLE && !details.startsWith('not-ready'));
  if (unreachable) return new NotifyError('unreachable', `the SOM was not reached: ${details}`, { retriable: true });
  return new NotifyError('refused', `the SOM refused: ${details}`);
}
