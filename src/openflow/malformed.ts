// Which OFPT_ERROR the specification has for a message that cannot be read.

import type { WireError } from '../base/errors.ts';
import { errorName, errorNumbers } from './error-names.ts';
import type { ErrorMessage } from './messages/session.ts';
import type { ErrorNumbers } from './v10/error-names.ts';
import { isWireVersion } from './wire-version.ts';
import type { WireVersion } from './wire-version.ts';

interface Place {
  /** Part of the field's path that says where in the message the fault is; the innermost counts. */
  readonly segment: string;
  readonly errorType: number;
  readonly badLength: number;
  readonly badType: number | null;
}

const PLACES: readonly Place[] = [
  { segment: 'match', errorType: 4, badLength: 1, badType: 0 }, // OFPBMC_BAD_LEN, OFPBMC_BAD_TYPE
  { segment: 'instructions', errorType: 3, badLength: 7, badType: 0 }, // OFPBIC_BAD_LEN, OFPBIC_UNKNOWN_INST
  { segment: 'actions', errorType: 2, badLength: 1, badType: 0 }, // OFPBAC_BAD_LEN, OFPBAC_BAD_TYPE
  { segment: 'properties', errorType: 14, badLength: 1, badType: 0 }, // OFPBPC_BAD_LEN, OFPBPC_BAD_TYPE
];
const WHOLE_MESSAGE: Place = { segment: '', errorType: 1, badLength: 6, badType: null }; // OFPBRC_BAD_LEN

/** 1.0 (1.0.1 section 5.4.4) has no error types for matches, instructions and properties: their numbers mean others. */
const PLACES_10 = PLACES.filter(({ segment }) => segment === 'actions');
const V10 = 1;

const OFPT_ERROR = 1;
const OFPET_BAD_REQUEST = 1;
const OFPBRC_BAD_VERSION = 0;
const OFPBRC_BAD_TYPE = 1;

/** At least 64 bytes of the offending message go back (1.3.5 section 7.4.4). */
const QUOTED_BYTES = 64;

/** The error that a fault is, in the numbers of the version; null where the specification has none. */
function numbersOf(fault: WireError, version: WireVersion): ErrorNumbers | null {
  const named = fault.fault === null ? null : errorNumbers(fault.fault, version);
  if (named !== null) return named;
  const head = Buffer.alloc(0);
  if (fault.code === 'BAD_VERSION') return { errorType: OFPET_BAD_REQUEST, errorCode: OFPBRC_BAD_VERSION, head };
  const path = fault.field.split('.');
  const places = version === V10 ? PLACES_10 : PLACES;
  const place = places.toSorted((a, b) => path.lastIndexOf(b.segment) - path.lastIndexOf(a.segment))[0];
  const { errorType, badLength, badType } = place !== undefined && path.includes(place.segment) ? place : WHOLE_MESSAGE;
  if (fault.code === 'TRUNCATED' || fault.code === 'BAD_LENGTH') return { errorType, errorCode: badLength, head };
  return fault.code === 'BAD_TYPE' && badType !== null ? { errorType, errorCode: badType, head } : null;
}

/** What the protocol calls a fault (`OFPBAC_BAD_LEN`), or null. */
export function faultName(fault: WireError, version: WireVersion): string | null {
  if (fault.fault !== null) return fault.fault;
  const numbers = numbersOf(fault, version);
  return numbers === null ? null : errorName(numbers.errorType, numbers.errorCode, { version });
}

/** The answer to `frame`, or null: the specification has no code, or it is itself an error, which is never answered. */
export function answerToMalformed(frame: Buffer, fault: WireError): ErrorMessage | null {
  if (frame[1] === OFPT_ERROR) return null;
  const version = frame[0] ?? 0;
  const numbers = numbersOf(fault, isWireVersion(version) ? version : 4);
  if (numbers === null) return null;
  const { errorType, errorCode, head } = numbers;
  return { type: 'error', errorType, errorCode, data: Buffer.concat([head, frame.subarray(0, QUOTED_BYTES)]) };
}

/** The answer to a message whose type no specification gives a meaning. */
export function answerToUnknownType(frame: Buffer): ErrorMessage {
  const data = frame.subarray(0, QUOTED_BYTES);
  return { type: 'error', errorType: OFPET_BAD_REQUEST, errorCode: OFPBRC_BAD_TYPE, data };
}
