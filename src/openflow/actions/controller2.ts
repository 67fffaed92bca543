// controller2: what goes to the controller, as a list of properties (enum nx_action_controller2_prop_type).

import { constant, padded, rest, struct, u16, u32, u8, list } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { tlv } from '../../wire/tlv.ts';
import type { TlvRow } from '../../wire/tlv.ts';
import type { Controller2Property } from '../action-types.ts';
import { nicira, refuse } from './row.ts';
import type { ActionOf, ActionRow } from './row.ts';

const row = <const N extends string>(
  name: N,
  code: number,
  body: Codec<Extract<Controller2Property, { type: N }>>,
): TlvRow<Controller2Property> => ({ name, code, body });

const properties = list(
  tlv<Controller2Property>({
    rows: [
      row('max_len', 0, struct({ type: constant('max_len'), maxLen: padded(u16, 2) })),
      row('controller_id', 1, struct({ type: constant('controller_id'), controllerId: padded(u16, 2) })),
      row('reason', 2, struct({ type: constant('reason'), reason: u8 })),
      row('userdata', 3, struct({ type: constant('userdata'), userdata: rest })),
      row('pause', 4, struct({ type: constant('pause') })),
      row('meter_id', 5, struct({ type: constant('meter_id'), meterId: u32 })),
    ],
    paddedTo: 8,
    unknown: (propertyType, body) => ({ type: 'unknown', propertyType, body }),
    verbatim: (value) => (value.type === 'unknown' ? { code: value.propertyType, body: value.body } : null),
  }),
);

/** Bytes before the properties. Open vSwitch insists on zeros: older versions had no such padding here. */
const PAD = 6;

const controller2: Codec<ActionOf<'controller2'>> = {
  read: (r, f) => {
    const at = r.offset;
    if (r.raw(PAD, f).some((byte) => byte !== 0)) throw refuse('NXBRC_MUST_BE_ZERO', f, at, 'padding');
    return { type: 'controller2', properties: properties.read(r, `${f}.properties`) };
  },
  write: (w, v, f) => {
    w.zeros(PAD);
    properties.write(w, v.properties, `${f}.properties`);
  },
};

export const NICIRA_CONTROLLER2: readonly ActionRow[] = [nicira('controller2', 37, controller2)];
