#!/usr/bin/env node
// The `stateferry` program. Each command is a file in commands/, and loaded when it is asked for: most need little of the rest.

import { Command } from 'commander';

import { VERSION } from '../base/version.ts';
import { runProgram } from './run-program.ts';

/** In the order in which the help shows them. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  controller: async () => (await import('./commands/controller.ts')).controllerCommand(),
  agent: async () => (await import('./commands/agent.ts')).agentCommand(),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  topology: async () => (await import('./commands/topology.ts')).topologyCommand(),
  path: async () => (await import('./commands/path.ts')).pathCommand(),
  migrations: async () => (await import('./commands/migrations.ts')).migrationsCommand(),
  top: async () => (await import('./commands/top.ts')).topCommand(),
  migrate: async () => (await import('./commands/migrate.ts')).migrateCommand(),
  notify: async () => (await import('./commands/notify.ts')).notifyCommand(),
  drain: async () => (await import('./commands/drain.ts')).drainCommand(),
  events: async () => (await import('./commands/events.ts')).eventsCommand(),
  audit: async () => (await import('./commands/audit.ts')).auditCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  openflow: async () => (await import('./commands/openflow.ts')).openflowCommand(),
  pki: async () => (await import('./commands/pki.ts')).pkiCommand(),
  lab: async () => (await import('./commands/lab.ts')).labCommand(),
  report: async () => (await import('./commands/report.ts')).reportCommand(),
  completion: async () => (await import('./commands/completion.ts')).completionCommand(all),
};

const all = (): Promise<readonly Command[]> => Promise.all(Object.values(COMMANDS).map((load) => load()));

// `npm run stateferry` runs in the package's folder; paths are meant from where it was called.
if (process.env['npm_lifecycle_event'] === 'stateferry') process.chdir(process.env['INIT_CWD'] ?? '.');

const program = new Command('stateferry')
  .description('Moves firewall state with virtual machines (draft-gu-statemigration-arch-00)')
  .version(VERSION)
  // Each command reads what stands behind its name by itself: some have verbs with options of the same names.
  .enablePositionalOptions();

for (const command of await Promise.all(asked(process.argv[2]).map((load) => load()))) program.addCommand(command);
await runProgram(program);

/** The one that is named; for a help, or a name that is none, all of them. */
function asked(name: string | undefined): readonly (() => Promise<Command>)[] {
  if (name === '--version' || name === '-V') return [];
  const named = name === undefined || !Object.hasOwn(COMMANDS, name) ? undefined : COMMANDS[name];
  return named === undefined ? Object.values(COMMANDS) : [named];
}
