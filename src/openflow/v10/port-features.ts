// enum ofp_port_features: the speeds up to 10 Gb/s have the same bits in every version; medium, negotiation and pause moved
// up by four in 1.1, when faster speeds came. The model has the later bits.

import type { Codec } from '../../wire/codec.ts';

const SAME = 0x7f;
const SAME_BITS = 7;
/** Bits above the speeds, and how far they moved. */
const UPPER_BITS = 25;
const UPPER = 2 ** UPPER_BITS - 1;
const MOVED = 4;

/** Turns the upper 25 bits round, so that bits without a meaning in 1.0 survive as well. */
const turn = (bits: number, by: number): number => {
  const upper = bits >>> SAME_BITS;
  const turned = ((upper << by) | (upper >>> (UPPER_BITS - by))) & UPPER;
  return ((bits & SAME) | (turned << SAME_BITS)) >>> 0;
};

/** A word of OFPPF_* bits. */
export const portFeatures10: Codec<number> = {
  read: (r, f) => turn(r.u32(f), MOVED),
  write: (w, v, f) => {
    w.u32(v > 0xffff_ffff ? v : turn(v, UPPER_BITS - MOVED), f);
  },
};

/** kbit/s by bit: 10 Mb half and full duplex, 100 Mb, 1 Gb, 10 Gb full duplex. */
const SPEEDS = [10_000, 10_000, 100_000, 100_000, 1_000_000, 1_000_000, 10_000_000];

/** The fastest of some features in kbit/s: 1.0 has no field for it. */
export const fastest = (features: number): number =>
  SPEEDS.reduce((max, speed, bit) => ((features & (1 << bit)) === 0 ? max : Math.max(max, speed)), 0);
