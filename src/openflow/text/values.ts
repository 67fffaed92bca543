// One value of a field, with its mask, as set_field, learn and matches write it.

import { isIPv4, isIPv6 } from 'node:net';

import { formatMac, parseMac } from '../../wire/codec.ts';
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from '../../wire/ip-address.ts';
import { ones, prefixLength } from './bits.ts';
import type { Bits } from './bits.ts';
import { wireBits } from './fields.ts';
import type { TextField } from './fields.ts';
import { formatFlags, formatMaskedFlags, parseFlags } from './flags.ts';
import { hex, parseInteger } from './numbers.ts';
import { formatPort, parsePort } from './ports.ts';
import type { PortNames } from './ports.ts';
import { fail, slash } from './span.ts';
import type { Span } from './span.ts';

const TCP_FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr', 'ns', '[200]', '[400]', '[800]'];
const CT_STATE = ['new', 'est', 'rel', 'rpl', 'inv', 'trk', 'snat', 'dnat'];
const TUN_FLAGS = ['oam'];

const FLAGS = { tcp_flags: TCP_FLAGS, ct_state: CT_STATE, tun_flags: TUN_FLAGS } as const;

/** nw_frag: bit 0 says that it is a fragment, bit 1 that it is not the first one. */
const FRAGMENTS: readonly (readonly [name: string, mask: bigint, value: bigint])[] = [
  ['no', 3n, 0n],
  ['first', 3n, 1n],
  ['later', 3n, 3n],
  ['no', 1n, 0n],
  ['yes', 1n, 1n],
  ['not_later', 2n, 0n],
  ['later', 2n, 2n],
];

const bytesOf = (value: bigint, count: number): Buffer =>
  Buffer.from(value.toString(16).padStart(2 * count, '0'), 'hex');

const ipText = (value: bigint, width: number): string =>
  width === 32 ? formatIpv4(bytesOf(value, 4)) : formatIpv6(bytesOf(value, 16));

/** An address and, unless it is exact, the length or the bits of its mask. */
export function formatAddress({ value, mask }: Bits, width: 32 | 128): string {
  if (mask === ones(width)) return ipText(value, width);
  return `${ipText(value, width)}/${prefixLength(mask, width) ?? ipText(mask, width)}`;
}

export function formatMacBits({ value, mask }: Bits): string {
  const exact = formatMac(bytesOf(value, 6));
  return mask === ones(48) ? exact : `${exact}/${formatMac(bytesOf(mask, 6))}`;
}

export const formatFlagBits = (form: keyof typeof FLAGS, bits: Bits): string => {
  const names = FLAGS[form];
  const all = form === 'ct_state' ? 0xffn : ones(names.length);
  return (bits.mask & all) === all ? formatFlags(names, bits.value) : formatMaskedFlags(names, bits);
};

export function formatFragment({ value, mask }: Bits): string {
  const counts = mask & 3n;
  return FRAGMENTS.find(([, m, v]) => m === counts && v === (value & counts))?.[0] ?? '<error>';
}

const half = (value: bigint, mask: bigint): string => {
  if (mask === 0n) return '*';
  const text = value > 9n ? hex(value) : value.toString();
  return mask === 0xffffn ? text : `${text}/${hex(mask)}`;
};

/** Name space and type in it; `(0,0)` is Ethernet. */
export const formatPacketType = ({ value, mask }: Bits): string =>
  `(${half(value >> 16n, mask >> 16n)},${half(value & 0xffffn, mask & 0xffffn)})`;

/** Whether all bits of the field count. */
export const isExact = (field: TextField, { mask }: Bits): boolean =>
  (mask & ones(wireBits(field))) === ones(wireBits(field));

/** A port of a field of 16 bits, as 1.0 has it, by its number of 1.1. */
const widePort = (port: number, bits: number): number => (bits === 16 && port >= 0xff00 ? port + 0xffff_0000 : port);

/** As set_field and learn write it. A mask of all bits is none, one of no bits is ANY. */
export function formatFieldValue(field: TextField, bits: Bits): string {
  if (bits.mask === 0n) return 'ANY';
  switch (field.form) {
    case 'mac':
      return formatMacBits(bits);
    case 'ipv4':
      return formatAddress(bits, 32);
    case 'ipv6':
      return formatAddress(bits, 128);
    case 'ct_state':
    case 'tcp_flags':
    case 'tun_flags':
      return formatFlagBits(field.form, bits);
    case 'frag':
      return formatFragment(bits);
    case 'packet_type':
      return bits.value === 0n ? 'eth' : `packet_type=${formatPacketType(bits)}`;
    case 'port':
      return formatPort(widePort(Number(bits.value), field.bits));
    case 'dec':
    case 'hex':
    case 'bytes': {
      const exact = isExact(field, bits);
      const text = field.form !== 'dec' ? hex(bits.value) : bits.value.toString();
      return exact ? text : `${text}/${hex(bits.mask)}`;
    }
  }
}

/** Inverse of formatFieldValue, and whatever else ovs-ofctl takes. Bits of the value outside the mask become zero. */
export function parseFieldValue(field: TextField, of: Span, names?: PortNames): Bits {
  const { value, mask } = of.text === '*' || of.text === 'ANY' ? { value: 0n, mask: 0n } : parseForm(field, of, names);
  return { value: value & mask, mask };
}

function parseForm(field: TextField, of: Span, names?: PortNames): Bits {
  switch (field.form) {
    case 'mac':
      return parseMasked(of, parseMacBits, ones(48));
    case 'ipv4':
      return parseMasked(of, parseIpv4Bits, ones(32), 32);
    case 'ipv6':
      return parseMasked(of, parseIpv6Bits, ones(128), 128);
    case 'ct_state':
    case 'tcp_flags':
    case 'tun_flags':
      return parseFlags(FLAGS[field.form], of, field.form === 'ct_state' ? 32 : field.form === 'tcp_flags' ? 12 : 16);
    case 'frag':
      return parseFragment(of);
    case 'packet_type':
      return parsePacketType(of);
    case 'port':
      return { value: BigInt(parsePort(of, names)) & ones(field.bits), mask: ones(field.bits) };
    case 'dec':
    case 'hex':
    case 'bytes': {
      const max = ones(wireBits(field));
      return parseMasked(of, (part) => parseInteger(part, max, `a number for ${field.text}`), max);
    }
  }
}

function parseMasked(of: Span, parse: (of: Span) => bigint, exact: bigint, prefixes?: 32 | 128): Bits {
  const { left, right } = slash(of);
  const value = parse(left);
  if (right === null) return { value, mask: exact };
  if (prefixes !== undefined && /^\d+$/.test(right.text)) {
    const length = Number(right.text);
    if (length > prefixes) fail('OUT_OF_RANGE', right, `a prefix length of at most ${prefixes}`);
    return { value, mask: exact ^ ones(prefixes - length) };
  }
  return { value, mask: parse(right) };
}

function parseMacBits(of: Span): bigint {
  if (!/^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}$/i.test(of.text)) fail('BAD_VALUE', of, 'a MAC address');
  return BigInt(`0x${parseMac(of.text).toString('hex')}`);
}

function parseIpv4Bits(of: Span): bigint {
  if (!isIPv4(of.text)) fail('BAD_VALUE', of, 'an IPv4 address');
  return BigInt(`0x${parseIpv4(of.text).toString('hex')}`);
}

function parseIpv6Bits(of: Span): bigint {
  if (!isIPv6(of.text) || of.text.includes('%')) fail('BAD_VALUE', of, 'an IPv6 address');
  return BigInt(`0x${parseIpv6(of.text).toString('hex')}`);
}

function parseFragment(of: Span): Bits {
  const found = FRAGMENTS.find(([name]) => name === of.text.toLowerCase());
  if (found === undefined) return fail('BAD_VALUE', of, 'no, yes, first, later or not_later');
  return { value: found[2], mask: found[1] };
}

function parsePacketType(of: Span): Bits {
  const inside = /^\(\s*(\w+)\s*,\s*(\w+)\s*\)$/.exec(of.text);
  if (inside?.[1] === undefined || inside[2] === undefined) return fail('BAD_VALUE', of, '(NAME_SPACE,TYPE)');
  const at = (text: string): Span => ({ text, at: of.at + 1 });
  const space = parseInteger(at(inside[1]), 0xffffn, 'a name space');
  return { value: (space << 16n) | parseInteger(at(inside[2]), 0xffffn, 'a type'), mask: 0xffff_ffffn };
}
