// Open vSwitch's actions that name fields or parts of them, and nothing else of structure.

import { constant, padded, struct, u16 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Subfield } from '../action-types.ts';
import { nxmId } from '../oxm-id.ts';
import type { WireVersion } from '../wire-version.ts';
import { regMove } from './copy-field.ts';
import { nicira, refuse } from './row.ts';
import type { ActionOf, ActionRow } from './row.ts';
import { regLoad2 } from './set-field.ts';
import { bitRange, fieldBitOf, idOf, readIdIn, subfield, subfieldOf, writeIdIn } from './subfield.ts';
import type { Use } from './subfield.ts';

const regLoad: Codec<ActionOf<'reg_load'>> = {
  read: (r, f) => {
    const at = r.offset;
    const dst = subfield('dst').read(r, `${f}.dst`);
    const value = r.u64(`${f}.value`);
    if (value >> BigInt(dst.bits) !== 0n) {
      throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.value`, at, `more than ${dst.bits} bits`);
    }
    return { type: 'reg_load', dst, value };
  },
  write: (w, v, f) => {
    subfield('dst').write(w, v.dst, `${f}.dst`);
    w.u64(v.value, `${f}.value`);
  },
};

/** nx_action_stack: offset, header, width; 24 bytes in all. */
const stack = (use: Use): Codec<Subfield> => ({
  read: (r, f) => {
    const at = r.offset;
    const bit = r.u16(f);
    const body = r.sub(r.remaining, f);
    const id = nxmId.read(body, f);
    const bits = body.u16(f);
    if (body.remaining > STACK_PAD) throw refuse('OFPBAC_BAD_LEN', f, body.offset, 'left over', 'BAD_LENGTH');
    body.pad(body.remaining, f);
    return subfieldOf(id, { bit, bits }, use, f, at);
  },
  write: (w, v, f) => {
    const start = w.length;
    w.u16(v.bit, f);
    nxmId.write(w, idOf(v), f);
    w.u16(v.bits, f);
    w.zeros(start + STACK_BODY - w.length);
  },
});
const STACK_BODY = 14;
const STACK_PAD = 6;

const ID_IN = 10;

const outputReg2: Codec<ActionOf<'output_reg2'>> = {
  read: (r, f) => {
    const at = r.offset;
    const range = bitRange.read(r, f);
    const maxLen = r.u16(f);
    const id = readIdIn(r, ID_IN, `${f}.src`);
    return { type: 'output_reg2', src: subfieldOf(id, range, 'src', `${f}.src`, at), maxLen };
  },
  write: (w, v, f) => {
    bitRange.write(w, v.src, `${f}.src`);
    w.u16(v.maxLen, `${f}.maxLen`);
    writeIdIn(w, v.src, ID_IN, `${f}.src`);
  },
};

const checkPktLarger: Codec<ActionOf<'check_pkt_larger'>> = {
  read: (r, f) => {
    const at = r.offset;
    const [pktLen, bit] = [r.u16(f), r.u16(f)];
    const id = readIdIn(r, ID_IN, `${f}.dst`);
    return { type: 'check_pkt_larger', pktLen, dst: fieldBitOf(id, bit, 'dst', `${f}.dst`, at) };
  },
  write: (w, v, f) => {
    w.u16(v.pktLen, `${f}.pktLen`);
    w.u16(v.dst.bit, `${f}.dst`);
    writeIdIn(w, v.dst, ID_IN, `${f}.dst`);
  },
};

const DELETE_FIELD_BODY = 14;

const deleteField: Codec<ActionOf<'delete_field'>> = {
  read: (r, f) => ({ type: 'delete_field', field: readIdIn(r, DELETE_FIELD_BODY, f).field }),
  write: (w, v, f) => {
    writeIdIn(w, v.field, DELETE_FIELD_BODY, f);
  },
};

const IN_EVERY_VERSION: readonly ActionRow[] = [
  nicira('output_reg', 15, struct({ type: constant('output_reg'), src: subfield('src'), maxLen: padded(u16, 6) })),
  nicira('stack_push', 27, struct({ type: constant('stack_push'), src: stack('src') })),
  nicira('stack_pop', 28, struct({ type: constant('stack_pop'), dst: stack('dst') })),
  nicira('output_reg2', 32, outputReg2),
  nicira('check_pkt_larger', 49, checkPktLarger),
  nicira('delete_field', 50, deleteField),
];

/** 1.5 says by set_field and copy_field what these say. */
const BEFORE_1_5: readonly ActionRow[] = [
  nicira('move', 6, regMove),
  nicira('reg_load', 7, regLoad),
  nicira('reg_load2', 33, regLoad2),
];

export const niciraFields = (version: WireVersion): readonly ActionRow[] =>
  version < 6 ? [...IN_EVERY_VERSION, ...BEFORE_1_5] : IN_EVERY_VERSION;
