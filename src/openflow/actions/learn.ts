// learn and learn2: a flow that a flow adds. Its match fields, loads and outputs are flow_mod_specs: a header of 16 bits that
// says where the bits come from, what they are for, and how many they are.

import { WireError } from '../../base/errors.ts';
import type { Codec } from '../../wire/codec.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { FieldBit, Learn, LearnSource, LearnSpec } from '../action-types.ts';
import { NX_LEARN_F } from '../constants.ts';
import { nxmId, shortNxmId } from '../oxm-id.ts';
import { endRead, endWrite, EXTENSION_HEADER, nicira, refuse } from './row.ts';
import type { ActionOf, ActionRow } from './row.ts';
import { fieldBitOf, idOf } from './subfield.ts';

const IMMEDIATE = 1 << 13;
const BITS = 0x3ff;
const USE = 3 << 11;
const USES = { match: 0, load: 1 << 11, output: 2 << 11 } as const;

type Head = Omit<Learn, 'specs'>;

function readHead(r: Reader, f: string): Head {
  const [idleTimeout, hardTimeout, priority] = [r.u16(f), r.u16(f), r.u16(f)];
  const cookie = r.u64(f);
  const flags = r.u16(f);
  const at = r.offset;
  const table = r.u8(f);
  if (table === 0xff) throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.table`, at, 'table 255');
  r.pad(1, f);
  const [finIdleTimeout, finHardTimeout] = [r.u16(f), r.u16(f)];
  return { idleTimeout, hardTimeout, priority, cookie, flags, table, finIdleTimeout, finHardTimeout };
}

function writeHead(w: Writer, v: Head, f: string): void {
  w.u16(v.idleTimeout, `${f}.idleTimeout`);
  w.u16(v.hardTimeout, `${f}.hardTimeout`);
  w.u16(v.priority, `${f}.priority`);
  w.u64(v.cookie, `${f}.cookie`);
  w.u16(v.flags, `${f}.flags`);
  w.u8(v.table, `${f}.table`);
  w.zeros(1);
  w.u16(v.finIdleTimeout, `${f}.finIdleTimeout`);
  w.u16(v.finHardTimeout, `${f}.finHardTimeout`);
}

/** A header of 4 bytes and an offset. Whether so many bits are in the field is for the switch to say, as in Open vSwitch. */
const fieldBit: Codec<FieldBit> = {
  read: (r, f) => {
    const { field } = shortNxmId.read(r, f);
    return { ...field, bit: r.u16(f) };
  },
  write: (w, v, f) => {
    shortNxmId.write(w, idOf(v), f);
    w.u16(v.bit, f);
  },
};

/** In whole 16-bit words, the bits that count at the end. */
const immediateBytes = (bits: number): number => 2 * Math.ceil(bits / 16);

function readImmediate(r: Reader, bits: number, f: string): LearnSource {
  const raw = r.raw(immediateBytes(bits), f);
  return { value: BigInt(`0x${raw.toString('hex')}`) };
}

function writeImmediate(w: Writer, value: bigint, bits: number, f: string): void {
  const digits = 2 * immediateBytes(bits);
  const text = value.toString(16);
  if (value < 0n || text.length > digits) {
    throw new WireError('TOO_LONG', f, w.length, `more than ${bits} bits`);
  }
  w.raw(Buffer.from(text.padStart(digits, '0'), 'hex'));
}

/** The next spec; null where a header of zero, or the end of the action, says that there is none. */
function readSpec(r: Reader, f: string): LearnSpec | null {
  if (r.remaining === 0) return null;
  const at = r.offset;
  const header = r.u16(f);
  if (header === 0) return null;
  const bits = header & BITS;
  if (bits === 0) throw refuse('OFPBAC_BAD_SET_LEN', f, at, 'no bits', 'BAD_LENGTH');
  if (header & ~(IMMEDIATE | USE | BITS)) r.keep(at, 2);
  const use = header & USE;
  if (use !== USES.match && use !== USES.load && (use !== USES.output || (header & IMMEDIATE) !== 0)) {
    throw refuse('OFPBAC_BAD_ARGUMENT', f, at, `flow_mod_spec 0x${header.toString(16)}`);
  }
  if (use === USES.output) return { type: 'output', bits, src: fieldBit.read(r, `${f}.src`) };
  const src = header & IMMEDIATE ? readImmediate(r, bits, `${f}.src`) : fieldBit.read(r, `${f}.src`);
  return { type: use === USES.match ? 'match' : 'load', bits, src, dst: fieldBit.read(r, `${f}.dst`) };
}

function writeSpec(w: Writer, spec: LearnSpec, f: string): void {
  if (!(spec.bits >= 1 && spec.bits <= BITS)) throw new WireError('TOO_LONG', f, w.length, `${spec.bits} bits`);
  const header = ('value' in spec.src ? IMMEDIATE : 0) | USES[spec.type] | spec.bits;
  w.u16(header, f);
  if ('value' in spec.src) writeImmediate(w, spec.src.value, spec.bits, `${f}.src`);
  else fieldBit.write(w, spec.src, `${f}.src`);
  if (spec.type !== 'output') fieldBit.write(w, spec.dst, `${f}.dst`);
}

function readSpecs(r: Reader, f: string): readonly LearnSpec[] {
  const specs: LearnSpec[] = [];
  for (;;) {
    const at = r.offset;
    const spec = readSpec(r, `${f}.specs`);
    if (spec !== null) {
      specs.push(spec);
      continue;
    }
    r.offset = at;
    endRead(r, f);
    return specs;
  }
}

function writeSpecs(w: Writer, specs: readonly LearnSpec[], start: number, f: string): void {
  for (const spec of specs) writeSpec(w, spec, `${f}.specs`);
  endWrite(w, start, EXTENSION_HEADER);
}

const learn: Codec<ActionOf<'learn'>> = {
  read: (r, f) => ({ type: 'learn', ...readHead(r, f), specs: readSpecs(r, f) }),
  write: (w, v, f) => {
    const start = w.length;
    writeHead(w, v, f);
    writeSpecs(w, v.specs, start, f);
  },
};

const learn2: Codec<ActionOf<'learn2'>> = {
  read: (r, f) => {
    const head = readHead(r, f);
    const limit = r.u32(f);
    const at = r.offset;
    const bit = r.u16(f);
    r.pad(2, f);
    const resultDst = head.flags & NX_LEARN_F.WRITE_RESULT ? readResult(r, bit, f) : null;
    if (resultDst === null && bit !== 0) throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.resultDst`, at, 'no destination');
    const specs = readSpecs(r, f);
    return { type: 'learn2', ...head, limit, ...(resultDst === null ? {} : { resultDst }), specs };
  },
  write: (w, v, f) => {
    const start = w.length;
    writeHead(w, v, f);
    w.u32(v.limit, `${f}.limit`);
    w.u16(v.resultDst?.bit ?? 0, `${f}.resultDst`);
    w.zeros(2);
    if ((v.resultDst === undefined) !== ((v.flags & NX_LEARN_F.WRITE_RESULT) === 0)) {
      throw new WireError('BAD_VALUE', `${f}.resultDst`, w.length, 'flags say otherwise');
    }
    if (v.resultDst !== undefined) nxmId.write(w, idOf(v.resultDst), `${f}.resultDst`);
    writeSpecs(w, v.specs, start, f);
  },
};

const readResult = (r: Reader, bit: number, f: string): FieldBit => {
  const at = r.offset;
  return fieldBitOf(nxmId.read(r, `${f}.resultDst`), bit, 'dst', `${f}.resultDst`, at);
};

export const NICIRA_LEARN: readonly ActionRow[] = [nicira('learn', 16, learn), nicira('learn2', 45, learn2)];
