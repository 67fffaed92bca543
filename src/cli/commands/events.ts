// `stateferry events`: what happens, as it happens.

import { Command } from 'commander';

import { type ApiFlags, withApiFlags } from '../api-client.ts';
import { followEvents, type StreamedEvent } from '../event-client.ts';

export function eventsCommand(): Command {
  return withApiFlags(
    new Command('events').description('follow migrations, changes of the topology and alarms'),
  ).action(async (flags: ApiFlags) => {
    for await (const event of followEvents(flags)) {
      process.stdout.write(`${flags.json === true ? JSON.stringify(event) : line(event)}\n`);
    }
  });
}

interface MigrationEvent {
  readonly id: string;
  readonly vm: { readonly vn: string; readonly mac: string; readonly addresses: readonly string[] };
  readonly state: string;
  readonly reason: string | null;
  readonly step: { readonly step: string; readonly ms: number; readonly failed: string | null } | null;
}

function line({ type, data }: StreamedEvent): string {
  const time = new Date().toISOString().slice(11, 23);
  if (type === 'migration') return `${time} ${migration(data as MigrationEvent)}`;
  if (type === 'topology') return `${time} topology ${(data as { reasons: readonly string[] }).reasons.join(', ')}`;
  if (type === 'alarm') return `${time} ALARM ${(data as { code: string }).code}: ${(data as { text: string }).text}`;
  return `${time} ${type === 'reset' ? 'some events were missed' : 'connected'}`;
}

function migration({ id, vm, state, reason, step }: MigrationEvent): string {
  const of = `${id} ${vm.vn} ${vm.addresses[0] ?? vm.mac} ${state}${reason === null ? '' : ` (${reason})`}`;
  if (step === null) return of;
  return `${of}, ${step.step} ${step.failed === null ? `took ${step.ms.toFixed(1)} ms` : `failed: ${step.failed}`}`;
}
