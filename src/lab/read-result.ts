// A run's result from its folder, or from a file that `--json` wrote: of this version or an older one.

import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LabError } from './lab-error.ts';
import { RESULT_FILE } from './report/write-report.ts';
import type { ScenarioResult } from './result.ts';

/** What older versions did not write. */
const LATER = { baseline: [], relocations: [], sessions: [], quiet: null, command: '', options: {}, machine: {} };

/** Throws LabError naming the file. */
export function readResult(path: string): ScenarioResult {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const file = isFolder ? join(path, RESULT_FILE) : path;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new LabError('BAD_ANSWER', `${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (!isResult(value)) throw new LabError('BAD_ANSWER', `${file}: is no result of a lab run`);
  return { ...LATER, ...value };
}

function isResult(value: unknown): value is ScenarioResult {
  if (typeof value !== 'object' || value === null) return false;
  const { scenario, conditions, moves } = value as Partial<Record<keyof ScenarioResult, unknown>>;
  return typeof scenario === 'string' && Array.isArray(conditions) && Array.isArray(moves);
}

/** What a run is called beside another: its folder's or file's name. */
export const runName = (path: string): string => basename(path).replace(/\.json$/, '');
