// A migration's record when its notification has come and nothing has been done yet, with its first journal line; and when
// nothing (more) is to be done.

import type { Clock } from '../base/clock.ts';
import type { MigrationId } from '../base/ids.ts';
import type { Notification } from '../../topology/notification.ts';
import type { MovePlan, PlannedTransfer } from './plan.ts';
import type { MigrationRecord, PlannedMigrationRecord, PlannedRecord, TransferRecord } from './record.ts';
import type { Records } from './records.ts';

/** What both a move and a plan of one say of it. */
export type MoveNotice = Pick<Notification, 'cause' | 'vnid' | 'vnName' | 'vm' | 'oldNve' | 'newNve'>;

export function openRecord(records: Records, n: Notification, plan: MovePlan, nowWallMs: number): MigrationRecord {
  const record: MigrationRecord = { ...blank(records.nextId(), n, plan, n.wallMs), evidence: n.evidence };
  noteNotified(records, record, n, nowWallMs);
  return record;
}

/** A move that is to come. */
export function openPlanned(
  records: Records,
  n: MoveNotice,
  plan: MovePlan,
  nowWallMs: number,
  planned: PlannedRecord,
): PlannedMigrationRecord {
  const record: PlannedMigrationRecord = {
    ...blank(records.nextId(), n, plan, nowWallMs),
    state: 'preparing',
    planned,
  };
  for (const transfer of record.transfers) transfer.state = 'preparing';
  records.save(record);
  return record;
}

/** The move that was planned has come. `aheadOf`: which of the plan's transfers each one goes on with. */
export function reopenRecord(
  records: Records,
  record: MigrationRecord,
  n: Notification,
  plan: MovePlan,
  aheadOf: readonly (number | null)[],
  nowWallMs: number,
): void {
  const planned = [...record.transfers];
  const transfers = plan.transfers.map((t, index) => {
    const ahead = planned[aheadOf[index] ?? -1];
    return ahead === undefined
      ? transferRecord(t, index)
      : Object.assign(ahead, { index, state: 'running', reason: null, attempt: 0 });
  });
  record.transfers.splice(0, planned.length, ...transfers);
  const steps = record.steps.map((s) => (s.transfer === null ? s : { ...s, transfer: aheadOf.indexOf(s.transfer) }));
  record.steps.splice(0, steps.length, ...steps);
  record.evidence = n.evidence;
  record.state = 'running';
  noteNotified(records, record, n, nowWallMs);
}

/** The VM did not come. */
export function endPrepared(
  record: MigrationRecord,
  records: Records,
  how: { readonly state: 'superseded' | 'abandoned' | 'degraded'; readonly reason: string; readonly wallMs: number },
): void {
  for (const transfer of record.transfers) Object.assign(transfer, { state: how.state, reason: how.reason });
  Object.assign(record, { state: how.state, reason: how.reason, endedWallMs: how.wallMs });
  records.save(record);
}

function blank(id: MigrationId, n: MoveNotice, plan: MovePlan, startedWallMs: number): MigrationRecord {
  return {
    id,
    cause: n.cause,
    evidence: [],
    vm: { vnid: n.vnid, vnName: n.vnName, mac: n.vm.mac, addresses: n.vm.addresses },
    oldNve: n.oldNve,
    newNve: n.newNve,
    state: 'running',
    reason: null,
    startedWallMs,
    endedWallMs: null,
    transfers: plan.transfers.map((t, index) => transferRecord(t, index)),
    steps: [],
    held: { limbo: 0, punted: 0, gated: 0, dropped: 0 },
  };
}

function noteNotified(records: Records, record: MigrationRecord, n: Notification, nowWallMs: number): void {
  const journal = records.steps(record, null, 1);
  journal.begin('notify');
  journal.end({
    step: 'notify',
    startedWallMs: n.wallMs,
    wallMs: nowWallMs,
    ms: nowWallMs - n.wallMs,
    detail: { evidence: n.evidence },
  });
}

/** A migration that has nothing (more) to move. */
export function closeRecord(record: MigrationRecord, records: Records, clock: Clock): void {
  for (const t of record.transfers) {
    if (t.state !== 'running') continue;
    t.state = 'migrated';
    t.reason ??= 'nothing was moved';
  }
  if (record.transfers.some((t) => t.state !== 'migrated')) return;
  record.state = 'migrated';
  record.reason = record.transfers.find((t) => t.reason !== null)?.reason ?? null;
  record.endedWallMs = clock.wallMs();
  records.save(record);
}

function transferRecord(t: PlannedTransfer, index: number): TransferRecord {
  return {
    index,
    source: t.source,
    destination: t.destination,
    peerNve: t.peerNve,
    selector: t.selector,
    state: 'running',
    reason: t.impossible,
    attempt: 0,
    entries: 0,
    digestSource: null,
    digestDestination: null,
    digestEqual: null,
    installedWallMs: null,
    drainedWallMs: null,
    gapMs: null,
    refused: [],
    handshakes: [],
    checkpoint: null,
    kinds: [],
    warnings: [],
    liberal: true,
  };
}
