// Writes a table of attributes out as straight code, once, when the program starts: a switch over the types to read, one `if` a
// field to write; values of fixed size stand in the code itself. What straight code does not expect (a wrong length, a value
// that does not fit) goes to the codec of the table, so that errors are its own. Names come from our tables, never from bytes.

import { atFrom, type Bind, type Straight } from '../wire/straight.ts';

const HEADER = 4;
const TYPE_MASK = 0x3fff;

interface StraightCodec {
  readonly straight?: Straight | undefined;
}

export interface AttributeRow {
  readonly name: string;
  /** With its flags. */
  readonly type: number;
  readonly codec: StraightCodec;
}

/** What the code leaves to others: errors, attributes that no table names, and the headers of what has no fixed size. */
export interface AttributeHelp {
  readonly unknown: (bytes: Buffer, type: number, at: number, to: number) => unknown;
  readonly badLength: (field: string, at: number, left: number, length: number) => unknown;
  readonly twice: (name: string, at: number) => unknown;
  readonly begin: (w: never, type: number) => number;
  readonly end: (w: never, start: number, field: string) => void;
  readonly writeUnknown: (w: never, unknown: never) => void;
}

export interface StraightAttributes {
  read(bytes: Buffer, from: number, end: number, field: string): unknown;
  write(w: unknown, value: unknown): void;
}

let serial = 0;

export function straightAttributes(rows: readonly AttributeRow[], help: AttributeHelp): StraightAttributes {
  const values: unknown[] = [];
  const bind: Bind = (value) => `k${values.push(value) - 1}`;
  const [unknown, badLength, twice] = [bind(help.unknown), bind(help.badLength), bind(help.twice)];
  const calls: Calls = { begin: bind(help.begin), end: bind(help.end), twice };
  const codecs = rows.map(({ codec }) => bind(codec));
  const body = `// attributes ${(serial += 1)}: a text of its own, so that V8 keeps what it learns of it apart
    return {
      read(b, from, end, field) {
        let ${[...rows.map((_, i) => `v${i}`), 'unknown'].join(', ')};
        for (let at = from; at < end;) {
          const length = end - at < ${HEADER} ? 0 : b[at] | (b[at + 1] << 8);
          if (length < ${HEADER} || at + length > end) throw ${badLength}(field, at, end - at, length);
          const type = b[at + 2] | (b[at + 3] << 8), o = at + ${HEADER}, to = at + length;
          switch (type & ${TYPE_MASK}) {
            ${rows.map((row, i) => readRow(row, i, codecs[i] ?? '', calls, bind)).join('\n')}
            default: (unknown ??= []).push(${unknown}(b, type, o, to));
          }
          at += (length + 3) & ~3;
        }
        const out = {};
        ${rows.map(({ name }, i) => `if (v${i} !== undefined) out.${name} = v${i};`).join('\n')}
        if (unknown !== undefined) out.unknown = unknown;
        return out;
      },
      write(w, value) {
        let v;
        ${rows.map((row, i) => writeRow(row, codecs[i] ?? '', calls, bind)).join('\n')}
        if (value.unknown !== undefined) ${bind(help.writeUnknown)}(w, value.unknown);
      },
    };`;
  const names = values.map((_, i) => `k${i}`);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is made here, from tables of this program
  const make = new Function(...names, `'use strict'; ${body}`) as (...bound: readonly unknown[]) => StraightAttributes;
  return make(...values);
}

/** The names of the helpers in the code. */
interface Calls {
  readonly begin: string;
  readonly end: string;
  readonly twice: string;
}

function readRow({ name, type, codec }: AttributeRow, i: number, c: string, { twice }: Calls, bind: Bind): string {
  const byCodec = `${c}.read(b, o, to, '${name}')`;
  const { straight } = codec;
  const value =
    straight === undefined ? byCodec : `to - o === ${straight.bytes} ? ${straight.read(atFrom(0), bind)} : ${byCodec}`;
  return `case ${type & TYPE_MASK}: if (v${i} !== undefined) throw ${twice}('${name}', o); v${i} = ${value}; break;`;
}

function writeRow({ name, type, codec }: AttributeRow, c: string, { begin, end }: Calls, bind: Bind): string {
  const byCodec = `const s = ${begin}(w, ${type}); ${c}.write(w, v, '${name}'); ${end}(w, s, '${name}');`;
  const { straight } = codec;
  if (straight === undefined) return `if ((v = value.${name}) !== undefined) { ${byCodec} }`;
  const length = HEADER + straight.bytes;
  const padded = (length + 3) & ~3;
  const padding = Array.from({ length: padded - length }, (_, i) => `b[o + ${straight.bytes + i}] = 0;`).join(' ');
  return `if ((v = value.${name}) !== undefined) {
      if (${straight.fits('v', bind) || 'true'}) {
        const o = w.reserve(${padded}) + ${HEADER}, b = w.bytes;
        b[o - 4] = ${length & 0xff}; b[o - 3] = ${length >> 8}; b[o - 2] = ${type & 0xff}; b[o - 1] = ${type >> 8};
        ${straight.write(atFrom(0), 'v', bind)} ${padding}
      } else { ${byCodec} }
    }`;
}
