// Configuration of a table, as table-mod, table-status and the description of tables hold it (1.4.1 section 7.3.4.1).

import { list, padded, struct, u32, u8 } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import { sized } from '../wire/sized.ts';
import { properties, property } from './properties.ts';
import type { Property } from './properties.ts';

const ROWS = [
  property('eviction', 2, { flags: u32 }), // OFPTMPEF_*
  // Percentages; `vacancy` is the present one, in what the switch says.
  property('vacancy', 3, { vacancyDown: u8, vacancyUp: u8, vacancy: padded(u8, 1) }),
] as const;

export type TableProperty = Property<typeof ROWS>;
export const tableProperties: Codec<readonly TableProperty[]> = properties<TableProperty>(ROWS);

/** 1.4.1 section 7.3.5.16. */
export interface TableDesc {
  readonly table: number;
  readonly config: number; // OFPTC
  readonly properties: readonly TableProperty[];
}

export const tableDesc: Codec<TableDesc> = sized(
  struct({ table: padded(u8, 1), config: u32, properties: tableProperties }),
  8,
);

export const tableDescs = list(tableDesc);
