// Writes a configuration to a file of its own and reads it back through a loader.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../../../src/cli/config/config-error.ts';

const dirs: string[] = [];

after(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true });
});

export function configFile(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'stateferry-config-'));
  dirs.push(dir);
  const file = join(dir, 'stateferry.yaml');
  writeFileSync(file, text);
  return file;
}

/** The lines of the error, the file's directory left out. */
export function complaintsOf(load: (file: string) => unknown, text: string): string[] {
  const file = configFile(text);
  try {
    load(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n').map((line) => line.replace(file, 'FILE'));
  }
  return [];
}
