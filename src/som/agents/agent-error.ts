// How a request to a State Host fails. Callers decide by `code`; `reason` and `records` are the State Host's own words.

import { StateferryError } from '../../base/errors.ts';
import type { StateHostId } from '../../base/ids.ts';
import type { Refusal } from '../../protocol/generated/stateferry.ts';

export type AgentErrorCode =
  | 'refused' // the State Host said no, with a reason; nothing was changed by this request
  | 'gone' // its session ended; whether the request was carried out is unknown
  | 'timeout' // no answer in time; the same
  | 'protocol'; // it broke the protocol and was cut off

export class AgentError extends StateferryError<AgentErrorCode> {
  readonly stateHost: StateHostId;
  /** From the closed lists of docs/protocol.md; empty unless refused. */
  readonly reason: string;
  readonly records: readonly Refusal[];

  constructor(
    code: AgentErrorCode,
    stateHost: StateHostId,
    detail: string,
    options: { reason?: string; records?: readonly Refusal[]; cause?: unknown } = {},
  ) {
    const reason = options.reason ?? '';
    super(code, reason === '' ? detail : `${reason}: ${detail}`, {
      cause: options.cause,
      retriable: code === 'gone' || code === 'timeout',
      context: { stateHost, reason, detail },
    });
    this.stateHost = stateHost;
    this.reason = reason;
    this.records = options.records ?? [];
  }
}
