// The straight code of a structure against the plain reading of its table: the same value, the same bytes, the same error.
import { expect } from 'chai';
import fc from 'fast-check';
import { WireError } from '../../../src/base/errors.ts';
import {
  constant,
  defaulted,
  indented,
  list,
  macAddress,
  named,
  padded,
  rest,
  struct,
  u16,
  u32,
  u64,
  u8,
  within,
} from '../../../src/wire/codec.ts';
import type { Codec } from '../../../src/wire/codec.ts';
import { Reader } from '../../../src/wire/reader.ts';
import { Writer } from '../../../src/wire/writer.ts';

type Fields = Record<string, Codec<unknown>>;

/** Field by field, as the table says it. */
const plainly = (fields: Fields): Codec<unknown> => ({
  read: (r, f) => {
    const out: Record<string, unknown> = {};
    try {
      for (const [name, codec] of Object.entries(fields)) out[name] = codec.read(r, name);
    } catch (error) {
      throw within(f, error);
    }
    return out;
  },
  write: (w, value, f) => {
    try {
      for (const [name, codec] of Object.entries(fields)) {
        codec.write(w, (value as Record<string, unknown>)[name], name);
      }
    } catch (error) {
      throw within(f, error);
    }
  },
});

const CODECS: readonly Codec<never>[] = [
  u8,
  u16,
  u32,
  u64,
  macAddress,
  padded(u8, 3),
  indented(2, u16),
  padded(indented(1, u32), 1),
  defaulted(u16, 7),
  defaulted(padded(u8, 1), 9),
  named(u8, { zero: 0, one: 1, two: 2 }),
  padded(named(u16, { zero: 0, small: 3 }), 2),
  constant('tag'),
  padded(constant('end'), 2),
  list(u16),
  padded(rest, 0),
] as unknown as readonly Codec<never>[];

const fields = fc
  .array(fc.constantFrom(...CODECS), { minLength: 1, maxLength: 9 })
  .map((codecs): Fields => Object.fromEntries(codecs.map((codec, i) => [`field-${i}`, codec as Codec<unknown>])));

/** Mostly zeros, so that padding is often right, and names are often known. */
const bytes = fc
  .array(fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.constantFrom(1, 2, 3), fc.nat(255)), { maxLength: 40 })
  .map((all) => Buffer.from(all));

const value = fc.oneof(
  fc.nat(4),
  fc.constantFrom(-1, -0, 0.5, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.NaN, Infinity),
  fc.constantFrom<unknown>(0n, 1n, -1n, (1n << 64n) - 1n, 1n << 64n),
  fc.constantFrom('zero', 'one', 'small', 'toString', '00:11:22:aa:bb:CC', '0:1:2:3:4:5', 'no', '00:11:22:aa:bb:cg'),
  fc.constantFrom<unknown>(undefined, [1, 2], [70_000], Buffer.from([1, 2, 3])),
);

/** What happened, in a form to compare. */
function outcome(operation: () => unknown): unknown {
  try {
    return { result: operation() };
  } catch (error) {
    if (!(error instanceof WireError)) return { other: (error as Error).constructor.name };
    const { code, field, offset, detail } = error;
    return { code, field, offset, detail };
  }
}

describe('the straight code of a structure', () => {
  it('reads what the table reads: value, padding that is kept, place; or raises its error', () => {
    const read = (codec: Codec<unknown>, data: Buffer): unknown => {
      const r = new Reader(data);
      return outcome(() => ({ value: codec.read(r, 'whole'), offset: r.offset, reserved: r.reserved }));
    };
    fc.assert(
      fc.property(fields, bytes, (table, data) => {
        expect(read(struct(table), data)).to.deep.equal(read(plainly(table), data));
      }),
      { numRuns: 3000 },
    );
  });

  it('writes what the table writes, or raises its error', () => {
    const write = (codec: Codec<unknown>, given: unknown): unknown => {
      const w = new Writer(1);
      return outcome(() => {
        codec.write(w, given, 'whole');
        return w.finish().toString('hex');
      });
    };
    fc.assert(
      fc.property(fields, fc.array(value, { minLength: 9, maxLength: 9 }), (table, values) => {
        const given = Object.fromEntries(Object.keys(table).map((name, i) => [name, values[i]]));
        expect(write(struct(table), given)).to.deep.equal(write(plainly(table), given));
      }),
      { numRuns: 3000 },
    );
  });

  it('writes back what it read, padding apart', () => {
    fc.assert(
      fc.property(fields, bytes, (table, data) => {
        const codec = struct(table);
        const r = new Reader(data);
        const read = outcome(() => codec.read(r, 'whole'));
        if (!(read instanceof Object && 'result' in read)) return;
        const w = new Writer();
        codec.write(w, read.result as never, 'whole');
        if (r.reserved !== null) w.restore(r.reserved);
        expect(w.finish().toString('hex')).to.equal(data.subarray(0, r.offset).toString('hex'));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('an address of a network card', () => {
  it('is the same text whichever came between', () => {
    const addresses = fc.array(fc.uint8Array({ minLength: 6, maxLength: 6 }), { maxLength: 50 });
    fc.assert(
      fc.property(addresses, (all) => {
        for (const raw of [...all, ...all]) {
          const text = [...raw].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
          expect(macAddress.read(new Reader(Buffer.from(raw)), 'mac')).to.equal(text);
        }
      }),
    );
  });
});
