// 1.0 has a list of actions where later versions have instructions: it is what `apply_actions` holds.

import { WireError } from '../../base/errors.ts';
import type { Codec } from '../../wire/codec.ts';
import { flowActions } from '../actions.ts';
import type { Instruction } from '../model.ts';

const list = flowActions(1);

/** Up to the end of what surrounds it. No actions (drop) are no instructions. */
export const actionList: Codec<readonly Instruction[]> = {
  read: (r, f) => {
    const all = list.read(r, `${f}.actions`);
    return all.length === 0 ? [] : [{ type: 'apply_actions', actions: all }];
  },
  write: (w, v, f) => {
    const [first, second] = v;
    if (first === undefined) return;
    if (first.type !== 'apply_actions') throw none(first, f, w.length);
    if (second !== undefined) throw none(second, f, w.length);
    list.write(w, first.actions, `${f}.actions`);
  },
};

const none = (instruction: Instruction, field: string, offset: number): WireError =>
  new WireError('BAD_TYPE', field, offset, `OpenFlow 1.0 cannot do ${instruction.type} besides a list of actions`);
