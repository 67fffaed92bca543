// Where an action may stand: nat and the setting of a connection's fields only inside of ct, and nothing else there;
// write_metadata, an instruction in the form of an action, only in a flow.

import type { Action } from '../action-types.ts';

/** A flow's list, another list (packet-out, bucket, clone), or that of ct. */
export type Place = 'flow' | 'list' | 'ct';

const CONNECTION_FIELDS: ReadonlySet<string> = new Set(['ct_mark', 'ct_label']);

/** The field that an action changes as a whole or in part. */
function changedField(action: Action): string | null {
  switch (action.type) {
    case 'set_field':
    case 'reg_load2':
      return action.field.name;
    case 'reg_load':
      return action.dst.name;
    case 'move':
      return action.dst;
    default:
      return null;
  }
}

/** The name of the error with which Open vSwitch refuses the action here, or null. */
export function refusal(action: Action, place: Place): string | null {
  const { type } = action;
  const field = changedField(action);
  const ofConnection = type === 'nat' || (field !== null && CONNECTION_FIELDS.has(field));
  if (place === 'ct')
    return ofConnection || type === 'experimenter' || type === 'unknown' ? null : 'OFPBAC_BAD_ARGUMENT';
  if (ofConnection) return 'OFPBAC_BAD_SET_ARGUMENT';
  return type === 'write_metadata' && place !== 'flow' ? 'OFPBIC_UNSUP_INST' : null;
}
