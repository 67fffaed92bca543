// How a select group of 1.5 chooses its bucket: Netronome's group property (EXT-350), as Open vSwitch has it.

import { fixedText } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import type { OxmField } from '../oxm-types.ts';
import { oxmField } from '../oxm.ts';

const NETRONOME = 0x0000154d;
const NTRT_SELECTION_METHOD = 1;
const HEADER = 12;

export interface SelectionMethod {
  readonly type: 'selection_method';
  /** `hash`, `dp_hash`. */
  readonly method: string;
  readonly param: bigint;
  /** Fields that count, with all bits of them as the value that stand for the mask. */
  readonly fields: readonly OxmField[];
}

const method = fixedText(16);
const field = oxmField(6);

const body: Codec<SelectionMethod> = {
  read: (r, f) => {
    r.take(8, f);
    r.pad(4, f);
    const name = method.read(r, `${f}.method`);
    const param = r.u64(`${f}.param`);
    const fields: OxmField[] = [];
    while (r.remaining > 0) fields.push(field.read(r, `${f}.fields`));
    return { type: 'selection_method', method: name, param, fields };
  },
  write: (w, v, f) => {
    w.u32(NETRONOME);
    w.u32(NTRT_SELECTION_METHOD);
    w.zeros(4);
    method.write(w, v.method, `${f}.method`);
    w.u64(v.param, `${f}.param`);
    for (const each of v.fields) field.write(w, each, `${f}.fields`);
  },
};

export const selectionMethod = {
  name: 'selection_method',
  code: 0xffff,
  body,
  when: (r: Reader): boolean =>
    r.remaining >= HEADER &&
    r.bytes.readUInt32BE(r.offset) === NETRONOME &&
    r.bytes.readUInt32BE(r.offset + 4) === NTRT_SELECTION_METHOD,
};
