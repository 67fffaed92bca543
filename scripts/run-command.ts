// Starts the project's tools: from node_modules/.bin, at the root of the checkout, as root where that is asked for.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, dirname, join } from 'node:path';

export type Command = readonly [program: string, ...args: string[]];

/** How a command ended; `output` is empty where it went to the terminal. */
export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
  readonly seconds: number;
}

/** The checkout's root. */
export const ROOT = dirname(import.meta.dirname);

const env: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [join(ROOT, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter),
};

/** The same command through sudo if we are not root and sudo asks for no password; else as it is. */
export const asRoot = (command: Command): Command => {
  if (process.getuid?.() === 0 || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) return command;
  return ['sudo', '-n', 'env', `PATH=${env['PATH'] ?? ''}`, ...command];
};

/** Runs a command to its end; `quiet` keeps its output for the caller instead of showing it. */
export const run = async ([program, ...args]: Command, { quiet = false } = {}): Promise<Outcome> => {
  const startedMs = performance.now();
  const child = spawn(program, args, {
    cwd: ROOT,
    env,
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
  });
  // Ctrl-C reaches the child as well, other signals do not; either way it puts things back before we end.
  let stoppedWith: number | undefined;
  const onInterrupt = (): void => {
    stoppedWith = 130;
  };
  const onTerminate = (): void => {
    stoppedWith = 143;
    child.kill();
  };
  process.on('SIGINT', onInterrupt).on('SIGTERM', onTerminate);
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate);
  if (stoppedWith !== undefined) process.exit(stoppedWith);
  const seconds = (performance.now() - startedMs) / 1000;
  return { exitCode: exitCode ?? 1, output: Buffer.concat(chunks).toString(), seconds };
};
