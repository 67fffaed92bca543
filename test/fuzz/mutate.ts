// Changes to a message that a decoder may trip over: bits, bytes, lengths, parts taken out, put in, doubled, or taken from
// another message. Random numbers come from a seed, so that a run can be repeated.

/** xorshift128 of 32 bits. */
export class Random {
  readonly #state = new Uint32Array(4);

  constructor(seed: number) {
    this.#state.set([seed >>> 0, 0x9e3779b9, 0x243f6a88, 0xb7e15162]);
    for (let i = 0; i < 16; i += 1) this.next();
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#state;
    let t = d ^ (d << 11);
    t ^= t >>> 8;
    const out = (t ^ a ^ (a >>> 19)) >>> 0;
    this.#state.set([out, a, b, c]);
    return out;
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    return count <= 0 ? 0 : this.next() % count;
  }

  pick<T>(all: readonly T[]): T {
    const one = all[this.below(all.length)];
    if (one === undefined) throw new RangeError('nothing to pick from');
    return one;
  }
}

const MAX_BYTES = 2048;
const HEADER = 8;
const VERSIONS = [1, 4, 5, 6];
const LAST_TYPE = 36;
const NUMBERS = [0, 1, 4, 6, 7, 8, 15, 16, 24, 32, 40, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff];
/** Experimenters that the decoder knows. */
const EXPERIMENTERS = [0x2320, 0x4f4e4600];

/** One to eight changes; mostly with a header that fits, because a wrong one is refused at once. */
export function mutate(random: Random, seed: Buffer, corpus: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(seed);
  const changes = 1 + random.below(random.below(8) + 1);
  for (let i = 0; i < changes; i += 1) bytes = change(random, bytes, corpus);
  if (bytes.length > MAX_BYTES) bytes = bytes.subarray(0, MAX_BYTES);
  if (bytes.length >= HEADER && random.below(32) !== 0) bytes.writeUInt16BE(bytes.length, 2);
  return bytes;
}

function change(random: Random, bytes: Buffer, corpus: readonly Buffer[]): Buffer {
  const at = random.below(bytes.length);
  const even = at & ~1;
  switch (random.below(14)) {
    case 0:
      return withBytes(bytes, at, [(bytes[at] ?? 0) ^ (1 << random.below(8))]);
    case 1:
      return withBytes(bytes, at, [random.below(256)]);
    case 2:
      return withU16(bytes, even, random.pick(NUMBERS));
    case 3:
      // What may be a length: as much as is left, a little more, a little less.
      return withU16(bytes, even, Math.max(0, bytes.length - even + random.below(17) - 8));
    case 4:
      return withU16(bytes, even, ((bytes[even + 1] ?? 0) + random.below(17) - 8) & 0xffff);
    case 5:
      return Buffer.from(bytes.subarray(0, at));
    case 6:
      return without(bytes, at & ~3, 4 * (1 + random.below(4)));
    case 7:
      return doubled(bytes, at & ~3, 4 * (1 + random.below(8)));
    case 8:
      return inserted(bytes, at, Buffer.alloc(1 + random.below(16), random.pick([0, 0, 0xff])));
    case 9: {
      const other = random.pick(corpus);
      const from = random.below(other.length) & ~3;
      return inserted(bytes, at & ~3, other.subarray(from, from + 4 * (1 + random.below(16))));
    }
    case 10: {
      const other = random.pick(corpus);
      return Buffer.concat([bytes.subarray(0, at), other.subarray(random.below(other.length))]);
    }
    case 11:
      return withBytes(bytes, 0, [random.pick(VERSIONS)]);
    case 12:
      return withBytes(bytes, 1, [random.below(LAST_TYPE)]);
    default: {
      const id = Buffer.alloc(4);
      id.writeUInt32BE(random.pick(EXPERIMENTERS));
      return withBytes(bytes, at & ~3, [...id, 0, random.below(60)]);
    }
  }
}

function withBytes(bytes: Buffer, at: number, values: readonly number[]): Buffer {
  for (let i = 0; i < values.length && at + i < bytes.length; i += 1) bytes[at + i] = values[i] ?? 0;
  return bytes;
}

const withU16 = (bytes: Buffer, at: number, value: number): Buffer => withBytes(bytes, at, [value >>> 8, value & 0xff]);

const without = (bytes: Buffer, at: number, count: number): Buffer =>
  Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + count)]);

const inserted = (bytes: Buffer, at: number, more: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);

const doubled = (bytes: Buffer, at: number, count: number): Buffer =>
  inserted(bytes, at, bytes.subarray(at, at + count));
