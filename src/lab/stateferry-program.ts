// The `stateferry` program as the lab starts it: the same file an operator would run.

import { run, startProgram, type Program, type ProgramOptions } from './child-process.ts';
import { programFile } from './package-root.ts';

const PROGRAM = programFile('../cli/main');

/** Runs a command to its end. */
export function runStateferry(args: readonly string[]): Promise<string> {
  return run(process.execPath, [PROGRAM, ...args], { timeoutMs: 30_000 });
}

/** What the switches have by their packaging: control before load, on a machine that also makes the load. */
const NICENESS = -10;

/** Starts a command that stays. */
export function startStateferry(
  args: readonly string[],
  options: Pick<ProgramOptions, 'name' | 'netns' | 'logFile'>,
): Program {
  return startProgram({ ...options, niceness: NICENESS, command: process.execPath, args: [PROGRAM, ...args] });
}
