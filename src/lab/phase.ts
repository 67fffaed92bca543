// One network of a scenario, from nothing to forwarding: controller, testbed, agents, and the wait until all of them know
// each other. `wire` has no firewalls in the path and no agents.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startAgent, type AgentPlace, type RunningAgent } from './agent-process.ts';
import { startController, type RunningController, type Strategy } from './controller-process.ts';
import { run as runProgram } from './child-process.ts';
import { until } from './deadline.ts';
import { LabError } from './lab-error.ts';
import type { LabRun } from './lab-run.ts';
import {
  startTestbed,
  type Testbed,
  type TestbedFirewall,
  type TestbedHypervisorFirewall,
  type TestbedVm,
} from './testbed.ts';

export interface PhaseOptions {
  readonly name: string;
  readonly mode: 'wire' | 'firewall';
  readonly strategy: Strategy;
  readonly delayMs: number;
  /** Firewalls in the servers as well, between VMs and NVEs. */
  readonly hypervisorFirewalls?: boolean;
  /** More VMs of tenant a on Server1. */
  readonly guests?: number;
  /** Of the firewalls, in place of mininet/firewall.nft. */
  readonly ruleset?: string;
  /** Sets of the ruleset whose counts the agents move. */
  readonly counterSets?: readonly object[];
  /** Of the controller's configuration, where it is not the default. */
  readonly tde?: Readonly<Record<string, unknown>>;
  /** Firewalls of which the controller keeps checkpoints. */
  readonly standby?: readonly string[];
}

export interface Phase {
  readonly folder: string;
  readonly testbed: Testbed;
  readonly controller: RunningController;
  readonly agents: readonly RunningAgent[];
}

/** conntrack's timeout of closed connections at the lab's firewalls. */
export const CLOSED_TIMEOUT_S = 10;
const CONNECT_TIMEOUT_MS = 30_000;
const DISCOVER_TIMEOUT_MS = 45_000;
/** Another lab or test on this machine may hold the testbed. */
const LOCK_WAIT_MS = 300_000;

export async function startPhase(run: LabRun, options: PhaseOptions): Promise<Phase> {
  const folder = run.phaseFolder(options.name);
  run.progress(`${options.name}: starting the controller and the testbed (${options.mode})`);
  const { hypervisorFirewalls = false, guests = 0, tde = {}, standby = [], ruleset, counterSets = [] } = options;
  const controller = await startController({ folder, strategy: options.strategy, hypervisorFirewalls, tde, standby });
  run.cleanup.add('the controller', () => controller.stop());
  run.progress(`  to look at: ${controller.pages.address}, token ${controller.pages.token}`);
  const testbed = await startTestbed(
    {
      mode: options.mode,
      controller: controller.openflow,
      delayMs: options.delayMs,
      hypervisorFirewalls,
      ...(guests > 0 && { guests }),
      ...(ruleset === undefined ? {} : { ruleset }),
      lockWaitMs: LOCK_WAIT_MS,
    },
    { logFile: join(folder, 'testbed.log'), progress: (text) => run.progress(`  ${text}`) },
  );
  run.cleanup.add('the testbed', () => testbed.stop());
  await until({ what: 'three NVEs to connect', timeoutMs: CONNECT_TIMEOUT_MS, signal: run.signal }, async () => {
    const { nves } = await controller.api.status();
    return nves.connected >= testbed.ready.nves.length ? true : `${nves.connected} connected`;
  });
  await Promise.all(allFirewalls(testbed).map(forgetClosedSoon));
  const agents =
    options.mode === 'firewall' ? await startAgents(run, { folder, counterSets }, testbed, controller) : [];
  if (options.mode !== 'firewall') await Promise.all(testbed.ready.firewalls.map(makeWire));
  await untilForwarding(run, testbed, controller);
  run.cleanup.add('the records', () => saveRecords(controller, join(folder, 'migrations.json')));
  run.progress(`${options.name}: the network forwards (${testbed.ready.datapath} datapath)`);
  return { folder, testbed, controller, agents };
}

async function startAgents(
  run: LabRun,
  { folder, counterSets }: { readonly folder: string; readonly counterSets: readonly object[] },
  testbed: Testbed,
  controller: RunningController,
): Promise<readonly RunningAgent[]> {
  const agents = allFirewalls(testbed).map((firewall) => {
    const place: AgentPlace = {
      firewall,
      folder,
      managementAddress: testbed.ready.management.address,
      counterSets,
    };
    const agent = startAgent(place, controller);
    run.cleanup.add(`the agent of ${firewall.name}`, () => agent.stop());
    return agent;
  });
  const attached = testbed.ready.firewalls.length;
  await until({ what: 'all State Hosts', timeoutMs: DISCOVER_TIMEOUT_MS, signal: run.signal }, async () => {
    const { stateHosts } = await controller.api.status();
    const seen = `${stateHosts.registered} registered, ${stateHosts.attached} attached`;
    return stateHosts.registered >= agents.length && stateHosts.attached >= attached ? true : seen;
  });
  return agents;
}

function allFirewalls({ ready }: Testbed): readonly (TestbedFirewall | TestbedHypervisorFirewall)[] {
  return [...ready.firewalls, ...ready.hypervisorFirewalls];
}

/** The controller's own records of this phase, beside what the lab has measured. */
async function saveRecords(controller: RunningController, file: string): Promise<void> {
  writeFileSync(file, `${JSON.stringify(await controller.api.migrations(), null, 2)}\n`);
}

/**
 * The connections that are opened and closed all through a run would stay in the tables for two minutes each, and in the
 * end be most of what moves. The namespace's own setting; it goes with the namespace.
 */
async function forgetClosedSoon({ netns }: { readonly netns: string }): Promise<void> {
  const names = ['time_wait', 'last_ack', 'close_wait', 'fin_wait'].map((state) => `nf_conntrack_tcp_timeout_${state}`);
  const settings = names.map((name) => `net.netfilter.${name}=${CLOSED_TIMEOUT_S}`);
  await runProgram('sysctl', ['-q', '-w', ...settings], { netns });
}

/** A bridge keeps LLDP to itself unless told otherwise; a wire does not. */
async function makeWire({ netns, bridge }: TestbedFirewall): Promise<void> {
  await runProgram('ip', ['link', 'set', 'dev', bridge, 'type', 'bridge', 'group_fwd_mask', '0x4000'], { netns });
}

/** Every VM reaches the other of its tenant, over both families. Pings are also what makes VMs known. */
async function untilForwarding(run: LabRun, testbed: Testbed, controller: RunningController): Promise<void> {
  const { vms } = testbed.ready;
  // Of many on one server each is asked for those elsewhere.
  const pairs = vms.flatMap((a) =>
    vms.filter((b) => b.tenant === a.tenant && b.server !== a.server).map((b) => [a, b] as const),
  );
  await Promise.all(
    pairs.flatMap(([from, to]) =>
      [to.ipv4, to.ipv6].map((address) =>
        until({ what: `${from.name} to reach ${address}`, timeoutMs: DISCOVER_TIMEOUT_MS, signal: run.signal }, () =>
          pingOnce(from, address),
        ),
      ),
    ),
  );
  await until({ what: 'all VMs to be known', timeoutMs: DISCOVER_TIMEOUT_MS, signal: run.signal }, async () => {
    const known = await controller.api.vms();
    const unknown = vms.filter((vm) => !known.some((k) => k.mac === vm.mac && k.nve !== null));
    return unknown.length === 0 ? true : `unknown: ${unknown.map((v) => v.name).join(', ')}`;
  });
}

export async function pingOnce(from: TestbedVm, address: string): Promise<true | string> {
  try {
    await runProgram('ping', ['-n', '-q', '-c', '1', '-W', '1', address], { netns: from.netns, timeoutMs: 5000 });
    return true;
  } catch (error) {
    if (error instanceof LabError) return 'no answer';
    throw error;
  }
}
