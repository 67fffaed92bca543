// Many seeds, and what came of them.

import type { Report, SimulationOptions } from './simulation.ts';
import { simulate } from './simulation.ts';

export interface SeedRange {
  readonly from: number;
  /** At most so many seeds ... */
  readonly seeds: number;
  /** ... and none is begun after so much real time. */
  readonly budgetMs: number;
}

export type Failure = Pick<Report, 'seed' | 'violations'>;

export interface Outcome {
  readonly runs: number;
  readonly elapsedMs: number;
  readonly failed: readonly Failure[];
  readonly counts: ReadonlyMap<string, number>;
}

export async function runSeeds(
  range: SeedRange,
  options: SimulationOptions,
  onFailed: (failure: Failure) => boolean = () => true,
): Promise<Outcome> {
  const started = performance.now();
  const failed: Failure[] = [];
  const counts = new Map<string, number>();
  let runs = 0;
  for (let seed = range.from; seed < range.from + range.seeds; seed += 1) {
    if (performance.now() - started >= range.budgetMs) break;
    const report = await simulate(seed, options);
    runs += 1;
    for (const [what, n] of report.counts) counts.set(what, (counts.get(what) ?? 0) + n);
    if (report.violations.length === 0) continue;
    const failure = { seed, violations: report.violations };
    failed.push(failure);
    if (!onFailed(failure)) break;
  }
  return { runs, elapsedMs: performance.now() - started, failed, counts };
}

/** A failed run told in full: the seed, what was violated, and everything that happened up to then. */
export async function tell(seed: number, options: SimulationOptions): Promise<string> {
  const report = await simulate(seed, { ...options, trace: true });
  const until = report.trace.findLastIndex((line) => line.includes('VIOLATION'));
  const { flows, ...rest } = report.scenario;
  return [
    `seed ${seed}, faults: ${options.faults ?? 'none'}, world: ${options.world ?? 'full'}: ${report.violations.length} violations`,
    `scenario ${JSON.stringify(rest)} with ${flows.length} flows`,
    ...report.trace.slice(Math.max(0, until - 400), until + 1),
    ...report.violations.map((v) => `  ${v}`),
  ].join('\n');
}
