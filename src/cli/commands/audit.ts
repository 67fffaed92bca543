// `stateferry audit`: who has asked for changes, and what came of it.

import { Command } from 'commander';

import type { AuditJson } from '../../api/schemas/audit.ts';
import { clientOf, withApiFlags } from '../api-client.ts';
import type { ApiFlags } from '../api-client.ts';
import { table } from '../table.ts';

export function auditCommand(): Command {
  return withApiFlags(new Command('audit').description('who has asked for changes, and what came of it')).action(
    async (flags: ApiFlags) => {
      const audit = await clientOf(flags).listAudit();
      process.stdout.write(`${flags.json === true ? JSON.stringify(audit, null, 2) : render(audit)}\n`);
    },
  );
}

function render({ entries }: AuditJson): string {
  if (entries.length === 0) return 'nothing has been asked for';
  return table(
    ['AT', 'FROM', 'OPERATION', 'ASKED', 'OUTCOME'],
    entries.map((e) => [
      new Date(e.wallMs).toISOString(),
      e.remote,
      e.operation,
      Object.entries(e.asked)
        .map(([name, value]) => `${name}=${String(value)}`)
        .join(' '),
      e.detail === null ? e.outcome : `${e.outcome}: ${e.detail}`,
    ]),
  );
}
