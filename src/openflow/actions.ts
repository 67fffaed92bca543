// Actions (1.3.5 section 7.2.4, 1.5.1 section 7.2.6) as one table a version: name, OFPAT number, body.
// Actions without a row, Open vSwitch's extensions among them, are kept verbatim.

import { WireError } from '../base/errors.ts';
import { constant, defaulted, indented, list, padded, struct, u16, u32, u8 } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import type { Reader } from '../wire/reader.ts';
import { tlv } from '../wire/tlv.ts';
import type { TlvRow } from '../wire/tlv.ts';
import { OFPCML_NO_BUFFER } from './constants.ts';
import type { Action } from './model.ts';
import { NICIRA } from './oxm-fields.ts';
import { oxmField, oxmId } from './oxm.ts';
import type { WireVersion } from './wire-version.ts';

type SetField = Extract<Action, { type: 'set_field' }>;
type Move = Extract<Action, { type: 'move' }>;

const OFPAT_COPY_FIELD = 28;
const OFPAT_EXPERIMENTER = 0xffff;
const NXAST_REG_MOVE = 6;
const HEADER = 4;

const row = <const N extends string>(
  name: N,
  code: number,
  body: Codec<Extract<Action, { type: N }>>,
  when?: (r: Reader) => boolean,
): TlvRow<Action> => ({ name, code, body: body, ...(when === undefined ? {} : { when }) });

const plain = <const N extends string>(name: N): Codec<{ type: N }> => struct({ type: padded(constant(name), 4) });
const etherType = <const N extends string>(name: N): Codec<{ type: N; etherType: number }> =>
  struct({ type: constant(name), etherType: padded(u16, 2) });
const ttl = <const N extends string>(name: N): Codec<{ type: N; ttl: number }> =>
  struct({ type: constant(name), ttl: padded(u8, 3) });

/** The OXM TLV, padded so that the whole action is a multiple of 8 bytes. */
function setField(version: WireVersion): Codec<SetField> {
  const field = oxmField(version);
  return {
    read: (r, f) => {
      const value: SetField = { type: 'set_field', field: field.read(r, f) };
      if (r.remaining > 7) throw new WireError('BAD_LENGTH', f, r.offset, `${r.remaining} bytes left over`);
      r.take(r.remaining, f);
      return value;
    },
    write: (w, v, f) => {
      const start = w.length - HEADER;
      field.write(w, v.field, f);
      w.align(8, start);
    },
  };
}

const ofIds = (move: {
  src: { name: string; oxmType?: number };
  dst: { name: string; oxmType?: number };
  bits: number;
  srcBit: number;
  dstBit: number;
}): Move => ({
  type: 'move',
  src: move.src.name,
  srcBit: move.srcBit,
  dst: move.dst.name,
  dstBit: move.dstBit,
  bits: move.bits,
  ...(move.src.oxmType === undefined ? {} : { srcOxmType: move.src.oxmType }),
  ...(move.dst.oxmType === undefined ? {} : { dstOxmType: move.dst.oxmType }),
});

const toIds = (move: Move): { src: { name: string; oxmType?: number }; dst: { name: string; oxmType?: number } } => ({
  src: { name: move.src, ...(move.srcOxmType === undefined ? {} : { oxmType: move.srcOxmType }) },
  dst: { name: move.dst, ...(move.dstOxmType === undefined ? {} : { oxmType: move.dstOxmType }) },
});

/** nx_action_reg_move before 1.5, ofp_action_copy_field from then on: they differ in head and padding only. */
function moveBetweenFields(version: WireVersion): Codec<Move> {
  const id = oxmId(version);
  const head = version < 6 ? 6 : 0;
  const gap = version < 6 ? 0 : 2;
  return {
    read: (r, f) => {
      r.take(head, f);
      const [bits, srcBit, dstBit] = [r.u16(f), r.u16(f), r.u16(f)];
      r.take(gap, f);
      const move = ofIds({ bits, srcBit, dstBit, src: id.read(r, `${f}.src`), dst: id.read(r, `${f}.dst`) });
      if (r.remaining > 7) throw new WireError('BAD_LENGTH', f, r.offset, `${r.remaining} bytes left over`);
      r.take(r.remaining, f);
      return move;
    },
    write: (w, v, f) => {
      const start = w.length - HEADER;
      if (head !== 0) {
        w.u32(NICIRA);
        w.u16(NXAST_REG_MOVE);
      }
      w.u16(v.bits, `${f}.bits`);
      w.u16(v.srcBit, `${f}.srcBit`);
      w.u16(v.dstBit, `${f}.dstBit`);
      w.zeros(gap);
      const { src, dst } = toIds(v);
      id.write(w, src, `${f}.src`);
      id.write(w, dst, `${f}.dst`);
      w.align(8, start);
    },
  };
}

/** Whether an experimenter body is Nicira's action of this subtype. */
const isNicira =
  (subtype: number) =>
  (r: Reader): boolean =>
    r.remaining >= 6 && r.bytes.readUInt32BE(r.offset) === NICIRA && r.bytes.readUInt16BE(r.offset + 4) === subtype;

const rowsOf = (version: WireVersion): readonly TlvRow<Action>[] => [
  row(
    'output',
    0,
    struct({ type: constant('output'), port: u32, maxLen: defaulted(padded(u16, 6), OFPCML_NO_BUFFER) }),
  ),
  row('copy_ttl_out', 11, plain('copy_ttl_out')),
  row('copy_ttl_in', 12, plain('copy_ttl_in')),
  row('set_mpls_ttl', 15, ttl('set_mpls_ttl')),
  row('dec_mpls_ttl', 16, plain('dec_mpls_ttl')),
  row('push_vlan', 17, etherType('push_vlan')),
  row('pop_vlan', 18, plain('pop_vlan')),
  row('push_mpls', 19, etherType('push_mpls')),
  row('pop_mpls', 20, etherType('pop_mpls')),
  row('set_queue', 21, struct({ type: constant('set_queue'), queueId: u32 })),
  row('group', 22, struct({ type: constant('group'), groupId: u32 })),
  row('set_nw_ttl', 23, ttl('set_nw_ttl')),
  row('dec_nw_ttl', 24, plain('dec_nw_ttl')),
  row('set_field', 25, setField(version)),
  row('push_pbb', 26, etherType('push_pbb')),
  row('pop_pbb', 27, plain('pop_pbb')),
  version < 6
    ? row('move', OFPAT_EXPERIMENTER, moveBetweenFields(version), isNicira(NXAST_REG_MOVE))
    : row('move', OFPAT_COPY_FIELD, moveBetweenFields(version)),
];

/** A list of actions up to the end of what surrounds it. */
export function actions(version: WireVersion): Codec<readonly Action[]> {
  return list(
    tlv<Action>({
      rows: rowsOf(version),
      multipleOf: 8,
      unknown: (actionType, body) => ({ type: 'unknown', actionType, body }),
      verbatim: (value) => (value.type === 'unknown' ? { code: value.actionType, body: value.body } : null),
    }),
  );
}

/** Actions after 4 bytes of padding, as instructions hold them. */
export const indentedActions = (version: WireVersion): Codec<readonly Action[]> => indented(4, actions(version));
