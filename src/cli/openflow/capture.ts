// Packets out of capture files: pcap of either byte order and resolution, and pcapng with its sections and interfaces.

import { InputError } from './input-error.ts';

export interface CapturedPacket {
  readonly timeUs: number;
  /** LINKTYPE_*. */
  readonly linkType: number;
  readonly data: Buffer;
}

const PCAP: Readonly<Record<number, { readonly little: boolean; readonly perUs: number }>> = {
  0xa1b2c3d4: { little: false, perUs: 1 },
  0xd4c3b2a1: { little: true, perUs: 1 },
  0xa1b23c4d: { little: false, perUs: 1000 },
  0x4d3cb2a1: { little: true, perUs: 1000 },
};
const PCAPNG = 0x0a0d0d0a;

export const isCapture = (file: Buffer): boolean =>
  file.length >= 24 && (file.readUInt32BE(0) in PCAP || file.readUInt32BE(0) === PCAPNG);

/** A file that ends within a packet, as one being written does, ends before it. */
export function packetsOf(file: Buffer): Generator<CapturedPacket> {
  return file.readUInt32BE(0) === PCAPNG ? pcapng(file) : pcap(file);
}

function* pcap(file: Buffer): Generator<CapturedPacket> {
  const form = PCAP[file.readUInt32BE(0)];
  if (form === undefined) return;
  const u32 = (at: number): number => (form.little ? file.readUInt32LE(at) : file.readUInt32BE(at));
  const linkType = u32(20) & 0xffff;
  let at = 24;
  while (at + 16 <= file.length) {
    const length = u32(at + 8);
    const end = at + 16 + length;
    if (end > file.length) return;
    const timeUs = u32(at) * 1_000_000 + Math.floor(u32(at + 4) / form.perUs);
    yield { timeUs, linkType, data: file.subarray(at + 16, end) };
    at = end;
  }
}

const BYTE_ORDER = 0x1a2b3c4d;
const INTERFACE = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const IF_TSRESOL = 9;

interface Interface {
  readonly linkType: number;
  readonly ticksPerSecond: number;
}

function* pcapng(file: Buffer): Generator<CapturedPacket> {
  let little = false;
  let interfaces: Interface[] = [];
  let at = 0;
  while (at + 12 <= file.length) {
    if (file.readUInt32BE(at) === PCAPNG) {
      little = file.readUInt32LE(at + 8) === BYTE_ORDER;
      interfaces = [];
    }
    const u32 = (offset: number): number => (little ? file.readUInt32LE(offset) : file.readUInt32BE(offset));
    const length = u32(at + 4);
    if (length < 12 || length % 4 !== 0) throw new InputError('NOT_A_CAPTURE', `pcapng: a block of ${length} bytes`);
    if (at + length > file.length) return;
    const body = file.subarray(at + 8, at + length - 4);
    const type = u32(at);
    if (type === INTERFACE) interfaces.push(interfaceOf(body, little));
    const packet =
      type === ENHANCED_PACKET
        ? enhanced(body, interfaces, little)
        : type === SIMPLE_PACKET
          ? simple(body, interfaces)
          : null;
    if (packet !== null) yield packet;
    at += length;
  }
}

function interfaceOf(body: Buffer, little: boolean): Interface {
  const u16 = (at: number): number => (little ? body.readUInt16LE(at) : body.readUInt16BE(at));
  let ticksPerSecond = 1_000_000;
  for (let at = 8; at + 4 <= body.length;) {
    const [code, length] = [u16(at), u16(at + 2)];
    const resolution = body[at + 4];
    if (code === IF_TSRESOL && resolution !== undefined) {
      ticksPerSecond = (resolution & 0x80) === 0 ? 10 ** resolution : 2 ** (resolution & 0x7f);
    }
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { linkType: u16(0), ticksPerSecond };
}

function enhanced(body: Buffer, interfaces: readonly Interface[], little: boolean): CapturedPacket | null {
  if (body.length < 20) return null;
  const u32 = (at: number): number => (little ? body.readUInt32LE(at) : body.readUInt32BE(at));
  const from = interfaces[u32(0)];
  if (from === undefined) return null;
  const ticks = u32(4) * 2 ** 32 + u32(8);
  const timeUs = Math.floor((ticks / from.ticksPerSecond) * 1_000_000);
  return { timeUs, linkType: from.linkType, data: body.subarray(20, 20 + u32(12)) };
}

/** Has no time. */
function simple(body: Buffer, interfaces: readonly Interface[]): CapturedPacket | null {
  const from = interfaces[0];
  return from === undefined ? null : { timeUs: 0, linkType: from.linkType, data: body.subarray(4) };
}
