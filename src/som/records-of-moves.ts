// A migration's record when its notification has come and nothing has been done yet, with its first journal line; and when
// nothing (more) is to be done.

import type { Clock } from '../base/clock.ts';
import type { Notification } from '../../topology/notification.ts';
import type { MovePlan, PlannedTransfer } from './plan.ts';
import type { MigrationRecord, TransferRecord } from './record.ts';
import type { Records } from './records.ts';

export function openRecord(records: Records, n: Notification, plan: MovePlan, nowWallMs: number): MigrationRecord {
  const record: MigrationRecord = {
    id: records.nextId(),
    cause: n.cause,
    evidence: n.evidence,
    vm: { vnid: n.vnid, vnName: n.vnName, mac: n.vm.mac, addresses: n.vm.addresses },
    oldNve: n.oldNve,
    newNve: n.newNve,
    state: 'running',
    reason: null,
    startedWallMs: n.wallMs,
    endedWallMs: null,
    transfers: plan.transfers.map((t, index) => transferRecord(t, index)),
    steps: [],
    held: { limbo: 0, punted: 0, gated: 0, dropped: 0 },
  };
  const journal = records.steps(record, null, 1);
  journal.begin('notify');
  journal.end({
    step: 'notify',
    startedWallMs: n.wallMs,
    wallMs: nowWallMs,
    ms: nowWallMs - n.wallMs,
    detail: { evidence: n.evidence },
  });
  return record;
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
    kinds: [],
    warnings: [],
    liberal: true,
  };
}
