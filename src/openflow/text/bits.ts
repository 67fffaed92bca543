// Values of fields as plain integers and back: text works on bits, messages on numbers, addresses and bytes.

import { formatMac, parseMac } from '../../wire/codec.ts';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../../wire/ip-address.ts';
import type { OxmField, OxmValue } from '../model.ts';
import { widenPort } from '../v10/port-no.ts';
import type { Form } from './fields.ts';

/** `mask` has a bit for each that counts. */
export interface Bits {
  readonly value: bigint;
  readonly mask: bigint;
}

export const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

const ofBytes = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`);

function toBytes(value: bigint, count: number): Buffer {
  return Buffer.from(
    value
      .toString(16)
      .padStart(count * 2, '0')
      .slice(-count * 2),
    'hex',
  );
}

export function bitsOf(value: OxmValue): bigint {
  if (typeof value !== 'string') return Buffer.isBuffer(value) ? ofBytes(value) : BigInt(value);
  if (value.includes('.') && !value.includes(':')) return ofBytes(parseIpv4(value));
  return ofBytes(/^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}$/i.test(value) ? parseMac(value) : parseIpv6(value));
}

/** How messages hold a value of this form and width: a number up to 32 bits (a port that of 1.1), bigint above, text for addresses. */
export function valueOf(form: Form, bits: number, value: bigint): OxmValue {
  if (form === 'mac') return formatMac(toBytes(value, 6));
  if (form === 'ipv4') return formatIpv4(toBytes(value, 4));
  if (form === 'ipv6') return formatIpv6(toBytes(value, 16));
  if (form === 'port' && bits === 16) return widenPort(Number(value));
  return bits <= 32 ? Number(value) : value;
}

/** A field's value and mask within `width` bits, which ports of 1.1 exceed where the field is NXM's. */
export function fieldBits({ value, mask }: OxmField, width: number): Bits {
  return { value: bitsOf(value) & ones(width), mask: mask === undefined ? ones(width) : bitsOf(mask) };
}

/** The length of the prefix that a mask is, or null. */
export function prefixLength(mask: bigint, width: number): number | null {
  const zeros = ones(width) ^ mask;
  if ((zeros & (zeros + 1n)) !== 0n) return null;
  return zeros === 0n ? width : width - zeros.toString(2).length;
}
