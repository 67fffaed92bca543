// Times of migrations as they go on: each step, and from the notification to the lift. Fed by the records' changes.

import { Counter, Histogram, type Registry } from 'prom-client';
import type { MigrationRecord } from '../../som/record.ts';
import type { Records } from '../../som/records.ts';

const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const SECOND_MS = 1000;

export function watchMigrationTimes(records: Records, registry: Registry): void {
  const registers = [registry];
  const steps = new Histogram({
    name: 'stateferry_som_step_seconds',
    help: 'How long each step of a migration took.',
    labelNames: ['step', 'result'],
    buckets: BUCKETS,
    registers,
  });
  const toLift = new Histogram({
    name: 'stateferry_som_notification_to_lift_seconds',
    help: 'From the notification until the flows run through the destination, for each transfer.',
    buckets: BUCKETS,
    registers,
  });
  const ended = new Counter({
    name: 'stateferry_som_migrations_ended_total',
    help: 'Migrations that have ended, by how.',
    labelNames: ['state'],
    registers,
  });
  const moved = new Counter({
    name: 'stateferry_som_moved_records_total',
    help: 'Records of migrations that have ended.',
    registers,
  });
  const seen = new Map<string, Seen>();
  for (const record of records.list()) seen.set(record.id, seenOf(record));

  records.onChange((record) => {
    const before = seen.get(record.id) ?? { steps: 0, ended: false };
    seen.set(record.id, seenOf(record));
    if (seen.size > MOST_SEEN) seen.delete(seen.keys().next().value ?? '');
    for (const step of record.steps.slice(before.steps)) {
      steps.observe({ step: step.step, result: step.failed === undefined ? 'done' : 'failed' }, step.ms / SECOND_MS);
      const notified = step.step === 'lift' && step.failed === undefined ? notifiedAt(record) : undefined;
      if (notified !== undefined) toLift.observe((step.wallMs - notified) / SECOND_MS);
    }
    if (record.endedWallMs === null || before.ended) return;
    ended.inc({ state: record.state });
    moved.inc(record.transfers.reduce((sum, t) => sum + (t.state === 'migrated' ? t.entries : 0), 0));
  });
}

/** What of a migration is counted already. */
interface Seen {
  readonly steps: number;
  readonly ended: boolean;
}

/** More than are kept, with those that go on. */
const MOST_SEEN = 4096;

const seenOf = ({ steps, endedWallMs }: MigrationRecord): Seen => ({
  steps: steps.length,
  ended: endedWallMs !== null,
});

const notifiedAt = ({ steps }: MigrationRecord): number | undefined =>
  steps.find((s) => s.step === 'notify')?.startedWallMs;
