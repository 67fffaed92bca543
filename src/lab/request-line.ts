// Requests and answers as JSON lines with a program on its stdin and stdout: the testbed and the traffic processes speak
// it in two spellings, which the caller gives.

import { endedError, startProgram, type Program, type ProgramOptions } from './child-process.ts';
import { within } from './deadline.ts';
import { LabError } from './lab-error.ts';

/** A line of the program: an answer to request `id`, or something else (`null` id). */
export interface IncomingLine {
  readonly id: number | null;
  readonly result?: unknown;
  readonly error?: string;
  readonly other?: unknown;
}

export interface RequestLineOptions {
  readonly program: Omit<ProgramOptions, 'onLine'>;
  readonly encode: (id: number, op: string, args: object) => object;
  readonly decode: (line: Record<string, unknown>) => IncomingLine;
  readonly onOther?: (line: unknown) => void;
}

export interface RequestLine {
  readonly program: Program;
  request(op: string, args: object, timeoutMs: number): Promise<unknown>;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export function openRequestLine(options: RequestLineOptions): RequestLine {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  const program = startProgram({
    ...options.program,
    onLine: (line) => {
      take(line, options, pending);
    },
  });
  void program.ended.then((why) => {
    for (const { reject } of pending.values()) reject(endedError(program, why));
    pending.clear();
  });
  return {
    program,
    request: async (op, args, timeoutMs) => {
      if (!program.running) throw endedError(program, await program.ended);
      const id = ++lastId;
      const answered = new Promise<unknown>((resolve, reject) => {
        pending.set(id, { resolve, reject });
      });
      program.send(JSON.stringify(options.encode(id, op, args)));
      try {
        return await within(timeoutMs, `${program.name} to answer ${op}`, answered);
      } finally {
        pending.delete(id);
      }
    },
  };
}

function take(line: string, options: RequestLineOptions, pending: ReadonlyMap<number, Pending>): void {
  const parsed = parseObject(line);
  if (parsed === null) return;
  const { id, result, error, other } = options.decode(parsed);
  if (id === null) {
    options.onOther?.(other);
    return;
  }
  if (error === undefined) pending.get(id)?.resolve(result);
  else pending.get(id)?.reject(new LabError('REFUSED', `${options.program.name}: ${error}`));
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
