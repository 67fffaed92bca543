// How long a migration takes from its notification to the lift, and what the time is spent on: one VM with 500 and with
// 10,000 flows, on the testbed. The flows are entries in the firewall's table; nothing is asserted. Needs root.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endedStep, notifyToMs, type Migration } from '../../src/lab/controller-api.ts';
import { inLabRun, type LabRun } from '../../src/lab/lab-run.ts';
import { watchMigration } from '../../src/lab/migration-watch.ts';
import { dpidText, vmIdentity } from '../../src/lab/names.ts';
import { startPhase, type Phase } from '../../src/lab/phase.ts';
import { median, worst } from '../../src/lab/statistics.ts';
import { addSyntheticEntries } from '../integration/synthetic-entries.ts';

const SIZES = [500, 10_000];
const MOVES = 6;
const STEPS = ['pin', 'upload', 'ready', 'download', 'quiesce', 'gate', 'drain', 'lift', 'retire'];
const END_TIMEOUT_MS = 60_000;

/** There and back, and there again. The first brings the entries along that are at FW1 only. */
async function moves(run: LabRun, phase: Phase, size: number): Promise<readonly Migration[]> {
  const { testbed, controller } = phase;
  const vm = testbed.vm('vm1-a');
  const fw1 = testbed.ready.firewalls.find((f) => f.name === 'FW1');
  if (fw1 === undefined) throw new Error('the testbed has no FW1');
  await addSyntheticEntries({
    netns: fw1.netns,
    zone: fw1.zones[String(vm.vlan)] ?? 0,
    from: vm.ipv4,
    to: testbed.vm('vm3-a').ipv4,
    count: size,
    file: join(phase.folder, `entries-${size}.conntrack`),
  });
  const migrations: Migration[] = [];
  for (let i = 0; i < MOVES; i++) {
    const server = i % 2 === 0 ? 'Server2' : 'Server1';
    const newNve = dpidText(testbed.ready.nves.find((n) => n.server === server)?.dpid ?? 0);
    const watch = await watchMigration(controller.api, { ...vmIdentity(vm), newNve }, run.signal);
    await testbed.move({ vm: vm.name, server, blackoutMs: 50, announce: 'rarp' });
    const migration = await watch.ended(END_TIMEOUT_MS);
    run.progress(
      `${size} flows, move ${i + 1} of ${MOVES}: ${migration.state}, ${migration.transfers[0]?.entries ?? 0} entries`,
    );
    migrations.push(migration);
  }
  return migrations;
}

function row(name: string, values: readonly number[]): string {
  const cell = (v: number | null): string => (v === null ? '-' : v.toFixed(1)).padStart(10);
  return `${name.padEnd(18)}${cell(median(values))}${cell(worst(values))}`;
}

function print(size: number, migrations: readonly Migration[]): void {
  const stepMs = (step: string): number[] => migrations.flatMap((m) => endedStep(m, step)?.ms ?? []);
  console.log(`\n${size} flows, ${migrations.length} moves${' '.repeat(4)}median ms  worst ms`);
  for (const step of STEPS) console.log(row(step, stepMs(step)));
  console.log(
    row(
      'notify to lift',
      migrations.flatMap((m) => notifyToMs(m, 'lift') ?? []),
    ),
  );
}

const folder = mkdtempSync(join(tmpdir(), 'stateferry-bench-'));
try {
  await inLabRun({ scenario: 'bench', out: folder, keep: false }, async (run) => {
    const phase = await startPhase(run, { name: 'bench', mode: 'firewall', strategy: 'detour', delayMs: 0 });
    for (const size of SIZES) print(size, await moves(run, phase, size));
  });
} finally {
  rmSync(folder, { recursive: true });
}
