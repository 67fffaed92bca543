// Import checks: an installed record opens this firewall for its connection, so each one is looked at before it reaches the
// kernel, whoever sent it. Pure.

import { STATUS } from '../netlink/conntrack-entry.ts';
import { endpoints, familyOf, formatTuple } from '../netlink/tuple.ts';
import type { Refusal } from '../protocol/generated/stateferry.ts';
import type { StateRecord } from './record.ts';
import { isNat } from './rewrite.ts';
import { type Scope, tuplesInScope } from './scope.ts';

/** Why one record was refused; the rest of the migration goes on. docs/protocol.md lists them. */
export type RecordRefusedReason =
  | 'out-of-scope' // another VNID, or no address of the selector
  | 'bad-value' // a value no kernel gives
  | 'over-limit' // more records than this State Host takes of one migration
  | 'unsupported-protocol'
  | 'nat-not-owned' // the translated address is not in this State Host's NAT pools
  | 'clash' // the kernel has another entry that cannot be replaced (a NAT binding in use)
  | 'no-master' // a related entry whose master is not here
  | 'no-helper' // the connection tracking helper is not here
  | 'table-full'
  | 'no-counter-set' // SYNs are counted here in no set of that name
  | 'limit-differs' // SYNs are counted here under another threshold or window than at the source
  | 'kernel'; // any other errno; the detail names it

const MAX_TIMEOUT_SECONDS = 100 * 24 * 3600;
const MAX_TCP_STATE = 9;
const MAX_SCTP_STATE = 8;
const MAX_WINDOW_SCALE = 14;

export interface ImportPolicy {
  readonly protocols: ReadonlySet<number>;
  /** Whether this State Host may translate to that address (bytes of 4 or 16). */
  readonly ownsNatAddress: (address: string) => boolean;
}

export const refusal = (record: StateRecord, reason: RecordRefusedReason, detail: string): Refusal => ({
  reason,
  record: record.entry.tupleOrig === undefined ? '' : formatTuple(record.entry.tupleOrig),
  detail,
});

/** Null when the record may be installed (or, for `destroy`, its tuple deleted). */
export function checkRecord(record: StateRecord, scope: Scope, policy: ImportPolicy): Refusal | null {
  const { entry } = record;
  const no = (reason: RecordRefusedReason, detail: string): Refusal => refusal(record, reason, detail);
  const { tupleOrig: orig, tupleReply: reply } = entry;
  if (orig === undefined || reply === undefined)
    return { reason: 'bad-value', record: '', detail: 'a tuple is missing' };
  if (record.vnid !== scope.vnid) return no('out-of-scope', `VNID ${record.vnid}`);
  if (!tuplesInScope(scope, orig, reply)) return no('out-of-scope', 'no address of the selector');
  if (orig.zone !== undefined || reply.zone !== undefined) return no('bad-value', 'a zone for one direction');
  if (familyOf(orig) !== record.family || familyOf(reply) !== record.family) return no('bad-value', 'family');
  if (orig.proto?.num !== reply.proto?.num) return no('bad-value', 'two protocols');
  if (!policy.protocols.has(orig.proto?.num ?? -1)) return no('unsupported-protocol', String(orig.proto?.num));
  if (record.operation === 'destroy') return null;
  const value = badValue(record);
  if (value !== null) return no('bad-value', value);
  if (isNat(orig, reply)) {
    const from = endpoints(orig);
    const { src, dst } = endpoints(reply);
    const foreign = [src, dst].filter((a) => a !== from.src && a !== from.dst && !policy.ownsNatAddress(a));
    // DNAT to the VM itself needs no pool; what is translated *to the outside* does.
    if (foreign.some((a) => !scope.vm.has(a))) return no('nat-not-owned', formatTuple(reply));
    // And so does the outside address that such a connection was opened to.
    if (src !== from.dst && !policy.ownsNatAddress(from.dst)) return no('nat-not-owned', formatTuple(orig));
  }
  return null;
}

function badValue({ entry }: StateRecord): string | null {
  const { tcp, sctp } = entry.protoinfo ?? {};
  if (entry.timeout === undefined || entry.timeout > MAX_TIMEOUT_SECONDS)
    return `timeout ${entry.timeout ?? 'missing'}`;
  if (entry.status === undefined) return 'status missing';
  if ((entry.status & STATUS.DYING) !== 0) return 'status DYING';
  if (tcp !== undefined) {
    if (tcp.state === undefined || tcp.state < 1 || tcp.state > MAX_TCP_STATE)
      return `TCP state ${tcp.state ?? 'missing'}`;
    if (Math.max(tcp.wscaleOriginal ?? 0, tcp.wscaleReply ?? 0) > MAX_WINDOW_SCALE) return 'window scale';
  }
  if (sctp?.state !== undefined && sctp.state > MAX_SCTP_STATE) return `SCTP state ${sctp.state}`;
  return null;
}
