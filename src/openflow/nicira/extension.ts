// The frame of an experimenter message: who, which, and a body. Shared by Nicira's and the ONF's.

import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import { row } from '../message-row.ts';
import type { MessageRow } from '../message-row.ts';

const OFPT_EXPERIMENTER = 4;
const HEADER = 8;

/** Whether an experimenter body is this experimenter's message of this type. Does not move the reader. */
const is =
  (experimenter: number, expType: number) =>
  (r: Reader): boolean =>
    r.remaining >= HEADER &&
    r.bytes.readUInt32BE(r.offset) === experimenter &&
    r.bytes.readUInt32BE(r.offset + 4) === expType;

/** A row for `body` behind the experimenter's id and its message type. */
export const extension = <const N extends string, M extends { readonly type: N }>(
  name: N,
  experimenter: number,
  expType: number,
  body: Codec<M>,
): MessageRow<M> =>
  row(
    name,
    OFPT_EXPERIMENTER,
    {
      read: (r, f) => {
        r.take(HEADER, f);
        return body.read(r, f);
      },
      write: (w, v, f) => {
        w.u32(experimenter);
        w.u32(expType);
        body.write(w, v, f);
      },
    },
    is(experimenter, expType),
  );
