// Table features (1.3.5 section 7.3.5.5, 1.5.1 section 7.3.5.18): what a table can do, property by property.

import { constant, defaulted, fixedText, list, named, padded, struct, u32, u64, u8 } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { sized } from '../../wire/sized.ts';
import { oxmField } from '../oxm.ts';
import type { OxmField } from '../oxm-types.ts';
import { properties, property } from '../properties.ts';
import type { UnknownProperty } from '../properties.ts';
import type { OxmVersion } from '../wire-version.ts';
import { fieldIds } from '../field-ids.ts';
import type { FieldId } from '../field-ids.ts';
import { actionIds, instructionIds } from './kind-ids.ts';
import type { ActionId, InstructionId } from './kind-ids.ts';
import type { PartRow } from './part-row.ts';

/** OFPTFPT_*; `_miss` is for the table-miss flow entry, where it differs. */
const OF_INSTRUCTIONS = { instructions: 0, instructions_miss: 1 } as const;
const OF_TABLES = { next_tables: 2, next_tables_miss: 3, table_sync_from: 16 } as const;
const OF_ACTIONS = { write_actions: 4, write_actions_miss: 5, apply_actions: 6, apply_actions_miss: 7 } as const;
const OF_FIELDS = {
  match: 8,
  wildcards: 10,
  write_setfield: 12,
  write_setfield_miss: 13,
  apply_setfield: 14,
  apply_setfield_miss: 15,
  write_copyfield: 18, // from 1.5 on
  write_copyfield_miss: 19,
  apply_copyfield: 20,
  apply_copyfield_miss: 21,
} as const;
const EXPERIMENTERS = { experimenter: 0xfffe, experimenter_miss: 0xffff } as const;

export type TableFeatureProperty =
  | { readonly type: keyof typeof OF_INSTRUCTIONS; readonly instructions: readonly InstructionId[] }
  | { readonly type: keyof typeof OF_TABLES; readonly tables: readonly number[] }
  | { readonly type: keyof typeof OF_ACTIONS; readonly actions: readonly ActionId[] }
  | { readonly type: keyof typeof OF_FIELDS; readonly fields: readonly FieldId[] }
  | { readonly type: 'packet_types'; readonly values: readonly OxmField[] } // 1.5
  | {
      readonly type: keyof typeof EXPERIMENTERS;
      readonly experimenter: number;
      readonly expType: number;
      readonly data: Buffer;
    }
  | UnknownProperty;

const COMMANDS = { replace: 0, modify: 1, enable: 2, disable: 3 } as const;

export interface TableFeatures {
  readonly table: number;
  readonly name: string;
  readonly metadataMatch: bigint;
  readonly metadataWrite: bigint;
  /** OFPTC; `capabilities` in the specifications from 1.4 on. */
  readonly config: number;
  readonly maxEntries: number;
  readonly properties: readonly TableFeatureProperty[];
  /** 1.5, in a request: what to do with the tables that are listed. */
  readonly command?: keyof typeof COMMANDS;
  /** 1.5: OFPTFF_*. */
  readonly features?: number;
}

function propertyList(version: OxmVersion): Codec<readonly TableFeatureProperty[]> {
  const rows = <S extends Record<string, Codec<unknown>>>(codes: Readonly<Record<string, number>>, fields: S) =>
    Object.entries(codes).map(([name, code]) => property(name, code, fields));
  return properties<TableFeatureProperty>(
    [
      ...rows(OF_INSTRUCTIONS, { instructions: instructionIds }),
      ...rows(OF_TABLES, { tables: list(u8) }),
      ...rows(OF_ACTIONS, { actions: actionIds }),
      ...rows(OF_FIELDS, { fields: fieldIds(version) }),
      ...(version < 6 ? [] : [property('packet_types', 22, { values: list(oxmField(6)) })]),
    ],
    EXPERIMENTERS,
  );
}

const TAIL = { name: fixedText(32), metadataMatch: u64, metadataWrite: u64, config: u32, maxEntries: u32 };

const tableFeatures = (version: OxmVersion): Codec<TableFeatures> =>
  sized(
    version < 6
      ? struct({ table: padded(u8, 5), ...TAIL, properties: propertyList(version) })
      : struct({
          table: u8,
          command: defaulted(named(u8, COMMANDS), 'replace'),
          features: defaulted(u32, 0),
          ...TAIL,
          properties: propertyList(version),
        }),
    64,
  );

/** An empty request asks; one that lists tables configures them. */
export interface TableFeaturesBody {
  readonly part: 'table_features';
  readonly tables: readonly TableFeatures[];
}

export function tableFeaturesPart(version: OxmVersion): PartRow {
  const body: Codec<TableFeaturesBody> = struct({
    part: constant('table_features'),
    tables: list(tableFeatures(version)),
  });
  return { part: 'table_features', code: 12, request: body, reply: body };
}
