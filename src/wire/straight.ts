// Writes the table of a structure out as straight code, once, when the program starts: fields of fixed size that stand side
// by side share one check of bounds and are read and written byte by byte. What straight code does not expect (too few
// bytes, padding that is not zero, a value that does not fit) goes to the codecs of the table, so that errors, and what is
// kept, are theirs. Field names come from our own tables, never from bytes.

/** What a codec of fixed size is as source text. `at(i)` is byte i of the field, `v` the value. */
export interface Straight {
  readonly bytes: number;
  readonly read: (at: At, bind: Bind) => string;
  /** Whether `v` can be written. */
  readonly fits: (v: string, bind: Bind) => string;
  readonly write: (at: At, v: string, bind: Bind) => string;
  /** Whether the bytes are such as writing leaves them: padding is zero, a number has its name. */
  readonly clean: (at: At, bind: Bind) => string;
}

/** Where a byte stands, `bytes[offset]`, as an expression; `at.offset(i)` is only its place. */
export interface At {
  (index: number): string;
  readonly offset: (index: number) => string;
}

/** Makes a value known to the code; the name it has there. */
export type Bind = (value: unknown) => string;

/** What is asked of the codec of a field; the code calls its `read` and `write` as well. */
interface FieldCodec {
  readonly straight?: Straight | undefined;
  /** Written where the value is left out. */
  readonly fallback?: unknown;
}

type Fields = readonly (readonly [name: string, codec: FieldCodec])[];

export interface StraightStruct {
  read(r: unknown, field: string): unknown;
  write(w: unknown, value: unknown, field: string): void;
}

interface Slot {
  readonly name: string;
  readonly codec: FieldCodec;
  /** The names of value and codec in the code. */
  readonly v: string;
  readonly c: string;
}

/** Neighbours of fixed size, or one field that is not. */
type Run =
  { readonly straight: true; readonly slots: readonly Slot[] } | { readonly straight: false; readonly slot: Slot };

let serial = 0;

export function straightStruct(fields: Fields, within: (field: string, error: unknown) => unknown): StraightStruct {
  const values: unknown[] = [];
  const bind: Bind = (value) => `k${values.push(value) - 1}`;
  const slots = fields.map(([name, codec], i): Slot => ({ name, codec, v: `v${i}`, c: bind(codec) }));
  const runs = runsOf(slots);
  const wrap = bind(within);
  const members = slots.map(({ name, v }) => `${JSON.stringify(name)}: ${v}`).join(', ');
  const body = `// structure ${(serial += 1)}: a text of its own, so that V8 keeps what it learns of it apart
    return {
      read(r, field) {
        try {
          ${runs.map((run) => readRun(run, bind)).join('\n')}
          return { ${members} };
        } catch (error) { throw ${wrap}(field, error); }
      },
      write(w, value, field) {
        try {
          ${slots.map((slot) => valueOf(slot, bind)).join('\n')}
          ${runs.map((run) => writeRun(run, bind)).join('\n')}
        } catch (error) { throw ${wrap}(field, error); }
      },
    };`;
  const names = values.map((_, i) => `k${i}`);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is made here, from tables of this program
  const make = new Function(...names, `'use strict'; ${body}`) as (...bound: readonly unknown[]) => StraightStruct;
  return make(...values);
}

function runsOf(slots: readonly Slot[]): readonly Run[] {
  const runs: Run[] = [];
  for (const slot of slots) {
    const last = runs.at(-1);
    if (slot.codec.straight === undefined) runs.push({ straight: false, slot });
    else if (last?.straight === true) runs[runs.length - 1] = { straight: true, slots: [...last.slots, slot] };
    else runs.push({ straight: true, slots: [slot] });
  }
  return runs;
}

/** Each field of a run with where it stands in it. */
function placed(slots: readonly Slot[]): { readonly slot: Slot; readonly straight: Straight; readonly at: At }[] {
  let offset = 0;
  return slots.flatMap((slot) => {
    const { straight } = slot.codec;
    if (straight === undefined) return [];
    const at = atFrom(offset);
    offset += straight.bytes;
    return [{ slot, straight, at }];
  });
}

/** Of a field that begins `from` bytes behind `o`. */
export function atFrom(from: number): At {
  const offset = (i: number): string => (from + i === 0 ? 'o' : `o + ${from + i}`);
  return Object.assign((i: number): string => `b[${offset(i)}]`, { offset });
}

const sizeOf = (slots: readonly Slot[]): number =>
  slots.reduce((sum, { codec }) => sum + (codec.straight?.bytes ?? 0), 0);

const and = (conditions: readonly string[]): string => conditions.filter((each) => each !== '').join(' && ');

function readRun(run: Run, bind: Bind): string {
  if (!run.straight) return `const ${run.slot.v} = ${readByTable(run.slot)};`;
  const all = placed(run.slots);
  const size = sizeOf(run.slots);
  const quick = all.map(({ slot, straight, at }) => `${slot.v} = ${straight.read(at, bind)};`).join(' ');
  const names = run.slots.map(({ v }) => v).join(', ');
  if (size === 0) return `let ${names}; ${quick}`;
  const clean = and([`o + ${size} <= r.end`, ...all.map(({ straight, at }) => straight.clean(at, bind))]);
  return `let ${names};
    { const o = r.offset, b = r.bytes;
      if (${clean}) { ${quick} r.offset = o + ${size}; }
      else { ${run.slots.map((slot) => `${slot.v} = ${readByTable(slot)};`).join(' ')} } }`;
}

const readByTable = ({ c, name }: Slot): string => `${c}.read(r, ${JSON.stringify(name)})`;

function valueOf({ name, codec, v }: Slot, bind: Bind): string {
  const from = `value[${JSON.stringify(name)}]`;
  return `const ${v} = ${'fallback' in codec ? `${from} ?? ${bind(codec.fallback)}` : from};`;
}

function writeRun(run: Run, bind: Bind): string {
  if (!run.straight) return writeByTable(run.slot);
  const all = placed(run.slots);
  const size = sizeOf(run.slots);
  if (size === 0) return '';
  const fit = and(all.map(({ slot, straight }) => straight.fits(slot.v, bind)));
  return `if (${fit === '' ? 'true' : fit}) {
      const o = w.reserve(${size}), b = w.bytes;
      ${all.map(({ slot, straight, at }) => straight.write(at, slot.v, bind)).join(' ')}
    } else { ${run.slots.map(writeByTable).join(' ')} }`;
}

const writeByTable = ({ c, v, name }: Slot): string => `${c}.write(w, ${v}, ${JSON.stringify(name)});`;

/** An unsigned number of 1, 2 or 4 bytes. */
export const straightNumber = (bytes: 1 | 2 | 4): Straight => ({
  bytes,
  read: (at) => {
    const parts = Array.from({ length: bytes }, (_, i) => shifted(at(i), '<<', (bytes - 1 - i) * 8));
    return bytes === 4 ? `(${parts.join(' | ')}) >>> 0` : parts.join(' | ');
  },
  // `>>> 0` of a number above 32 bits, of a fraction, or of no number at all is another one.
  fits: (v) => {
    const whole = `typeof ${v} === 'number' && ${v} >>> 0 === ${v}`;
    return bytes === 4 ? whole : `${whole} && ${v} <= ${2 ** (bytes * 8) - 1}`;
  },
  write: (at, v) =>
    Array.from({ length: bytes }, (_, i) => `${at(i)} = ${shifted(v, '>>>', (bytes - 1 - i) * 8)};`).join(' '),
  clean: () => '',
});

const shifted = (what: string, operator: string, bits: number): string =>
  bits === 0 ? what : `(${what} ${operator} ${bits})`;

const zeros = (at: At, from: number, count: number, how: (at: string) => string): string[] =>
  Array.from({ length: count }, (_, i) => how(at(from + i)));

const shift = (at: At, by: number): At =>
  Object.assign((i: number): string => at(i + by), { offset: (i: number): string => at.offset(i + by) });

/** By functions: `fits` of the value, `read` and `write` of bytes and place. */
export const straightCalls = <T>(
  bytes: number,
  read: (b: Uint8Array, at: number) => T,
  fits: (value: unknown) => boolean,
  write: (b: Uint8Array, at: number, value: T) => void,
): Straight => ({
  bytes,
  read: (at, bind) => `${bind(read)}(b, ${at.offset(0)})`,
  fits: (v, bind) => `${bind(fits)}(${v})`,
  write: (at, v, bind) => `${bind(write)}(b, ${at.offset(0)}, ${v});`,
  clean: () => '',
});

/** Numbers that stand for names. */
export function straightNamed(
  inner: Straight | undefined,
  numbers: Readonly<Record<string, number>>,
  byNumber: ReadonlyMap<number, string>,
): Straight | undefined {
  if (inner === undefined) return undefined;
  return {
    bytes: inner.bytes,
    read: (at, bind) => `${bind(byNumber)}.get(${inner.read(at, bind)})`,
    fits: (v, bind) => inner.fits(`${bind(numbers)}[${v}]`, bind),
    write: (at, v, bind) => inner.write(at, `${bind(numbers)}[${v}]`, bind),
    clean: (at, bind) => and([inner.clean(at, bind), `${bind(byNumber)}.has(${inner.read(at, bind)})`]),
  };
}

/** No bytes, one value. */
export const straightConstant = (value: unknown): Straight => ({
  bytes: 0,
  read: (_, bind) => bind(value),
  fits: () => '',
  write: () => '',
  clean: () => '',
});

/** With `before` and `after` bytes of padding around it. */
export function straightPadded(inner: Straight | undefined, before: number, after: number): Straight | undefined {
  if (inner === undefined) return undefined;
  const end = before + inner.bytes;
  const pads = (at: At, how: (at: string) => string): string[] => [
    ...zeros(at, 0, before, how),
    ...zeros(at, end, after, how),
  ];
  return {
    bytes: end + after,
    read: (at, bind) => inner.read(shift(at, before), bind),
    fits: inner.fits,
    write: (at, v, bind) => [inner.write(shift(at, before), v, bind), ...pads(at, (each) => `${each} = 0;`)].join(' '),
    clean: (at, bind) => and([inner.clean(shift(at, before), bind), ...pads(at, (each) => `${each} === 0`)]),
  };
}
