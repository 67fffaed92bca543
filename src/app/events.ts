// What the API's subscribers are told: migrations as they go on, that the topology has changed, alarms.

import { randomBytes } from 'node:crypto';

import { EventLog } from '../api/event-log.ts';
import type { Orchestration } from '../som/orchestration.ts';
import type { MigrationRecord } from '../som/record.ts';

export function openEvents(orchestration: Orchestration): EventLog {
  const log = new EventLog(randomBytes(6).toString('hex'));
  orchestration.som.records.onChange((record) => {
    log.publish('migration', briefly(record));
  });
  orchestration.listen({
    onTopology: (reasons) => {
      log.publish('topology', { reasons });
    },
    onAlarm: (alarm) => {
      log.publish('alarm', alarm);
    },
  });
  return log;
}

/** Enough to show that it goes on; who wants all of it reads the migration. */
function briefly({ id, vm, oldNve, newNve, state, reason, steps, transfers }: MigrationRecord): object {
  const last = steps.at(-1);
  return {
    id,
    vm: { vn: vm.vnName, mac: vm.mac, addresses: vm.addresses },
    oldNve,
    newNve,
    state,
    reason,
    transfers: transfers.map((t) => ({
      source: t.source,
      destination: t.destination,
      state: t.state,
      entries: t.entries,
    })),
    step:
      last === undefined
        ? null
        : { step: last.step, transfer: last.transfer, ms: last.ms, failed: last.failed ?? null },
  };
}
