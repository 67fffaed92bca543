// `stateferry doctor`: what is wrong on this host and how to mend it; with a controller's address also what only it can
// see (State Hosts whose rulesets differ, agents whose clocks are off).

import { Command, Option } from 'commander';

import type { StatusJson } from '../../api/schemas/status.ts';
import type { TopologyJson } from '../../api/schemas/topology.ts';
import { clientOf } from '../api-client.ts';
import { bad, machine, ok, warn } from '../doctor/check.ts';
import type { Finding, Probe } from '../doctor/check.ts';
import { checkBridges, checkConntrack, checkRuleset } from '../doctor/firewall-checks.ts';
import {
  checkClock,
  checkMtu,
  checkNode,
  checkOpenVswitch,
  checkPrivilege,
  checkTools,
} from '../doctor/host-checks.ts';
import { table } from '../table.ts';

type Role = 'all' | 'controller' | 'nve' | 'firewall' | 'lab';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('look at tools, kernel, sysctls, MTU, clock and rulesets; say what is wrong and how to mend it')
    .addOption(
      new Option('--role <role>', 'what this host is')
        .choices(['all', 'controller', 'nve', 'firewall', 'lab'])
        .default('all'),
    )
    .option('--api <url>', 'also ask a running controller')
    .option('--token <token>')
    .option('--token-file <file>')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit status 1 when something is bad. For a firewall in a namespace: ip netns exec NAME stateferry doctor --role firewall',
    )
    .action(async (flags: { role: Role; api?: string; token?: string; tokenFile?: string; json?: boolean }) => {
      const found = examine(machine, flags.role);
      if (flags.api !== undefined) found.push(...(await askController({ ...flags, api: flags.api })));
      process.stdout.write(flags.json === true ? `${JSON.stringify(found, null, 2)}\n` : render(found));
      if (found.some((f) => f.verdict === 'bad')) process.exitCode = 1;
    });
}

/** All checks for a role on one host. */
export function examine(probe: Probe, role: Role): Finding[] {
  const found = [...checkNode(probe), ...checkPrivilege(probe), ...checkClock(probe), ...checkTools(probe, role)];
  if (role !== 'firewall' && role !== 'controller') found.push(...checkOpenVswitch(probe), ...checkMtu(probe));
  if (role === 'firewall' || role === 'all') {
    found.push(...checkConntrack(probe), ...checkBridges(probe));
    if (role === 'firewall') found.push(...checkRuleset(probe));
  }
  return found;
}

async function askController(flags: { api: string; token?: string; tokenFile?: string }): Promise<Finding[]> {
  let status: StatusJson;
  let topology: TopologyJson;
  try {
    const client = clientOf(flags);
    status = await client.getStatus();
    topology = await client.getTopology();
  } catch (cause) {
    return [
      bad(
        'controller',
        cause instanceof Error ? cause.message : String(cause),
        'start it, or give the right --api and --token-file',
      ),
    ];
  }
  const found = [
    ok('controller', `answers, ${status.nves.connected} NVEs connected, ${status.stateHosts.registered} State Hosts`),
  ];
  const byRole = new Map<string, TopologyJson['stateHosts'][number][]>();
  for (const host of topology.stateHosts) byRole.set(host.role, [...(byRole.get(host.role) ?? []), host]);
  for (const [role, hosts] of byRole) found.push(compareRulesets(role, hosts));
  for (const host of topology.stateHosts.filter((h) => h.attachments.length < 2)) {
    found.push(
      warn(
        `State Host ${host.id}`,
        `seen at ${host.attachments.length} NVE ports`,
        'its LLDP must reach the NVEs on two sides: check dataPorts in its agent.yaml and the links',
      ),
    );
  }
  for (const nve of topology.nves) {
    for (const port of nve.ports.filter((p) => p.role === 'quarantined')) {
      found.push(
        warn(
          `port ${nve.name}:${port.name}`,
          `quarantined: ${port.reason ?? ''}`,
          'name it in `vaps:` of the controller configuration, or connect an NVE or State Host to it',
        ),
      );
    }
  }
  return found;
}

function compareRulesets(role: string, hosts: readonly TopologyJson['stateHosts'][number][]): Finding {
  const digests = new Set(hosts.map((h) => h.rulesetDigest));
  const names = hosts.map((h) => `${h.id} ${h.rulesetDigest.slice(0, 8)}`).join(', ');
  return digests.size === 1
    ? ok(`rulesets of role ${role}`, `equal on ${hosts.map((h) => h.id).join(', ')}`)
    : bad(
        `rulesets of role ${role}`,
        `differ: ${names}`,
        'State Hosts that take over from each other must have the same policy',
      );
}

const MARK = { ok: 'ok', warn: 'WARN', bad: 'BAD', skipped: '-' } as const;

function render(found: readonly Finding[]): string {
  const rows = found.map((f) => [MARK[f.verdict], f.check, f.found, f.mend === '' ? '' : `mend: ${f.mend}`]);
  const worst = found.filter((f) => f.verdict === 'bad').length;
  return `${table(['', 'CHECK', 'FOUND', ''], rows)}\n${worst === 0 ? 'nothing is bad' : `${worst} bad`}\n`;
}
