// What most matches are made of, read and written without detours: a field with an exact value of fixed size, under the
// header that its version prefers. Everything else (masks, experimenters, other headers, values that do not fit) is oxm.ts's.

import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from '../wire/big-endian.ts';
import { formatIpv4, parseIpv4Into } from '../wire/ip-address.ts';
import { formatMac, parseMacInto } from '../wire/mac-address.ts';
import { fitsU64 } from '../wire/writer.ts';
import type { OxmRow } from './oxm-fields.ts';
import { fieldNames, oxmTypeOf, rowsOfType } from './oxm-rows.ts';
import type { OxmValue } from './oxm-types.ts';
import { isNarrowPort } from './oxm-value.ts';
import type { WireVersion } from './wire-version.ts';

interface Form {
  readonly read: (b: Uint8Array, at: number) => OxmValue;
  /** Whether the value fits; if not, what stands at `at` means nothing. */
  readonly write: (b: Uint8Array, at: number, value: OxmValue) => boolean;
}

export interface QuickField extends Form {
  readonly name: string;
  /** The header whole, with the length. */
  readonly head: number;
  readonly bytes: number;
}

const isWhole = (value: OxmValue, max: number): value is number =>
  typeof value === 'number' && value >>> 0 === value && value <= max;

const MAC: Form = {
  read: formatMac,
  write: (b, at, value) => typeof value === 'string' && parseMacInto(b, at, value),
};
const IPV4: Form = {
  read: formatIpv4,
  write: (b, at, value) => typeof value === 'string' && parseIpv4Into(b, at, value),
};
const NUMBERS: Readonly<Record<number, Form>> = {
  1: {
    read: (b, at) => b[at] ?? 0,
    write: (b, at, value) => {
      if (!isWhole(value, 0xff)) return false;
      b[at] = value;
      return true;
    },
  },
  2: {
    read: readU16,
    write: (b, at, value) => {
      if (!isWhole(value, 0xffff)) return false;
      writeU16(b, at, value);
      return true;
    },
  },
  4: {
    read: readU32,
    write: (b, at, value) => {
      if (!isWhole(value, 0xffffffff)) return false;
      writeU32(b, at, value);
      return true;
    },
  },
  8: {
    read: readU64,
    write: (b, at, value) => {
      if (typeof value !== 'bigint' || !fitsU64(value)) return false;
      writeU64(b, at, value);
      return true;
    },
  },
};

function formOf(row: OxmRow): Form | undefined {
  if (row.experimenter !== null || rowsOfType(oxmTypeOf(row)).length !== 1 || isNarrowPort(row)) return undefined;
  if (row.form === 'mac') return MAC;
  if (row.form === 'ipv4') return IPV4;
  return row.form === 'dec' || row.form === 'hex' ? NUMBERS[row.bytes] : undefined;
}

export interface QuickFields {
  readonly byHead: ReadonlyMap<number, QuickField>;
  readonly byName: ReadonlyMap<string, QuickField>;
}

export function quickFields(version: WireVersion): QuickFields {
  const all = [...fieldNames(version).values()].flatMap((row): readonly QuickField[] => {
    const form = formOf(row);
    if (form === undefined) return [];
    return [{ ...form, name: row.name, head: oxmTypeOf(row) * 0x200 + row.bytes, bytes: row.bytes }];
  });
  return {
    byHead: new Map(all.map((field) => [field.head, field])),
    byName: new Map(all.map((field) => [field.name, field])),
  };
}
