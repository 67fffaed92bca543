// `stateferry drain`: an operator takes a State Host out of the paths; the flows' state goes to where they will run (the draft's
// load balancing).

import { Command } from 'commander';

import { clientOf, withApiFlags } from '../api-client.ts';
import type { ApiFlags } from '../api-client.ts';

export function drainCommand(): Command {
  const command = new Command('drain')
    .argument('<state-host>', 'its identity')
    .description('move all flows that have another path away from a State Host, with their state')
    .option('--undo', 'let paths lead through it again; flows that have left come back by the revert policy only');
  return withApiFlags(command).action(async (id: string, flags: ApiFlags & { undo?: boolean }) => {
    const verb = flags.undo === true ? 'undrain' : 'drain';
    await clientOf(flags)[`${verb}StateHost`]({ id });
    process.stdout.write(flags.json === true ? `${JSON.stringify({ [verb]: id })}\n` : `${verb}: ${id}\n`);
  });
}
