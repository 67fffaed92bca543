// The entry whose coming and going in the event stream marks a point in it (hard case 15). Its addresses are of 0.0.0.0/8,
// which no packet carries, so that it cannot clash with a connection.

import type { AddressBytes, ConntrackEntry } from '../netlink/conntrack-entry.ts';
import { AF, PROTO, STATUS } from '../netlink/conntrack-entry.ts';
import type { ConntrackRequest } from '../netlink/conntrack-message.ts';
import { mirror } from '../netlink/tuple.ts';

export interface Sentinel {
  readonly entry: ConntrackEntry;
  /** Make it, then delete it. */
  readonly requests: readonly ConntrackRequest[];
}

/** `serial` tells sentinels apart: 24 bits count. */
export function sentinel(serial: number): Sentinel {
  const address = (low: number): AddressBytes =>
    Buffer.from([0, (low >> 16) & 0xff, (low >> 8) & 0xff, low & 0xff]).toString('latin1') as AddressBytes;
  const tupleOrig = {
    ip: { v4Src: address(serial), v4Dst: address(0) },
    proto: { num: PROTO.UDP, srcPort: 9, dstPort: 9 },
  };
  const entry: ConntrackEntry = {
    tupleOrig,
    tupleReply: mirror(tupleOrig),
    status: STATUS.CONFIRMED,
    timeout: 5, // if the deletion is lost it goes by itself
  };
  return {
    entry,
    requests: [
      { operation: 'create', family: AF.INET, entry },
      { operation: 'delete', family: AF.INET, entry: { tupleOrig } },
    ],
  };
}
