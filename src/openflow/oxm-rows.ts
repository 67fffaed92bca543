// Which row of the table of fields a version writes a name under, and which row a header on the wire means.

import { OXM_CLASS, OXM_FIELDS } from './oxm-fields.ts';
import type { OxmRow } from './oxm-fields.ts';
import type { WireVersion } from './wire-version.ts';

/** Class and field as one number, the upper 23 bits of a header (OXM_TYPE). */
export const oxmTypeOf = (row: OxmRow): number => row.oxmClass * 0x80 + row.field;

type Names = ReadonlyMap<string, OxmRow>;

function namesOf(version: WireVersion): Names {
  const names = new Map<string, OxmRow>();
  for (const row of OXM_FIELDS) {
    if (row.from <= version && version <= row.to && !names.has(row.name)) names.set(row.name, row);
  }
  return names;
}

const NAMES: Readonly<Record<WireVersion, Names>> = { 1: namesOf(1), 4: namesOf(4), 5: namesOf(5), 6: namesOf(6) };

/** Names of fields as matches and set_field of one version write them. */
export const fieldNames = (version: WireVersion): Names => NAMES[version];

/**
 * Names of fields as Nicira's actions write them, in every version: under NXM where NXM has the field in the width that
 * OXM has.
 */
export const NXM_NAMES: Names = nxmNames();

function nxmNames(): Names {
  const names = new Map<string, OxmRow>();
  for (const row of OXM_FIELDS) {
    const first = names.get(row.name);
    const isNxm = row.oxmClass === OXM_CLASS.NXM_0 || row.oxmClass === OXM_CLASS.NXM_1;
    if (first === undefined || (isNxm && first.bits === row.bits)) names.set(row.name, row);
  }
  return names;
}

const BY_TYPE: ReadonlyMap<number, readonly OxmRow[]> = Map.groupBy(OXM_FIELDS, oxmTypeOf);

/** Rows that share an OXM_TYPE: another experimenter, or (the cookie of nx_match) another length. */
export const rowsOfType = (oxmType: number): readonly OxmRow[] => BY_TYPE.get(oxmType) ?? [];

/** The row a name is written under, or null for names this version does not have. */
export function oxmRow(version: WireVersion, name: string): OxmRow | null {
  return NAMES[version].get(name) ?? null;
}

/** The row a name means, seen from those that a writer prefers; null for names without a row. */
export function rowToWrite(
  names: Names,
  { name, oxmType }: { readonly name: string; readonly oxmType?: number },
): OxmRow | null {
  if (oxmType === undefined) return names.get(name) ?? null;
  return rowsOfType(oxmType).find((row) => row.name === name) ?? null;
}

/** The name and, if it is not the preferred row, the type that tells which one. */
export function nameOf(names: Names, row: OxmRow): { name: string; oxmType?: number } {
  return names.get(row.name) === row ? { name: row.name } : { name: row.name, oxmType: oxmTypeOf(row) };
}
