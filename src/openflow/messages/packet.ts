// Packet-in and packet-out. Packet data is a view of the received bytes, never a copy.

import { defaulted, padded, rest, struct, u16, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { portNo } from '../../base/ids.ts';
import type { PortNo } from '../../base/ids.ts';
import { actions } from '../actions.ts';
import { OFPP, OFP_NO_BUFFER } from '../constants.ts';
import type { Action, Match, PacketIn, PacketOut } from '../model.ts';
import { match } from '../oxm.ts';
import type { OxmVersion } from '../wire-version.ts';

/** A packet-in whole: `inPort` and `metadata` are those of `match`. */
export interface PacketInMessage extends PacketIn {
  readonly bufferId: number;
  readonly totalLen: number;
  readonly match: Match;
}

const inPortOf = (fields: Match): PortNo => {
  for (const field of fields) if (field.name === 'in_port') return portNo(Number(field.value));
  return portNo(OFPP.ANY);
};

const metadataOf = (fields: Match): bigint | null => {
  for (const field of fields) if (field.name === 'metadata') return field.value as bigint;
  return null;
};

/** 1.3.5 section 7.4.1. */
export function packetIn(version: OxmVersion): Codec<PacketInMessage> {
  const body = struct({
    bufferId: u32,
    totalLen: u16,
    reason: u8,
    table: u8,
    cookie: u64,
    match: padded(match(version), 2),
    data: rest,
  });
  return {
    read: (r, f) => {
      const { bufferId, totalLen, reason, table, cookie, match: fields, data } = body.read(r, f);
      const inPort = inPortOf(fields);
      const metadata = metadataOf(fields);
      return { type: 'packet_in', bufferId, totalLen, reason, table, cookie, inPort, metadata, match: fields, data };
    },
    write: (w, v, f) => {
      body.write(w, v, f);
    },
  };
}

/** ofp_packet_out of 1.3 and 1.4 (1.3.5 section 7.3.7) and of 1.5 (section 7.3.6), where a match holds the port. */
export function packetOut(version: OxmVersion): Codec<PacketOut> {
  const some = actions(version);
  const bufferId = defaulted(u32, OFP_NO_BUFFER);
  const fields = match(version);
  return {
    read: (r, f) => {
      const buffer = bufferId.read(r, `${f}.bufferId`);
      if (version < 6) {
        const inPort = r.u32(`${f}.inPort`);
        const length = r.u16(`${f}.actionsLen`);
        r.pad(6, f);
        return {
          type: 'packet_out',
          bufferId: buffer,
          inPort,
          actions: some.read(r.sub(length, f), `${f}.actions`),
          data: r.rest(),
        };
      }
      const length = r.u16(`${f}.actionsLen`);
      r.pad(2, f);
      const pipeline = fields.read(r, `${f}.match`);
      const list: readonly Action[] = some.read(r.sub(length, f), `${f}.actions`);
      return {
        type: 'packet_out',
        bufferId: buffer,
        inPort: inPortOf(pipeline),
        match: pipeline,
        actions: list,
        data: r.rest(),
      };
    },
    write: (w, v, f) => {
      bufferId.write(w, v.bufferId ?? OFP_NO_BUFFER, `${f}.bufferId`);
      if (version < 6) w.u32(v.inPort, `${f}.inPort`);
      const lengthAt = w.length;
      w.zeros(version < 6 ? 8 : 4);
      if (version >= 6) fields.write(w, v.match ?? [{ name: 'in_port', value: v.inPort }], `${f}.match`);
      const start = w.length;
      some.write(w, v.actions, `${f}.actions`);
      w.patchU16(lengthAt, w.length - start, `${f}.actionsLen`);
      w.raw(v.data);
    },
  };
}
