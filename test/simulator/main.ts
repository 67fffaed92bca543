// `npm run simulate -- --seeds N --from SEED [--faults none|agents|lift|all] [--world small|full] [--seconds S] [--jobs N] [--trace]`: a long run; ends with
// 1 when a run violated anything. A failing seed is told in full, and can be run alone: `--seeds 1 --from SEED`.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { FAULTS, WORLDS } from './scenario.ts';
import type { SimulationOptions } from './simulation.ts';
import { runJobs } from './run-jobs.ts';
import { tell } from './run-seeds.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3600' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    faults: { type: 'string', default: 'none' },
    world: { type: 'string', default: 'small' },
    trace: { type: 'boolean', default: false },
  },
});
const faults = FAULTS.find((f) => f === values.faults);
if (faults === undefined) throw new RangeError(`--faults ${values.faults}`);
const world = WORLDS.find((w) => w === values.world);
if (world === undefined) throw new RangeError(`--world ${values.world}`);
const options: SimulationOptions = { faults, world };
const range = { from: Number(values.from), seeds: Number(values.seeds), budgetMs: Number(values.seconds) * 1000 };

const MOST_TOLD = 20;
const { runs, elapsedMs, failed, counts } = await runJobs(
  range,
  Number(values.jobs),
  options,
  ({ seed, violations }) => {
    console.log(`seed ${seed}: ${violations[0] ?? ''}`);
  },
);
for (const { seed } of failed.slice(0, values.trace ? MOST_TOLD : 1)) console.log(await tell(seed, options));
if (values.trace && failed.length === 0 && range.seeds === 1) console.log(await tell(range.from, options));
for (const [what, n] of [...counts].sort(([, a], [, b]) => b - a)) console.log(`${String(n).padStart(9)} ${what}`);
const seconds = elapsedMs / 1000;
console.log(
  `${runs} runs, ${failed.length} failed, ${seconds.toFixed(1)} s, ${(runs / seconds).toFixed(0)} runs a second`,
);
process.exitCode = failed.length > 0 ? 1 : 0;
