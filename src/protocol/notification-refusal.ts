// Why a notification of IF(M,T) is refused, beside what the TDE itself says (topology/announcement.ts).

import { status } from '@grpc/grpc-js';
import { StateferryError } from '../base/errors.ts';

export const NOTIFICATION_REFUSALS = {
  malformed: status.INVALID_ARGUMENT, // no notification, or a field that is none
  oversized: status.INVALID_ARGUMENT,
  'not-allowed': status.PERMISSION_DENIED, // a good certificate, but not on the list of notifiers
  stale: status.FAILED_PRECONDITION, // made too long ago, or in the future: look at the clocks
  'nonce-replayed': status.ALREADY_EXISTS,
  refused: status.FAILED_PRECONDITION, // by the TDE
  'not-ready': status.UNAVAILABLE, // the controller does not act yet
} as const;
export type NotificationRefusalCode = keyof typeof NOTIFICATION_REFUSALS;

/** `reason`: the code, or the TDE's word. */
export class NotificationRefusal extends StateferryError<NotificationRefusalCode> {
  readonly reason: string;

  constructor(code: NotificationRefusalCode, detail: string, reason: string = code) {
    super(code, `${reason}: ${detail}`);
    this.reason = reason;
  }
}
