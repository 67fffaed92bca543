// What a table of actions is made of: one row says an action's name, its number and its body. Actions of Nicira and of the
// ONF are numbered under OFPAT_EXPERIMENTER by a subtype that follows the experimenter's number.

import { WireError } from '../../base/errors.ts';
import type { WireErrorCode } from '../../base/errors.ts';
import { constant, padded, struct, u16, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { Action } from '../action-types.ts';
import { NICIRA } from '../oxm-fields.ts';

export type ActionOf<N extends string> = Extract<Action, { type: N }>;

/** Reads and writes what follows the header: type and length, and of extensions experimenter and subtype. */
export interface ActionRow {
  readonly name: Action['type'];
  /** OFPAT_*, or the subtype (NXAST_*). */
  readonly code: number;
  /** Whose subtype it is; null for actions of the specification. */
  readonly experimenter: number | null;
  readonly body: Codec<Action>;
}

export const standard = <const N extends Action['type']>(
  name: N,
  code: number,
  body: Codec<ActionOf<N>>,
): ActionRow => ({
  name,
  code,
  experimenter: null,
  body: body,
});

export const nicira = <const N extends Action['type']>(name: N, code: number, body: Codec<ActionOf<N>>): ActionRow => ({
  name,
  code,
  experimenter: NICIRA,
  body: body,
});

/** Bytes before the body. */
export const HEADER = 4;
export const EXTENSION_HEADER = 10;

/** No arguments, and `count` bytes of padding. */
export const plain = <const N extends string>(name: N, count: number): Codec<{ type: N }> =>
  struct({ type: padded(constant(name), count) });

export const etherType = <const N extends string>(name: N, pad: number): Codec<{ type: N; etherType: number }> =>
  struct({ type: constant(name), etherType: padded(u16, pad) });

export const ttl = <const N extends string>(name: N, pad: number): Codec<{ type: N; ttl: number }> =>
  struct({ type: constant(name), ttl: padded(u8, pad) });

/** Padding to a multiple of 8 bytes at the end of an action: at most 7, and the action ends there. */
export function endRead(r: Reader, field: string): void {
  if (r.remaining > 7) throw new WireError('BAD_LENGTH', field, r.offset, `${r.remaining} bytes left over`);
  r.pad(r.remaining, field);
}

/** `header` is the number of bytes of the action before `start`, where its body begins. */
export function endWrite(w: Writer, start: number, header: number): void {
  w.align(8, start - header);
}

/** Something an action may not say; `fault` is the specification's, or Open vSwitch's, name for it. */
export const refuse = (
  fault: string,
  field: string,
  offset: number,
  detail: string,
  code: WireErrorCode = 'BAD_VALUE',
): WireError => new WireError(code, field, offset, detail, fault);

/** A number the specification gives a name to; others are refused as arguments. */
export function argument<const N extends Readonly<Record<string, number>>>(
  codec: Codec<number>,
  names: N,
): Codec<keyof N & string> {
  const byNumber = new Map(Object.entries(names).map(([name, number]) => [number, name]));
  return {
    read: (r, f) => {
      const at = r.offset;
      const number = codec.read(r, f);
      const name = byNumber.get(number);
      if (name === undefined) throw refuse('OFPBAC_BAD_ARGUMENT', f, at, String(number));
      return name;
    },
    write: (w, v, f) => {
      const number = names[v];
      if (number === undefined) throw new WireError('BAD_VALUE', f, w.length, v);
      codec.write(w, number, f);
    },
  };
}
