// The one error that text in ovs-ofctl's syntax can raise: where it stopped, what was expected there, what was found.

import { StateferryError } from '../../base/errors.ts';

export type TextErrorCode =
  | 'SYNTAX' // something is missing or left over
  | 'UNKNOWN_WORD' // no such field, action, keyword or port name
  | 'BAD_VALUE' // not a value of this field
  | 'OUT_OF_RANGE' // a value too large for its place
  | 'NOT_ALLOWED'; // right by itself, but not here

export class TextError extends StateferryError<TextErrorCode> {
  /** Offset in characters from the beginning of the text that was parsed. */
  readonly position: number;
  readonly expected: string;
  readonly found: string;

  constructor(code: TextErrorCode, position: number, expected: string, found: string) {
    const what = found === '' ? 'the end' : JSON.stringify(found.length > 40 ? `${found.slice(0, 40)}...` : found);
    super(code, `at character ${position + 1}: expected ${expected}, found ${what}`, {
      context: { position, expected, found },
    });
    this.position = position;
    this.expected = expected;
    this.found = found;
  }
}
