// Fields of the model as struct ofp_match of 1.0. What that cannot say is refused, as a switch of a later version would
// refuse it: a wider match than was asked for is never sent.

import { isIPv4 } from 'node:net';
import { WireError } from '../../base/errors.ts';
import type { IpAddress, Mac } from '../../base/ids.ts';
import { macAddress } from '../../wire/codec.ts';
import { ipv4Address, parseIpv4 } from '../../wire/ip-address.ts';
import type { Writer } from '../../wire/writer.ts';
import type { Match, OxmField, OxmValue } from '../model.ts';
import { ALL_BITS, NW_BITS, VID_BITS, VID_PRESENT, VLAN_NONE, WILD, WILD_ALL, WILD_SHIFT } from './match-layout.ts';
import { layer3, MATCH_NAMES } from './match-names.ts';
import { port16 } from './port-no.ts';

type Name = string | null | undefined;

class MatchWriter {
  readonly #w: Writer;
  readonly #start: number;
  readonly #path: string;
  readonly #left = new Map<string, OxmField>();
  #wildcards = WILD_ALL;

  constructor(w: Writer, match: Match, path: string) {
    this.#w = w;
    this.#start = w.length;
    this.#path = path;
    for (const field of match) {
      if (!MATCH_NAMES.has(field.name)) throw this.#bad('BAD_TYPE', field.name, 'OpenFlow 1.0 has no such match field');
      if (this.#left.has(field.name)) throw this.#bad('BAD_VALUE', field.name, 'twice');
      this.#left.set(field.name, field);
    }
  }

  /** The members in their order. */
  run(): void {
    const w = this.#w;
    w.u32(0);
    this.#inPort();
    this.#mac('eth_src', WILD.ethSrc);
    this.#mac('eth_dst', WILD.ethDst);
    this.#vlan();
    w.zeros(1);
    const ethType = this.#member('eth_type', 0xffff, WILD.ethType);
    w.u16(ethType ?? 0);
    const layer = layer3(ethType);
    w.u8((this.#member(layer.tos, 0x3f, WILD.tos) ?? 0) << 2);
    const proto = this.#member(layer.proto, 0xff, WILD.proto);
    w.u8(proto ?? 0);
    w.zeros(2);
    this.#address(layer.src, WILD_SHIFT.nwSrc);
    this.#address(layer.dst, WILD_SHIFT.nwDst);
    const ports = proto === null ? undefined : layer.layer4.get(proto);
    w.u16(this.#member(ports?.src, 0xffff, WILD.tpSrc) ?? 0);
    w.u16(this.#member(ports?.dst, 0xffff, WILD.tpDst) ?? 0);
    const [name] = this.#left.keys();
    if (name !== undefined) throw this.#bad('BAD_VALUE', name, 'without the fields that it presupposes');
    w.patchU16(this.#start, this.#wildcards >>> 16);
    w.patchU16(this.#start + 2, this.#wildcards & 0xffff);
  }

  #inPort(): void {
    const field = this.#take('in_port', WILD.inPort);
    if (field?.mask !== undefined && Number(field.mask) !== 0xffff_ffff) throw this.#noMask(field);
    if (field === null) this.#w.zeros(2);
    else port16.write(this.#w, this.#numberOf(field, 0xffff_ffff), `${this.#path}.in_port`);
  }

  #mac(name: string, bit: number): void {
    const field = this.#take(name, bit);
    if (field?.mask !== undefined && field.mask !== 'ff:ff:ff:ff:ff:ff') throw this.#noMask(field);
    if (field === null) this.#w.zeros(6);
    else macAddress.write(this.#w, this.#textOf(field, field.value) as Mac, `${this.#path}.${name}`);
  }

  /** dl_vlan and dl_vlan_pcp. */
  #vlan(): void {
    const pcp = this.#member('vlan_pcp', 7, WILD.pcp);
    const field = this.#take('vlan_vid', WILD.vlan);
    this.#w.u16(field === null ? this.#noVid(pcp) : this.#vid(field, pcp));
    this.#w.u8(pcp ?? 0);
  }

  #noVid(pcp: number | null): number {
    if (pcp !== null) throw this.#bad('BAD_VALUE', 'vlan_pcp', 'without vlan_vid');
    return 0;
  }

  #vid(field: OxmField, pcp: number | null): number {
    const [value, mask] = [Number(field.value), field.mask === undefined ? VID_PRESENT | VID_BITS : Number(field.mask)];
    if (mask === (VID_PRESENT | VID_BITS)) {
      if (value === 0 && pcp === null) return VLAN_NONE;
      if (value >= VID_PRESENT && value <= (VID_PRESENT | VID_BITS)) return value & VID_BITS;
    }
    // Any tag at all cannot be matched, but any tag with this priority can.
    if (value !== VID_PRESENT || mask !== VID_PRESENT || pcp === null) {
      throw this.#bad('BAD_VALUE', field.name, 'not to be matched in OpenFlow 1.0');
    }
    this.#wildcards |= WILD.vlan;
    return 0;
  }

  #address(name: string | null, shift: number): void {
    const field = this.#take(name, NW_BITS << shift);
    if (field === null) {
      this.#w.zeros(4);
      return;
    }
    this.#wildcards |= this.#wildBitsOf(field) << shift;
    ipv4Address.write(this.#w, this.#textOf(field, field.value) as IpAddress, `${this.#path}.${field.name}`);
  }

  /** 1.0 has prefixes only. */
  #wildBitsOf(field: OxmField): number {
    if (field.mask === undefined) return 0;
    const text = this.#textOf(field, field.mask);
    const mask = isIPv4(text) ? parseIpv4(text).readUInt32BE() : -1;
    const bits = mask === 0 ? ALL_BITS : 31 - Math.clz32(mask & -mask);
    const prefix = bits === ALL_BITS ? 0 : (0xffff_ffff << bits) >>> 0;
    if (prefix !== mask) throw this.#bad('BAD_VALUE', field.name, `OpenFlow 1.0 has no mask ${text}`);
    return bits;
  }

  /** A member that is matched exactly or not at all; `max` is also its full mask. */
  #member(name: Name, max: number, bit: number): number | null {
    const field = this.#take(name, bit);
    if (field === null) return null;
    if (field.mask !== undefined && Number(field.mask) !== max) throw this.#noMask(field);
    return this.#numberOf(field, max);
  }

  #numberOf(field: OxmField, max: number): number {
    const { value } = field;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
      throw this.#bad('BAD_VALUE', field.name, String(value));
    }
    return value;
  }

  #textOf(field: OxmField, value: OxmValue): string {
    if (typeof value !== 'string') throw this.#bad('BAD_VALUE', field.name, `an address, not ${String(value)}`);
    return value;
  }

  /** The field of that name, which is then matched. */
  #take(name: Name, bits: number): OxmField | null {
    if (name === null || name === undefined) return null;
    const field = this.#left.get(name);
    if (field === undefined) return null;
    this.#left.delete(name);
    this.#wildcards &= ~bits;
    return field;
  }

  #noMask(field: OxmField): WireError {
    return this.#bad('BAD_VALUE', field.name, 'OpenFlow 1.0 has no mask for it');
  }

  #bad(code: 'BAD_TYPE' | 'BAD_VALUE', name: string, detail: string): WireError {
    return new WireError(code, `${this.#path}.${name}`, this.#start, detail);
  }
}

/** Appends 40 bytes. */
export function writeMatch10(w: Writer, match: Match, path: string): void {
  new MatchWriter(w, match, path).run();
}
