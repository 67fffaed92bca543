// Parts about tables (1.3.5 sections 7.3.5.4 and 7.3.5.5, 1.4.1 section 7.3.5.16).

import { list, padded, struct, u32, u64, u8 } from '../../wire/codec.ts';
import { tableDescs } from '../tables.ts';
import type { OxmVersion } from '../wire-version.ts';
import { part } from './part-row.ts';
import type { PartRow, ReplyOf, RequestOf } from './part-row.ts';
import { tableFeaturesPart } from './table-features.ts';
import type { TableFeaturesBody } from './table-features.ts';

const stats = part(
  'table',
  3,
  {},
  { tables: list(struct({ table: padded(u8, 3), activeCount: u32, lookupCount: u64, matchedCount: u64 })) },
);

const desc = part('table_desc', 14, {}, { tables: tableDescs });

type Constant = typeof stats | typeof desc;
export type TableRequest = RequestOf<Constant> | TableFeaturesBody;
export type TableReply = ReplyOf<Constant> | TableFeaturesBody;

export const tableParts = (version: OxmVersion): readonly PartRow[] => [
  stats,
  tableFeaturesPart(version),
  ...(version < 5 ? [] : [desc]),
];
