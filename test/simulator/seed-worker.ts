// A thread of a long run: blocks of seeds in, what came of them out. A seed's run does not depend on which thread makes it.

import { parentPort } from 'node:worker_threads';

import { runSeeds } from './run-seeds.ts';
import type { Outcome, SeedRange } from './run-seeds.ts';
import type { SimulationOptions } from './simulation.ts';

export interface SeedBlock {
  readonly range: SeedRange;
  readonly options: SimulationOptions;
}

export type BlockOutcome = Outcome;

parentPort?.on('message', ({ range, options }: SeedBlock) => {
  void runSeeds(range, options).then((outcome) => {
    parentPort?.postMessage(outcome satisfies BlockOutcome);
  });
});
