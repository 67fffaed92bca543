// multipath, bundle and bundle_load: choose by a hash of the packet (enum nx_hash_fields, nx_mp_algorithm, nx_bd_algorithm).

import { constant, padded, struct, u16, u32 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { BundleAlgorithm, HashFields } from '../action-types.ts';
import { port16 } from '../v10/port-no.ts';
import { argument, endRead, endWrite, EXTENSION_HEADER, nicira, refuse } from './row.ts';
import type { ActionOf, ActionRow } from './row.ts';
import { subfield } from './subfield.ts';

const fields = argument(u16, {
  eth_src: 0,
  symmetric_l4: 1,
  symmetric_l3l4: 2,
  'symmetric_l3l4+udp': 3,
  nw_src: 4,
  nw_dst: 5,
  symmetric_l3: 6,
});
const multipathAlgorithm = argument(u16, { modulo_n: 0, hash_threshold: 1, hrw: 2, iter_hash: 3 });
const bundleAlgorithm = argument(u16, { active_backup: 0, hrw: 1 });

/** NXM_OF_IN_PORT: the only kind of members there is. */
const MEMBER_TYPE = 0x0000_0002;
const MAX_MEMBERS = 2048;

const dst = subfield('dst');

interface Choice {
  readonly algorithm: BundleAlgorithm;
  readonly fields: HashFields;
  readonly basis: number;
  readonly count: number;
}

function readChoice(r: Reader, f: string): Choice {
  const algorithm = bundleAlgorithm.read(r, `${f}.algorithm`);
  const hashed = fields.read(r, `${f}.fields`);
  const basis = r.u16(f);
  const at = r.offset;
  const memberType = r.u32(f);
  if (memberType !== MEMBER_TYPE) throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.memberType`, at, String(memberType));
  const count = r.u16(`${f}.members`);
  if (count > MAX_MEMBERS) throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.members`, at, String(count));
  return { algorithm, fields: hashed, basis, count };
}

function writeChoice(w: Writer, v: ActionOf<'bundle' | 'bundle_load'>, f: string): void {
  bundleAlgorithm.write(w, v.algorithm, `${f}.algorithm`);
  fields.write(w, v.fields, `${f}.fields`);
  w.u16(v.basis, `${f}.basis`);
  w.u32(MEMBER_TYPE);
  w.u16(v.members.length, `${f}.members`);
}

function readMembers(r: Reader, count: number, f: string): readonly number[] {
  r.pad(4, f);
  const list = r.sub(count * 2, `${f}.members`);
  const members = Array.from({ length: count }, () => port16.read(list, `${f}.members`));
  endRead(r, f);
  return members;
}

function writeMembers(w: Writer, members: readonly number[], start: number, f: string): void {
  w.zeros(4);
  for (const member of members) port16.write(w, member, `${f}.members`);
  endWrite(w, start, EXTENSION_HEADER);
}

const bundle: Codec<ActionOf<'bundle'>> = {
  read: (r, f) => {
    const { count, ...choice } = readChoice(r, f);
    r.pad(DST, f);
    return { type: 'bundle', ...choice, members: readMembers(r, count, f) };
  },
  write: (w, v, f) => {
    const start = w.length;
    writeChoice(w, v, f);
    w.zeros(DST);
    writeMembers(w, v.members, start, f);
  },
};
/** Bytes of the destination that bundle has no use for. */
const DST = 6;

const bundleLoad: Codec<ActionOf<'bundle_load'>> = {
  read: (r, f) => {
    const { count, ...choice } = readChoice(r, f);
    const at = r.offset;
    const target = dst.read(r, `${f}.dst`);
    if (target.bits < 16) throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.dst`, at, `${target.bits} bits for a port`);
    return { type: 'bundle_load', ...choice, dst: target, members: readMembers(r, count, f) };
  },
  write: (w, v, f) => {
    const start = w.length;
    writeChoice(w, v, f);
    dst.write(w, v.dst, `${f}.dst`);
    writeMembers(w, v.members, start, f);
  },
};

export const NICIRA_HASH: readonly ActionRow[] = [
  nicira(
    'multipath',
    10,
    struct({
      type: constant('multipath'),
      fields,
      basis: padded(u16, 2),
      algorithm: multipathAlgorithm,
      maxLink: u16,
      arg: padded(u32, 2),
      dst,
    }),
  ),
  nicira('bundle', 12, bundle),
  nicira('bundle_load', 13, bundleLoad),
];
