// Kinds of instructions and of actions as table features list them: a type and a length, without a body.

import { constant, list, rest, struct, u32 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { tlv } from '../../wire/tlv.ts';
import type { TlvRow } from '../../wire/tlv.ts';
import { property } from '../properties.ts';

/** enum ofp_instruction_type and enum ofp_action_type; `meter` the instruction until 1.4, the action from 1.5 on. */
const INSTRUCTIONS = {
  goto_table: 1,
  write_metadata: 2,
  write_actions: 3,
  apply_actions: 4,
  clear_actions: 5,
  meter: 6,
  stat_trigger: 7,
} as const;

const ACTIONS = {
  output: 0,
  copy_ttl_out: 11,
  copy_ttl_in: 12,
  set_mpls_ttl: 15,
  dec_mpls_ttl: 16,
  push_vlan: 17,
  pop_vlan: 18,
  push_mpls: 19,
  pop_mpls: 20,
  set_queue: 21,
  group: 22,
  set_nw_ttl: 23,
  dec_nw_ttl: 24,
  set_field: 25,
  push_pbb: 26,
  pop_pbb: 27,
  copy_field: 28,
  meter: 29,
} as const;

type Kind<N extends string> =
  | { readonly type: N }
  | { readonly type: 'experimenter'; readonly experimenter: number; readonly data: Buffer }
  | { readonly type: 'unknown'; readonly code: number; readonly body: Buffer };

export type InstructionId = Kind<keyof typeof INSTRUCTIONS>;
export type ActionId = Kind<keyof typeof ACTIONS>;

const EXPERIMENTER = 0xffff;

function kinds<N extends string>(names: Readonly<Record<N, number>>): Codec<readonly Kind<N>[]> {
  const rows = Object.entries<number>(names).map(([name, code]): TlvRow<Kind<string>> => ({
    ...property(name, code, {}),
    // 1.3.0 gave an action without a body 4 bytes of padding: those are kept as they are.
    when: (body) => body.remaining === 0,
  }));
  const one = tlv<Kind<string>>({
    rows: [
      ...rows,
      {
        name: 'experimenter',
        code: EXPERIMENTER,
        body: struct({ type: constant('experimenter'), experimenter: u32, data: rest }),
        when: (body) => body.remaining >= 4,
      },
    ],
    unknown: (code, body) => ({ type: 'unknown', code, body }),
    verbatim: (value) => ('code' in value ? value : null),
  });
  return list(one) as unknown as Codec<readonly Kind<N>[]>;
}

export const instructionIds: Codec<readonly InstructionId[]> = kinds(INSTRUCTIONS);
export const actionIds: Codec<readonly ActionId[]> = kinds(ACTIONS);
