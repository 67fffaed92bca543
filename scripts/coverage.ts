// Which lines and branches the tests reach, over all suites of a run together: what speaks to switches and kernels is reached
// by the integration tests. Settings and thresholds are in .c8rc.json.
import { globSync, readFileSync, rmSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { type Command, ROOT } from './run-command.ts';

const RAW = join(ROOT, 'coverage', 'tmp');

/** True if nothing is left of a source once its types and comments are gone. */
export const isTypesOnly = (source: string): boolean =>
  stripTypeScriptTypes(source)
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    .trim() === '';

export const forgetCoverage = (): void => {
  rmSync(RAW, { recursive: true, force: true });
};

/** The command, with its coverage and that of what it starts added to the rest. */
export const withCoverage = (command: Command): Command => ['env', `NODE_V8_COVERAGE=${RAW}`, ...command];

/**
 * Sums up; `withThresholds` fails if they are not met. A file of types alone is never loaded, and c8 would count each of its
 * lines as missed.
 */
export const coverageReport = (withThresholds: boolean): Command => {
  const { include, exclude } = JSON.parse(readFileSync(join(ROOT, '.c8rc.json'), 'utf8')) as Record<string, string[]>;
  const typesOnly = globSync(include ?? [], { cwd: ROOT }).filter((path) =>
    isTypesOnly(readFileSync(join(ROOT, path), 'utf8')),
  );
  const excluded = [...(exclude ?? []), ...typesOnly].flatMap((path) => ['--exclude', path]);
  return ['c8', 'report', `--check-coverage=${String(withThresholds)}`, ...excluded];
};
