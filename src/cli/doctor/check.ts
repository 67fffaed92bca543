// One thing `doctor` looks at, and the hands it looks with. Probes are passed in, so checks are testable without a machine.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

export type Verdict = 'ok' | 'warn' | 'bad' | 'skipped';

export interface Finding {
  readonly check: string;
  readonly verdict: Verdict;
  readonly found: string;
  /** How to mend it; empty when there is nothing to mend. */
  readonly mend: string;
}

export interface Probe {
  /** Output and status of a command; status null when it is not there. */
  run(command: string, ...args: string[]): { status: number | null; stdout: string; stderr: string };
  /** Content of a file, or null. */
  read(path: string): string | null;
  list(path: string): string[];
  exists(path: string): boolean;
  readonly uid: number;
  readonly nodeVersion: string;
}

export const machine: Probe = {
  run: (command, ...args) => {
    const done = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 });
    if (done.error !== undefined) return { status: null, stdout: '', stderr: done.error.message };
    return { status: done.status, stdout: done.stdout, stderr: done.stderr };
  },
  read: (path) => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return null;
    }
  },
  list: (path) => {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  },
  exists: existsSync,
  uid: process.getuid?.() ?? -1,
  nodeVersion: process.versions.node,
};

export const ok = (check: string, found: string): Finding => ({ check, verdict: 'ok', found, mend: '' });
export const warn = (check: string, found: string, mend: string): Finding => ({ check, verdict: 'warn', found, mend });
export const bad = (check: string, found: string, mend: string): Finding => ({ check, verdict: 'bad', found, mend });
export const skipped = (check: string, why: string): Finding => ({ check, verdict: 'skipped', found: why, mend: '' });
