// The agent (SOA) of one firewall: its configuration file and its process, inside the firewall's namespace.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { RestartableProgram } from './restartable-program.ts';
import { restartable } from './restartable-program.ts';
import { tlsFiles, type RunningController } from './controller-process.ts';
import { stateHostOf, vnidOfVlan } from './names.ts';
import { startStateferry } from './stateferry-program.ts';
import type { TestbedFirewall, TestbedHypervisorFirewall } from './testbed.ts';

export interface AgentPlace {
  readonly firewall: TestbedFirewall | TestbedHypervisorFirewall;
  readonly folder: string;
  /** Where the controller is on the management network. */
  readonly managementAddress: string;
  /** Sets of its ruleset whose counts move with a VM. */
  readonly counterSets: readonly object[];
}

export interface RunningAgent extends RestartableProgram {
  readonly firewall: string;
}

export function startAgent(
  { firewall, folder, managementAddress, counterSets }: AgentPlace,
  controller: RunningController,
): RunningAgent {
  const identity = stateHostOf(firewall.name);
  const { folder: pki, serverName } = controller.certificates;
  const config = join(folder, `${identity}.yaml`);
  const settings = {
    identity,
    som: { address: `${managementAddress}:${controller.agentsPort}`, serverName },
    tls: tlsFiles(pki, identity),
    zones: Object.entries(firewall.zones).map(([vlan, zone]) => ({ vnid: vnidOfVlan(Number(vlan)), zone })),
    ...interfacesOf(firewall),
    ...(counterSets.length === 0 ? {} : { synCounters: counterSets }),
    log: { level: 'info', format: 'json' },
  };
  writeFileSync(config, stringify(settings), { mode: 0o600 });
  const program = restartable(() =>
    startStateferry(['agent', '--config', config], {
      name: `the agent of ${firewall.name}`,
      netns: firewall.netns,
      logFile: join(folder, `${identity}.log`),
    }),
  );
  return { ...program, firewall: firewall.name };
}

function interfacesOf(firewall: AgentPlace['firewall']): object {
  if ('dataPorts' in firewall) return { dataPorts: firewall.dataPorts.map((p) => p.name) };
  return { guards: firewall.guards.map(({ vlan, vmPort, nvePort }) => ({ vnid: vnidOfVlan(vlan), vmPort, nvePort })) };
}
