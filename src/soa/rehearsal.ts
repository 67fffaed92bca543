// Goes once through everything a migration does to a record, on made-up records, so that the compiler has made fast code of it
// before the first real one: cold, the same work takes several times as long, while flows wait at a gate.

import { setFlagsFromString } from 'node:v8';
import { vnid } from '../base/ids.ts';
import { type ConntrackEntry, PROTO, STATUS } from '../netlink/conntrack-entry.ts';
import { readConntrackMessage, writeConntrackRequest } from '../netlink/conntrack-message.ts';
import { readNetlinkMessages } from '../netlink/nlmsg.ts';
import { mirror, parseAddress } from '../netlink/tuple.ts';
import { Writer } from '../wire/writer.ts';
import { HandedOverRecords, mergeEntry } from './handed-over.ts';
import { readRecords, writeRecord } from './record.ts';
import { rewriteForCreate, rewriteForUpdate } from './rewrite.ts';
import { entryKey } from './shadow.ts';
import { recordHash } from './state-digest.ts';

const RECORDS = 3000;
const BATCH = 200;
const VNID = vnid(1);
const AF_INET = 2;

/** Takes some hundred milliseconds of one core; touches no kernel. */
export function rehearse(): void {
  setFlagsFromString('--no-flush-bytecode'); // hours may pass until it is needed
  const records = new HandedOverRecords(VNID);
  for (let first = 0; first < RECORDS; first += BATCH) {
    const packed = new Writer(1 << 16);
    for (let i = first; i < first + BATCH; i += 1) {
      const entry = mergeEntry(madeUp(i), { status: STATUS.CONFIRMED | STATUS.SEEN_REPLY | STATUS.ASSURED });
      const key = entryKey(entry);
      if (key !== null) records.put(key, entry, i);
      writeRecord(packed, { operation: 'new', vnid: VNID, family: AF_INET, capturedWallMs: i, entry });
    }
    const netlink = new Writer(1 << 16);
    for (const { entry } of readRecords(packed.finish())) {
      const input = { entry, zone: 1, ageMs: 1 };
      writeConntrackRequest(
        netlink,
        { operation: 'create', family: AF_INET, entry: rewriteForCreate(input) },
        1,
        false,
      );
      writeConntrackRequest(
        netlink,
        { operation: 'update', family: AF_INET, entry: rewriteForUpdate(input) },
        2,
        false,
      );
    }
    for (const message of readNetlinkMessages(netlink.finish())) {
      const read = readConntrackMessage(message);
      if (read !== null) recordHash(VNID, read.entry);
    }
  }
}

function madeUp(i: number): ConntrackEntry {
  const tupleOrig = {
    ip: { v4Src: parseAddress('192.0.2.1'), v4Dst: parseAddress('192.0.2.2') },
    proto: { num: PROTO.TCP, srcPort: 1024 + i, dstPort: 80 },
  };
  const flags = { flags: 3, mask: 3 };
  return {
    tupleOrig,
    tupleReply: mirror(tupleOrig),
    status: STATUS.CONFIRMED,
    timeout: 300,
    zone: 1,
    mark: i,
    id: i,
    protoinfo: { tcp: { state: 3, wscaleOriginal: 7, wscaleReply: 7, flagsOriginal: flags, flagsReply: flags } },
  };
}
