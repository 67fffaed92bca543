// `stateferry controller --config FILE`: the SDN controller, TDE and SOM in one process.

import { Command } from 'commander';

import { runController } from '../../app/controller.ts';
import { systemClock } from '../../base/clock.ts';
import { createLog } from '../../base/log.ts';
import { loadControllerConfig } from '../config/controller-config.ts';
import { untilStopped } from '../until-stopped.ts';

export function controllerCommand(): Command {
  return new Command('controller')
    .description('run the controller: OpenFlow, topology discovery (TDE) and state orchestration (SOM)')
    .requiredOption('--config <file>', 'YAML configuration')
    .action(async (flags: { config: string }) => {
      const config = loadControllerConfig(flags.config);
      const log = createLog({ level: config.log.level, format: config.log.format });
      const controller = await runController(config, { clock: systemClock, log });
      log.info('controller is ready', {
        openflow: controller.openflow,
        agents: controller.agents,
        api: controller.api,
      });
      const why = await untilStopped();
      log.info('controller is stopping', { why });
      await controller.close();
    });
}
