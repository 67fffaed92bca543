// Instructions (1.3.5 section 7.2.5, 1.5.1 section 7.2.5) as one table a version: name, OFPIT number, body.

import { constant, indented, list, padded, rest, struct, u32, u64, u8 } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import { tlv } from '../wire/tlv.ts';
import type { TlvRow } from '../wire/tlv.ts';
import { indentedActions } from './actions.ts';
import { foldMeter, unfoldMeter } from './meter-as-action.ts';
import type { Instruction } from './model.ts';
import { stats } from './stats.ts';
import type { OxmVersion } from './wire-version.ts';

const row = <const N extends string>(
  name: N,
  code: number,
  body: Codec<Extract<Instruction, { type: N }>>,
  when?: TlvRow<Instruction>['when'],
): TlvRow<Instruction> => ({ name, code, body, ...(when === undefined ? {} : { when }) });

const rowsOf = (version: OxmVersion): readonly TlvRow<Instruction>[] => [
  row('goto_table', 1, struct({ type: constant('goto_table'), table: padded(u8, 3) })),
  row('write_metadata', 2, struct({ type: constant('write_metadata'), metadata: indented(4, u64), mask: u64 })),
  row('write_actions', 3, struct({ type: constant('write_actions'), actions: indentedActions(version) })),
  row('apply_actions', 4, struct({ type: constant('apply_actions'), actions: indentedActions(version) })),
  row('clear_actions', 5, struct({ type: padded(constant('clear_actions'), 4) })),
  version < 6
    ? row('meter', 6, struct({ type: constant('meter'), meterId: u32 }))
    : row('stat_trigger', 7, struct({ type: constant('stat_trigger'), flags: u32, thresholds: stats })),
  row(
    'experimenter',
    0xffff,
    struct({ type: constant('experimenter'), experimenter: u32, body: rest }),
    (body) => body.remaining >= 4,
  ),
];

/** A list of instructions up to the end of what surrounds it. */
export function instructions(version: OxmVersion): Codec<readonly Instruction[]> {
  const plain = list(
    tlv<Instruction>({
      rows: rowsOf(version),
      multipleOf: 8,
      unknown: (instructionType, body) => ({ type: 'unknown', instructionType, body }),
      verbatim: (value) => (value.type === 'unknown' ? { code: value.instructionType, body: value.body } : null),
    }),
  );
  if (version < 6) return plain;
  return {
    read: (r, f) => unfoldMeter(plain.read(r, f)),
    write: (w, v, f) => {
      plain.write(w, foldMeter(v), f);
    },
  };
}
