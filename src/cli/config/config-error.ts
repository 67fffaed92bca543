// A configuration that cannot be used: every problem with file, line, column and key.

import { StateferryError } from '../../base/errors.ts';

export interface ConfigProblem {
  /** 1-based; 0 when it concerns the file as a whole. */
  readonly line: number;
  readonly column: number;
  /** Dotted path of the key, `vaps[2].vn`; empty at the top. */
  readonly key: string;
  readonly message: string;
}

export class ConfigError extends StateferryError<'unreadable' | 'invalid'> {
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(code: 'unreadable' | 'invalid', file: string, problems: readonly ConfigProblem[], cause?: unknown) {
    super(code, problems.map((p) => renderProblem(file, p)).join('\n'), { cause, context: { file } });
    this.file = file;
    this.problems = problems;
  }
}

function renderProblem(file: string, { line, column, key, message }: ConfigProblem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return key === '' ? `${place}: ${message}` : `${place}: ${key}: ${message}`;
}
