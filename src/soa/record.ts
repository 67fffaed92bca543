// Packed records: what a state chunk carries (docs/protocol.md). The kernel's attributes travel as they are, without the ones
// that mean nothing elsewhere (zone number, id, use count). Must not know how a record is used.

import { WireError } from '../base/errors.ts';
import type { Vnid } from '../base/ids.ts';
import { vnid as toVnid } from '../base/ids.ts';
import { AF, type ConntrackEntry, portableAttributes } from '../netlink/conntrack-entry.ts';
import type { Reader } from '../wire/reader.ts';
import type { Writer } from '../wire/writer.ts';
import { readPacked, writePacked } from './packed-records.ts';

export type RecordOperation = 'new' | 'update' | 'destroy';

export interface StateRecord {
  readonly operation: RecordOperation;
  readonly vnid: Vnid;
  /** AF_INET or AF_INET6. */
  readonly family: number;
  /** The SOM's wall clock when the source's kernel was read or announced it: the timeout counts from here. */
  readonly capturedWallMs: number;
  readonly entry: ConntrackEntry;
}

const OPERATIONS: readonly RecordOperation[] = ['new', 'update', 'destroy'];
/** operation, family, reserved, VNID, captured; the length before them is not counted. */
const FIXED_BYTES = 16;

export function writeRecord(w: Writer, record: StateRecord): void {
  writePacked(w, () => {
    w.u8(OPERATIONS.indexOf(record.operation) + 1, 'operation');
    w.u8(record.family, 'family');
    w.u16(0);
    w.u32(record.vnid, 'vnid');
    w.u64(BigInt(Math.max(0, Math.round(record.capturedWallMs * 1000))), 'captured');
    portableAttributes.write(w, record.entry, 'entry');
  });
}

/** All records of a chunk; raises WireError. */
export const readRecords = (bytes: Buffer): StateRecord[] => readPacked(bytes, readRecord);

function readRecord(body: Reader): StateRecord {
  const length = body.remaining;
  if (length < FIXED_BYTES) throw new WireError('BAD_LENGTH', 'record.length', body.start - 4, String(length));
  const operation = OPERATIONS[body.u8('record.operation') - 1];
  if (operation === undefined) throw new WireError('BAD_TYPE', 'record.operation', body.start);
  const family = body.u8('record.family');
  if (family !== AF.INET && family !== AF.INET6) {
    throw new WireError('BAD_VALUE', 'record.family', body.start + 1, String(family));
  }
  body.u16('record.reserved');
  const vnid = toVnid(body.u32('record.vnid'));
  const capturedWallMs = Number(body.u64('record.captured')) / 1000;
  return {
    operation,
    vnid,
    family,
    capturedWallMs,
    entry: portableAttributes.read(body.bytes, body.offset, body.end, 'entry'),
  };
}
