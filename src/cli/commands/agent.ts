// `stateferry agent --config FILE`: the SOA of this State Host. Runs as root, or with CAP_NET_ADMIN and CAP_NET_RAW.

import { Command } from 'commander';

import { runAgent } from '../../app/agent.ts';
import { systemClock } from '../../base/clock.ts';
import { createLog } from '../../base/log.ts';
import { loadAgentConfig } from '../config/agent-config.ts';
import { untilStopped } from '../until-stopped.ts';

export function agentCommand(): Command {
  return new Command('agent')
    .description('run the agent (SOA) of this State Host')
    .requiredOption('--config <file>', 'YAML configuration')
    .action(async ({ config: file }: { config: string }) => {
      const config = loadAgentConfig(file);
      const log = createLog({ level: config.log.level, format: config.log.format });
      const stop = new AbortController();
      void untilStopped().then((why) => {
        log.info('agent is stopping', { why });
        stop.abort();
      });
      await runAgent(config, { clock: systemClock, log, signal: stop.signal });
    });
}
