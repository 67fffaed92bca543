// Actions that hold an OXM TLV with its value: OFPAT_SET_FIELD, with a mask from 1.5 on, and NXAST_REG_LOAD2, with one always.

import { WireError } from '../../base/errors.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import { NXM_NAMES, rowToWrite } from '../oxm-rows.ts';
import { fieldUnder, oxmField, unknownHeader } from '../oxm.ts';
import { OXM_CLASS } from '../oxm-fields.ts';
import type { OxmField } from '../oxm-types.ts';
import type { WireVersion } from '../wire-version.ts';
import { endRead, endWrite, EXTENSION_HEADER, HEADER, refuse } from './row.ts';
import type { ActionOf } from './row.ts';

const PIPELINE_PORTS: ReadonlySet<string> = new Set(['in_port', 'in_phy_port']);

export function setField(version: WireVersion): Codec<ActionOf<'set_field'>> {
  const codec = oxmField(version);
  return {
    read: (r, f) => {
      const at = r.offset;
      const field = readOne(codec, r, f);
      if (field.mask !== undefined && version < 6) throw refuse('OFPBAC_BAD_SET_MASK', f, at, 'a mask before 1.5');
      // 1.3.5 section 7.2.5.7: packets have no such field of their own.
      if (PIPELINE_PORTS.has(field.name) && field.oxmType === undefined) {
        throw refuse('OFPBAC_BAD_SET_ARGUMENT', f, at, field.name);
      }
      endRead(r, f);
      return { type: 'set_field', field };
    },
    write: (w, v, f) => {
      const start = w.length;
      codec.write(w, v.field, f);
      endWrite(w, start, HEADER);
    },
  };
}

const loadable = fieldUnder(NXM_NAMES);

export const regLoad2: Codec<ActionOf<'reg_load2'>> = {
  read: (r, f) => {
    const at = r.offset;
    const field = readOne(loadable, r, f);
    const row = rowToWrite(NXM_NAMES, field);
    if (row?.writable === false) throw refuse('OFPBAC_BAD_SET_ARGUMENT', f, at, `${field.name} is read-only`);
    endRead(r, f);
    return { type: 'reg_load2', field };
  },
  write: (w, v, f) => {
    const start = w.length;
    loadable.write(w, v.field, f);
    endWrite(w, start, EXTENSION_HEADER);
  },
};

/** A field that only another experimenter knows may be set; one of the specification that it does not have may not. */
function readOne(codec: Codec<OxmField>, r: Reader, f: string): OxmField {
  const at = r.offset;
  const field = reading(codec, r, f);
  const unknown = unknownHeader(field.name);
  if (unknown !== null && unknown.head >>> 16 === OXM_CLASS.BASIC) {
    throw refuse('OFPBAC_BAD_SET_TYPE', f, at, field.name, 'BAD_TYPE');
  }
  return field;
}

function reading(codec: Codec<OxmField>, r: Reader, f: string): OxmField {
  try {
    return codec.read(r, f);
  } catch (error) {
    if (!(error instanceof WireError) || error.code !== 'BAD_LENGTH') throw error;
    throw refuse('OFPBAC_BAD_SET_LEN', error.field, error.offset, error.detail, 'BAD_LENGTH');
  }
}
