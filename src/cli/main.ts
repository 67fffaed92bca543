#!/usr/bin/env node
// The `stateferry` program. Each command is a file in commands/.

import { Command } from 'commander';

import { VERSION } from '../base/version.ts';
import { agentCommand } from './commands/agent.ts';
import { controllerCommand } from './commands/controller.ts';
import { doctorCommand } from './commands/doctor.ts';
import { drainCommand } from './commands/drain.ts';
import { eventsCommand } from './commands/events.ts';
import { labCommand } from './commands/lab.ts';
import { migrateCommand } from './commands/migrate.ts';
import { migrationsCommand } from './commands/migrations.ts';
import { notifyCommand } from './commands/notify.ts';
import { openflowCommand } from './commands/openflow.ts';
import { pathCommand } from './commands/path.ts';
import { pkiCommand } from './commands/pki.ts';
import { reportCommand } from './commands/report.ts';
import { statusCommand } from './commands/status.ts';
import { topologyCommand } from './commands/topology.ts';
import { runProgram } from './run-program.ts';

// `npm run stateferry` runs in the package's folder; paths are meant from where it was called.
if (process.env['npm_lifecycle_event'] === 'stateferry') process.chdir(process.env['INIT_CWD'] ?? '.');

const program = new Command('stateferry')
  .description('Moves firewall state with virtual machines (draft-gu-statemigration-arch-00)')
  .version(VERSION)
  // Each command reads what stands behind its name by itself: some have verbs with options of the same names.
  .enablePositionalOptions()
  .addCommand(controllerCommand())
  .addCommand(agentCommand())
  .addCommand(statusCommand())
  .addCommand(topologyCommand())
  .addCommand(pathCommand())
  .addCommand(migrationsCommand())
  .addCommand(migrateCommand())
  .addCommand(notifyCommand())
  .addCommand(drainCommand())
  .addCommand(eventsCommand())
  .addCommand(doctorCommand())
  .addCommand(openflowCommand())
  .addCommand(pkiCommand())
  .addCommand(labCommand())
  .addCommand(reportCommand());

await runProgram(program);
