// Table-mod (1.3.5 section 7.3.3, 1.4.1 section 7.3.4.1) and table-status (1.4.1 section 7.4.5).

import { constant, defaulted, named, padded, struct, u32, u8 } from '../../wire/codec.ts';
import type { Codec, Wire } from '../../wire/codec.ts';
import { tableDesc, tableProperties } from '../tables.ts';
import type { TableProperty } from '../tables.ts';
import type { OxmVersion } from '../wire-version.ts';

export interface TableMod {
  readonly type: 'table_mod';
  readonly table: number; // OFPTT_ALL: every table
  readonly config: number; // OFPTC
  /** 1.4+. */
  readonly properties?: readonly TableProperty[];
}

const head = { type: constant('table_mod'), table: padded(u8, 3), config: u32 };

export function tableMod(version: OxmVersion): Codec<TableMod> {
  return version < 5 ? struct(head) : struct({ ...head, properties: defaulted(tableProperties, []) });
}

/** enum ofp_table_reason: free space fell below, or rose above, what the vacancy property says. */
export const tableStatus = struct({
  type: constant('table_status'),
  reason: padded(named(u8, { vacancy_down: 3, vacancy_up: 4 }), 7),
  table: tableDesc,
});
export type TableStatus = Wire<typeof tableStatus>;
