// Messages out of frames. One that cannot be read is counted, answered where the specification has an error for it, and left
// out: the stream goes on behind it.

import { WireError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { answerToMalformed } from './malformed.ts';
import { decodeMessageAt } from './message.ts';
import type { Frame } from './message.ts';
import type { ErrorMessage } from './messages/session.ts';
import type { WireVersion } from './wire-version.ts';

export interface FrameReaderOptions {
  readonly log: Log;
  readonly answer: (xid: number, message: ErrorMessage) => void;
  /** How many there have been. */
  readonly onMalformed: (count: number) => void;
}

const XID_AT = 4;

export class FrameReader {
  readonly #options: FrameReaderOptions;
  #malformed = 0;

  constructor(options: FrameReaderOptions) {
    this.#options = options;
  }

  /** The message from `start` to `end`, or null; `agreed` is the version it must have, if that is settled. */
  read(bytes: Buffer, start: number, end: number, agreed: WireVersion | null): Frame | null {
    try {
      const frame = decodeMessageAt(bytes, start, end);
      if (agreed === null || frame.version === agreed) return frame;
      throw new WireError('BAD_VERSION', 'version', 0, `not ${agreed}`);
    } catch (fault) {
      if (!(fault instanceof WireError)) throw fault;
      this.#onMalformed(bytes.subarray(start, end), fault);
      return null;
    }
  }

  #onMalformed(bytes: Buffer, error: WireError): void {
    const { log, answer, onMalformed } = this.#options;
    this.#malformed += 1;
    // One line for each doubling: a peer must not fill the disk.
    if ((this.#malformed & (this.#malformed - 1)) === 0) {
      log.warn('malformed OpenFlow message', { count: this.#malformed, error });
    }
    const reply = answerToMalformed(bytes, error);
    if (reply !== null) answer(bytes.readUInt32BE(XID_AT), reply);
    onMalformed(this.#malformed);
  }
}
