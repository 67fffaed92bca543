// Neighbor Discovery (RFC 4861): the bodies of router and neighbor solicitations and advertisements, with their options.

import { WireError } from '../base/errors.ts';
import type { IpAddress, Mac } from '../base/ids.ts';
import { bytes, macAddress, struct, u16, u32, u8 } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { ipv6Address } from './fields.ts';
import { ICMPV6_TYPE, type Icmp } from './icmp.ts';

export type NdOption =
  | { readonly type: 'source-link-layer'; readonly mac: Mac }
  | { readonly type: 'target-link-layer'; readonly mac: Mac }
  | {
      readonly type: 'prefix';
      readonly prefix: IpAddress;
      readonly prefixLength: number;
      readonly onLink: boolean;
      readonly autonomous: boolean;
      readonly validSeconds: number;
      readonly preferredSeconds: number;
    }
  | { readonly type: 'mtu'; readonly mtu: number }
  | { readonly type: 'unknown'; readonly optionType: number; readonly value: Buffer };

export type Nd =
  | { readonly type: 'router-solicitation'; readonly options: readonly NdOption[] }
  | {
      readonly type: 'router-advertisement';
      readonly hopLimit: number;
      readonly managed: boolean;
      readonly otherConfiguration: boolean;
      readonly lifetimeSeconds: number;
      readonly reachableMs: number;
      readonly retransmitMs: number;
      readonly options: readonly NdOption[];
    }
  | { readonly type: 'neighbor-solicitation'; readonly target: IpAddress; readonly options: readonly NdOption[] }
  | {
      readonly type: 'neighbor-advertisement';
      readonly router: boolean;
      readonly solicited: boolean;
      readonly override: boolean;
      readonly target: IpAddress;
      readonly options: readonly NdOption[];
    };

const routerAdvertisement = struct({
  hopLimit: u8,
  flags: u8,
  lifetimeSeconds: u16,
  reachableMs: u32,
  retransmitMs: u32,
});
const neighbor = struct({ flags: u32, target: ipv6Address });
const prefixInformation = struct({
  prefixLength: u8,
  flags: u8,
  validSeconds: u32,
  preferredSeconds: u32,
  reserved: u32,
  prefix: ipv6Address,
});
const mtuOption = struct({ reserved: bytes(2), mtu: u32 });

const OPTION = { 'source-link-layer': 1, 'target-link-layer': 2, prefix: 3, mtu: 5 } as const;
const RA_FLAG = { managed: 0x80, other: 0x40 } as const;
const NA_FLAG = { router: 0x80000000, solicited: 0x40000000, override: 0x20000000 } as const;
const PREFIX_FLAG = { onLink: 0x80, autonomous: 0x40 } as const;

/** Null: another ICMPv6 message. Raises WireError. */
export function decodeNd(icmp: Icmp): Nd | null {
  const r = new Reader(icmp.body);
  switch (icmp.type) {
    case ICMPV6_TYPE.routerSolicitation:
      r.take(4, 'nd.reserved');
      return { type: 'router-solicitation', options: readOptions(r) };
    case ICMPV6_TYPE.routerAdvertisement: {
      const { flags, ...fields } = routerAdvertisement.read(r, 'nd');
      return {
        type: 'router-advertisement',
        ...fields,
        managed: (flags & RA_FLAG.managed) !== 0,
        otherConfiguration: (flags & RA_FLAG.other) !== 0,
        options: readOptions(r),
      };
    }
    case ICMPV6_TYPE.neighborSolicitation: {
      const { target } = neighbor.read(r, 'nd');
      return { type: 'neighbor-solicitation', target, options: readOptions(r) };
    }
    case ICMPV6_TYPE.neighborAdvertisement: {
      const { flags, target } = neighbor.read(r, 'nd');
      return {
        type: 'neighbor-advertisement',
        router: (flags & NA_FLAG.router) !== 0,
        solicited: (flags & NA_FLAG.solicited) !== 0,
        override: (flags & NA_FLAG.override) !== 0,
        target,
        options: readOptions(r),
      };
    }
    default:
      return null;
  }
}

/** The ICMPv6 message that carries it; the checksum comes with `encodeIcmpv6`. */
export function encodeNd(nd: Nd): Icmp {
  const w = new Writer(64);
  switch (nd.type) {
    case 'router-solicitation':
      w.zeros(4);
      break;
    case 'router-advertisement': {
      const flags = (nd.managed ? RA_FLAG.managed : 0) | (nd.otherConfiguration ? RA_FLAG.other : 0);
      routerAdvertisement.write(w, { ...nd, flags }, 'nd');
      break;
    }
    case 'neighbor-solicitation':
      neighbor.write(w, { flags: 0, target: nd.target }, 'nd');
      break;
    case 'neighbor-advertisement': {
      const flags =
        (nd.router ? NA_FLAG.router : 0) +
        (nd.solicited ? NA_FLAG.solicited : 0) +
        (nd.override ? NA_FLAG.override : 0);
      neighbor.write(w, { flags, target: nd.target }, 'nd');
      break;
    }
  }
  for (const option of nd.options) writeOption(w, option);
  return { type: ND_TYPE[nd.type], code: 0, body: w.finish() };
}

const ND_TYPE = {
  'router-solicitation': ICMPV6_TYPE.routerSolicitation,
  'router-advertisement': ICMPV6_TYPE.routerAdvertisement,
  'neighbor-solicitation': ICMPV6_TYPE.neighborSolicitation,
  'neighbor-advertisement': ICMPV6_TYPE.neighborAdvertisement,
} as const;

function readOptions(r: Reader): NdOption[] {
  const options: NdOption[] = [];
  while (r.remaining > 0) {
    const at = r.offset;
    const type = r.u8('nd.option');
    const length = r.u8('nd.option.length') * 8;
    // RFC 4861 4.6: nodes must discard a packet that contains an option of length zero.
    if (length === 0) throw new WireError('BAD_LENGTH', 'nd.option.length', at + 1, '0');
    options.push(readOption(type, r.sub(length - 2, 'nd.option')));
  }
  return options;
}

function readOption(type: number, r: Reader): NdOption {
  if (type === OPTION['source-link-layer'] && r.remaining === 6) {
    return { type: 'source-link-layer', mac: macAddress.read(r, 'nd.option.mac') };
  }
  if (type === OPTION['target-link-layer'] && r.remaining === 6) {
    return { type: 'target-link-layer', mac: macAddress.read(r, 'nd.option.mac') };
  }
  if (type === OPTION.prefix && r.remaining === 30) {
    const { flags, prefixLength, validSeconds, preferredSeconds, prefix } = prefixInformation.read(r, 'nd.prefix');
    return {
      type: 'prefix',
      prefix,
      prefixLength,
      validSeconds,
      preferredSeconds,
      onLink: (flags & PREFIX_FLAG.onLink) !== 0,
      autonomous: (flags & PREFIX_FLAG.autonomous) !== 0,
    };
  }
  if (type === OPTION.mtu && r.remaining === 6) return { type: 'mtu', mtu: mtuOption.read(r, 'nd.mtu').mtu };
  return { type: 'unknown', optionType: type, value: Buffer.from(r.rest()) };
}

function writeOption(w: Writer, option: NdOption): void {
  const at = w.length;
  w.u8(option.type === 'unknown' ? option.optionType : OPTION[option.type], 'nd.option');
  const lengthAt = w.length;
  w.u8(0);
  switch (option.type) {
    case 'source-link-layer':
    case 'target-link-layer':
      macAddress.write(w, option.mac, 'nd.option.mac');
      break;
    case 'prefix': {
      const flags = (option.onLink ? PREFIX_FLAG.onLink : 0) | (option.autonomous ? PREFIX_FLAG.autonomous : 0);
      prefixInformation.write(w, { ...option, flags, reserved: 0 }, 'nd.prefix');
      break;
    }
    case 'mtu':
      mtuOption.write(w, { reserved: Buffer.alloc(2), mtu: option.mtu }, 'nd.mtu');
      break;
    case 'unknown':
      w.raw(option.value);
      break;
  }
  w.align(8, at);
  const units = (w.length - at) / 8;
  if (units > 255) throw new WireError('TOO_LONG', 'nd.option', at, `${units * 8} bytes`);
  w.finish()[lengthAt] = units;
}
