// Order statistics for measured milliseconds. Knows nothing about what was measured.

/** The middle value (mean of the two middle ones), or null of nothing. */
export function median(values: readonly number[]): number | null {
  return quantile(values, 0.5);
}

/** Linear interpolation between closest ranks (type 7 of Hyndman and Fan); `q` within 0..1. */
export function quantile(values: readonly number[], q: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? low;
  return low + (high - low) * (at - Math.floor(at));
}

export function worst(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b));
}

export function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

/** For tables and JSON: one decimal is what the measurement is worth. */
export function round1(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The longest silence in [fromMs, toMs] between arrivals (any order), where the ends of the range end a silence too. */
export function longestGap(
  arrivalsMs: readonly number[],
  fromMs: number,
  toMs: number,
): { gapMs: number; atMs: number } {
  const inside = arrivalsMs.filter((t) => t > fromMs && t < toMs).sort((a, b) => a - b);
  let longest = { gapMs: 0, atMs: fromMs };
  let last = fromMs;
  for (const t of [...inside, toMs]) {
    if (t - last > longest.gapMs) longest = { gapMs: t - last, atMs: last };
    last = t;
  }
  return longest;
}
