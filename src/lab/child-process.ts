// A program the lab starts and must stop: by its pid, whatever happens, even when the lab itself is killed.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createWriteStream, writeFileSync, type WriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { within } from './deadline.ts';
import { LabError } from './lab-error.ts';

export interface ProgramOptions {
  /** For messages: what this program is in the scenario. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Network namespace (a path) to run in. */
  readonly netns?: string;
  /** stderr (and stdout where nobody reads lines) goes here. */
  readonly logFile?: string;
  readonly onLine?: (line: string) => void;
  /** Below 0: comes before the other work of its session; above 0: after all of the machine's. */
  readonly niceness?: number;
}

export interface Program {
  readonly name: string;
  readonly pid: number;
  readonly running: boolean;
  /** Resolves with why, when the program has ended for whatever reason. Never rejects. */
  readonly ended: Promise<string>;
  /** The last lines of stderr. */
  readonly complaint: string;
  send(line: string): void;
  signal(signal: NodeJS.Signals): void;
  /** Closes stdin and sends SIGTERM (or `signal`), then SIGKILL after `graceMs`. */
  stop(options?: { signal?: NodeJS.Signals | null; graceMs?: number }): Promise<void>;
}

const COMPLAINT_LINES = 12;

export function startProgram(options: ProgramOptions): Program {
  const inside = options.netns === undefined ? [] : ['nsenter', `--net=${options.netns}`, '--'];
  // The program gets SIGTERM when the lab dies without a word (SIGKILL, out of memory).
  const priority = options.niceness === undefined ? [] : ['nice', '-n', String(options.niceness)];
  const argv = ['--pdeathsig', 'TERM', '--', ...priority, ...inside, options.command, ...options.args];
  const child = spawn('setpriv', argv, {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // Ctrl-C goes to the lab alone, which stops things in their order
  });
  if (child.pid !== undefined && (options.niceness ?? 0) > 0) yieldToOthers(child.pid, options.niceness ?? 0);
  return supervise(options, child);
}

/** A program of ours is a session, and where the kernel shares time out among sessions, nice(1) counts within one only (sched(7)). */
function yieldToOthers(pid: number, niceness: number): void {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // No autogroups in this kernel, or it has ended already.
  }
}

function supervise(options: ProgramOptions, child: ChildProcessWithoutNullStreams): Program {
  const log = options.logFile === undefined ? null : createWriteStream(options.logFile, { flags: 'a' });
  const complaints: string[] = [];
  const state = { running: true };
  createInterface({ input: child.stderr }).on('line', (line) => {
    complaints.push(line);
    if (complaints.length > COMPLAINT_LINES) complaints.shift();
    log?.write(`${line}\n`);
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (options.onLine === undefined) log?.write(`${line}\n`);
    else options.onLine(line);
  });
  child.stdin.on('error', () => undefined); // the program may have ended; `ended` says so
  const ended = whenEnded(child, options.name, state, log);
  return {
    name: options.name,
    pid: child.pid ?? -1,
    get running() {
      return state.running;
    },
    ended,
    get complaint() {
      return complaints.join('\n');
    },
    send: (line) => {
      child.stdin.write(`${line}\n`);
    },
    signal: (signal) => {
      if (state.running) child.kill(signal);
    },
    stop: async ({ signal = 'SIGTERM', graceMs = 5000 } = {}) => {
      if (!state.running) return;
      child.stdin.end();
      if (signal !== null) child.kill(signal);
      try {
        await within(graceMs, `${options.name} to end`, ended);
      } catch {
        child.kill('SIGKILL');
        await within(5000, `${options.name} to die`, ended);
      }
    },
  };
}

function whenEnded(
  child: ChildProcessWithoutNullStreams,
  name: string,
  state: { running: boolean },
  log: WriteStream | null,
): Promise<string> {
  return new Promise((resolve) => {
    const end = (why: string): void => {
      state.running = false;
      log?.end();
      resolve(why);
    };
    child.once('error', (error) => {
      end(`${name} could not be started: ${error.message}`);
    });
    child.once('close', (code, signal) => {
      end(`${name} ended with ${signal ?? `status ${code}`}`);
    });
  });
}

/** The error for a program that ended while it was needed. */
export function endedError(program: Program, why: string): LabError {
  return new LabError('PROCESS_ENDED', program.complaint === '' ? why : `${why}:\n${program.complaint}`);
}

/** Runs a short program to its end; its stdout. A status other than 0 is an error with its complaint. */
export async function run(
  command: string,
  args: readonly string[],
  { timeoutMs = 20_000, ...options }: Pick<ProgramOptions, 'netns' | 'niceness'> & { timeoutMs?: number } = {},
): Promise<string> {
  const lines: string[] = [];
  const program = startProgram({ name: command, command, args, onLine: (l) => lines.push(l), ...options });
  try {
    const why = await within(timeoutMs, `${command} ${args.join(' ')}`, program.ended);
    if (!why.endsWith('status 0')) throw endedError(program, `${why} (${command} ${args.join(' ')})`);
  } finally {
    await program.stop({ signal: 'SIGKILL' });
  }
  return lines.join('\n');
}
