// Fields named by their header alone, as actions name them: 4 bytes, or 8 with an experimenter.

import { WireError } from '../base/errors.ts';
import type { Codec } from '../wire/codec.ts';
import type { Writer } from '../wire/writer.ts';
import type { FieldName } from './action-types.ts';
import { OXM_CLASS } from './oxm-fields.ts';
import type { OxmRow } from './oxm-fields.ts';
import { fieldNames, nameOf, NXM_NAMES, rowsOfType, rowToWrite } from './oxm-rows.ts';
import { unknownHeader, unknownName, writeHeader } from './oxm.ts';
import type { WireVersion } from './wire-version.ts';

/** A field by its name; what the table says of it comes along where there is a row. */
export interface OxmId {
  readonly field: FieldName;
  readonly row: OxmRow | null;
}

const SET_TYPE = 'OFPBAC_BAD_SET_TYPE';

/** As the actions of one version name fields (copy_field); Nicira's have `nxmId`. */
export const oxmId = (version: WireVersion): Codec<OxmId> => idCodec(fieldNames(version));

/** As Nicira's actions name fields, whatever the version. */
export const nxmId: Codec<OxmId> = idCodec(NXM_NAMES);

/** As `nxmId`, where the action has room for 4 bytes only: no experimenter's field. */
export const shortNxmId: Codec<OxmId> = {
  read: (r, f) => {
    const at = r.offset;
    if (r.remaining >= 2 && r.bytes.readUInt16BE(at) === OXM_CLASS.EXPERIMENTER) {
      throw new WireError('BAD_TYPE', f, at, 'an experimenter header', SET_TYPE);
    }
    return nxmId.read(r, f);
  },
  write: (w, v, f) => {
    const start = w.length;
    nxmId.write(w, v, f);
    if (w.length - start > 4) throw new WireError('TOO_LONG', f, start, `${v.field.name} has a header of 8 bytes`);
  },
};

function idCodec(names: ReadonlyMap<string, OxmRow>): Codec<OxmId> {
  return {
    read: (r, f) => {
      const at = r.offset;
      const head = r.u32(f);
      const experimenter = head >>> 16 === OXM_CLASS.EXPERIMENTER ? r.u32(f) : null;
      const length = (head & 0xff) - (experimenter === null ? 0 : 4);
      const hasMask = (head & 0x100) !== 0;
      const size = hasMask ? length / 2 : length;
      const rows = rowsOfType(head >>> 9).filter((row) => row.experimenter === experimenter);
      const row = rows.find(({ form, bytes }) => form === 'bytes' || bytes === size);
      if (row === undefined && (rows.length > 0 || length < 0 || head >>> 16 === OXM_CLASS.BASIC)) {
        throw new WireError('BAD_TYPE', f, at, `no field 0x${head.toString(16)}`, SET_TYPE);
      }
      // A header may be that of a field with a mask, or mapped to fewer bytes: the name tells neither.
      if (row === undefined || hasMask || size !== row.bytes) r.keep(at + 2, 2);
      if (row === undefined) return { field: { name: unknownName(head, experimenter) }, row: null };
      return { field: nameOf(names, row), row };
    },
    write: (w, { field }, f) => {
      const row = rowToWrite(names, field);
      if (row === null) writeUnknownId(w, field.name, f);
      else writeHeader(w, row, false, row.bytes);
    },
  };
}

function writeUnknownId(w: Writer, name: string, field: string): void {
  const known = unknownHeader(name);
  if (known === null) throw new WireError('BAD_TYPE', field, w.length, `no match field ${name}`);
  w.u32(known.head + (known.experimenter === null ? 0 : 4), field);
  if (known.experimenter !== null) w.u32(known.experimenter, field);
}
