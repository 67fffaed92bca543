// Names of OFPT_ERROR types and codes (1.5.1 section 7.5.4), as Open vSwitch and the specifications write them.
// A code's place is its number; 1.3, 1.4 and 1.5 agree where they share one.

import { experimenterErrorCode, experimenterErrorName } from './nicira/error-names.ts';
import { ONF } from './oxm-fields.ts';
import { errorName10, errorNumbers10 } from './v10/error-names.ts';
import type { ErrorNumbers } from './v10/error-names.ts';
import type { OxmVersion, WireVersion } from './wire-version.ts';

interface Code {
  readonly name: string;
  readonly since: OxmVersion;
}

interface ErrorType {
  readonly name: string;
  readonly codes: readonly (Code | null)[];
}

/** A bar stands before what came with the next version; a dash for a number without a meaning. */
function type(name: string, prefix: string, words: string): ErrorType {
  const codes: (Code | null)[] = [];
  let since: OxmVersion = 4;
  for (const word of words.split(' ')) {
    if (word === '|') since = since === 4 ? 5 : 6;
    else codes.push(word === '-' ? null : { name: `${prefix}_${word}`, since });
  }
  return { name, codes };
}

const TYPES: readonly ErrorType[] = [
  type('OFPET_HELLO_FAILED', 'OFPHFC', 'INCOMPATIBLE EPERM'),
  type(
    'OFPET_BAD_REQUEST',
    'OFPBRC',
    'BAD_VERSION BAD_TYPE BAD_MULTIPART BAD_EXPERIMENTER BAD_EXP_TYPE EPERM BAD_LEN BUFFER_EMPTY BUFFER_UNKNOWN ' +
      'BAD_TABLE_ID IS_SLAVE BAD_PORT BAD_PACKET MULTIPART_BUFFER_OVERFLOW | ' +
      'MULTIPART_REQUEST_TIMEOUT MULTIPART_REPLY_TIMEOUT | MULTIPART_BAD_SCHED PIPELINE_FIELDS_ONLY UNKNOWN',
  ),
  type(
    'OFPET_BAD_ACTION',
    'OFPBAC',
    'BAD_TYPE BAD_LEN BAD_EXPERIMENTER BAD_EXP_TYPE BAD_OUT_PORT BAD_ARGUMENT EPERM TOO_MANY BAD_QUEUE BAD_OUT_GROUP ' +
      'MATCH_INCONSISTENT UNSUPPORTED_ORDER BAD_TAG BAD_SET_TYPE BAD_SET_LEN BAD_SET_ARGUMENT | | BAD_SET_MASK BAD_METER',
  ),
  type(
    'OFPET_BAD_INSTRUCTION',
    'OFPBIC',
    'UNKNOWN_INST UNSUP_INST BAD_TABLE_ID UNSUP_METADATA UNSUP_METADATA_MASK BAD_EXPERIMENTER BAD_EXP_TYPE BAD_LEN ' +
      'EPERM | DUP_INST',
  ),
  type(
    'OFPET_BAD_MATCH',
    'OFPBMC',
    'BAD_TYPE BAD_LEN BAD_TAG BAD_DL_ADDR_MASK BAD_NW_ADDR_MASK BAD_WILDCARDS BAD_FIELD BAD_VALUE BAD_MASK BAD_PREREQ ' +
      'DUP_FIELD EPERM',
  ),
  type(
    'OFPET_FLOW_MOD_FAILED',
    'OFPFMFC',
    'UNKNOWN TABLE_FULL BAD_TABLE_ID OVERLAP EPERM BAD_TIMEOUT BAD_COMMAND BAD_FLAGS | CANT_SYNC BAD_PRIORITY IS_SYNC',
  ),
  type(
    'OFPET_GROUP_MOD_FAILED',
    'OFPGMFC',
    'GROUP_EXISTS INVALID_GROUP WEIGHT_UNSUPPORTED OUT_OF_GROUPS OUT_OF_BUCKETS CHAINING_UNSUPPORTED WATCH_UNSUPPORTED ' +
      'LOOP UNKNOWN_GROUP CHAINED_GROUP BAD_TYPE BAD_COMMAND BAD_BUCKET BAD_WATCH EPERM | | UNKNOWN_BUCKET BUCKET_EXISTS',
  ),
  type('OFPET_PORT_MOD_FAILED', 'OFPPMFC', 'BAD_PORT BAD_HW_ADDR BAD_CONFIG BAD_ADVERTISE EPERM'),
  type('OFPET_TABLE_MOD_FAILED', 'OFPTMFC', 'BAD_TABLE BAD_CONFIG EPERM'),
  type('OFPET_QUEUE_OP_FAILED', 'OFPQOFC', 'BAD_PORT BAD_QUEUE EPERM'),
  type('OFPET_SWITCH_CONFIG_FAILED', 'OFPSCFC', 'BAD_FLAGS BAD_LEN EPERM'),
  type('OFPET_ROLE_REQUEST_FAILED', 'OFPRRFC', 'STALE UNSUP BAD_ROLE | | ID_UNSUP ID_IN_USE'),
  type(
    'OFPET_METER_MOD_FAILED',
    'OFPMMFC',
    'UNKNOWN METER_EXISTS INVALID_METER UNKNOWN_METER BAD_COMMAND BAD_FLAGS BAD_RATE BAD_BURST BAD_BAND ' +
      'BAD_BAND_VALUE OUT_OF_METERS OUT_OF_BANDS',
  ),
  type(
    'OFPET_TABLE_FEATURES_FAILED',
    'OFPTFFC',
    'BAD_TABLE BAD_METADATA - - - EPERM | | BAD_CAPA BAD_MAX_ENT BAD_FEATURES BAD_COMMAND TOO_MANY',
  ),
  type(
    'OFPET_BAD_PROPERTY',
    'OFPBPC',
    '| BAD_TYPE BAD_LEN BAD_VALUE TOO_MANY DUP_TYPE BAD_EXPERIMENTER BAD_EXP_TYPE BAD_EXP_VALUE EPERM',
  ),
  type('OFPET_ASYNC_CONFIG_FAILED', 'OFPACFC', '| INVALID UNSUPPORTED EPERM'),
  type(
    'OFPET_FLOW_MONITOR_FAILED',
    'OFPMOFC',
    '| UNKNOWN MONITOR_EXISTS INVALID_MONITOR UNKNOWN_MONITOR BAD_COMMAND BAD_FLAGS BAD_TABLE_ID BAD_OUT',
  ),
  type(
    'OFPET_BUNDLE_FAILED',
    'OFPBFC',
    '| UNKNOWN EPERM BAD_ID BUNDLE_EXIST BUNDLE_CLOSED OUT_OF_BUNDLES BAD_TYPE BAD_FLAGS MSG_BAD_LEN MSG_BAD_XID ' +
      'MSG_UNSUP MSG_CONFLICT MSG_TOO_MANY MSG_FAILED TIMEOUT BUNDLE_IN_PROGRESS | SCHED_NOT_SUPPORTED SCHED_FUTURE SCHED_PAST',
  ),
];

const TABLE_FEATURES_FAILED = 13;
const BUNDLE_FAILED = 17;
export const OFPET_EXPERIMENTER = 0xffff;

/** Codes of OFPET_TABLE_FEATURES_FAILED in 1.3 that 1.4 made those of any property, OFPET_BAD_PROPERTY. */
const PROPERTIES_13: Readonly<Record<string, number>> = {
  OFPTFFC_BAD_TYPE: 2,
  OFPTFFC_BAD_LEN: 3,
  OFPTFFC_BAD_ARGUMENT: 4,
  OFPBPC_BAD_TYPE: 2,
  OFPBPC_BAD_LEN: 3,
  OFPBPC_BAD_VALUE: 4,
};

/** EXT-230 carries the bundle codes in 1.3 as experimenter errors from this number on. */
const ONF_BUNDLE_FAILED = 2300;

const has = (code: Code | null | undefined, version: OxmVersion): code is Code =>
  code !== null && code !== undefined && code.since <= version;

function standardName(errorType: number, errorCode: number, version: OxmVersion): string | null {
  const code = TYPES[errorType]?.codes[errorCode];
  if (has(code, version)) return code.name;
  if (version !== 4 || errorType !== TABLE_FEATURES_FAILED) return null;
  return Object.keys(PROPERTIES_13).find((name) => PROPERTIES_13[name] === errorCode) ?? null;
}

/** What is known of an error besides its numbers. */
export interface ErrorContext {
  /** Of the message; 1.3 unless given. */
  readonly version?: WireVersion;
  /** As the error carries it: an experimenter's error says there whose it is. */
  readonly data?: Buffer;
}

/** The code's name; its number where the specification has none, as in `OFPET_BAD_MATCH/77`. */
export function errorName(errorType: number, errorCode: number, { version = 4, data }: ErrorContext = {}): string {
  if (version === 1) return errorName10(errorType, errorCode, data);
  if (errorType === OFPET_EXPERIMENTER) {
    const experimenter = data !== undefined && data.length >= 4 ? data.readUInt32BE(0) : ONF;
    const bundle = experimenter === ONF ? TYPES[BUNDLE_FAILED]?.codes[errorCode - ONF_BUNDLE_FAILED]?.name : undefined;
    return bundle ?? experimenterErrorName(experimenter, errorCode) ?? `OFPET_EXPERIMENTER/${errorCode}`;
  }
  return standardName(errorType, errorCode, version) ?? `${TYPES[errorType]?.name ?? errorType}/${errorCode}`;
}

/** The inverse of errorName; null where the version has no such error. */
export function errorNumbers(name: string, version: WireVersion): ErrorNumbers | null {
  if (version === 1) return errorNumbers10(name);
  const head = Buffer.alloc(0);
  for (const [errorType, { codes }] of TYPES.entries()) {
    const errorCode = codes.findIndex((code) => has(code, version) && code.name === name);
    if (errorCode !== -1) return { errorType, errorCode, head };
  }
  const property = version === 4 ? PROPERTIES_13[name] : undefined;
  if (property !== undefined) return { errorType: TABLE_FEATURES_FAILED, errorCode: property, head };
  const bundle = TYPES[BUNDLE_FAILED]?.codes.findIndex((code) => code?.name === name) ?? -1;
  if (version === 4 && bundle !== -1) return ofExperimenter(ONF, ONF_BUNDLE_FAILED + bundle);
  const found = experimenterErrorCode(name);
  return found === null ? null : ofExperimenter(found.experimenter, found.code);
}

function ofExperimenter(experimenter: number, errorCode: number): ErrorNumbers {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(experimenter, 0);
  return { errorType: OFPET_EXPERIMENTER, errorCode, head };
}
