// The `stateferry` program as the lab starts it: the same file an operator would run.

import { run, startProgram, type Program, type ProgramOptions } from './child-process.ts';
import { programFile } from './package-root.ts';

const PROGRAM = programFile('../cli/main');

/** Runs a command to its end. */
export function runStateferry(args: readonly string[]): Promise<string> {
  return run(process.execPath, [PROGRAM, ...args], { timeoutMs: 30_000 });
}

/** Starts a command that stays. */
export function startStateferry(
  args: readonly string[],
  options: Pick<ProgramOptions, 'name' | 'netns' | 'logFile' | 'niceness'>,
): Program {
  return startProgram({ ...options, command: process.execPath, args: [PROGRAM, ...args] });
}
