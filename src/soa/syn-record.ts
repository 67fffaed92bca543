// Packed records of kind `syn-counters`, schema version 1 (docs/protocol.md). Must not know how a record is used.

import { WireError } from '../base/errors.ts';
import { vnid as toVnid } from '../base/ids.ts';
import { AF, type AddressBytes } from '../netlink/conntrack-entry.ts';
import type { Reader } from '../wire/reader.ts';
import type { Writer } from '../wire/writer.ts';
import { readPacked, writePacked } from './packed-records.ts';
import type { Origin, SynRecord, Tally } from './syn-counts.ts';

const OPERATIONS = ['count', 'gone'] as const;
const SHARE_BYTES = 24;

export function writeSynRecord(w: Writer, record: SynRecord): void {
  writePacked(w, () => {
    w.u8(OPERATIONS.indexOf(record.operation) + 1, 'operation');
    w.u8(record.address.length === 4 ? AF.INET : AF.INET6, 'family');
    w.u16(record.shares.size, 'shares');
    w.u32(record.vnid, 'vnid');
    w.u64(BigInt(Math.max(0, Math.round(record.capturedWallMs * 1000))), 'captured');
    w.u64(BigInt(Math.max(0, Math.round(record.expiresMs))), 'expires');
    w.u64(record.thresholdBytes, 'threshold');
    w.u64(BigInt(record.windowMs), 'window');
    const name = Buffer.from(record.set, 'latin1');
    w.u16(name.length, 'set.length');
    w.raw(name);
    w.raw(Buffer.from(record.address, 'latin1'));
    for (const [origin, { packets, bytes }] of record.shares) {
      w.raw(Buffer.from(origin, 'hex'));
      w.u64(packets, 'packets');
      w.u64(bytes, 'bytes');
    }
  });
}

/** All records of a chunk; raises WireError. */
export const readSynRecords = (bytes: Buffer): SynRecord[] => readPacked(bytes, readSynRecord);

function readSynRecord(r: Reader): SynRecord {
  const operation = OPERATIONS[r.u8('record.operation') - 1];
  if (operation === undefined) throw new WireError('BAD_TYPE', 'record.operation', r.start);
  const family = r.u8('record.family');
  if (family !== AF.INET && family !== AF.INET6) {
    throw new WireError('BAD_VALUE', 'record.family', r.start + 1, String(family));
  }
  const count = r.u16('record.shares');
  const vnid = toVnid(r.u32('record.vnid'));
  const capturedWallMs = Number(r.u64('record.captured')) / 1000;
  const expiresMs = Number(r.u64('record.expires'));
  const thresholdBytes = r.u64('record.threshold');
  const windowMs = Number(r.u64('record.window'));
  const set = r.raw(r.u16('record.set.length'), 'record.set').toString('latin1');
  const address = r.raw(family === AF.INET ? 4 : 16, 'record.address').toString('latin1') as AddressBytes;
  if (r.remaining !== count * SHARE_BYTES) {
    throw new WireError('BAD_LENGTH', 'record.shares', r.offset, `${r.remaining} bytes for ${count} shares`);
  }
  const shares = new Map<Origin, Tally>();
  for (let i = 0; i < count; i += 1) {
    const origin = r.raw(8, 'record.origin').toString('hex') as Origin;
    if (shares.has(origin)) throw new WireError('BAD_VALUE', 'record.origin', r.offset - 8, 'comes twice');
    shares.set(origin, { packets: r.u64('record.packets'), bytes: r.u64('record.bytes') });
  }
  return { operation, vnid, set, address, capturedWallMs, expiresMs, thresholdBytes, windowMs, shares };
}
