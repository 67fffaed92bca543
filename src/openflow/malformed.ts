// Which OFPT_ERROR the specification has for a message that cannot be read.

import type { WireError } from '../base/errors.ts';
import type { ErrorMessage } from './messages/session.ts';

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

/** The answer to `frame`, or null: the specification has no code, or it is itself an error, which is never answered. */
export function answerToMalformed(frame: Buffer, fault: WireError): ErrorMessage | null {
  if (frame[1] === OFPT_ERROR) return null;
  const data = frame.subarray(0, QUOTED_BYTES);
  if (fault.code === 'BAD_VERSION') {
    return { type: 'error', errorType: OFPET_BAD_REQUEST, errorCode: OFPBRC_BAD_VERSION, data };
  }
  const path = fault.field.split('.');
  const places = frame[0] === V10 ? PLACES_10 : PLACES;
  const place = places.toSorted((a, b) => path.lastIndexOf(b.segment) - path.lastIndexOf(a.segment))[0];
  const { errorType, badLength, badType } = place !== undefined && path.includes(place.segment) ? place : WHOLE_MESSAGE;
  if (fault.code === 'TRUNCATED' || fault.code === 'BAD_LENGTH') {
    return { type: 'error', errorType, errorCode: badLength, data };
  }
  return fault.code === 'BAD_TYPE' && badType !== null ? { type: 'error', errorType, errorCode: badType, data } : null;
}

/** The answer to a message whose type no specification gives a meaning. */
export function answerToUnknownType(frame: Buffer): ErrorMessage {
  const data = frame.subarray(0, QUOTED_BYTES);
  return { type: 'error', errorType: OFPET_BAD_REQUEST, errorCode: OFPBRC_BAD_TYPE, data };
}
