// The digest both State Hosts compute over what was moved (hard case 19), each from its own kernel: SHA-256 of every record's
// canonical fields, summed in eight 32-bit lanes, so that order does not matter and a record can be taken out again.
// docs/protocol.md defines the bytes.

import { hash } from 'node:crypto';
import type { Vnid } from '../base/ids.ts';
import { type ConntrackEntry, STATUS, TCP_FLAG } from '../netlink/conntrack-entry.ts';
import { tupleBytes } from '../netlink/tuple.ts';
import { isUnanswered } from './tcp-state.ts';

const LANES = 8;
const DIGESTED_STATUS = STATUS.SEEN_REPLY | STATUS.ASSURED | STATUS.SRC_NAT | STATUS.DST_NAT;

/** 32 bytes. Left out: timeouts, counters, ids, the zone's number, the liberal bit (hard case 19). */
export function recordHash(vnid: Vnid, entry: ConntrackEntry): Buffer {
  return hash('sha256', Buffer.from(canonical(vnid, entry), 'latin1'), 'buffer');
}

function canonical(vnid: Vnid, entry: ConntrackEntry): string {
  const tcp = entry.protoinfo?.tcp;
  const scale = tcp === undefined ? undefined : windowScales(tcp);
  return (
    part('sf1') +
    part(u32(vnid)) +
    part(entry.tupleOrig === undefined ? '' : tupleBytes(entry.tupleOrig)) +
    part(entry.tupleReply === undefined ? '' : tupleBytes(entry.tupleReply)) +
    part(optional(tcp?.state)) +
    part(optional(scale?.original)) +
    part(optional(scale?.reply)) +
    part(u32(entry.mark ?? 0)) + // events leave a mark of 0 out
    part(trimmed(entry.labels)) +
    part(u32((entry.status ?? 0) & DIGESTED_STATUS)) +
    part(entry.tupleMaster === undefined ? '' : tupleBytes(entry.tupleMaster))
  );
}

const part = (bytes: string): string => u32(bytes.length) + bytes;

/** A scale counts once both sides have offered the option; until the answer, the opener's stands as it is. */
function windowScales(tcp: NonNullable<NonNullable<ConntrackEntry['protoinfo']>['tcp']>): {
  readonly original: number;
  readonly reply: number;
} {
  const both = (tcp.flagsOriginal?.flags ?? 0) & (tcp.flagsReply?.flags ?? 0) & TCP_FLAG.WINDOW_SCALE;
  if (both === 0 && !isUnanswered(tcp.state)) return { original: 0, reply: 0 };
  return { original: tcp.wscaleOriginal ?? 0, reply: tcp.wscaleReply ?? 0 };
}

const u32 = (value: number): string =>
  String.fromCharCode((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
const optional = (value: number | undefined): string => (value === undefined ? '' : u32(value));

/** Labels without trailing zero bytes: no labels and all labels clear are the same. */
function trimmed(labels: Buffer | undefined): string {
  if (labels === undefined) return '';
  let end = labels.length;
  while (end > 0 && labels[end - 1] === 0) end -= 1;
  return labels.toString('latin1', 0, end);
}

export class StateDigest {
  readonly #lanes = new Uint32Array(LANES);
  #records = 0;

  get records(): number {
    return this.#records;
  }

  add(recordHash: Buffer): void {
    for (let i = 0; i < LANES; i += 1) {
      this.#lanes[i] = ((this.#lanes[i] ?? 0) + recordHash.readUInt32BE(i * 4)) >>> 0;
    }
    this.#records += 1;
  }

  remove(recordHash: Buffer): void {
    for (let i = 0; i < LANES; i += 1) {
      this.#lanes[i] = ((this.#lanes[i] ?? 0) - recordHash.readUInt32BE(i * 4)) >>> 0;
    }
    this.#records -= 1;
  }

  /** 32 bytes; all zero for no records. */
  value(): Buffer {
    const out = Buffer.alloc(LANES * 4);
    this.#lanes.forEach((lane, i) => out.writeUInt32BE(lane, i * 4));
    return out;
  }

  /** As if everything the other one has had been added here as well; neither changes. */
  with(other: StateDigest): StateDigest {
    const both = new StateDigest();
    both.#lanes.forEach((_, i) => {
      both.#lanes[i] = ((this.#lanes[i] ?? 0) + (other.#lanes[i] ?? 0)) >>> 0;
    });
    both.#records = this.#records + other.#records;
    return both;
  }
}
