// Names of OFPT_ERROR types and codes of 1.0 (1.0.1 section 5.4.4), and of Nicira's additions to them (ofp-errors.h of Open
// vSwitch). Types from 3 on mean something else in later versions.

type Codes = Readonly<Record<number, string>>;

const codes = (prefix: string, names: string): Codes =>
  Object.fromEntries(names.split(' ').map((name, code) => [code, `${prefix}_${name}`]));

const TYPES: Readonly<Record<number, { readonly name: string; readonly codes: Codes }>> = {
  0: { name: 'OFPET_HELLO_FAILED', codes: codes('OFPHFC', 'INCOMPATIBLE EPERM') },
  1: {
    name: 'OFPET_BAD_REQUEST',
    codes: {
      ...codes(
        'OFPBRC',
        'BAD_VERSION BAD_TYPE BAD_STAT BAD_VENDOR BAD_SUBTYPE EPERM BAD_LEN BUFFER_EMPTY BUFFER_UNKNOWN',
      ),
    },
  },
  2: {
    name: 'OFPET_BAD_ACTION',
    codes: codes(
      'OFPBAC',
      'BAD_TYPE BAD_LEN BAD_VENDOR BAD_VENDOR_TYPE BAD_OUT_PORT BAD_ARGUMENT EPERM TOO_MANY BAD_QUEUE',
    ),
  },
  3: {
    name: 'OFPET_FLOW_MOD_FAILED',
    codes: codes('OFPFMFC', 'ALL_TABLES_FULL OVERLAP EPERM BAD_EMERG_TIMEOUT BAD_COMMAND UNSUPPORTED'),
  },
  4: { name: 'OFPET_PORT_MOD_FAILED', codes: codes('OFPPMFC', 'BAD_PORT BAD_HW_ADDR') },
  5: { name: 'OFPET_QUEUE_OP_FAILED', codes: codes('OFPQOFC', 'BAD_PORT BAD_QUEUE EPERM') },
};

/** NXET_VENDOR: the data begin with a struct nx_vendor_error, which says vendor, type and code. */
const NXET_VENDOR = 0xb0c2;
const NICIRA = 0x2320;

/** By `type,code` of a struct nx_vendor_error of Nicira. */
const NICIRA_ERRORS: Readonly<Record<string, string>> = {
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
  '1,520': 'NXBRC_FM_BAD_EVENT',
  '1,521': 'NXBRC_UNENCODABLE_ERROR',
  '1,522': 'OFPBAC_MATCH_INCONSISTENT',
  '1,523': 'OFPBAC_BAD_SET_TYPE',
  '1,524': 'OFPBAC_BAD_SET_LEN',
  '1,525': 'OFPBAC_BAD_SET_ARGUMENT',
  '1,536': 'NXFMFC_INVALID_TLV_FIELD',
  '2,9': 'OFPBAC_BAD_OUT_GROUP',
  '2,256': 'NXBAC_MUST_BE_ZERO',
  '2,257': 'OFPBIC_UNSUP_INST',
  '2,526': 'NXBAC_BAD_CONJUNCTION',
  '3,258': 'OFPFMFC_BAD_FLAGS',
  '5,256': 'NXFMFC_HARDWARE',
  '5,257': 'NXFMFC_BAD_TABLE_ID',
};

/** The code's name; its number where there is none, as in `OFPET_BAD_ACTION/77`. `data` as the error carries it. */
export function errorName10(errorType: number, errorCode: number, data: Buffer = Buffer.alloc(0)): string {
  if (errorType === NXET_VENDOR && data.length >= 8 && data.readUInt32BE(0) === NICIRA) {
    const [type, code] = [data.readUInt16BE(4), data.readUInt16BE(6)];
    return NICIRA_ERRORS[`${type},${code}`] ?? `NXET_VENDOR/${type}/${code}`;
  }
  const known = TYPES[errorType];
  return known?.codes[errorCode] ?? `${known?.name ?? errorType}/${errorCode}`;
}
