// Small generators that those of OpenFlow messages are put together from.
import fc from 'fast-check';

type Arb<T> = fc.Arbitrary<T>;

export const u8 = fc.integer({ min: 0, max: 0xff });
export const u16 = fc.integer({ min: 0, max: 0xffff });
export const u32 = fc.integer({ min: 0, max: 0xffffffff });
export const u64 = fc.bigInt({ min: 0n, max: 0xffffffffffffffffn });

export const upTo = (length: number): Arb<Buffer> =>
  fc.uint8Array({ maxLength: length }).map((bytes) => Buffer.from(bytes));
/** One character a byte, and no NUL. */
export const text = (max: number): Arb<string> =>
  fc.array(fc.integer({ min: 1, max: 0xff }), { maxLength: max }).map((codes) => String.fromCharCode(...codes));

export const list = <T>(of: Arb<T>): Arb<T[]> => fc.array(of, { maxLength: 3 });
/** Not more than fits with others into a message. */
export const few = <T>(of: Arb<T>): Arb<T[]> => fc.array(of, { maxLength: 4 });
export const tag = <const T extends string>(type: T): { type: Arb<T> } => ({ type: fc.constant(type) });

export const time = fc.record({ seconds: u64, nanoseconds: u32 });

/** Properties that no table has a row for. */
export const others = [
  fc.record({ ...tag('experimenter'), experimenter: fc.integer({ min: 0, max: 99 }), expType: u32, data: upTo(20) }),
  fc.record({ ...tag('unknown'), propertyType: fc.integer({ min: 100, max: 0xfffd }), body: upTo(20) }),
] as const;
