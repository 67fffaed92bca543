// Numbers in network byte order, by index. The caller has seen that the bytes are there.

type Bytes = Readonly<Record<number, number>>;

export const readU16 = (b: Bytes, at: number): number => ((b[at] ?? 0) << 8) | (b[at + 1] ?? 0);

export const readU32 = (b: Bytes, at: number): number =>
  (((b[at] ?? 0) << 24) | ((b[at + 1] ?? 0) << 16) | ((b[at + 2] ?? 0) << 8) | (b[at + 3] ?? 0)) >>> 0;

// One number of 64 bits as two of 32: without the intermediate bigints of shifting and adding.
const whole = new BigUint64Array(1);
const halves = new Uint32Array(whole.buffer);
whole[0] = 1n;
const LOW = halves[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;

export function readU64(b: Bytes, at: number): bigint {
  const high = readU32(b, at);
  const low = readU32(b, at + 4);
  if (high === 0 && low === 0) return 0n;
  halves[HIGH] = high;
  halves[LOW] = low;
  return whole[0] ?? 0n;
}

export function writeU16(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 8;
  b[at + 1] = value;
}

export function writeU32(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 24;
  b[at + 1] = value >>> 16;
  b[at + 2] = value >>> 8;
  b[at + 3] = value;
}

export function writeU64(b: Uint8Array, at: number, value: bigint): void {
  whole[0] = value;
  writeU32(b, at, halves[HIGH] ?? 0);
  writeU32(b, at + 4, halves[LOW] ?? 0);
}
