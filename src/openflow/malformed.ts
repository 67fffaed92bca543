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

/** 1.3 has errors for the properties of table features only: OFPTFFC_BAD_LEN, OFPTFFC_BAD_TYPE. */
const PLACES_13: readonly Place[] = [
  ...PLACES.filter(({ segment }) => segment !== 'properties'),
  { segment: 'table_features', errorType: 13, badLength: 3, badType: 2 },
];

/** 1.0 (1.0.1 section 5.4.4) has no error types for matches, instructions and properties: their numbers mean others. */
const PLACES_10 = PLACES.filter(({ segment }) => segment === 'actions');
const V10 = 1;
const V13 = 4;

const OFPT_ERROR = 1;
const OFPET_BAD_REQUEST = 1;
const OFPBRC_BAD_VERSION = 0;
const OFPBRC_BAD_TYPE = 1;

/** What the specification calls a number without a meaning in these fields. */
const BAD_VALUES: readonly (readonly [field: string, fault: string])[] = [
  ['flow_mod.command', 'OFPFMFC_BAD_COMMAND'],
  ['group_mod.command', 'OFPGMFC_BAD_COMMAND'],
  ['group_mod.groupType', 'OFPGMFC_BAD_TYPE'],
  ['meter_mod.command', 'OFPMMFC_BAD_COMMAND'],
  ['role_request.role', 'OFPRRFC_BAD_ROLE'],
  ['table_features.tables.command', 'OFPTFFC_BAD_COMMAND'],
  ['flow_monitor.monitors.command', 'OFPMOFC_BAD_COMMAND'],
  ['bundle_control.control', 'OFPBFC_BAD_TYPE'],
  ['bundle_add.message.type', 'OFPBFC_MSG_UNSUP'],
];
const BUNDLED_LENGTH = /(^|\.)bundle_add\.message(\.length)?$/;

function faultOf({ fault, code, field }: WireError): string | null {
  if (fault !== null) return fault;
  if (code === 'BAD_VALUE') return BAD_VALUES.find(([path]) => field.endsWith(path))?.[1] ?? null;
  const isLength = code === 'BAD_LENGTH' || code === 'TRUNCATED';
  return isLength && BUNDLED_LENGTH.test(field) ? 'OFPBFC_MSG_BAD_LEN' : null;
}

/** At least 64 bytes of the offending message go back (1.3.5 section 7.4.4). */
const QUOTED_BYTES = 64;

/** The error that a fault is, in the numbers of the version; null where the specification has none. */
function numbersOf(fault: WireError, version: WireVersion): ErrorNumbers | null {
  const name = faultOf(fault);
  const named = name === null ? null : errorNumbers(name, version);
  if (named !== null) return named;
  const head = Buffer.alloc(0);
  if (fault.code === 'BAD_VERSION') return { errorType: OFPET_BAD_REQUEST, errorCode: OFPBRC_BAD_VERSION, head };
  const path = fault.field.split('.');
  const places = version === V10 ? PLACES_10 : version === V13 ? PLACES_13 : PLACES;
  const place = places.toSorted((a, b) => path.lastIndexOf(b.segment) - path.lastIndexOf(a.segment))[0];
  const { errorType, badLength, badType } = place !== undefined && path.includes(place.segment) ? place : WHOLE_MESSAGE;
  if (fault.code === 'TRUNCATED' || fault.code === 'BAD_LENGTH') return { errorType, errorCode: badLength, head };
  return fault.code === 'BAD_TYPE' && badType !== null ? { errorType, errorCode: badType, head } : null;
}

/** What the protocol calls a fault (`OFPBAC_BAD_LEN`), or null. */
export function faultName(fault: WireError, version: WireVersion): string | null {
  const name = faultOf(fault);
  if (name !== null) return name;
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
