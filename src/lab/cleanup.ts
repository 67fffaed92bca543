// What a scenario has started, in order, so that all of it is stopped in reverse order, once, whatever happened.

import { within } from './deadline.ts';

const EACH_TIMEOUT_MS = 90_000;

export interface Cleanup {
  add(what: string, undo: () => Promise<unknown> | undefined): void;
  /** Undoes everything added so far, the last first. What fails is told and does not keep the rest. */
  run(): Promise<void>;
}

export function createCleanup(tell: (text: string) => void): Cleanup {
  const steps: { what: string; undo: () => Promise<unknown> | undefined }[] = [];
  let running: Promise<void> = Promise.resolve();
  const undoAll = async (): Promise<void> => {
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      try {
        await within(EACH_TIMEOUT_MS, `${step.what} to stop`, Promise.resolve(step.undo()));
      } catch (error) {
        tell(`could not stop ${step.what}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  return {
    add: (what, undo) => {
      steps.push({ what, undo });
    },
    run: () => {
      running = running.then(undoAll);
      return running;
    },
  };
}
