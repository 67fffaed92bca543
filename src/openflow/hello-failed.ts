// OFPT_ERROR of type OFPET_HELLO_FAILED, in words. It goes out in the peer's version, which we may not speak: so it is
// written by hand.

import type { HelloFailed } from './handshake.ts';
import { HEADER_LENGTH } from './message.ts';

const OFPT_ERROR = 1;
const OFPET_HELLO_FAILED = 0;

export function helloFailed({ version, errorCode }: HelloFailed, reason: string): Buffer {
  const text = Buffer.from(reason, 'latin1');
  const bytes = Buffer.alloc(HEADER_LENGTH + 4 + text.length);
  bytes.writeUInt8(version, 0);
  bytes.writeUInt8(OFPT_ERROR, 1);
  bytes.writeUInt16BE(bytes.length, 2);
  bytes.writeUInt16BE(OFPET_HELLO_FAILED, HEADER_LENGTH);
  bytes.writeUInt16BE(errorCode, HEADER_LENGTH + 2);
  text.copy(bytes, HEADER_LENGTH + 4);
  return bytes;
}
