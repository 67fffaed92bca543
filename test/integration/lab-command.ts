// A lab command as a user runs it: exit status, what it printed, and its result. Folders are the test's and go with it.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ScenarioResult } from '../../src/lab/result.ts';
import { reasonToSkip } from './testbed-session.ts';

const PROGRAM = new URL('../../src/cli/main.ts', import.meta.url).pathname;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LabCommand {
  /** Runs `stateferry lab ARGS --out FOLDER`. */
  run(name: string, args: readonly string[], onStderr?: (text: string, pid: number) => void): Promise<Ended>;
  /** The result of `stateferry lab ARGS`, all of whose conditions must hold. */
  held(name: string, args: readonly string[]): Promise<ScenarioResult>;
  folder(name: string): string;
  resultOf(name: string): ScenarioResult;
}

/** To be called in a `describe`: its hooks skip where there is no testbed, and clean up. */
export function useLabCommand(): LabCommand {
  let root: string | null = null;
  before(function () {
    const reason = reasonToSkip();
    if (reason !== undefined) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    root = mkdtempSync(join(tmpdir(), 'stateferry-lab-'));
  });
  after(() => {
    if (root !== null) rmSync(root, { recursive: true });
  });
  const folder = (name: string): string => join(root ?? '', name);
  const resultOf = (name: string): ScenarioResult =>
    JSON.parse(readFileSync(join(folder(name), 'result.json'), 'utf8')) as ScenarioResult;
  const run: LabCommand['run'] = (name, args, onStderr) =>
    new Promise((resolve) => {
      const command = [PROGRAM, 'lab', ...args, '--out', folder(name)];
      const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
      child.stderr.on('data', (data: Buffer) => {
        stderr += data.toString();
        onStderr?.(stderr, child.pid ?? 0);
      });
      child.on('close', (status) => {
        resolve({ status, stdout, stderr });
      });
    });
  return {
    folder,
    resultOf,
    run,
    held: async (name, args) => {
      const { status, stdout, stderr } = await run(name, args);
      const result = resultOf(name);
      const failed = result.conditions.filter((c) => !c.held);
      expect(failed, `${stdout}\n${stderr}`).to.deep.equal([]);
      expect(status).to.equal(0);
      return result;
    },
  };
}
