// Statistics requests and replies of 1.0 (1.0.1 section 5.3.5): what later versions call multipart, and read as the same
// messages. A part without a row is kept verbatim.

import { WireError } from '../../base/errors.ts';
import { constant, rest, struct, u32 } from '../../wire/codec.ts';
import type { Codec, Wire } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { PartRow } from '../multipart/part-row.ts';
import { extensionParts } from '../nicira/parts.ts';
import { NICIRA } from '../oxm-fields.ts';
import { STATS } from './stats.ts';
import type { TableStats10 } from './stats.ts';

/** OFPSF_REPLY_MORE. */
const MORE = 1;
const OFPST_VENDOR = 0xffff;

type Direction = 'request' | 'reply';

interface Body {
  readonly part: string;
}

const same = (codec: Codec<unknown>): { request: Codec<unknown>; reply: Codec<unknown> } => ({
  request: codec,
  reply: codec,
});

/** Vendor statistics without a codec of their own: with the type that vendors put first, and too short for one. */
const experimenter = struct({ part: constant('experimenter'), experimenter: u32, expType: u32, data: rest });
const vendor = struct({ part: constant('vendor'), vendor: u32, data: rest });

/** Bodies that are not of a shape that later versions have. */
export type V10RequestBody = Wire<typeof vendor>;
export type V10ReplyBody = TableStats10 | Wire<typeof vendor>;

/** Nicira's have 4 bytes of padding after their type, to align what follows. */
const nicira = (expType: number, body: Codec<unknown>): Codec<unknown> => ({
  read: (r, f) => {
    r.take(8, f);
    r.pad(4, f);
    return body.read(r, f);
  },
  write: (w, v, f) => {
    w.u32(NICIRA);
    w.u32(expType);
    w.zeros(4);
    body.write(w, v, f);
  },
});

const NICIRA_HEADER = 12;

export const PARTS_10: readonly PartRow[] = [
  ...STATS,
  ...extensionParts(1).map(({ part, expType, request, reply }): PartRow => ({
    part,
    code: OFPST_VENDOR,
    request: nicira(expType, request),
    reply: nicira(expType, reply),
    when: (r) =>
      r.remaining >= NICIRA_HEADER &&
      r.bytes.readUInt32BE(r.offset) === NICIRA &&
      r.bytes.readUInt32BE(r.offset + 4) === expType,
  })),
  { part: 'experimenter', code: OFPST_VENDOR, ...same(experimenter), when: (r) => r.remaining >= 8 },
  { part: 'vendor', code: OFPST_VENDOR, ...same(vendor) },
];

const BY_CODE = Map.groupBy(PARTS_10, (row) => row.code);
const BY_PART = new Map(PARTS_10.map((row) => [row.part, row]));

interface Unknown {
  readonly part: 'unknown';
  readonly partType: number;
  readonly body: Buffer;
}

interface Multipart {
  readonly type: string;
  readonly more: boolean;
  readonly body: Body;
}

function readBody(r: Reader, direction: Direction, f: string): { more: boolean; body: Body } {
  const code = r.u16(`${f}.part`);
  const flags = r.u16(`${f}.flags`);
  if (flags > MORE) r.keep(r.offset - 2, 2);
  const row = BY_CODE.get(code)?.find((candidate) => candidate.when?.(r) ?? true);
  const body =
    row === undefined
      ? { part: 'unknown', partType: code, body: Buffer.from(r.rest()) }
      : (row[direction].read(r, `${f}.${row.part}`) as Body);
  return { more: (flags & MORE) !== 0, body };
}

function writeBody(w: Writer, { more, body }: Multipart, direction: Direction, f: string): void {
  const unknown = body.part === 'unknown' ? (body as Unknown) : null;
  const row = BY_PART.get(body.part);
  if (unknown === null && row === undefined) throw new WireError('BAD_TYPE', `${f}.part`, w.length, body.part);
  w.u16(unknown?.partType ?? row?.code ?? 0, `${f}.part`);
  w.u16(more ? MORE : 0);
  if (unknown !== null) w.raw(unknown.body);
  else row?.[direction].write(w, body, `${f}.${body.part}`);
}

/** The tag and the direction make the type: rows are read into the shapes of messages/multipart.ts. */
export const multipart10 = <M extends Multipart>(type: M['type'], direction: Direction): Codec<M> => ({
  read: (r, f) => ({ type, ...readBody(r, direction, f) }) as M,
  write: (w, v, f) => {
    writeBody(w, v, direction, f);
  },
});
