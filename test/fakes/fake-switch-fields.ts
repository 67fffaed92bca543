// The fake switch's view of one frame on its way through the pipeline: match fields as numbers (addresses up to 48 bits) or
// hex text (IPv6), read from the bytes; actions change the bytes. Written from ovs-fields(7), apart from src/packet.

import type { OxmField, OxmValue } from '../../src/openflow/model.ts';
import { ipv4Bytes, ipv6Bytes, macBytes } from './fake-switch-frames.ts';

/** Fields by name; undefined where their prerequisites do not hold. */
export type FieldValues = Record<string, number | string | undefined>;

/** Where a settable field lies: from the start of the frame (`l2`) or of the header after EtherType (`l3`). */
const WHERE: Record<string, readonly [layer: 'l2' | 'l3', offset: number, bytes: number]> = {
  eth_dst: ['l2', 0, 6],
  eth_src: ['l2', 6, 6],
  arp_op: ['l3', 6, 2],
  arp_sha: ['l3', 8, 6],
  arp_spa: ['l3', 14, 4],
  arp_tha: ['l3', 18, 6],
  arp_tpa: ['l3', 24, 4],
};

export class FrameView {
  frame: Buffer;
  metadata = 0;
  readonly inPort: number;
  #values: FieldValues | null = null;
  #own = false;

  constructor(frame: Buffer, inPort: number) {
    this.frame = frame;
    this.inPort = inPort;
  }

  get values(): FieldValues {
    this.#values ??= parse(this.frame, this.inPort);
    this.#values['metadata'] = this.metadata;
    return this.#values;
  }

  pushVlan(): void {
    this.#replace(Buffer.concat([this.frame.subarray(0, 12), Buffer.from([0x81, 0, 0, 0]), this.frame.subarray(12)]));
  }

  popVlan(): void {
    if (this.#tagged()) this.#replace(Buffer.concat([this.frame.subarray(0, 12), this.frame.subarray(16)]));
  }

  set(field: OxmField): void {
    if (field.name === 'vlan_vid') {
      if (!this.#tagged()) return;
      this.#change().writeUInt16BE((this.frame.readUInt16BE(14) & 0xf000) | (Number(field.value) & 0x0fff), 14);
    } else this.#bytesOf(field.name).set(bytesOf(field.value, this.#bytesOf(field.name).length));
  }

  move(src: string, dst: string): void {
    const from = Buffer.from(this.#bytesOf(src));
    this.#bytesOf(dst).set(from);
  }

  /** A copy that later actions do not change. */
  snapshot(): Buffer {
    this.#own = false;
    return this.frame;
  }

  #bytesOf(name: string): Buffer {
    const where = WHERE[name];
    if (where === undefined) throw new RangeError(`the fake switch cannot set ${name}`);
    const [layer, offset, bytes] = where;
    const start = offset + (layer === 'l2' ? 0 : this.#tagged() ? 18 : 14);
    return this.#change().subarray(start, start + bytes);
  }

  #tagged(): boolean {
    return this.frame.readUInt16BE(12) === 0x8100;
  }

  #change(): Buffer {
    if (!this.#own) this.#replace(Buffer.from(this.frame));
    this.#values = null;
    return this.frame;
  }

  #replace(frame: Buffer): void {
    this.frame = frame;
    this.#own = true;
    this.#values = null;
  }
}

function parse(b: Buffer, inPort: number): FieldValues {
  const v: FieldValues = { in_port: inPort, eth_dst: b.readUIntBE(0, 6), eth_src: b.readUIntBE(6, 6), vlan_vid: 0 };
  let type = b.readUInt16BE(12);
  let at = 14;
  if (type === 0x8100) {
    v['vlan_vid'] = 0x1000 | (b.readUInt16BE(14) & 0x0fff);
    type = b.readUInt16BE(16);
    at = 18;
  }
  v['eth_type'] = type;
  if (type === 0x0806 || type === 0x8035) parseArp(b, at, v);
  if (type === 0x0800) parseIpv4(b, at, v);
  if (type === 0x86dd) parseIpv6(b, at, v);
  return v;
}

function parseArp(b: Buffer, at: number, v: FieldValues): void {
  if (b.length < at + 28) return;
  v['arp_op'] = b.readUInt16BE(at + 6);
  v['arp_sha'] = b.readUIntBE(at + 8, 6);
  v['arp_spa'] = b.readUInt32BE(at + 14);
  v['arp_tha'] = b.readUIntBE(at + 18, 6);
  v['arp_tpa'] = b.readUInt32BE(at + 24);
}

function parseIpv4(b: Buffer, at: number, v: FieldValues): void {
  if (b.length < at + 20) return;
  v['ip_proto'] = b.readUInt8(at + 9);
  v['ipv4_src'] = b.readUInt32BE(at + 12);
  v['ipv4_dst'] = b.readUInt32BE(at + 16);
  const fragment = b.readUInt16BE(at + 6) & 0x1fff;
  if (fragment === 0) parseTransport(b, at + (b.readUInt8(at) & 0x0f) * 4, v);
}

function parseIpv6(b: Buffer, at: number, v: FieldValues): void {
  if (b.length < at + 40) return;
  v['ipv6_src'] = b.toString('hex', at + 8, at + 24);
  v['ipv6_dst'] = b.toString('hex', at + 24, at + 40);
  let proto = b.readUInt8(at + 6);
  let next = at + 40;
  for (; [0, 43, 60].includes(proto) && b.length >= next + 8; next += 8 * (b.readUInt8(next + 1) + 1)) {
    proto = b.readUInt8(next);
  }
  v['ip_proto'] = proto;
  parseTransport(b, next, v);
}

function parseTransport(b: Buffer, at: number, v: FieldValues): void {
  const proto = v['ip_proto'];
  if (proto === 6 && b.length >= at + 20) {
    v['tcp_src'] = b.readUInt16BE(at);
    v['tcp_dst'] = b.readUInt16BE(at + 2);
    v['tcp_flags'] = b.readUInt16BE(at + 12) & 0x0fff;
  }
  if (proto === 17 && b.length >= at + 8) {
    v['udp_src'] = b.readUInt16BE(at);
    v['udp_dst'] = b.readUInt16BE(at + 2);
  }
  if (proto === 58 && v['eth_type'] === 0x86dd && b.length >= at + 4) parseIcmpv6(b, at, v);
}

/** An absent link-layer address option reads as zero (lib/flow.c of Open vSwitch). */
function parseIcmpv6(b: Buffer, at: number, v: FieldValues): void {
  const type = b.readUInt8(at);
  v['icmpv6_type'] = type;
  if ((type !== 135 && type !== 136) || b.length < at + 24) return;
  v['nd_target'] = b.toString('hex', at + 8, at + 24);
  const own = type === 135 ? 'nd_sll' : 'nd_tll';
  v[own] = 0;
  for (let o = at + 24; o + 8 <= b.length && b.readUInt8(o + 1) > 0; o += 8 * b.readUInt8(o + 1)) {
    if (b.readUInt8(o) === (type === 135 ? 1 : 2)) v[own] = b.readUIntBE(o + 2, 6);
  }
}

/** A value of the model in the form `FieldValues` has. */
export function comparable(value: OxmValue): number | string {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') return value.toString('hex');
  if (value.includes('.')) return ipv4Bytes(value).readUInt32BE();
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)
    ? macBytes(value).readUIntBE(0, 6)
    : ipv6Bytes(value).toString('hex');
}

function bytesOf(value: OxmValue, size: number): Buffer {
  const plain = comparable(value);
  if (typeof plain === 'string') return Buffer.from(plain, 'hex');
  const out = Buffer.alloc(size);
  out.writeUIntBE(plain, 0, size);
  return out;
}
