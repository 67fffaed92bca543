// Names of errors that Open vSwitch sends with an experimenter's number (ofp-errors.h): its own, and the ONF's for what later
// versions have. Nicira's are two numbers in 1.0 and one from 1.2 on.

import { NICIRA, ONF } from '../oxm-fields.ts';

/** By `type,code` of a struct nx_vendor_error. */
const NICIRA_10: Readonly<Record<string, string>> = {
  '0,263': 'OFPBMC_BAD_FIELD',
  '1,256': 'NXBRC_NXM_INVALID',
  '1,257': 'NXBRC_NXM_BAD_TYPE',
  '1,258': 'OFPBMC_BAD_VALUE',
  '1,259': 'OFPBMC_BAD_MASK',
  '1,260': 'OFPBMC_BAD_PREREQ',
  '1,261': 'OFPBMC_DUP_FIELD',
  '1,262': 'OFPBMC_BAD_WILDCARDS',
  '1,264': 'NXBMC_CT_DATAPATH_SUPPORT',
  '1,265': 'NXBAC_CT_DATAPATH_SUPPORT',
  '1,512': 'OFPBRC_BAD_TABLE_ID',
  '1,513': 'OFPRRFC_BAD_ROLE',
  '1,514': 'OFPBRC_BAD_PORT',
  '1,515': 'NXBRC_MUST_BE_ZERO',
  '1,516': 'NXBRC_BAD_REASON',
  '1,517': 'OFPMOFC_MONITOR_EXISTS',
  '1,518': 'OFPMOFC_BAD_FLAGS',
  '1,519': 'OFPMOFC_UNKNOWN_MONITOR',
  '1,520': 'NXBRC_FM_BAD_EVENT',
  '1,521': 'NXBRC_UNENCODABLE_ERROR',
  '1,522': 'OFPBAC_MATCH_INCONSISTENT',
  '1,523': 'OFPBAC_BAD_SET_TYPE',
  '1,524': 'OFPBAC_BAD_SET_LEN',
  '1,525': 'OFPBAC_BAD_SET_ARGUMENT',
  '1,527': 'NXTTMFC_BAD_COMMAND',
  '1,528': 'NXTTMFC_BAD_OPT_LEN',
  '1,529': 'NXTTMFC_BAD_FIELD_IDX',
  '1,530': 'NXTTMFC_TABLE_FULL',
  '1,531': 'NXTTMFC_ALREADY_MAPPED',
  '1,532': 'NXTTMFC_DUP_ENTRY',
  '1,533': 'NXR_NOT_SUPPORTED',
  '1,534': 'NXR_STALE',
  '1,535': 'NXST_NOT_CONFIGURED',
  '1,536': 'NXFMFC_INVALID_TLV_FIELD',
  '1,537': 'NXTTMFC_INVALID_TLV_DEL',
  '2,9': 'OFPBAC_BAD_OUT_GROUP',
  '2,256': 'NXBAC_MUST_BE_ZERO',
  '2,257': 'OFPBIC_UNSUP_INST',
  '2,526': 'NXBAC_BAD_CONJUNCTION',
  '3,258': 'OFPFMFC_BAD_FLAGS',
  '5,256': 'NXFMFC_HARDWARE',
  '5,257': 'NXFMFC_BAD_TABLE_ID',
  '6,0': 'OFPGMFC_GROUP_EXISTS',
  '6,1': 'OFPGMFC_INVALID_GROUP',
  '6,2': 'OFPGMFC_WEIGHT_UNSUPPORTED',
  '6,3': 'OFPGMFC_OUT_OF_GROUPS',
  '6,4': 'OFPGMFC_OUT_OF_BUCKETS',
  '6,5': 'OFPGMFC_CHAINING_UNSUPPORTED',
  '6,6': 'OFPGMFC_WATCH_UNSUPPORTED',
  '6,7': 'OFPGMFC_LOOP',
  '6,8': 'OFPGMFC_UNKNOWN_GROUP',
  '6,9': 'OFPGMFC_CHAINED_GROUP',
  '6,10': 'OFPGMFC_BAD_TYPE',
  '6,11': 'OFPGMFC_BAD_COMMAND',
  '6,12': 'OFPGMFC_BAD_BUCKET',
  '6,13': 'OFPGMFC_BAD_WATCH',
  '6,14': 'OFPGMFC_EPERM',
  '6,15': 'OFPGMFC_UNKNOWN_BUCKET',
  '6,16': 'OFPGMFC_BUCKET_EXISTS',
  '13,2': 'OFPBPC_BAD_TYPE',
  '13,3': 'OFPBPC_BAD_LEN',
  '13,4': 'OFPBPC_BAD_VALUE',
  '14,3': 'OFPBPC_TOO_MANY',
  '14,4': 'OFPBPC_DUP_TYPE',
  '14,5': 'OFPBPC_BAD_EXPERIMENTER',
  '14,6': 'OFPBPC_BAD_EXP_TYPE',
  '14,7': 'OFPBPC_BAD_EXP_VALUE',
  '14,8': 'OFPBPC_EPERM',
};

const NICIRA_12: Readonly<Record<number, string>> = {
  2: 'NXBRC_NXM_INVALID',
  3: 'NXBRC_NXM_BAD_TYPE',
  4: 'NXBRC_MUST_BE_ZERO',
  5: 'NXBRC_BAD_REASON',
  6: 'OFPMOFC_MONITOR_EXISTS',
  7: 'OFPMOFC_BAD_FLAGS',
  8: 'OFPMOFC_UNKNOWN_MONITOR',
  9: 'NXBRC_FM_BAD_EVENT',
  10: 'NXBRC_UNENCODABLE_ERROR',
  11: 'NXBAC_MUST_BE_ZERO',
  12: 'NXFMFC_HARDWARE',
  13: 'NXFMFC_BAD_TABLE_ID',
  15: 'NXBAC_BAD_CONJUNCTION',
  16: 'NXTTMFC_BAD_COMMAND',
  17: 'NXTTMFC_BAD_OPT_LEN',
  18: 'NXTTMFC_BAD_FIELD_IDX',
  19: 'NXTTMFC_TABLE_FULL',
  20: 'NXTTMFC_ALREADY_MAPPED',
  21: 'NXTTMFC_DUP_ENTRY',
  22: 'OFPBFC_BAD_VERSION',
  23: 'NXQOFC_QUEUE_ERROR',
  25: 'OFPBPC_BAD_TYPE',
  26: 'OFPBPC_BAD_LEN',
  27: 'OFPBPC_BAD_VALUE',
  28: 'OFPBPC_TOO_MANY',
  29: 'OFPBPC_DUP_TYPE',
  30: 'OFPBPC_BAD_EXPERIMENTER',
  31: 'OFPBPC_BAD_EXP_TYPE',
  32: 'OFPBPC_BAD_EXP_VALUE',
  33: 'OFPBPC_EPERM',
  34: 'NXR_NOT_SUPPORTED',
  35: 'NXR_STALE',
  36: 'NXST_NOT_CONFIGURED',
  37: 'NXFMFC_INVALID_TLV_FIELD',
  38: 'NXTTMFC_INVALID_TLV_DEL',
  39: 'NXBAC_BAD_HEADER_TYPE',
  40: 'NXBAC_UNKNOWN_ED_PROP',
  41: 'NXBAC_BAD_ED_PROP',
  42: 'NXBAC_CT_DATAPATH_SUPPORT',
  43: 'NXBMC_CT_DATAPATH_SUPPORT',
  44: 'NXTFFC_DUP_TABLE',
};

/** Of 1.3, where bundles have 16 codes in a row (EXT-230). */
const ONF_13: Readonly<Record<number, string>> = {
  2360: 'OFPFMFC_BAD_PRIORITY',
  2370: 'OFPACFC_INVALID',
  2371: 'OFPACFC_UNSUPPORTED',
  2372: 'OFPACFC_EPERM',
  2600: 'OFPBIC_DUP_INST',
  2640: 'OFPBRC_MULTIPART_REQUEST_TIMEOUT',
  2641: 'OFPBRC_MULTIPART_REPLY_TIMEOUT',
  4250: 'OFPBAC_BAD_SET_MASK',
  4443: 'OFPBPC_TOO_MANY',
  4444: 'OFPBPC_DUP_TYPE',
  4445: 'OFPBPC_BAD_EXPERIMENTER',
  4446: 'OFPBPC_BAD_EXP_TYPE',
  4447: 'OFPBPC_BAD_EXP_VALUE',
  4448: 'OFPBPC_EPERM',
};

/** In 1.0: type and code of a struct nx_vendor_error. */
export const niciraErrorName10 = (type: number, code: number): string =>
  NICIRA_10[`${type},${code}`] ?? `NXET_VENDOR/${type}/${code}`;

/** From 1.2 on: OFPET_EXPERIMENTER, whose code is the experimenter's; null where it is not known. */
export function experimenterErrorName(experimenter: number, code: number): string | null {
  if (experimenter === NICIRA) return NICIRA_12[code] ?? null;
  return experimenter === ONF ? (ONF_13[code] ?? null) : null;
}

const CODES_10 = new Map(Object.entries(NICIRA_10).map(([numbers, name]) => [name, numbers.split(',').map(Number)]));
const CODES_12 = new Map(
  [
    ...Object.entries(NICIRA_12).map(([code, name]) => [name, NICIRA, Number(code)] as const),
    ...Object.entries(ONF_13).map(([code, name]) => [name, ONF, Number(code)] as const),
  ].map(([name, experimenter, code]) => [name, { experimenter, code }]),
);

/** The inverse of niciraErrorName10. */
export function niciraErrorCode10(name: string): { readonly type: number; readonly code: number } | null {
  const [type, code] = CODES_10.get(name) ?? [];
  return type === undefined || code === undefined ? null : { type, code };
}

/** The inverse of experimenterErrorName. */
export const experimenterErrorCode = (name: string): { readonly experimenter: number; readonly code: number } | null =>
  CODES_12.get(name) ?? null;
