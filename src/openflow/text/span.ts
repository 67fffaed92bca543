// A piece of the text being parsed that knows where it stands, and how ovs-ofctl cuts text into words with arguments:
// `key`, `key=value`, `key:value`, `key(value)`, `key(value)->value`, separated by commas or white space.

import { TextError } from './text-error.ts';
import type { TextErrorCode } from './text-error.ts';

export interface Span {
  readonly text: string;
  /** Offset in the whole text. */
  readonly at: number;
}

export const span = (text: string): Span => ({ text, at: 0 });

export const part = (of: Span, from: number, to = of.text.length): Span => ({
  text: of.text.slice(from, to),
  at: of.at + from,
});

/** Without white space around it. */
export function trimmed(of: Span): Span {
  const start = of.text.length - of.text.trimStart().length;
  return { text: of.text.trim(), at: of.at + start };
}

export function fail(code: TextErrorCode, where: Span, expected: string): never {
  throw new TextError(code, where.at, expected, where.text);
}

/** A word with what stands behind it. `value` is empty where nothing does. */
export interface Word {
  readonly key: Span;
  readonly value: Span;
  /** What stood between key and value; empty for a bare word. */
  readonly mark: '' | '=' | ':' | '(';
  /** `key(value)->target`, as check_pkt_larger has it. */
  readonly target: Span | null;
  /** Key and value as written. */
  readonly whole: Span;
}

const SEPARATORS = /[\s,]*/y;
const KEY = /[^\s,:=(]*/y;

export function* words(of: Span): Generator<Word> {
  let at = skip(of, 0, SEPARATORS);
  while (at < of.text.length) {
    const start = at;
    at = skip(of, at, KEY);
    const key = part(of, start, at);
    const mark = of.text[at] ?? '';
    if (mark === '(') {
      const close = closing(of, at);
      const value = part(of, at + 1, close);
      at = close + 1;
      let target: Span | null = null;
      if (of.text.startsWith('->', at)) {
        const end = valueEnd(of, at + 2);
        target = part(of, at + 2, end);
        at = end;
      }
      yield { key, value, mark, target, whole: part(of, start, at) };
    } else if (mark === '=' || mark === ':') {
      const end = valueEnd(of, at + 1);
      yield { key, value: part(of, at + 1, end), mark, target: null, whole: part(of, start, end) };
      at = end;
    } else {
      yield { key, value: part(of, at, at), mark: '', target: null, whole: key };
    }
    at = skip(of, at, SEPARATORS);
  }
}

/** Pieces between commas that are in no parentheses or brackets; each without white space around it. */
export function pieces(of: Span, separator = ','): readonly Span[] {
  const out: Span[] = [];
  let start = 0;
  let depth = 0;
  for (let i = 0; i <= of.text.length; i += 1) {
    const c = of.text[i];
    if (c === '(' || c === '[') depth += 1;
    else if (c === ')' || c === ']') depth -= 1;
    else if (i === of.text.length || (c === separator && depth === 0)) {
      out.push(trimmed(part(of, start, i)));
      start = i + 1;
    }
  }
  return out;
}

/** `left->right`, or null. */
export function arrow(of: Span): { readonly left: Span; readonly right: Span } | null {
  const at = of.text.indexOf('->');
  return at === -1 ? null : { left: trimmed(part(of, 0, at)), right: trimmed(part(of, at + 2)) };
}

/** `left/right`; `right` is null without a slash. */
export function slash(of: Span): { readonly left: Span; readonly right: Span | null } {
  const at = of.text.indexOf('/');
  return at === -1 ? { left: of, right: null } : { left: part(of, 0, at), right: part(of, at + 1) };
}

function skip(of: Span, from: number, pattern: RegExp): number {
  pattern.lastIndex = from;
  pattern.test(of.text);
  return Math.max(from, pattern.lastIndex);
}

/** Where the parenthesis that opens at `from` is closed. */
function closing(of: Span, from: number): number {
  let depth = 0;
  for (let i = from; i < of.text.length; i += 1) {
    if (of.text[i] === '(') depth += 1;
    else if (of.text[i] === ')' && --depth === 0) return i;
  }
  return fail('SYNTAX', part(of, of.text.length), `the ")" for the "(" at character ${of.at + from + 1}`);
}

/** Where a value ends: before a comma or white space that is in no parentheses or brackets. */
function valueEnd(of: Span, from: number): number {
  let depth = 0;
  for (let i = from; i < of.text.length; i += 1) {
    const c = of.text[i] ?? '';
    if (c === '(' || c === '[') depth += 1;
    else if (c === ')' || c === ']') depth -= 1;
    else if (depth <= 0 && (c === ',' || c.trim() === '')) return i;
  }
  if (depth > 0) fail('SYNTAX', part(of, of.text.length), 'a closing parenthesis or bracket');
  return of.text.length;
}
