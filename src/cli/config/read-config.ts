// Reads a YAML file through a schema so that whatever is wrong is said with file, line, column and key. Knows no program.

import { readFileSync } from 'node:fs';
import { isMap, isPair, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { ConfigError, type ConfigProblem } from './config-error.ts';

type Path = readonly (string | number)[];

/** Throws ConfigError with all problems of the file. */
export function readConfig<S extends z.ZodType>(file: string, schema: S): z.output<S> {
  return parseConfig(readText(file), file, schema);
}

export function parseConfig<S extends z.ZodType>(text: string, file: string, schema: S): z.output<S> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  if (document.errors.length > 0) {
    throw new ConfigError(
      'invalid',
      file,
      document.errors.map((error) => ({ ...place(lines, error.pos[0]), key: '', message: error.message })),
    );
  }
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => locate(issue, document, lines));
  throw new ConfigError('invalid', file, problems);
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const message = `cannot be read: ${(cause as Error).message}`;
    throw new ConfigError('unreadable', file, [{ line: 0, column: 0, key: '', message }], cause);
  }
}

function locate(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): ConfigProblem[] {
  const path = issue.path.filter((p) => typeof p !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...place(lines, offsetOf(document, [...path, key], 'key')),
      key: renderPath([...path, key]),
      message: 'there is no such key',
    }));
  }
  const missing = issue.code === 'invalid_type' && document.getIn(path) === undefined;
  return [
    {
      ...place(lines, offsetOf(document, path, 'value')),
      key: renderPath(path),
      message: missing ? 'is missing' : plain(issue.message),
    },
  ];
}

/** Where the value (or key) of `path` stands; for what is missing, where its nearest parent does. */
function offsetOf(document: Document, path: Path, what: 'key' | 'value'): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = document.getIn(path.slice(0, length - 1), true) ?? document.contents;
    const last = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last);
      const node = what === 'key' || length < path.length ? pair?.key : (pair?.value ?? pair?.key);
      const offset = rangeStart(node);
      if (offset !== null) return offset;
    } else {
      const offset = rangeStart(document.getIn(path.slice(0, length), true));
      if (offset !== null) return offset;
    }
  }
  return rangeStart(document.contents) ?? 0;
}

function rangeStart(node: unknown): number | null {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  return range?.[0] ?? null;
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function renderPath(path: Path): string {
  return path.reduce<string>((text, p) => {
    if (typeof p === 'number') return `${text}[${p}]`;
    return text === '' ? p : `${text}.${p}`;
  }, '');
}

/** Zod's own words begin with its classification. */
const plain = (message: string): string => message.replace(/^Invalid (?:input|option|string): /, '');
