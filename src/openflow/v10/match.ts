// struct ofp_match of 1.0 (1.0.1 section 5.2.3): fixed members and a word of wildcards, as the model's list of fields.
// A member that is wildcarded, or whose lower layers are, matches nothing and is no field; what it holds is kept as reserved.

import { WireError } from '../../base/errors.ts';
import { decode, encode, macAddress } from '../../wire/codec.ts';
import type { Codec } from '../../wire/codec.ts';
import { formatIpv4, ipv4Address } from '../../wire/ip-address.ts';
import type { Reader } from '../../wire/reader.ts';
import type { Match, OxmField, OxmValue } from '../model.ts';
import { layer3, MATCH_NAMES } from './match-names.ts';
import { port16 } from './port-no.ts';

const LENGTH = 40;

/** Where the members are. */
const AT = {
  wildcards: 0,
  inPort: 4,
  ethSrc: 6,
  ethDst: 12,
  vlan: 18,
  pcp: 20,
  ethType: 22,
  tos: 24,
  proto: 25,
  nwSrc: 28,
  nwDst: 32,
  tpSrc: 36,
  tpDst: 38,
} as const;

/** enum ofp_flow_wildcards. */
const WILD = {
  inPort: 1 << 0,
  vlan: 1 << 1,
  ethSrc: 1 << 2,
  ethDst: 1 << 3,
  ethType: 1 << 4,
  proto: 1 << 5,
  tpSrc: 1 << 6,
  tpDst: 1 << 7,
  pcp: 1 << 20,
  tos: 1 << 21,
} as const;
/** How many low bits of an address are not matched; 32 and more: none is. */
const NW_SRC_SHIFT = 8;
const NW_DST_SHIFT = 14;
const NW_BITS = 0x3f;
const ALL_BITS = 32;
/** Everything wildcarded, addresses as Open vSwitch writes them. */
const WILD_ALL =
  Object.values(WILD).reduce((all, bit) => all | bit, 0) | (ALL_BITS << NW_SRC_SHIFT) | (ALL_BITS << NW_DST_SHIFT);

const VLAN_NONE = 0xffff;
/** OFPVID_PRESENT of the model. */
const VID_PRESENT = 0x1000;
const VID_BITS = 0xfff;

type Member = keyof typeof WILD;

function fieldsOf(raw: Buffer): Match {
  const wildcards = raw.readUInt32BE(AT.wildcards);
  const out: OxmField[] = [];
  const has = (member: Member): boolean => (wildcards & WILD[member]) === 0;
  const mac = (at: number): string => decode(macAddress, raw.subarray(at, at + 6));

  if (has('inPort')) out.push({ name: 'in_port', value: decode(port16, raw.subarray(AT.inPort, AT.inPort + 2)) });
  if (has('ethSrc')) out.push({ name: 'eth_src', value: mac(AT.ethSrc) });
  if (has('ethDst')) out.push({ name: 'eth_dst', value: mac(AT.ethDst) });
  out.push(...vlanOf(raw, has('vlan'), has('pcp')));
  const ethType = has('ethType') ? raw.readUInt16BE(AT.ethType) : null;
  if (ethType !== null) out.push({ name: 'eth_type', value: ethType });

  const layer = layer3(ethType);
  if (layer.tos !== null && has('tos')) out.push({ name: layer.tos, value: raw.readUInt8(AT.tos) >> 2 });
  const proto = layer.proto !== null && has('proto') ? raw.readUInt8(AT.proto) : null;
  if (layer.proto !== null && proto !== null) out.push({ name: layer.proto, value: proto });
  if (layer.src !== null) out.push(...addressOf(raw, layer.src, AT.nwSrc, wildcards >>> NW_SRC_SHIFT));
  if (layer.dst !== null) out.push(...addressOf(raw, layer.dst, AT.nwDst, wildcards >>> NW_DST_SHIFT));
  const ports = proto === null ? undefined : layer.layer4.get(proto);
  if (ports !== undefined && has('tpSrc')) out.push({ name: ports.src, value: raw.readUInt16BE(AT.tpSrc) });
  if (ports !== undefined && has('tpDst')) out.push({ name: ports.dst, value: raw.readUInt16BE(AT.tpDst) });
  return out;
}

function vlanOf(raw: Buffer, hasVid: boolean, hasPcp: boolean): Match {
  const vid = raw.readUInt16BE(AT.vlan);
  // Untagged packets have no priority: switches ignore one that is matched all the same.
  if (hasVid && vid === VLAN_NONE) return [{ name: 'vlan_vid', value: 0 }];
  const pcp: Match = hasPcp ? [{ name: 'vlan_pcp', value: raw.readUInt8(AT.pcp) & 7 }] : [];
  if (hasVid) return [{ name: 'vlan_vid', value: VID_PRESENT | (vid & VID_BITS) }, ...pcp];
  return hasPcp ? [{ name: 'vlan_vid', value: VID_PRESENT, mask: VID_PRESENT }, ...pcp] : [];
}

function addressOf(raw: Buffer, name: string, at: number, wildBits: number): Match {
  const bits = wildBits & NW_BITS;
  if (bits >= ALL_BITS) return [];
  const value = formatIpv4(raw.subarray(at, at + 4));
  if (bits === 0) return [{ name, value }];
  const mask = Buffer.alloc(4);
  mask.writeUInt32BE((0xffff_ffff << bits) >>> 0);
  return [{ name, value, mask: formatIpv4(mask) }];
}

/** Fields by name; each is taken once, and what is left over has no place in 1.0. */
class Fields {
  readonly #left = new Map<string, OxmField>();

  constructor(match: Match) {
    for (const field of match) {
      if (!MATCH_NAMES.has(field.name)) throw bad('BAD_TYPE', field.name, 'OpenFlow 1.0 has no such match field');
      if (this.#left.has(field.name)) throw bad('BAD_VALUE', field.name, 'twice');
      this.#left.set(field.name, field);
    }
  }

  take(name: string | null | undefined): OxmField | null {
    if (name === null || name === undefined) return null;
    const field = this.#left.get(name) ?? null;
    this.#left.delete(name);
    return field;
  }

  /** A number of at most `max`, matched exactly. */
  number(name: string | null | undefined, max: number): number | null {
    const field = this.take(name);
    if (field === null) return null;
    const { value, mask } = field;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
      throw bad('BAD_VALUE', field.name, String(value));
    }
    if (mask !== undefined && Number(mask) !== max)
      throw bad('BAD_VALUE', field.name, 'OpenFlow 1.0 has no mask for it');
    return value;
  }

  finish(): void {
    const [name] = this.#left.keys();
    if (name !== undefined) throw bad('BAD_VALUE', name, 'without the fields that it presupposes');
  }
}

const bad = (code: 'BAD_TYPE' | 'BAD_VALUE', name: string, detail: string): WireError =>
  new WireError(code, name, 0, detail);

function bytesOf(match: Match): Buffer {
  const raw = Buffer.alloc(LENGTH);
  const fields = new Fields(match);
  let wildcards = WILD_ALL;
  const put = (member: Member, value: number | null, bytes: 1 | 2 = 2): void => {
    if (value === null) return;
    wildcards &= ~WILD[member];
    if (bytes === 1) raw.writeUInt8(value, AT[member]);
    else raw.writeUInt16BE(value, AT[member]);
  };
  const putMac = (member: 'ethSrc' | 'ethDst', field: OxmField | null): void => {
    if (field === null) return;
    if (field.mask !== undefined && field.mask !== 'ff:ff:ff:ff:ff:ff') {
      throw bad('BAD_VALUE', field.name, 'OpenFlow 1.0 has no mask for it');
    }
    wildcards &= ~WILD[member];
    encode<string>(macAddress, textOf(field, field.value), field.name).copy(raw, AT[member]);
  };
  const putAddress = (field: OxmField | null, at: number, shift: number): void => {
    if (field === null) return;
    wildcards &= ~(NW_BITS << shift);
    wildcards |= wildBitsOf(field) << shift;
    encode<string>(ipv4Address, textOf(field, field.value), field.name).copy(raw, at);
  };

  const inPort = fields.take('in_port');
  if (inPort !== null) put('inPort', encode(port16, Number(inPort.value), 'in_port').readUInt16BE());
  putMac('ethSrc', fields.take('eth_src'));
  putMac('ethDst', fields.take('eth_dst'));
  const pcp = fields.number('vlan_pcp', 7);
  put('pcp', pcp, 1);
  put('vlan', vlanBytes(fields.take('vlan_vid'), pcp));
  const ethType = fields.number('eth_type', 0xffff);
  put('ethType', ethType);
  const layer = layer3(ethType);
  const dscp = fields.number(layer.tos, 0x3f);
  put('tos', dscp === null ? null : dscp << 2, 1);
  const proto = fields.number(layer.proto, 0xff);
  put('proto', proto, 1);
  putAddress(fields.take(layer.src), AT.nwSrc, NW_SRC_SHIFT);
  putAddress(fields.take(layer.dst), AT.nwDst, NW_DST_SHIFT);
  const ports = proto === null ? undefined : layer.layer4.get(proto);
  put('tpSrc', fields.number(ports?.src, 0xffff));
  put('tpDst', fields.number(ports?.dst, 0xffff));
  fields.finish();
  raw.writeUInt32BE(wildcards >>> 0, AT.wildcards);
  return raw;
}

/** dl_vlan, or null where it is to be wildcarded. */
function vlanBytes(field: OxmField | null, pcp: number | null): number | null {
  if (field === null) {
    if (pcp !== null) throw bad('BAD_VALUE', 'vlan_pcp', 'without vlan_vid');
    return null;
  }
  const [value, mask] = [Number(field.value), field.mask === undefined ? VID_PRESENT | VID_BITS : Number(field.mask)];
  if (mask === (VID_PRESENT | VID_BITS)) {
    if (value === 0 && pcp === null) return VLAN_NONE;
    if (value >= VID_PRESENT && value <= (VID_PRESENT | VID_BITS)) return value & VID_BITS;
  }
  // Any tag at all cannot be matched, but any tag with this priority can.
  if (value === VID_PRESENT && mask === VID_PRESENT && pcp !== null) return null;
  throw bad('BAD_VALUE', field.name, 'not to be matched in OpenFlow 1.0');
}

function textOf(field: OxmField, value: OxmValue): string {
  if (typeof value !== 'string') throw bad('BAD_VALUE', field.name, `an address, not ${String(value)}`);
  return value;
}

/** 1.0 has prefixes only. */
function wildBitsOf(field: OxmField): number {
  if (field.mask === undefined) return 0;
  const mask = encode<string>(ipv4Address, textOf(field, field.mask), field.name).readUInt32BE();
  const bits = mask === 0 ? ALL_BITS : 31 - Math.clz32(mask & -mask);
  if ((bits === ALL_BITS ? 0 : (0xffff_ffff << bits) >>> 0) !== mask) {
    throw bad('BAD_VALUE', field.name, `OpenFlow 1.0 has no mask ${String(field.mask)}`);
  }
  return bits;
}

/** Keeps what of `raw` the value read from it does not tell, as `canonical` shows. */
function keepOther(r: Reader, at: number, raw: Buffer, canonical: Buffer): void {
  for (let from = 0; from < raw.length; from += 1) {
    if (raw[from] === canonical[from]) continue;
    let to = from + 1;
    while (to < raw.length && raw[to] !== canonical[to]) to += 1;
    r.keep(at + from, to - from);
    from = to;
  }
}

export const match10: Codec<Match> = {
  read: (r, f) => {
    const at = r.offset;
    const raw = r.raw(LENGTH, f);
    const fields = fieldsOf(raw);
    keepOther(r, at, raw, bytesOf(fields));
    return fields;
  },
  write: (w, v, f) => {
    try {
      w.raw(bytesOf(v));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw new WireError(error.code, `${f}.${error.field}`, w.length, error.detail);
    }
  },
};
