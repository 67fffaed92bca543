// The action that copies bits from field to field, in its three forms: OFPAT_COPY_FIELD of 1.5, the ONF's of 1.3 and 1.4
// (EXT-320), and Nicira's. They differ in padding, and in the headers by which they name fields.

import type { Codec } from '../../wire/codec.ts';
import type { ActionOf } from './row.ts';
import { endRead, endWrite, EXTENSION_HEADER, HEADER } from './row.ts';
import { nxmId, oxmId } from '../oxm-id.ts';
import type { OxmId } from '../oxm-id.ts';
import type { OxmVersion } from '../wire-version.ts';
import { check, idOf } from './subfield.ts';

type Move = ActionOf<'move'>;

interface Form {
  readonly id: Codec<OxmId>;
  /** Bytes of the action before its body, of padding before the bits, and of padding before the fields. */
  readonly header: number;
  readonly before: number;
  readonly between: number;
  readonly onf?: true;
}

export const copyField = (version: OxmVersion): Codec<Move> =>
  copying({ id: oxmId(version), header: HEADER, before: 0, between: 2 });

export const onfCopyField = (version: OxmVersion): Codec<Move> =>
  copying({ id: oxmId(version), header: EXTENSION_HEADER, before: 2, between: 2, onf: true });

export const regMove: Codec<Move> = copying({ id: nxmId, header: EXTENSION_HEADER, before: 0, between: 0 });

function copying({ id, header, before, between, onf }: Form): Codec<Move> {
  return {
    read: (r, f) => {
      const start = r.offset;
      r.pad(before, f);
      const [bits, srcBit, dstBit] = [r.u16(f), r.u16(f), r.u16(f)];
      r.pad(between, f);
      const src = id.read(r, `${f}.src`);
      const dst = id.read(r, `${f}.dst`);
      endRead(r, f);
      check(src.row, { bit: srcBit, bits }, 'src', `${f}.src`, start);
      check(dst.row, { bit: dstBit, bits }, 'dst', `${f}.dst`, start);
      return {
        type: 'move',
        src: src.field.name,
        srcBit,
        dst: dst.field.name,
        dstBit,
        bits,
        ...(src.field.oxmType === undefined ? {} : { srcOxmType: src.field.oxmType }),
        ...(dst.field.oxmType === undefined ? {} : { dstOxmType: dst.field.oxmType }),
        ...(onf === undefined ? {} : { onf }),
      };
    },
    write: (w, v, f) => {
      const start = w.length;
      w.zeros(before);
      w.u16(v.bits, `${f}.bits`);
      w.u16(v.srcBit, `${f}.srcBit`);
      w.u16(v.dstBit, `${f}.dstBit`);
      w.zeros(between);
      id.write(w, nameAs(v.src, v.srcOxmType), `${f}.src`);
      id.write(w, nameAs(v.dst, v.dstOxmType), `${f}.dst`);
      endWrite(w, start, header);
    },
  };
}

const nameAs = (name: string, oxmType: number | undefined): OxmId =>
  idOf(oxmType === undefined ? { name } : { name, oxmType });
