// Field codecs that several packet formats share: IP addresses as text, and "all the bytes that are left".

import ipaddr from 'ipaddr.js';
import { WireError } from '../base/errors.ts';
import type { IpAddress } from '../base/ids.ts';
import type { Codec } from '../wire/codec.ts';

export const ipv4Address: Codec<IpAddress> = {
  read: (r, f) => formatIpv4(r.raw(4, f)),
  write: (w, v, f) => {
    w.raw(parseIpv4(v, f));
  },
};

export const ipv6Address: Codec<IpAddress> = {
  read: (r, f) => formatIpv6(r.raw(16, f)),
  write: (w, v, f) => {
    w.raw(parseIpv6(v, f));
  },
};

/** Whatever is left, copied. */
export const rest: Codec<Buffer> = {
  read: (r) => Buffer.from(r.rest()),
  write: (w, v) => {
    w.raw(v);
  },
};

export function isIpv6(address: IpAddress): boolean {
  return address.includes(':');
}

export function formatIpv4(raw: Uint8Array): IpAddress {
  return `${raw[0] ?? 0}.${raw[1] ?? 0}.${raw[2] ?? 0}.${raw[3] ?? 0}` as IpAddress;
}

/** RFC 5952. */
export function formatIpv6(raw: Uint8Array): IpAddress {
  return new ipaddr.IPv6([...raw]).toRFC5952String() as IpAddress;
}

export function parseIpv4(text: string, field = 'ipv4'): Buffer {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text)) throw new WireError('BAD_VALUE', field, 0, text);
  return Buffer.from(ipaddr.IPv4.parse(text).toByteArray());
}

export function parseIpv6(text: string, field = 'ipv6'): Buffer {
  if (!text.includes(':') || !ipaddr.IPv6.isValid(text)) throw new WireError('BAD_VALUE', field, 0, text);
  return Buffer.from(ipaddr.IPv6.parse(text).toByteArray());
}

/** 4 or 16 bytes, as the text says. */
export function parseIp(text: string, field = 'address'): Buffer {
  return text.includes(':') ? parseIpv6(text, field) : parseIpv4(text, field);
}
