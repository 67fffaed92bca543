import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readResult, runName } from './read-result.ts';
import { comparedDrawings, renderComparison, type Compared } from './report/compare.ts';
import { writePlots } from './report/write-report.ts';

/** Writes the comparison of two runs into a folder; the page's path. Throws LabError where one of them is no run. */
export function compareRuns(a: string, b: string, folder: string): string {
  const compared = (path: string): Compared => ({ name: runName(path), result: readResult(path) });
  const pair = [compared(a), compared(b)] as const;
  mkdirSync(folder, { recursive: true });
  const page = join(folder, 'compare.html');
  writeFileSync(page, renderComparison(pair));
  writePlots(comparedDrawings(pair), folder);
  return page;
}
