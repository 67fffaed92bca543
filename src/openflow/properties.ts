// Property lists (1.4.1 section 7.2, "property structures"): a table of rows, an experimenter's, and anything else verbatim.

import { constant, list, rest, struct, u32 } from '../wire/codec.ts';
import type { Codec, Fields, Structure, Wire } from '../wire/codec.ts';
import { tlv } from '../wire/tlv.ts';
import type { TlvRow } from '../wire/tlv.ts';

const EXPERIMENTER = 0xffff;
/** Experimenter and its type. */
const EXPERIMENTER_HEADER = 8;

export interface UnknownProperty {
  readonly type: 'unknown';
  readonly propertyType: number;
  readonly body: Buffer;
}

export interface ExperimenterProperty {
  readonly type: 'experimenter';
  readonly experimenter: number;
  readonly expType: number;
  readonly data: Buffer;
}

type Other = ExperimenterProperty | UnknownProperty;

/** One kind: its tag, its number, and the fields after type and length. */
export const property = <const N extends string, S extends Fields>(
  name: N,
  code: number,
  fields: S,
): PropertyRow<N, S> => ({
  name,
  code,
  body: struct({ type: constant(name), ...fields }) as PropertyRow<N, S>['body'],
});

export interface PropertyRow<N extends string, S extends Fields> {
  readonly name: N;
  readonly code: number;
  readonly body: Codec<Structure<{ type: Codec<N> } & S>>;
}

/** A property of a kind that has a row. */
export type Known<R extends readonly { readonly body: Codec<unknown> }[]> = Wire<R[number]['body']>;
export type Property<R extends readonly { readonly body: Codec<unknown> }[]> = Known<R> | Other;

type Row = TlvRow<{ readonly type: string }>;

const experimenterRow = (name: string, code: number): Row => ({
  name,
  code,
  body: struct({ type: constant(name), experimenter: u32, expType: u32, data: rest }),
  when: (body) => body.remaining >= EXPERIMENTER_HEADER,
});

/** Up to the end of what surrounds it. Each property is padded to 8 bytes, which its length does not count. */
export function properties<T extends { readonly type: string } = Other>(
  rows: readonly Row[],
  experimenters: Readonly<Record<string, number>> = { experimenter: EXPERIMENTER },
): Codec<readonly T[]> {
  const strange = Object.entries(experimenters).map(([name, code]) => experimenterRow(name, code));
  const one = tlv<{ readonly type: string }>({
    rows: [...rows, ...strange],
    paddedTo: 8,
    lastPadding: 'required',
    unknown: (propertyType, body): UnknownProperty => ({ type: 'unknown', propertyType, body }),
    verbatim: (value) => {
      if (value.type !== 'unknown') return null;
      const { propertyType, body } = value as UnknownProperty;
      return { code: propertyType, body };
    },
  });
  return list(one) as unknown as Codec<readonly T[]>;
}
