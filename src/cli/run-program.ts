// Runs a command line: an expected failure is one line on stderr and exit status 1, a wrong command line shows the help and
// exits with 2, a defect shows its stack.

import { CommanderError, type Command } from 'commander';

import { StateferryError } from '../base/errors.ts';

export async function runProgram(program: Command): Promise<void> {
  program.exitOverride().showHelpAfterError();
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync();
  } catch (cause) {
    if (cause instanceof CommanderError) {
      process.exitCode = cause.exitCode === 0 ? 0 : 2;
    } else if (cause instanceof StateferryError || isSystemError(cause)) {
      process.stderr.write(`stateferry: ${cause.message}\n`);
      process.exitCode = 1;
    } else {
      throw cause;
    }
  }
}

/** An address that is taken, a file that may not be read: the machine's answer, not a defect. */
const isSystemError = (cause: unknown): cause is NodeJS.ErrnoException =>
  cause instanceof Error && 'syscall' in cause && 'errno' in cause;
