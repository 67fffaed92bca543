// A run's folder: `result.json`, `report.html`, each plot as SVG in `plots/`, each table as CSV in `data/`. Captures and logs are
// there already.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScenarioResult } from '../result.ts';
import { csvFiles } from './csv.ts';
import { allDrawings, drawingsOf } from './drawings.ts';
import type { Drawing } from './drawing.ts';
import { renderHtml } from './html.ts';
import { svgFile } from './svg-file.ts';

export const RESULT_FILE = 'result.json';
const PAGE = 'report.html';
const PLOTS = 'plots';
const DATA = 'data';

/** A run that breaks off must not leave an older one's result to be taken for its own. */
export function forgetReport(folder: string, json: string | undefined): void {
  const files = [RESULT_FILE, PAGE, PLOTS, DATA].map((name) => join(folder, name));
  for (const file of [...files, ...(json === undefined ? [] : [json])]) rmSync(file, { force: true, recursive: true });
}

/** The report's path. */
export function writeReport(result: ScenarioResult, folder: string, json: string | undefined): string {
  const text = `${JSON.stringify(result, null, 2)}\n`;
  const report = join(folder, PAGE);
  writeFileSync(join(folder, RESULT_FILE), text);
  if (json !== undefined) writeFileSync(json, text);
  writeFileSync(report, renderHtml(result));
  writePlots(allDrawings(drawingsOf(result)), folder);
  mkdirSync(join(folder, DATA), { recursive: true });
  for (const file of csvFiles(result)) writeFileSync(join(folder, DATA, `${file.name}.csv`), file.text);
  return report;
}

export function writePlots(drawings: readonly Drawing[], folder: string): void {
  mkdirSync(join(folder, PLOTS), { recursive: true });
  for (const drawing of drawings) writeFileSync(join(folder, PLOTS, `${drawing.name}.svg`), svgFile(drawing));
}
