// `stateferry status`: is everything there, and is anything wrong.

import { Command } from 'commander';

import type { StatusJson } from '../../api/schemas/status.ts';
import { clientOf, withApiFlags } from '../api-client.ts';
import type { ApiFlags } from '../api-client.ts';
import { table } from '../table.ts';

export function statusCommand(): Command {
  return withApiFlags(new Command('status').description('what is connected, what is running, what is wrong')).action(
    async (flags: ApiFlags) => {
      const status = await clientOf(flags).getStatus();
      process.stdout.write(flags.json === true ? `${JSON.stringify(status, null, 2)}\n` : render(status));
    },
  );
}

function render(s: StatusJson): string {
  const counters = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .filter(([, n]) => n > 0)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ') || 'none';
  const rows = [
    ['up since', new Date(s.upSinceMs).toISOString()],
    ['strategy', s.strategy],
    ['NVEs', `${s.nves.connected} of ${s.nves.known} connected, ${s.links} links`],
    ['State Hosts', `${s.stateHosts.registered} registered, ${s.stateHosts.attached} attached to the fabric`],
    ...s.standby.map((one) => [`standby of ${one.stateHost}`, standbyText(one)]),
    ['VMs', String(s.vms)],
    [
      'migrations',
      `${s.migrations.running} running, ${s.migrations.degraded} degraded, ${s.migrations.migrated} migrated`,
    ],
    ['flow rules', `${s.flows.installed}${s.flows.settled ? '' : ', being changed'}`],
    ['packets held', counters(s.held)],
    ['refused', counters(s.refused)],
  ];
  const alarms = s.alarms.map((a) => `  ${new Date(a.wallMs).toISOString()} ${a.code}: ${a.text}`);
  return `${table(['stateferry', s.version], rows)}\n${alarms.length === 0 ? '' : `alarms\n${alarms.join('\n')}\n`}`;
}

function standbyText({ state, reason, records, bytes, ageMs }: StatusJson['standby'][number]): string {
  const why = reason === null ? '' : ` (${reason})`;
  if (state === 'none' || ageMs === null) return `none${why}`;
  const size = `${records} records, ${(bytes / 1e6).toFixed(1)} MB`;
  return `${size}, ${Math.round(ageMs)} ms old${state === 'kept' ? '; the State Host is gone' : ''}${why}`;
}
