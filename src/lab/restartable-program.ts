// A program of a scenario that may die and be started again in the middle of it, as in real life.

import type { Program } from './child-process.ts';

export interface RestartableProgram {
  /** The one that runs, or ran last. */
  current(): Program;
  /** Ends it without a word, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again, where it does not run. */
  startAgain(): void;
  stop(): Promise<void>;
}

export function restartable(start: () => Program): RestartableProgram {
  let program = start();
  return {
    current: () => program,
    kill: () => program.stop({ signal: 'SIGKILL' }),
    startAgain: () => {
      if (!program.running) program = start();
    },
    stop: () => program.stop(),
  };
}
