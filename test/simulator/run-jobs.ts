// Many seeds over several threads, block by block: whoever has done one gets the next.

import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';

import type { Outcome, SeedRange } from './run-seeds.ts';
import type { BlockOutcome, SeedBlock } from './seed-worker.ts';
import type { Failure } from './run-seeds.ts';
import type { SimulationOptions } from './simulation.ts';

const BLOCK = 250;
/**
 * Most of what a run makes is dead when it ends: a young generation that holds a few runs is seldom copied. Threads that help
 * the collector would only compete with those that run.
 */
const V8_FLAGS = ['--max-semi-space-size=32', '--single-threaded-gc'];

export async function runJobs(
  range: SeedRange,
  jobs: number,
  options: SimulationOptions,
  onFailed: (failure: Failure) => void,
): Promise<Outcome> {
  const started = performance.now();
  const end = range.from + range.seeds;
  const failed: Failure[] = [];
  const counts = new Map<string, number>();
  let next = range.from;
  let runs = 0;
  const take = (): SeedBlock | null => {
    const leftMs = range.budgetMs - (performance.now() - started);
    if (next >= end || leftMs <= 0) return null;
    const from = next;
    next = Math.min(end, from + BLOCK);
    return { range: { from, seeds: next - from, budgetMs: leftMs }, options };
  };
  const add = (outcome: BlockOutcome): void => {
    runs += outcome.runs;
    for (const [what, n] of outcome.counts) counts.set(what, (counts.get(what) ?? 0) + n);
    for (const failure of outcome.failed) {
      failed.push(failure);
      onFailed(failure);
    }
  };
  for (const flag of V8_FLAGS) setFlagsFromString(flag);
  await Promise.all(Array.from({ length: jobs }, () => work(take, add)));
  failed.sort((a, b) => a.seed - b.seed);
  return { runs, elapsedMs: performance.now() - started, failed, counts };
}

function work(take: () => SeedBlock | null, add: (outcome: BlockOutcome) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('seed-worker.ts', import.meta.url));
    const give = (): void => {
      const block = take();
      if (block === null) void worker.terminate().then(() => resolve());
      else worker.postMessage(block);
    };
    worker.on('error', reject);
    worker.on('message', (outcome: BlockOutcome) => {
      add(outcome);
      give();
    });
    give();
  });
}
