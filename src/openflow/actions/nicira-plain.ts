// Open vSwitch's actions of plain numbers (nicira-ext.h, ovs-actions(7)): no fields, no lists, no actions inside.

import { constant, indented, padded, struct, u16, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { WireVersion } from '../wire-version.ts';
import { port16 } from '../v10/port-no.ts';
import type { ActionOf, ActionRow } from './row.ts';
import { endWrite, etherType, EXTENSION_HEADER, nicira, plain, refuse, ttl } from './row.ts';

const resubmitTable = <const N extends string>(name: N): Codec<{ type: N; inPort: number; table: number }> =>
  struct({ type: constant(name), inPort: port16, table: padded(u8, 3) });

/** Whatever is left is the note, padding included: its end is nowhere said. */
const note: Codec<ActionOf<'note'>> = {
  read: (r) => ({ type: 'note', note: Buffer.from(r.rest()) }),
  write: (w, v) => {
    const start = w.length;
    w.raw(v.note);
    if (v.note.length < NOTE_BYTES) w.zeros(NOTE_BYTES - v.note.length);
    endWrite(w, start, EXTENSION_HEADER);
  },
};
const NOTE_BYTES = 6;

const decTtlCntIds: Codec<ActionOf<'dec_ttl_cnt_ids'>> = {
  read: (r, f) => {
    const count = r.u16(f);
    r.pad(4, f);
    const ids = r.sub(count * 2, `${f}.controllerIds`);
    const controllerIds = Array.from({ length: count }, () => ids.u16(f));
    // The header is 16 bytes long: what is over is padding to the next 8.
    if (r.remaining > 7) throw refuse('OFPBAC_BAD_LEN', f, r.offset, `${r.remaining} bytes left over`, 'BAD_LENGTH');
    r.pad(r.remaining, f);
    return { type: 'dec_ttl_cnt_ids', controllerIds };
  },
  write: (w, { controllerIds }, f) => {
    const start = w.length;
    w.u16(controllerIds.length, f);
    w.zeros(4);
    for (const id of controllerIds) w.u16(id, `${f}.controllerIds`);
    endWrite(w, start, EXTENSION_HEADER);
  },
};

const CLAUSES = { min: 2, max: 64 };

const conjunction: Codec<ActionOf<'conjunction'>> = {
  read: (r, f) => {
    const at = r.offset;
    const [clause, clauses, id] = [r.u8(f), r.u8(f), r.u32(f)];
    if (clauses < CLAUSES.min || clauses > CLAUSES.max || clause >= clauses) {
      throw refuse('NXBAC_BAD_CONJUNCTION', f, at, `${clause + 1}/${clauses}`);
    }
    return { type: 'conjunction', id, clause, clauses };
  },
  write: (w, v, f) => {
    w.u8(v.clause, `${f}.clause`);
    w.u8(v.clauses, `${f}.clauses`);
    w.u32(v.id, `${f}.id`);
  },
};

export const NICIRA_PLAIN: readonly ActionRow[] = [
  nicira('resubmit', 1, struct({ type: constant('resubmit'), inPort: padded(port16, 4) })),
  nicira('set_tunnel', 2, struct({ type: constant('set_tunnel'), tunId: indented(2, u32) })),
  nicira('pop_queue', 5, plain('pop_queue', 6)),
  nicira('note', 8, note),
  nicira('set_tunnel64', 9, struct({ type: constant('set_tunnel64'), tunId: indented(6, u64) })),
  nicira('resubmit_table', 14, resubmitTable('resubmit_table')),
  nicira('exit', 17, plain('exit', 6)),
  nicira('fin_timeout', 19, struct({ type: constant('fin_timeout'), idleTimeout: u16, hardTimeout: padded(u16, 2) })),
  nicira(
    'controller',
    20,
    struct({ type: constant('controller'), maxLen: u16, controllerId: u16, reason: padded(u8, 1) }),
  ),
  nicira('dec_ttl_cnt_ids', 21, decTtlCntIds),
  nicira('write_metadata', 22, struct({ type: constant('write_metadata'), metadata: indented(6, u64), mask: u64 })),
  nicira('conjunction', 34, conjunction),
  nicira('output_trunc', 39, struct({ type: constant('output_trunc'), port: port16, maxLen: u32 })),
  nicira('ct_clear', 43, plain('ct_clear', 6)),
  nicira('resubmit_table_ct', 44, resubmitTable('resubmit_table_ct')),
];

/** What the specification has from 1.1 on. */
const INSTEAD_OF_STANDARD: readonly ActionRow[] = [
  nicira('set_queue', 4, struct({ type: constant('set_queue'), queueId: indented(2, u32) })),
  nicira('dec_nw_ttl', 18, plain('dec_nw_ttl', 6)),
  nicira('push_mpls', 23, etherType('push_mpls', 4)),
  nicira('pop_mpls', 24, etherType('pop_mpls', 4)),
  nicira('set_mpls_ttl', 25, ttl('set_mpls_ttl', 5)),
  nicira('dec_mpls_ttl', 26, plain('dec_mpls_ttl', 6)),
  nicira('set_mpls_label', 30, struct({ type: constant('set_mpls_label'), label: indented(2, u32) })),
  nicira('set_mpls_tc', 31, struct({ type: constant('set_mpls_tc'), tc: padded(u8, 5) })),
  nicira('group', 40, struct({ type: constant('group'), groupId: indented(2, u32) })),
];

export const niciraPlain = (version: WireVersion): readonly ActionRow[] =>
  version === 1 ? [...NICIRA_PLAIN, ...INSTEAD_OF_STANDARD] : NICIRA_PLAIN;
