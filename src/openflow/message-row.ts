// What a table of messages is made of: one row says a message's name, its number in the header and its body. Each room
// (messages/, v10/, nicira/) exports its rows and a union of the messages they read; message.ts puts them together.

import type { Codec } from '../wire/codec.ts';
import type { Reader } from '../wire/reader.ts';

interface Tagged {
  readonly type: string;
}

export interface MessageRow<M extends Tagged = Tagged> {
  /** The `type` tag of the message; the first row of a version that has it is the one to write. */
  readonly name: M['type'];
  readonly code: number;
  readonly body: Codec<M>;
  /** For several messages under one number (experimenter): rows are asked in order. Must not move the reader. */
  readonly when: ((body: Reader) => boolean) | null;
}

export const row = <const N extends string, M extends { readonly type: N }>(
  name: N,
  code: number,
  body: Codec<M>,
  when: MessageRow['when'] = null,
): MessageRow<M> => ({ name, code, body, when });

/** A whole message inside another one (bundle-add, requestforward): header included, of the version of what holds it. */
export interface InnerMessage<M extends Tagged = Tagged> {
  readonly xid: number;
  readonly message: M;
}

/** Messages that hold a message: none of them may be held, which bounds the recursion. */
export const HOLDS_MESSAGE: ReadonlySet<string> = new Set(['bundle_add', 'requestforward']);
