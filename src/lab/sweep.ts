// `lab sweep`: Use Case 1 with one number of connections after the other, and how its times grow with it. Each number is a run of
// `uc1` in a folder of its own, with a report of its own; a repetition is a move.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readResult } from './read-result.ts';
import { csv } from './report/csv.ts';
import { renderSweep, sweepDrawings, type SweepPoint } from './report/sweep.ts';
import { writePlots } from './report/write-report.ts';
import { labUc1 } from './scenario.ts';
import type { Uc1Options } from './uc1.ts';

export interface SweepOptions extends Omit<Uc1Options, 'flows' | 'moves'> {
  readonly flows: readonly number[];
  readonly repeat: number;
}

/** Whether the conditions of every run held, and the page's path. */
export async function labSweep(options: SweepOptions, out: string): Promise<{ held: boolean; page: string }> {
  const { flows, repeat, ...rest } = options;
  const folder = resolve(out);
  mkdirSync(folder, { recursive: true });
  const points: SweepPoint[] = [];
  for (const count of flows) {
    const runFolder = join(folder, `flows-${count}`);
    await labUc1({ ...rest, flows: count, moves: repeat, withoutState: false }, { out: runFolder, keep: false });
    points.push({ flows: count, result: readResult(runFolder) });
    writeSweep(points, folder);
  }
  return { held: points.every(({ result }) => result.verdict === 'held'), page: join(folder, 'sweep.html') };
}

/** After each run: a sweep that is broken off shows what it has. */
function writeSweep(points: readonly SweepPoint[], folder: string): void {
  writeFileSync(join(folder, 'sweep.html'), renderSweep(points));
  writePlots(sweepDrawings(points), folder);
  const head = [
    'flows',
    'move',
    'entries',
    'notifyToPinMs',
    'notifyToLiftMs',
    'gateMs',
    'longestGapMs',
    'trickleGapMs',
  ];
  const body = points.flatMap(({ flows, result }) =>
    result.moves.map((m, i) => [
      flows,
      i + 1,
      m.entries,
      m.notifyToPinMs,
      m.notifyToLiftMs,
      m.gateMs,
      m.longestGapMs,
      m.trickleGapMs,
    ]),
  );
  writeFileSync(join(folder, 'sweep.csv'), csv(head, body));
}
