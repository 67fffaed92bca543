// NXT_PACKET_IN and NXT_PACKET_IN2, which a switch sends once NXT_SET_PACKET_IN_FORMAT asks for them, and NXT_RESUME, which
// gives a paused packet back.

import { portNo } from '../../base/ids.ts';
import type { PortNo } from '../../base/ids.ts';
import { constant, indented, list, padded, rest, struct, u16, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { tlv } from '../../wire/tlv.ts';
import type { TlvRow } from '../../wire/tlv.ts';
import { OFPP, OFP_NO_BUFFER } from '../constants.ts';
import type { PacketInMessage } from '../messages/packet.ts';
import type { Match } from '../model.ts';
import type { WireVersion } from '../wire-version.ts';
import { fieldList, nxMatch } from './nx-match.ts';
import { u8Property } from './properties.ts';

export interface NxPacketIn extends Omit<PacketInMessage, 'type'> {
  readonly type: 'nx_packet_in';
}

function inPortOf(metadata: Match): PortNo {
  const field = metadata.find(({ name }) => name === 'in_port');
  return portNo(field === undefined ? OFPP.ANY : Number(field.value));
}

function metadataOf(fields: Match): bigint | null {
  const field = fields.find(({ name }) => name === 'metadata');
  return typeof field?.value === 'bigint' ? field.value : null;
}

/** struct nx_packet_in. */
export function nxPacketIn(version: WireVersion): Codec<NxPacketIn> {
  const fields = nxMatch(version);
  const head = struct({ bufferId: u32, totalLen: u16, reason: u8, table: u8, cookie: u64 });
  return {
    read: (r, f) => {
      const said = head.read(r, f);
      const length = r.u16(`${f}.match.length`);
      r.pad(6, f);
      const match = fields.read(r, length, `${f}.match`);
      r.pad(2, f);
      const [inPort, metadata] = [inPortOf(match), metadataOf(match)];
      return { type: 'nx_packet_in', ...said, inPort, metadata, match, data: r.rest() };
    },
    write: (w, v, f) => {
      head.write(w, v, f);
      const lengthAt = w.length;
      w.zeros(8);
      fields.write(w, v.match, lengthAt, `${f}.match`);
      w.zeros(2);
      w.raw(v.data);
    },
  };
}

/** enum nx_packet_in2_prop_type. */
export type NxPacketProperty =
  | { readonly type: 'packet'; readonly data: Buffer }
  | { readonly type: 'full_len'; readonly bytes: number } // of the packet, where it was cut
  | { readonly type: 'buffer_id'; readonly bufferId: number }
  | { readonly type: 'table'; readonly table: number }
  | { readonly type: 'cookie'; readonly cookie: bigint }
  | { readonly type: 'reason'; readonly reason: number } // OFPR_*
  | { readonly type: 'metadata'; readonly match: Match }
  | { readonly type: 'userdata'; readonly data: Buffer } // of the controller action
  | { readonly type: 'continuation'; readonly data: Buffer } // the switch's own affair
  | { readonly type: 'unknown'; readonly propertyType: number; readonly body: Buffer };

const row = <const N extends string>(
  name: N,
  code: number,
  body: Codec<Extract<NxPacketProperty, { type: N }>>,
): TlvRow<NxPacketProperty> => ({ name, code, body: body });

const properties = (version: WireVersion): Codec<readonly NxPacketProperty[]> =>
  list(
    tlv<NxPacketProperty>({
      rows: [
        row('packet', 0, struct({ type: constant('packet'), data: rest })),
        row('full_len', 1, struct({ type: constant('full_len'), bytes: u32 })),
        row('buffer_id', 2, struct({ type: constant('buffer_id'), bufferId: u32 })),
        row('table', 3, struct({ type: constant('table'), table: u8Property })),
        row('cookie', 4, struct({ type: padded(constant('cookie'), 4), cookie: u64 })),
        row('reason', 5, struct({ type: constant('reason'), reason: u8Property })),
        row('metadata', 6, struct({ type: constant('metadata'), match: fieldList(version) })),
        row('userdata', 7, struct({ type: constant('userdata'), data: rest })),
        row('continuation', 8, struct({ type: constant('continuation'), data: indented(4, rest) })),
      ],
      paddedTo: 8,
      lastPadding: 'required',
      unknown: (propertyType, body) => ({ type: 'unknown', propertyType, body }),
      verbatim: (value) => (value.type === 'unknown' ? { code: value.propertyType, body: value.body } : null),
    }),
  );

export interface NxPacketIn2 {
  readonly type: 'nx_packet_in2';
  readonly properties: readonly NxPacketProperty[];
}

/** The properties of the packet-in that paused: continuation, metadata and packet, the latter two perhaps changed. */
export interface NxResume {
  readonly type: 'nx_resume';
  readonly properties: readonly NxPacketProperty[];
}

export const nxPacketIn2 = (version: WireVersion): Codec<NxPacketIn2> =>
  struct({ type: constant('nx_packet_in2'), properties: properties(version) });

export const nxResume = (version: WireVersion): Codec<NxResume> =>
  struct({ type: constant('nx_resume'), properties: properties(version) });

/** A packet-in in the shape that any other has. */
export function packetInOf(message: NxPacketIn | NxPacketIn2): PacketInMessage {
  if (message.type === 'nx_packet_in') return { ...message, type: 'packet_in' };
  const get = <const N extends NxPacketProperty['type']>(type: N): Extract<NxPacketProperty, { type: N }> | null =>
    message.properties.find((each): each is Extract<NxPacketProperty, { type: N }> => each.type === type) ?? null;
  const data = get('packet')?.data ?? Buffer.alloc(0);
  const match = get('metadata')?.match ?? [];
  return {
    type: 'packet_in',
    bufferId: get('buffer_id')?.bufferId ?? OFP_NO_BUFFER,
    totalLen: get('full_len')?.bytes ?? data.length,
    reason: get('reason')?.reason ?? 0,
    table: get('table')?.table ?? 0,
    cookie: get('cookie')?.cookie ?? 0xffff_ffff_ffff_ffffn,
    inPort: inPortOf(match),
    metadata: metadataOf(match),
    match,
    data,
  };
}
