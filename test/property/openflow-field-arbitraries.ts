// Match fields of every kind that a version can write, and a few that no table has.
import fc from 'fast-check';
import { formatMac } from '../../src/wire/codec.ts';
import { formatIpv4, formatIpv6 } from '../../src/wire/ip-address.ts';
import type { Match, OxmField, OxmValue } from '../../src/openflow/model.ts';
import type { OxmRow } from '../../src/openflow/oxm-fields.ts';
import { fieldNames } from '../../src/openflow/oxm-rows.ts';
import { widenPort } from '../../src/openflow/v10/port-no.ts';
import type { WireVersion } from '../../src/openflow/wire-version.ts';

type Arb<T> = fc.Arbitrary<T>;

export const raw = (length: number): Arb<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes));

/** Addresses with runs of zeros, which have a short form. */
const sparse16 = fc
  .array(fc.constantFrom(0, 0, 0, 1, 0xff), { minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes));

export const mac = raw(6).map(formatMac);
export const ipv4 = raw(4).map(formatIpv4);
export const ipv6 = fc.oneof(raw(16), sparse16).map(formatIpv6);
export const port16 = fc.integer({ min: 0, max: 0xffff }).map(widenPort);

function value(row: OxmRow, length: number): Arb<OxmValue> {
  if (row.form === 'mac') return mac;
  if (row.form === 'ipv4') return ipv4;
  if (row.form === 'ipv6') return ipv6;
  if (row.form === 'bytes') return raw(length);
  if (row.name === 'in_port' && row.bytes === 2) return port16;
  if (row.bits > 32) return fc.bigInt({ min: 0n, max: (1n << BigInt(row.bits)) - 1n });
  return fc.integer({ min: 0, max: 2 ** row.bits - 1 });
}

/** Exact or masked; a header has a length of one byte for both. */
export const fieldOf = (row: OxmRow): Arb<OxmField> =>
  fc.integer({ min: 0, max: Math.min(row.bytes, 120) }).chain((length) => {
    const plain = { name: fc.constant(row.name), value: value(row, length) };
    return fc.oneof(fc.record(plain), fc.record({ ...plain, mask: value(row, length) }));
  });

/** A class that no table has, so that it is always kept verbatim. */
export const strangeField: Arb<OxmField> = fc
  .tuple(fc.integer({ min: 0, max: 127 }), fc.integer({ min: 0, max: 20 }), fc.boolean())
  .chain(([number, length, hasMask]) => {
    const plain = { name: fc.constant(`oxm:0x1234:${number}`), value: raw(length) };
    return hasMask ? fc.record({ ...plain, mask: raw(length) }) : fc.record(plain);
  });

export const rowOf = (version: WireVersion): Arb<OxmRow> => fc.constantFrom(...fieldNames(version).values());

export const oxmField = (version: WireVersion): Arb<OxmField> =>
  fc.oneof({ weight: 9, arbitrary: rowOf(version).chain(fieldOf) }, { weight: 1, arbitrary: strangeField });

export const match = (version: WireVersion): Arb<Match> => fc.array(oxmField(version), { maxLength: 8 });
