// Match fields as descriptions of tables and ports list them: by their headers alone, whose mask bit says that the field can be masked.

import { WireError } from '../base/errors.ts';
import { list } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import { OXM_CLASS } from './oxm-fields.ts';
import type { OxmRow } from './oxm-fields.ts';
import { fieldNames, rowsOfType } from './oxm-rows.ts';
import type { OxmVersion } from './wire-version.ts';

export interface FieldId {
  /** As in OxmField, or `oxm:HEADER` for a field without a row. */
  readonly name: string;
  readonly hasMask?: true;
  /** The header where the name and the mask bit do not tell it: another class, or another length. */
  readonly header?: number;
  /** With such a header of class 0xffff. */
  readonly experimenter?: number;
}

const HAS_MASK = 0x100;

function headerOf(row: OxmRow, hasMask: boolean): number {
  const length = (hasMask ? row.bytes * 2 : row.bytes) + (row.experimenter === null ? 0 : 4);
  return row.oxmClass * 0x10000 + row.field * 0x200 + (hasMask ? HAS_MASK : 0) + length;
}

const isExperimenter = (header: number): boolean => header >>> 16 === OXM_CLASS.EXPERIMENTER;

export function fieldIds(version: OxmVersion): Codec<readonly FieldId[]> {
  const names = fieldNames(version);
  const one: Codec<FieldId> = {
    read: (r, f) => {
      const header = r.u32(f);
      const experimenter = isExperimenter(header) ? r.u32(f) : null;
      const hasMask = (header & HAS_MASK) !== 0;
      const rows = rowsOfType(header >>> 9).filter((each) => each.experimenter === experimenter);
      const told = rows.find((each) => names.get(each.name) === each && headerOf(each, hasMask) === header);
      const name = (told ?? rows[0])?.name ?? `oxm:0x${header.toString(16)}`;
      return {
        name,
        ...(hasMask ? { hasMask } : {}),
        ...(told === undefined ? { header } : {}),
        ...(told === undefined && experimenter !== null ? { experimenter } : {}),
      };
    },
    write: (w, id, f) => {
      const row = names.get(id.name);
      const header = id.header ?? (row === undefined ? null : headerOf(row, id.hasMask ?? false));
      if (header === null) throw new WireError('BAD_TYPE', f, w.length, `no match field ${id.name}`);
      w.u32(header, f);
      if (isExperimenter(header)) w.u32(id.header === undefined ? (row?.experimenter ?? 0) : (id.experimenter ?? 0), f);
    },
  };
  return list(one);
}
