// One row of the table of multipart parts: what is asked and what is answered under one number.

import { constant, struct } from '../../wire/codec.ts';
import type { Codec, Fields, Structure, Wire } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';

export interface PartRow {
  readonly part: string;
  readonly code: number;
  readonly request: Codec<unknown>;
  readonly reply: Codec<unknown>;
  /** For those that share OFPMP_EXPERIMENTER: whether this body is the row's. Must not move the reader. */
  readonly when?: (body: Reader) => boolean;
}

export interface Part<P extends string, Q extends Fields, A extends Fields> extends PartRow {
  readonly part: P;
  readonly request: Codec<Structure<{ part: Codec<P> } & Q>>;
  readonly reply: Codec<Structure<{ part: Codec<P> } & A>>;
}

/** A part whose bodies are structures. */
export const part = <const P extends string, Q extends Fields, A extends Fields>(
  name: P,
  code: number,
  request: Q,
  reply: A,
): Part<P, Q, A> => ({
  part: name,
  code,
  request: struct({ part: constant(name), ...request }) as Part<P, Q, A>['request'],
  reply: struct({ part: constant(name), ...reply }) as Part<P, Q, A>['reply'],
});

/** What the request, and the reply, of these rows read as. */
export type RequestOf<R extends { readonly request: Codec<unknown> }> = Wire<R['request']>;
export type ReplyOf<R extends { readonly reply: Codec<unknown> }> = Wire<R['reply']>;
