// Multipart requests and replies: one row a part (number, request body, reply body); other parts are kept verbatim.

import { WireError } from '../../base/errors.ts';
import { constant, defaulted, fixedText, list, padded, struct, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import { OFPG_ANY, OFPP, OFPTT_ALL } from '../constants.ts';
import type { Match } from '../model.ts';
import { match } from '../oxm.ts';
import { portDescription } from '../ports.ts';
import type { PortDescription } from '../ports.ts';
import { extensionParts } from '../nicira/parts.ts';
import type { ExtensionPart, ExtensionReplyBody, ExtensionRequestBody } from '../nicira/parts.ts';
import type { V10ReplyBody, V10RequestBody } from '../v10/multipart.ts';
import type { OxmVersion } from '../wire-version.ts';
import { flowStatsRow } from './flow.ts';
import type { FlowStatsRow } from './flow.ts';

/** OFPMPF_REQ_MORE and OFPMPF_REPLY_MORE. */
const MORE = 1;

interface UnknownPart {
  readonly part: 'unknown';
  readonly partType: number;
  readonly body: Buffer;
}

export type RequestBody =
  | { readonly part: 'desc' }
  | {
      readonly part: 'flow';
      readonly table?: number;
      readonly outPort?: number;
      readonly outGroup?: number;
      readonly cookie?: bigint;
      readonly cookieMask?: bigint;
      readonly match: Match;
    }
  | { readonly part: 'port_desc'; readonly portNo?: number } // the port: from 1.5 on
  | V10RequestBody
  | ExtensionRequestBody
  | UnknownPart;

export type ReplyBody =
  | {
      readonly part: 'desc';
      readonly manufacturer: string;
      readonly hardware: string;
      readonly software: string;
      readonly serial: string;
      readonly datapath: string;
    }
  | { readonly part: 'flow'; readonly flows: readonly FlowStatsRow[] }
  | { readonly part: 'port_desc'; readonly ports: readonly PortDescription[] }
  | V10ReplyBody
  | ExtensionReplyBody
  | UnknownPart;

export interface MultipartRequest {
  readonly type: 'multipart_request';
  readonly more: boolean;
  readonly body: RequestBody;
}

export interface MultipartReply {
  readonly type: 'multipart_reply';
  readonly more: boolean;
  readonly body: ReplyBody;
}

interface Row {
  readonly part: string;
  readonly code: number;
  readonly request: Codec<unknown>;
  readonly reply: Codec<unknown>;
  /** For those that share OFPMP_EXPERIMENTER: whether this body is the row's. Must not move the reader. */
  readonly when?: (body: Reader) => boolean;
}

const OFPMP_EXPERIMENTER = 0xffff;
const EXPERIMENTER_HEADER = 8;

const extensionRow = ({ part, experimenter, expType, ...bodies }: ExtensionPart): Row => {
  const behindHeader = (body: Codec<unknown>): Codec<unknown> => ({
    read: (r, f) => {
      r.take(EXPERIMENTER_HEADER, f);
      return body.read(r, f);
    },
    write: (w, v, f) => {
      w.u32(experimenter);
      w.u32(expType);
      body.write(w, v, f);
    },
  });
  return {
    part,
    code: OFPMP_EXPERIMENTER,
    request: behindHeader(bodies.request),
    reply: behindHeader(bodies.reply),
    when: (r) =>
      r.remaining >= EXPERIMENTER_HEADER &&
      r.bytes.readUInt32BE(r.offset) === experimenter &&
      r.bytes.readUInt32BE(r.offset + 4) === expType,
  };
};

const rowsOf = (version: OxmVersion): readonly Row[] => [
  {
    part: 'desc', // section 7.3.5.1
    code: 0,
    request: struct({ part: constant('desc') }),
    reply: struct({
      part: constant('desc'),
      manufacturer: fixedText(256),
      hardware: fixedText(256),
      software: fixedText(256),
      serial: fixedText(32),
      datapath: fixedText(256),
    }),
  },
  {
    part: 'flow', // section 7.3.5.2; OFPMP_FLOW, in 1.5 OFPMP_FLOW_DESC
    code: 1,
    request: struct({
      part: constant('flow'),
      table: padded(defaulted(u8, OFPTT_ALL), 3),
      outPort: defaulted(u32, OFPP.ANY),
      outGroup: padded(defaulted(u32, OFPG_ANY), 4),
      cookie: defaulted(u64, 0n),
      cookieMask: defaulted(u64, 0n),
      match: match(version),
    }),
    reply: struct({ part: constant('flow'), flows: list(flowStatsRow(version)) }),
  },
  {
    part: 'port_desc', // section 7.3.5.7
    code: 13,
    request: struct({
      part: constant('port_desc'),
      ...(version < 6 ? {} : { portNo: padded(defaulted(u32, OFPP.ANY), 4) }),
    }),
    reply: struct({ part: constant('port_desc'), ports: list(portDescription(version)) }),
  },
  ...extensionParts(version).map(extensionRow),
];

export const multipartRequest = (version: OxmVersion): Codec<MultipartRequest> =>
  multipart<MultipartRequest>(version, 'multipart_request', 'request');

export const multipartReply = (version: OxmVersion): Codec<MultipartReply> =>
  multipart<MultipartReply>(version, 'multipart_reply', 'reply');

interface Multipart {
  readonly type: string;
  readonly more: boolean;
  readonly body: { readonly part: string };
}

function multipart<T extends Multipart>(
  version: OxmVersion,
  type: T['type'],
  direction: 'request' | 'reply',
): Codec<T> {
  const rows = rowsOf(version);
  const byCode = Map.groupBy(rows, (row) => row.code);
  const byPart = new Map(rows.map((row) => [row.part, row]));
  return {
    read: (r, f) => {
      const code = r.u16(`${f}.part`);
      const flags = r.u16(`${f}.flags`);
      if (flags > MORE) r.keep(r.offset - 2, 2);
      const more = (flags & MORE) !== 0;
      r.pad(4, f);
      const row = byCode.get(code)?.find((candidate) => candidate.when?.(r) ?? true);
      const body =
        row === undefined
          ? { part: 'unknown', partType: code, body: Buffer.from(r.rest()) }
          : row[direction].read(r, `${f}.${row.part}`);
      return { type, more, body } as unknown as T;
    },
    write: (w, v, f) => {
      const unknown = v.body.part === 'unknown' ? (v.body as UnknownPart) : null;
      const row = byPart.get(v.body.part);
      if (unknown === null && row === undefined) throw new WireError('BAD_TYPE', `${f}.part`, w.length, v.body.part);
      w.u16(unknown?.partType ?? row?.code ?? 0, `${f}.part`);
      w.u16(v.more ? MORE : 0);
      w.zeros(4);
      if (unknown !== null) w.raw(unknown.body);
      else row?.[direction].write(w, v.body, `${f}.${v.body.part}`);
    },
  };
}
