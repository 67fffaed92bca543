// Multipart requests and replies: one row a part (number, request body, reply body); other parts are kept verbatim.

import { WireError } from '../../base/errors.ts';
import type { Codec } from '../../wire/codec.ts';
import { flowParts } from '../multipart/flows.ts';
import type { FlowReply, FlowRequest } from '../multipart/flows.ts';
import { groupParts } from '../multipart/groups.ts';
import type { GroupReply, GroupRequest } from '../multipart/groups.ts';
import { meterParts } from '../multipart/meters.ts';
import type { MeterReply, MeterRequest } from '../multipart/meters.ts';
import type { PartRow } from '../multipart/part-row.ts';
import { portParts } from '../multipart/ports.ts';
import type { PortReply, PortRequest } from '../multipart/ports.ts';
import { switchParts } from '../multipart/switch.ts';
import type { SwitchReply, SwitchRequest } from '../multipart/switch.ts';
import { tableParts } from '../multipart/tables.ts';
import type { TableReply, TableRequest } from '../multipart/tables.ts';
import { extensionParts } from '../nicira/parts.ts';
import type { ExtensionPart, ExtensionReplyBody, ExtensionRequestBody } from '../nicira/parts.ts';
import { PARTS_10 } from '../v10/multipart.ts';
import type { V10ReplyBody, V10RequestBody } from '../v10/multipart.ts';
import type { OxmVersion, WireVersion } from '../wire-version.ts';

/** OFPMPF_REQ_MORE and OFPMPF_REPLY_MORE. */
const MORE = 1;

interface UnknownPart {
  readonly part: 'unknown';
  readonly partType: number;
  readonly body: Buffer;
}

export type RequestBody =
  | SwitchRequest
  | FlowRequest
  | TableRequest
  | PortRequest
  | GroupRequest
  | MeterRequest
  | V10RequestBody
  | ExtensionRequestBody
  | UnknownPart;

export type ReplyBody =
  | SwitchReply
  | FlowReply
  | TableReply
  | PortReply
  | GroupReply
  | MeterReply
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

const OFPMP_EXPERIMENTER = 0xffff;
const EXPERIMENTER_HEADER = 8;

const extensionRow = ({ part, experimenter, expType, ...bodies }: ExtensionPart): PartRow => {
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

/** By enum ofp_multipart_type; rows that know themselves by their first bytes before the one that takes any. */
const rowsOf = (version: OxmVersion): readonly PartRow[] => [
  ...extensionParts(version).map(extensionRow),
  ...switchParts(version),
  ...flowParts(version),
  ...tableParts(version),
  ...portParts(version),
  ...groupParts(version),
  ...meterParts(version),
];

/** Every part that the version has. */
export const partRows = (version: WireVersion): readonly PartRow[] => (version === 1 ? PARTS_10 : rowsOf(version));

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
