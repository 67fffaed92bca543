// Structured log lines: one JSON object a line on stderr, or a readable line on a terminal. No files, no rotation: the
// service manager's job.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines carry these fields as well. */
  with(fields: LogFields): Log;
}

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

export interface LogOptions {
  readonly level?: LogLevel;
  readonly format?: 'json' | 'pretty';
  readonly write?: (line: string) => void;
}

export function createLog(options: LogOptions = {}, fixed: LogFields = {}): Log {
  const level = RANK[options.level ?? 'info'];
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const emit = (at: LogLevel, message: string, fields: LogFields = {}): void => {
    if (RANK[at] < level) return;
    const time = new Date().toISOString();
    const all = { ...fixed, ...fields };
    write(
      options.format === 'pretty'
        ? `${time.slice(11, 23)} ${at.padEnd(5)} ${message}${Object.entries(all)
            .map(([k, v]) => ` ${k}=${render(v)}`)
            .join('')}\n`
        : `${JSON.stringify({ time, level: at, message, ...all }, plain)}\n`,
    );
  };
  return {
    debug: (message, fields) => {
      emit('debug', message, fields);
    },
    info: (message, fields) => {
      emit('info', message, fields);
    },
    warn: (message, fields) => {
      emit('warn', message, fields);
    },
    error: (message, fields) => {
      emit('error', message, fields);
    },
    with: (fields) => createLog(options, { ...fixed, ...fields }),
  };
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return reasons(value);
  return value;
}

/** The message and those of its causes. */
function reasons(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${reasons(error.cause)}` : error.message;
}

function render(value: unknown): string {
  if (typeof value === 'string') return /[\s"=]/.test(value) ? JSON.stringify(value) : value;
  return JSON.stringify(value, plain);
}

/** For tests and library use: says nothing. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLog,
};
