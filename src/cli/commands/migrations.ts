// `stateferry migrations [ID]`: all migrations, or one with its steps.

import { Command } from 'commander';

import type { MigrationJson } from '../../api/schemas/migration.ts';
import { clientOf, withApiFlags } from '../api-client.ts';
import type { ApiFlags } from '../api-client.ts';
import { table } from '../table.ts';

export function migrationsCommand(): Command {
  return withApiFlags(
    new Command('migrations').argument('[id]', 'one migration').description('what was moved, step by step'),
  ).action(async (id: string | undefined, flags: ApiFlags) => {
    if (id === undefined) {
      print(flags, (await clientOf(flags).listMigrations()).migrations, list);
    } else {
      print(flags, await clientOf(flags).getMigration({ id }), one);
    }
  });
}

function print<T>(flags: ApiFlags, value: T, render: (value: T) => string): void {
  process.stdout.write(`${flags.json === true ? JSON.stringify(value, null, 2) : render(value)}\n`);
}

function list(migrations: readonly MigrationJson[]): string {
  if (migrations.length === 0) return 'no migrations yet';
  return table(
    ['ID', 'STARTED', 'VM', 'FROM', 'TO', 'STATE HOSTS', 'RECORDS', 'STATE'],
    migrations.map((m) => [
      m.id,
      new Date(m.startedWallMs).toISOString().slice(0, 23),
      `${m.vm.vnName} ${m.vm.addresses[0] ?? m.vm.mac}`,
      m.oldNveName,
      m.newNveName,
      m.transfers.map((t) => `${t.source ?? '-'}->${t.destination ?? '-'}`).join(' ') || '-',
      String(m.transfers.reduce((sum, t) => sum + t.entries, 0)),
      m.reason === null ? m.state : `${m.state} (${m.reason})`,
    ]),
  );
}

function one(m: MigrationJson): string {
  const start = m.startedWallMs;
  const parts = [
    list([m]),
    `evidence: ${m.evidence.join(', ')}`,
    table(
      ['STEP', 'TRY', 'AT (ms)', 'TOOK (ms)', 'DETAIL'],
      m.steps.map((s) => [
        s.step,
        String(s.attempt),
        `+${(s.wallMs - start).toFixed(1)}`,
        s.ms.toFixed(1),
        s.failed === undefined ? detail(s.detail) : `FAILED: ${s.failed}`,
      ]),
    ),
  ];
  for (const t of m.transfers) {
    const equal = t.digestEqual === null ? 'not compared' : t.digestEqual ? 'equal on both sides' : 'DIFFERENT';
    parts.push(
      `${t.source ?? '-'} -> ${t.destination ?? '-'}: ${t.state}, ${t.entries} records, digest ${t.digestSource?.slice(0, 16) ?? '-'} ${equal}` +
        (t.liberal ? '; moved TCP entries keep a liberal window check' : ''),
    );
    if (t.gapMs != null) parts.push(`  the VM's port was held for ${t.gapMs.toFixed(1)} ms`);
    if ((t.kinds?.length ?? 0) > 0) parts.push(`  kinds of state: ${t.kinds?.join(', ') ?? ''}`);
    for (const w of t.warnings ?? []) parts.push(`  warning: ${w}`);
    for (const r of t.refused) parts.push(`  refused: ${r.reason} ${r.record} ${r.detail}`);
    if (t.checkpoint != null) parts.push(...checkpointLines(t.checkpoint, start));
    for (const h of t.handshakes) parts.push(`  handshake followed after the lift: ${h}`);
  }
  parts.push(`held: ${detail(m.held)}`);
  return parts.join('\n');
}

function detail(of: Readonly<Record<string, unknown>>): string {
  return Object.entries(of)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value.slice(0, 24) : JSON.stringify(value)}`)
    .join(' ');
}

function checkpointLines(
  { levelWallMs, missing }: NonNullable<MigrationJson['transfers'][number]['checkpoint']>,
  startedWallMs: number,
): string[] {
  return [
    `  the source was dead: from its checkpoint, ${Math.round(startedWallMs - levelWallMs)} ms old at the notification`,
    ...missing.map((flow) => `  younger than the checkpoint, not moved: ${flow}`),
  ];
}
