// nx_match: match fields without a head of their own. Their length stands in the structure that holds them, and they are
// padded to 8 bytes.

import { within } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { Match, OxmField } from '../model.ts';
import { oxmField } from '../oxm.ts';
import type { WireVersion } from '../wire-version.ts';

/** Fields up to the end of the reader. */
export function fieldList(version: WireVersion): Codec<Match> {
  const one = oxmField(version);
  return {
    read: (r, f) => {
      const out: OxmField[] = [];
      try {
        while (r.offset < r.end) out.push(one.read(r, 'field'));
      } catch (error) {
        throw within(f, error);
      }
      return out;
    },
    write: (w, v, f) => {
      for (const field of v) one.write(w, field, f);
    },
  };
}

export interface NxMatch {
  read(r: Reader, length: number, field: string): Match;
  /** The length of its fields goes into the 16 bits at `lengthAt`, which have been written already. */
  write(w: Writer, match: Match, lengthAt: number, field: string): void;
}

export function nxMatch(version: WireVersion): NxMatch {
  const fields = fieldList(version);
  return {
    read: (r, length, f) => {
      const match = fields.read(r.sub(length, f), f);
      r.pad((8 - (length % 8)) % 8, `${f}.pad`);
      return match;
    },
    write: (w, match, lengthAt, f) => {
      const start = w.length;
      fields.write(w, match, f);
      w.patchU16(lengthAt, w.length - start, `${f}.length`);
      w.align(8, start);
    },
  };
}
