// The program in the single file: what a firewall needs of `stateferry`, the same commands with the same options.

import { Command } from 'commander';

import { VERSION } from '../../src/base/version.ts';
import { agentCommand } from '../../src/cli/commands/agent.ts';
import { doctorCommand } from '../../src/cli/commands/doctor.ts';
import { runProgram } from '../../src/cli/run-program.ts';

const program = new Command('stateferry-agent')
  .description('The agent (SOA) of a State Host, in one file that needs nothing installed')
  .version(VERSION)
  .addCommand(agentCommand())
  .addCommand(doctorCommand());

void runProgram(program);
