// Reads a pcap file (classic format, Ethernet) that tcpdump wrote, packet by packet: what the scenario needs of each IP
// packet, and no more. A file cut short ends where it was cut.

import { closeSync, openSync, readSync } from 'node:fs';
import { LabError } from './lab-error.ts';

export interface CapturedPacket {
  /** Epoch milliseconds. */
  readonly atMs: number;
  readonly vlan: number | null;
  readonly protocol: number;
  /** Addresses as hex of their bytes: compared often, printed never (`addressKey`). */
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** TCP flags, or the ICMP type; 0 for others. */
  readonly flags: number;
  /** TCP only, else 0: the sequence number, and how many bytes of payload the packet had (the file may have fewer). */
  readonly sequence: number;
  readonly payloadBytes: number;
}

const GLOBAL_HEADER = 24;
const RECORD_HEADER = 16;
const CHUNK = 4 * 1024 * 1024;
const ETHERNET = 1;
const TCP = 6;
const TCP_HEADER = 20;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;

/** Calls `visit` for every IP packet of the file, in file order; the number of records seen. */
export function readCaptureFile(path: string, visit: (packet: CapturedPacket) => void): number {
  const fd = openSync(path, 'r');
  try {
    return readRecords(fd, visit);
  } finally {
    closeSync(fd);
  }
}

function readRecords(fd: number, visit: (packet: CapturedPacket) => void): number {
  const header = Buffer.alloc(GLOBAL_HEADER);
  if (readSync(fd, header) < GLOBAL_HEADER) return 0;
  const { littleEndian, perMs } = format(header);
  const u32 = (from: Buffer, at: number): number => (littleEndian ? from.readUInt32LE(at) : from.readUInt32BE(at));
  let rest: Buffer = Buffer.alloc(0);
  let count = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const got = readSync(fd, chunk);
    if (got === 0) return count;
    const data = Buffer.concat([rest, chunk.subarray(0, got)]);
    let at = 0;
    while (at + RECORD_HEADER <= data.length) {
      const captured = u32(data, at + 8);
      const end = at + RECORD_HEADER + captured;
      if (end > data.length) break;
      count++;
      const packet = parseFrame(
        data.subarray(at + RECORD_HEADER, end),
        u32(data, at) * 1000 + u32(data, at + 4) / perMs,
      );
      if (packet !== null) visit(packet);
      at = end;
    }
    rest = data.subarray(at);
  }
}

function format(header: Buffer): { littleEndian: boolean; perMs: number } {
  const magics = { 0xa1b2c3d4: 1000, 0xa1b23c4d: 1_000_000 } as const;
  for (const littleEndian of [true, false]) {
    const magic = littleEndian ? header.readUInt32LE(0) : header.readUInt32BE(0);
    const perMs = (magics as Readonly<Record<number, number>>)[magic];
    const link = littleEndian ? header.readUInt32LE(20) : header.readUInt32BE(20);
    if (perMs !== undefined && (link & 0xffff) === ETHERNET) return { littleEndian, perMs };
  }
  throw new LabError('BAD_ANSWER', 'not a pcap file of Ethernet frames');
}

/** One Ethernet frame; null when it is no IPv4 or IPv6 packet, or cut before its addresses. */
export function parseFrame(frame: Buffer, atMs: number): CapturedPacket | null {
  let at = 12;
  let vlan: number | null = null;
  if (frame.length < 14) return null;
  if (frame.readUInt16BE(at) === 0x8100 && frame.length >= 18) {
    vlan = frame.readUInt16BE(at + 2) & 0xfff;
    at += 4;
  }
  const type = frame.readUInt16BE(at);
  const ip = frame.subarray(at + 2);
  if (type === 0x0800 && ip.length >= 20) {
    const headerBytes = ((ip[0] ?? 0) & 0xf) * 4;
    const isFirst = (ip.readUInt16BE(6) & 0x1fff) === 0;
    const addresses = { source: ip.toString('hex', 12, 16), destination: ip.toString('hex', 16, 20) };
    const rest = isFirst ? ip.subarray(headerBytes) : Buffer.alloc(0);
    return { atMs, vlan, ...addresses, ...transport(ip[9] ?? 0, rest, ip.readUInt16BE(2) - headerBytes) };
  }
  if (type === 0x86dd && ip.length >= 40) {
    const addresses = { source: ip.toString('hex', 8, 24), destination: ip.toString('hex', 24, 40) };
    return { atMs, vlan, ...addresses, ...transport(ip[6] ?? 0, ip.subarray(40), ip.readUInt16BE(4)) };
  }
  return null;
}

type Transport = Omit<CapturedPacket, 'atMs' | 'vlan' | 'source' | 'destination'>;

/** `length`: of the packet behind its IP header, as that says; `payload` may have been cut. */
function transport(protocol: number, payload: Buffer, length: number): Transport {
  const hasPorts = (protocol === TCP || protocol === UDP) && payload.length >= 4;
  const flagsAt = protocol === TCP ? 13 : protocol === ICMP || protocol === ICMPV6 ? 0 : null;
  return {
    protocol,
    sourcePort: hasPorts ? payload.readUInt16BE(0) : 0,
    destinationPort: hasPorts ? payload.readUInt16BE(2) : 0,
    flags: flagsAt === null ? 0 : (payload[flagsAt] ?? 0),
    ...(protocol === TCP && payload.length >= TCP_HEADER
      ? { sequence: payload.readUInt32BE(4), payloadBytes: Math.max(0, length - ((payload[12] ?? 0) >> 4) * 4) }
      : { sequence: 0, payloadBytes: 0 }),
  };
}

/** Neighbour discovery, multicast listener reports and the like: not a flow, although it is IP. */
export function isFlowPacket(packet: CapturedPacket): boolean {
  if (packet.protocol === TCP || packet.protocol === UDP) return true;
  if (packet.protocol === ICMP) return packet.flags === 0 || packet.flags === 8;
  return packet.protocol === ICMPV6 && (packet.flags === 128 || packet.flags === 129);
}

/** The key under which `CapturedPacket` has this address. */
export function addressKey(address: string): string {
  if (!address.includes(':')) {
    return address
      .split('.')
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .join('');
  }
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':').map((g) => g.padStart(4, '0')));
  const first = groups(head);
  const last = groups(tail ?? '');
  return [...first, ...Array<string>(8 - first.length - last.length).fill('0000'), ...last].join('');
}
