// nat, inside of ct: which addresses and ports, of those that `range_present` says.

import { isIPv4 } from 'node:net';

import { WireError } from '../../base/errors.ts';
import type { IpAddress } from '../../base/ids.ts';
import type { Codec } from '../../wire/codec.ts';
import { ipv4Address, ipv6Address } from '../../wire/ip-address.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Writer } from '../../wire/writer.ts';
import type { NatRange } from '../action-types.ts';
import { NX_NAT_F } from '../constants.ts';
import { endRead, endWrite, EXTENSION_HEADER, nicira, refuse } from './row.ts';
import type { ActionOf, ActionRow } from './row.ts';

/** enum nx_nat_range, in the order in which they follow each other. */
const IPV4_MIN = 1;
const IPV4_MAX = 2;
const IPV6_MIN = 4;
const IPV6_MAX = 8;
const PORT_MIN = 16;
const PORT_MAX = 32;

const ALL_FLAGS = Object.values(NX_NAT_F).reduce((all, flag) => all | flag, 0);

const has = (value: number, bits: number): boolean => (value & bits) === bits;

/** A maximum without a minimum, both families, ports without an address. */
function contradicts(present: number): boolean {
  const v4 = present & (IPV4_MIN | IPV4_MAX);
  const v6 = present & (IPV6_MIN | IPV6_MAX);
  const ports = present & (PORT_MIN | PORT_MAX);
  return (
    (v4 !== 0 && v6 !== 0) || v4 === IPV4_MAX || v6 === IPV6_MAX || ports === PORT_MAX || (ports !== 0 && v4 + v6 === 0)
  );
}

function readAddresses(r: Reader, present: number, f: string): NatRange {
  const at = r.offset;
  const v4 = has(present, IPV4_MIN);
  if (!v4 && !has(present, IPV6_MIN)) return {};
  const codec = v4 ? ipv4Address : ipv6Address;
  const size = v4 ? 4 : 16;
  const addrMin = codec.read(r, `${f}.addrMin`);
  const min = r.bytes.subarray(at, at + size);
  if (min.every((byte) => byte === 0)) throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.addrMin`, at, addrMin);
  if ((present & (IPV4_MAX | IPV6_MAX)) === 0) return { addrMin };
  const addrMax = codec.read(r, `${f}.addrMax`);
  if (Buffer.compare(r.bytes.subarray(at + size, at + 2 * size), min) < 0) {
    throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.addrMax`, at + size, `${addrMin}-${addrMax}`);
  }
  return { addrMin, addrMax };
}

function readPorts(r: Reader, present: number, f: string): NatRange {
  const at = r.offset;
  if (!has(present, PORT_MIN)) return {};
  const portMin = r.u16(`${f}.portMin`);
  if (portMin === 0) throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.portMin`, at, 'port 0');
  if (!has(present, PORT_MAX)) return { portMin };
  const portMax = r.u16(`${f}.portMax`);
  if (portMax < portMin) throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.portMax`, at, `${portMin}-${portMax}`);
  return { portMin, portMax };
}

function writeAddress(w: Writer, address: IpAddress, v4: boolean, f: string): void {
  (v4 ? ipv4Address : ipv6Address).write(w, address, f);
}

const nat: Codec<ActionOf<'nat'>> = {
  read: (r, f) => {
    const start = r.offset;
    r.pad(2, f);
    const flags = r.u16(`${f}.flags`);
    const both = (flag: number, other: number): boolean => has(flags, flag | other);
    if (
      (flags & ~ALL_FLAGS) !== 0 ||
      both(NX_NAT_F.SRC, NX_NAT_F.DST) ||
      both(NX_NAT_F.PROTO_HASH, NX_NAT_F.PROTO_RANDOM)
    ) {
      throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.flags`, start + 2, `0x${flags.toString(16)}`);
    }
    const present = r.u16(`${f}.rangePresent`);
    if (present >= PORT_MAX * 2) r.keep(start + 4, 2);
    if (contradicts(present)) {
      throw refuse('OFPBAC_BAD_ARGUMENT', `${f}.rangePresent`, start + 4, `0x${present.toString(16)}`);
    }
    const addresses = readAddresses(r, present, f);
    const ports = readPorts(r, present, f);
    endRead(r, f);
    return { type: 'nat', flags, ...addresses, ...ports };
  },
  write: (w, { flags, addrMin, addrMax, portMin, portMax }, f) => {
    const start = w.length;
    const v4 = addrMin !== undefined && isIPv4(addrMin);
    let present = 0;
    if (addrMin !== undefined) present |= v4 ? IPV4_MIN : IPV6_MIN;
    if (addrMax !== undefined) present |= isIPv4(addrMax) ? IPV4_MAX : IPV6_MAX;
    if (portMin !== undefined) present |= PORT_MIN;
    if (portMax !== undefined) present |= PORT_MAX;
    if (contradicts(present)) throw new WireError('BAD_VALUE', f, start, 'a range of nothing');
    w.zeros(2);
    w.u16(flags, `${f}.flags`);
    w.u16(present);
    if (addrMin !== undefined) writeAddress(w, addrMin, v4, `${f}.addrMin`);
    if (addrMax !== undefined) writeAddress(w, addrMax, v4, `${f}.addrMax`);
    if (portMin !== undefined) w.u16(portMin, `${f}.portMin`);
    if (portMax !== undefined) w.u16(portMax, `${f}.portMax`);
    endWrite(w, start, EXTENSION_HEADER);
  },
};

export const NICIRA_NAT: readonly ActionRow[] = [nicira('nat', 36, nat)];
