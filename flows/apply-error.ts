// Why an apply did not happen. Whoever catches it knows: the network is as before, but for the switches named `uncertain`.

import { StateferryError } from '../src/base/errors.ts';
import type { Dpid } from '../src/base/ids.ts';

/**
 * - `REFUSED`: a switch refused the rules before anything took effect
 * - `UNDONE`: a commit failed or stayed unconfirmed; what had been committed has been taken back
 * - `UNDO_FAILED`: as `UNDONE`, but the switches in `uncertain` did not confirm; they are read anew before the next apply
 * - `UNREADABLE`: a switch did not give its flow table
 */
export type ApplyErrorCode = 'REFUSED' | 'UNDONE' | 'UNDO_FAILED' | 'UNREADABLE';

export class ApplyError extends StateferryError<ApplyErrorCode> {
  readonly failed: readonly Dpid[];
  readonly uncertain: readonly Dpid[];
  /** Switches whose channel closed meanwhile. */
  readonly lost: readonly Dpid[];

  constructor(
    code: ApplyErrorCode,
    at: { failed: readonly Dpid[]; uncertain?: readonly Dpid[]; lost?: readonly Dpid[] },
    cause?: unknown,
  ) {
    const { failed, uncertain = [], lost = [] } = at;
    super(code, `flows not applied (${code}) because of ${failed.join(', ')}`, {
      cause,
      retriable: code !== 'REFUSED',
      context: { failed, uncertain, lost },
    });
    this.failed = failed;
    this.uncertain = uncertain;
    this.lost = lost;
  }
}
