// What is wrong with what a command of `stateferry openflow` was given, in a sentence for people.

import { StateferryError } from '../../base/errors.ts';

export type InputErrorCode =
  | 'NOT_READABLE' // no such file, and no hexadecimal digits either
  | 'NOT_A_CAPTURE' // a capture that cannot be followed
  | 'NO_OPENFLOW' // nothing of OpenFlow in it
  | 'NOT_AN_ADDRESS'
  | 'CONNECTION_FAILED';

export class InputError extends StateferryError<InputErrorCode> {}
