// Names of OFPT_ERROR types and codes of 1.0 (1.0.1 section 5.4.4). Types from 3 on mean something else in later versions.

import { niciraErrorCode10, niciraErrorName10 } from '../nicira/error-names.ts';
import { NICIRA } from '../oxm-fields.ts';

/** An error on the wire, and what its data begin with before they quote the message. */
export interface ErrorNumbers {
  readonly errorType: number;
  readonly errorCode: number;
  readonly head: Buffer;
}

type Codes = Readonly<Record<number, string>>;

const codes = (prefix: string, names: string): Codes =>
  Object.fromEntries(names.split(' ').map((name, code) => [code, `${prefix}_${name}`]));

const TYPES: Readonly<Record<number, { readonly name: string; readonly codes: Codes }>> = {
  0: { name: 'OFPET_HELLO_FAILED', codes: codes('OFPHFC', 'INCOMPATIBLE EPERM') },
  1: {
    name: 'OFPET_BAD_REQUEST',
    codes: codes(
      'OFPBRC',
      'BAD_VERSION BAD_TYPE BAD_STAT BAD_VENDOR BAD_SUBTYPE EPERM BAD_LEN BUFFER_EMPTY BUFFER_UNKNOWN',
    ),
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
const NXVC_VENDOR_ERROR = 0;

/** The code's name; its number where there is none, as in `OFPET_BAD_ACTION/77`. `data` as the error carries it. */
export function errorName10(errorType: number, errorCode: number, data: Buffer = Buffer.alloc(0)): string {
  if (errorType === NXET_VENDOR && data.length >= 8 && data.readUInt32BE(0) === NICIRA) {
    return niciraErrorName10(data.readUInt16BE(4), data.readUInt16BE(6));
  }
  const known = TYPES[errorType];
  return known?.codes[errorCode] ?? `${known?.name ?? errorType}/${errorCode}`;
}

/** The inverse of errorName10; `head` is what the data begin with. Null where 1.0 has no such error. */
export function errorNumbers10(name: string): ErrorNumbers | null {
  for (const [type, known] of Object.entries(TYPES)) {
    const found = Object.entries(known.codes).find(([, text]) => text === name);
    if (found !== undefined) return { errorType: Number(type), errorCode: Number(found[0]), head: Buffer.alloc(0) };
  }
  const vendor = niciraErrorCode10(name);
  if (vendor === null) return null;
  const head = Buffer.alloc(8);
  head.writeUInt32BE(NICIRA, 0);
  head.writeUInt16BE(vendor.type, 4);
  head.writeUInt16BE(vendor.code, 6);
  return { errorType: NXET_VENDOR, errorCode: NXVC_VENDOR_ERROR, head };
}
