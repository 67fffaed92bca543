// One invocation of the lab: its folder, its progress lines, its signals and its clean-up. Scenarios run inside it.

import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createCleanup, type Cleanup } from './cleanup.ts';
import { LabError } from './lab-error.ts';

export interface LabRun {
  readonly folder: string;
  readonly cleanup: Cleanup;
  readonly signal: AbortSignal;
  progress(text: string): void;
  /** A sub-folder for one phase, empty. */
  phaseFolder(name: string): string;
}

export interface LabRunOptions {
  readonly out?: string;
  readonly scenario: string;
  readonly keep: boolean;
}

/** Runs `scenario`; afterwards (or on SIGINT, SIGTERM, failure) everything it has started is stopped. */
export async function inLabRun<T>(options: LabRunOptions, scenario: (run: LabRun) => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const progress = (text: string): void => {
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(6);
    process.stderr.write(`${seconds} s  ${text}\n`);
  };
  const cleanup = createCleanup(progress);
  const stop = new AbortController();
  /** Set while a finished scenario is kept: then a signal just ends the keeping. */
  let release: (() => void) | null = null;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (release !== null) {
      release();
      return;
    }
    if (stop.signal.aborted) return;
    progress(`${signal}: stopping everything`);
    stop.abort(new LabError('INTERRUPTED', `stopped by ${signal}`));
    // The scenario may be waiting for something that takes its time: do not wait for it.
    void cleanup.run().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  const folder = resolve(options.out ?? join('lab-runs', `${timestamp()}-${options.scenario}`));
  mkdirSync(folder, { recursive: true });
  const run: LabRun = {
    folder,
    cleanup,
    signal: stop.signal,
    progress,
    phaseFolder: (name) => {
      const path = join(folder, name);
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path, { recursive: true });
      return path;
    },
  };
  try {
    const result = await scenario(run);
    if (options.keep) {
      progress('kept running as asked (--keep): look around, then press Ctrl-C');
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
    return result;
  } finally {
    if (stop.signal.aborted) await new Promise(() => undefined); // the signal's clean-up ends the process
    await cleanup.run();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function timestamp(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
}
