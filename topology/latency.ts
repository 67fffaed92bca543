// The usual latency of one link, and whether a new measurement is unusual: a relayed LLDP has travelled further.

const WINDOW = 16;
const ENOUGH = 8;

export class LatencyWindow {
  readonly #samples: number[] = [];

  /** True: an outlier, further above the median than six median deviations and `excessMs`. */
  add(sampleMs: number, excessMs: number): boolean {
    const usual = this.medianMs();
    let outlier = false;
    if (usual !== null && this.#samples.length >= ENOUGH) {
      const spread = median(this.#samples.map((s) => Math.abs(s - usual)));
      outlier = sampleMs > usual + Math.max(6 * spread, excessMs);
    }
    this.#samples.push(sampleMs);
    if (this.#samples.length > WINDOW) this.#samples.shift();
    return outlier;
  }

  /** Null before the first sample. */
  medianMs(): number | null {
    return this.#samples.length === 0 ? null : median(this.#samples);
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
