// How the unit tests run under c8. A file of types alone is never loaded, so c8 would count each of its lines as missed.
import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import type { Command } from './run-command.ts';
import { ROOT } from './run-command.ts';

/** True if nothing is left of a source once its types and comments are gone. */
export const isTypesOnly = (source: string): boolean =>
  stripTypeScriptTypes(source)
    .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
    .trim() === '';

/** The command under c8, with the settings of .c8rc.json. */
export const withCoverage = (command: Command): Command => {
  const { include, exclude } = JSON.parse(readFileSync(join(ROOT, '.c8rc.json'), 'utf8')) as Record<string, string[]>;
  const typesOnly = globSync(include ?? [], { cwd: ROOT }).filter((path) =>
    isTypesOnly(readFileSync(join(ROOT, path), 'utf8')),
  );
  return ['c8', ...[...(exclude ?? []), ...typesOnly].flatMap((path) => ['--exclude', path]), ...command];
};
