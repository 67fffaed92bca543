// What a request to a switch can fail with. Malformed bytes are WireError, not this.

import { StateferryError } from '../base/errors.ts';
import { errorName } from './error-names.ts';
import type { Message } from './message.ts';
import type { FlowMod } from './model.ts';
import type { WireVersion } from './wire-version.ts';

export type OpenFlowErrorCode =
  | 'REJECTED' // the switch answered OFPT_ERROR: errorType and errorCode say why
  | 'CLOSED' // the channel was closed, by either side, before the answer
  | 'TIMEOUT' // no answer, or no echo, in time
  | 'INCOMPATIBLE' // no common version, or the peer does not keep to the handshake
  | 'UNEXPECTED_REPLY' // the answer is not of the kind that was asked for
  | 'QUEUE_FULL' // the switch reads too slowly: nothing was sent
  | 'REPLACED' // the same datapath connected again
  | 'BUNDLE_DONE' // committed or discarded already
  | 'UNSUPPORTED'; // the version that is spoken has nothing of the kind

export interface OpenFlowErrorDetail {
  readonly cause?: unknown;
  /** Of the OFPT_ERROR. */
  readonly errorType?: number;
  readonly errorCode?: number;
  /** What the switch sent with it: usually the beginning of the refused message. */
  readonly data?: Buffer;
  /** Of the OFPT_ERROR: its numbers mean something else in 1.0. */
  readonly version?: WireVersion;
  /** The message that the switch refused, where it is known: one of a bundle, or of several that were confirmed. */
  readonly refused?: Message;
}

export class OpenFlowError extends StateferryError<OpenFlowErrorCode> {
  readonly errorType: number | null;
  readonly errorCode: number | null;
  /** As in the specification, e.g. `OFPBMC_BAD_FIELD`; null unless the switch answered. */
  readonly errorName: string | null;
  readonly data: Buffer | null;
  readonly refused: Message | null;

  constructor(code: OpenFlowErrorCode, message: string, detail: OpenFlowErrorDetail = {}) {
    const { errorType, errorCode, cause } = detail;
    const name = errorType === undefined || errorCode === undefined ? null : errorName(errorType, errorCode, detail);
    super(code, message, {
      cause,
      retriable: code === 'QUEUE_FULL',
      context: { errorType, errorCode, errorName: name },
    });
    this.errorType = errorType ?? null;
    this.errorCode = errorCode ?? null;
    this.errorName = name;
    this.data = detail.data ?? null;
    this.refused = detail.refused ?? null;
  }

  /** The refused message, if it is a flow-mod. */
  get mod(): FlowMod | null {
    return this.refused?.type === 'flow_mod' ? this.refused : null;
  }
}
