#!/usr/bin/env node
// The `stateferry` program. Each command is a file in commands/; an expected failure is one line on stderr and exit status 1
// (2 for a wrong command line), a defect shows its stack.

import { Command, CommanderError } from 'commander';

import { StateferryError } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { agentCommand } from './commands/agent.ts';
import { controllerCommand } from './commands/controller.ts';
import { doctorCommand } from './commands/doctor.ts';
import { labCommand } from './commands/lab.ts';
import { migrateCommand } from './commands/migrate.ts';
import { migrationsCommand } from './commands/migrations.ts';
import { openflowCommand } from './commands/openflow.ts';
import { pkiCommand } from './commands/pki.ts';
import { statusCommand } from './commands/status.ts';
import { topologyCommand } from './commands/topology.ts';

// `npm run stateferry` runs in the package's folder; paths are meant from where it was called.
if (process.env['npm_lifecycle_event'] === 'stateferry') process.chdir(process.env['INIT_CWD'] ?? '.');

const program = new Command('stateferry')
  .description('Moves firewall state with virtual machines (draft-gu-statemigration-arch-00)')
  .version(VERSION)
  .exitOverride()
  .showHelpAfterError()
  .addCommand(controllerCommand())
  .addCommand(agentCommand())
  .addCommand(statusCommand())
  .addCommand(topologyCommand())
  .addCommand(migrationsCommand())
  .addCommand(migrateCommand())
  .addCommand(doctorCommand())
  .addCommand(openflowCommand())
  .addCommand(pkiCommand())
  .addCommand(labCommand());

try {
  await program.parseAsync();
} catch (cause) {
  if (cause instanceof CommanderError) {
    process.exitCode = cause.exitCode === 0 ? 0 : 2;
  } else if (cause instanceof StateferryError) {
    process.stderr.write(`stateferry: ${cause.message}\n`);
    process.exitCode = 1;
  } else {
    throw cause;
  }
}
