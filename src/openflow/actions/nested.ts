// Actions that hold actions: ct and clone. What may stand inside of them is for the list to say (list.ts).

import { constant, indented, struct } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Action } from '../action-types.ts';
import { NX_CT_F } from '../constants.ts';
import { nicira, refuse } from './row.ts';
import type { ActionOf, ActionRow } from './row.ts';
import { numberOrSubfield } from './subfield.ts';

type Actions = Codec<readonly Action[]>;

const NO_RECIRCULATION = 0xff;
const ZONE_BITS = 16;
const zone = numberOrSubfield(2);

/** What ct does without a commit: translate as it did when the connection was committed. */
const isPlainNat = (action: Action): boolean =>
  action.type === 'nat' && action.flags === 0 && action.addrMin === undefined;

const ct = (inside: Actions): Codec<ActionOf<'ct'>> => ({
  read: (r, f) => {
    const start = r.offset;
    const flags = r.u16(`${f}.flags`);
    const commits = (flags & NX_CT_F.COMMIT) !== 0;
    if ((flags & NX_CT_F.FORCE) !== 0 && !commits) {
      throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.flags`, start, 'force without commit');
    }
    const from = zone.read(r, `${f}.zone`);
    if (typeof from !== 'number' && from.bits !== ZONE_BITS) {
      throw refuse('OFPBAC_BAD_SET_LEN', `${f}.zone`, start + 2, `${from.bits} bits`, 'BAD_LENGTH');
    }
    const table = r.u8(`${f}.recircTable`);
    r.pad(3, f);
    const alg = r.u16(`${f}.alg`);
    const at = r.offset;
    const actions = inside.read(r, `${f}.actions`);
    if (!commits && !actions.every(isPlainNat)) {
      throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.actions`, at, 'actions without commit');
    }
    const recircTable = table === NO_RECIRCULATION ? {} : { recircTable: table };
    return { type: 'ct', flags, zone: from, ...recircTable, alg, actions };
  },
  write: (w, v, f) => {
    w.u16(v.flags, `${f}.flags`);
    zone.write(w, v.zone, `${f}.zone`);
    w.u8(v.recircTable ?? NO_RECIRCULATION, `${f}.recircTable`);
    w.zeros(3);
    w.u16(v.alg, `${f}.alg`);
    inside.write(w, v.actions, `${f}.actions`);
  },
});

const clone = (inside: Actions): Codec<ActionOf<'clone'>> =>
  struct({ type: constant('clone'), actions: indented(6, inside) });

export const niciraNested = (insideCt: Actions, insideClone: Actions): readonly ActionRow[] => [
  nicira('ct', 35, ct(insideCt)),
  nicira('clone', 42, clone(insideClone)),
];
