// `stateferry migrate`: an operator's decisions about a migration, and what a move would need.

import { Command } from 'commander';

import type { ForeseenJson } from '../../api/schemas/migration.ts';
import { StateferryError } from '../../base/errors.ts';
import { clientOf, withApiFlags } from '../api-client.ts';
import type { ApiFlags } from '../api-client.ts';
import { table } from '../table.ts';
import { plannedMoveCommands } from './planned-move.ts';

export function migrateCommand(): Command {
  const migrate = new Command('migrate')
    .description('plan a move, decide about a migration that is degraded, or look ahead')
    .enablePositionalOptions();
  const verbs = {
    retry: 'try again now',
    force: 'lift the pin without the state: established connections through the new State Host will break',
    abandon: 'stop trying; the flows stay on the detour',
  };
  for (const verb of ['retry', 'force', 'abandon'] as const) {
    migrate.addCommand(
      withApiFlags(new Command(verb).argument('<id>', 'migration').description(verbs[verb])).action(
        async (id: string, flags: ApiFlags) => {
          await clientOf(flags)[`${verb}Migration`]({ id });
          process.stdout.write(flags.json === true ? `${JSON.stringify({ [verb]: id })}\n` : `${verb}: ${id}\n`);
        },
      ),
    );
  }
  for (const command of plannedMoveCommands()) migrate.addCommand(command);
  return withApiFlags(migrate)
    .option('--dry-run', 'say what the move of --vm to --to would need; change nothing')
    .option('--vm <address|mac>', 'the VM')
    .option('--vn <name>', 'its VN Name, when the address is not unique')
    .option('--to <nve>', 'the NVE it would move to')
    .action(async (flags: ApiFlags & { dryRun?: boolean; vm?: string; vn?: string; to?: string }) => {
      if (flags.dryRun !== true || flags.vm === undefined || flags.to === undefined) {
        throw new StateferryError('usage', 'say retry, force or abandon with an ID, or --dry-run --vm VM --to NVE');
      }
      const body = { vm: flags.vm, to: flags.to, ...(flags.vn === undefined ? {} : { vn: flags.vn }) };
      const plan = await clientOf(flags).foreseeMove(body);
      process.stdout.write(`${flags.json === true ? JSON.stringify(plan, null, 2) : render(plan)}\n`);
    });
}

function render(plan: ForeseenJson): string {
  const head = `${plan.vm} from ${plan.from} to ${plan.to}`;
  if (plan.transfers.length === 0) return `${head}: no state to move, the State Hosts on its paths stay the same`;
  return `${head}\n${table(
    ['PEERS', 'SOURCE', 'DESTINATION', 'DETOUR', 'PROBLEM'],
    plan.transfers.map((t) => [
      t.peers.join(' '),
      t.source ?? '-',
      t.destination ?? '-',
      t.detour?.join(' ') ?? '-',
      t.problem ?? 'none',
    ]),
  )}`;
}
