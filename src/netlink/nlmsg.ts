// Netlink messages (struct nlmsghdr, struct nfgenmsg, NLMSG_ERROR): where one begins and ends, what kind it is. Must not know
// the subsystems.

import { WireError } from '../base/errors.ts';
import type { Writer } from '../wire/writer.ts';

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const NLM_F = {
  REQUEST: 0x01,
  ACK: 0x04,
  /** What the request changes is told to who asked for it, as to those who listen. */
  ECHO: 0x08,
  DUMP_INTR: 0x10,
  DUMP_FILTERED: 0x20,
  DUMP: 0x300,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
} as const;

export const NLMSG_HEADER = 16;
const NFGENMSG = 4;

/** One message, still in the bytes it came in. `bodyAt` is where the payload begins. */
export interface NetlinkMessage {
  readonly bytes: Buffer;
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
  /** Port id of whoever caused it: our own for our requests' answers and events. */
  readonly portId: number;
  readonly bodyAt: number;
  readonly end: number;
}

export function readNetlinkMessages(bytes: Buffer): NetlinkMessage[] {
  const out: NetlinkMessage[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < NLMSG_HEADER) throw new WireError('TRUNCATED', 'nlmsghdr', at);
    const length = bytes.readUInt32LE(at);
    if (length < NLMSG_HEADER || at + length > bytes.length)
      throw new WireError('BAD_LENGTH', 'nlmsg_len', at, String(length));
    out.push({
      bytes,
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      seq: bytes.readUInt32LE(at + 8),
      portId: bytes.readUInt32LE(at + 12),
      bodyAt: at + NLMSG_HEADER,
      end: at + length,
    });
    at += (length + 3) & ~3;
  }
  return out;
}

export interface NetlinkHeader {
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
}

/** The port id is left 0: the kernel fills in the socket's. */
export function writeNetlinkMessage(w: Writer, header: NetlinkHeader, body: () => void): void {
  const start = w.length;
  w.zeros(4);
  w.u16le(header.type, 'nlmsg_type');
  w.u16le(header.flags, 'nlmsg_flags');
  w.u32le(header.seq, 'nlmsg_seq');
  w.u32le(0);
  body();
  w.patchU32le(start, w.length - start, 'nlmsg_len');
  w.align(4, start);
}

/** The errno (positive) of an NLMSG_ERROR, 0 for an acknowledgement. */
export function readNetlinkErrno(m: NetlinkMessage): number {
  if (m.end - m.bodyAt < 4) throw new WireError('TRUNCATED', 'nlmsgerr', m.bodyAt);
  return 0 - m.bytes.readInt32LE(m.bodyAt);
}

/** `struct nfgenmsg`: family, version, resource id (network order). */
export function writeNfgenmsg(w: Writer, family: number, resourceId = 0): void {
  w.u8(family, 'nfgen_family');
  w.u8(0);
  w.u16(resourceId, 'res_id');
}

export interface Nfgenmsg {
  readonly family: number;
  readonly resourceId: number;
  /** Where the attributes begin. */
  readonly attributesAt: number;
}

export function readNfgenmsg(m: NetlinkMessage): Nfgenmsg {
  if (m.end - m.bodyAt < NFGENMSG) throw new WireError('TRUNCATED', 'nfgenmsg', m.bodyAt);
  return {
    family: m.bytes.readUInt8(m.bodyAt),
    resourceId: m.bytes.readUInt16BE(m.bodyAt + 2),
    attributesAt: m.bodyAt + NFGENMSG,
  };
}
