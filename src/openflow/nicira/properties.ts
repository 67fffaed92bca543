// Small numbers as Open vSwitch's properties hold them. A property is padded to 8 bytes anyway, and senders differ on how
// much of that its length counts: any is read, and the form that Open vSwitch sends is written.

import { WireError } from '../../base/errors.ts';
import type { Codec } from '../../wire/codec.ts';

const LENGTH_BEFORE_BODY = 2;
const ROOM = 4;

/** `bytes` of value and `padding` bytes that the length counts, at most 4 together. */
const small = (bytes: 1 | 2, padding: number): Codec<number> => ({
  read: (r, f) => {
    const start = r.offset;
    const value = bytes === 1 ? r.u8(f) : r.u16(f);
    if (r.end - start > ROOM) throw new WireError('BAD_LENGTH', f, start, `${r.end - start} bytes`);
    if (r.remaining !== padding) r.keep(start - LENGTH_BEFORE_BODY, LENGTH_BEFORE_BODY);
    r.pad(r.remaining, f);
    return value;
  },
  write: (w, v, f) => {
    if (bytes === 1) w.u8(v, f);
    else w.u16(v, f);
    w.zeros(padding);
  },
});

/** ofpprop_put_u8: length 5. */
export const u8Property = small(1, 0);
/** ofpprop_put_u16: length 8. */
export const u16Property = small(2, 2);
