// Scenario `uc2-dead`: the draft's Use Case 2 with a firewall that dies, its agent too. Nothing can be asked of it any more; what the
// controller has kept of it goes to FW2. Connections that were opened in the last moment show what a checkpoint cannot have.

import type { RunningAgent } from './agent-process.ts';
import { run as runProgram } from './child-process.ts';
import type { Migration } from './controller-api.ts';
import { epochMs, sleep, until } from './deadline.ts';
import { LabError } from './lab-error.ts';
import type { LabRun } from './lab-run.ts';
import { stateHostOf } from './names.ts';
import { startPhase, type Phase } from './phase.ts';
import type { DeadFirewall } from './result.ts';
import { startTraffic } from './uc1.ts';
import { newFailures, type Tenants } from './uc1-move.ts';
import {
  described,
  ECHO_BOUND_MS,
  FIRST_PORT,
  firstByteMs,
  HEALED_TIMEOUT_MS,
  LIFT_TIMEOUT_MS,
  SETTLE_MS,
  snapshot,
  SOURCE,
  watchOf,
} from './uc2.ts';

/** `crash`: its agent ends, and the system says so. `power`: nothing more is heard of it, and nobody is told. */
export const DEATHS = ['power', 'crash'] as const;

export interface Uc2DeadOptions {
  readonly death: (typeof DEATHS)[number];
  readonly flows: number;
  /** The control: the controller keeps no checkpoint. */
  readonly withoutStandby: boolean;
}

/** Of connections that have had their echo before. */
const AGAIN_BOUND_MS = 3000;
const YOUNG = 20;
const FOLLOWED_TIMEOUT_MS = 20_000;

export async function runUc2Dead(run: LabRun, { death, flows, withoutStandby }: Uc2DeadOptions): Promise<DeadFirewall> {
  const standby = withoutStandby ? [] : [SOURCE];
  const phase = await startPhase(run, { name: 'dead', mode: 'firewall', delayMs: 0, strategy: 'detour', standby });
  const tenants = await startTraffic(run, phase, { flows, newRate: 0 }, FIRST_PORT);
  const checkpoint = withoutStandby ? null : await checkpointOf(run, phase, 2 * flows);
  const before = await snapshot(phase, tenants);
  const watches = await Promise.all(['vm1-a', 'vm1-b'].map((name) => watchOf(phase, name, run.signal)));
  const young = withoutStandby ? [] : await tenants.a.openMore(YOUNG);
  const diedMs = epochMs();
  const cutMs = await switchOff(phase, death);
  run.progress(`${SOURCE} is dead, its agent too`);
  const migrations = await Promise.all(
    watches.map((w) => (withoutStandby ? w.ended(LIFT_TIMEOUT_MS) : w.lifted(LIFT_TIMEOUT_MS))),
  );
  const silent = await silentOf(tenants, ECHO_BOUND_MS);
  await sleep(SETTLE_MS, run.signal);
  const windows = await tenants.a.datagrams(cutMs, epochMs());
  const missing = migrations.flatMap(({ transfers }) => transfers.flatMap((t) => t.checkpoint?.missing ?? []));
  const youngSilent = silent.filter((port) => young.includes(port));
  const restored = withoutStandby ? null : await restore(run, phase, tenants, silent.length, migrations);
  const after = await snapshot(phase, tenants);
  const failures = [...newFailures(before.a, after.a), ...newFailures(before.b, after.b)];
  const connections = tenants.a.connections + tenants.b.connections;
  return {
    connections,
    echoed: connections - (silent.length - youngSilent.length),
    young: young.length,
    youngEchoed: young.length - youngSilent.length,
    unlisted: silent.filter((port) => !missing.some((flow) => flow.includes(`:${port} `) || flow.endsWith(`:${port}`))),
    missing,
    resets: failures.filter((f) => f.kind === 'reset').length,
    checkpoint,
    agesMs: migrations.map(({ transfers }) => ageOf(transfers, diedMs)),
    firstByteMs: withoutStandby ? null : firstByteMs(windows, cutMs),
    migrations: migrations.map((m) => described(m, diedMs)),
    restored,
  };
}

/** It has all flows there are, and follows. */
async function checkpointOf(
  run: LabRun,
  { controller }: Phase,
  least: number,
): Promise<{ readonly records: number; readonly bytes: number }> {
  const what = `a checkpoint of ${SOURCE} with ${least} records`;
  return until({ what, timeoutMs: FOLLOWED_TIMEOUT_MS, signal: run.signal }, async () => {
    const one = (await controller.api.status()).standby.find((s) => s.stateHost === stateHostOf(SOURCE));
    if (one === undefined) return 'the controller keeps none';
    const { state, records, bytes } = one;
    return state === 'following' && records >= least ? { records, bytes } : `${state}, ${records} records`;
  });
}

function ageOf(transfers: Migration['transfers'], diedMs: number): number | null {
  const [checkpoint] = transfers.flatMap((t) => t.checkpoint ?? []);
  return checkpoint === undefined ? null : diedMs - checkpoint.levelWallMs;
}

/** When nothing passes it any more, in epoch milliseconds. Its agent is gone then, and its table. */
async function switchOff(phase: Phase, death: Uc2DeadOptions['death']): Promise<number> {
  const { netns } = phase.testbed.firewall(SOURCE);
  // First the way to the controller: the end of the agent's connection must not leave the machine.
  if (death === 'power') await setPorts(phase, 'down', await managementPorts(phase));
  await Promise.all([setPorts(phase, 'down'), agentOf(phase).kill()]);
  const cutMs = epochMs();
  await runProgram('conntrack', ['-F'], { netns });
  return cutMs;
}

/** Interfaces of the firewall that lead to no NVE. */
async function managementPorts(phase: Phase): Promise<readonly string[]> {
  const { netns, bridge, dataPorts } = phase.testbed.firewall(SOURCE);
  const links = JSON.parse(await runProgram('ip', ['-json', 'link', 'show'], { netns })) as readonly {
    ifname: string;
  }[];
  const others = new Set(['lo', bridge, ...dataPorts.map(({ name }) => name)]);
  return links.map(({ ifname }) => ifname).filter((name) => !others.has(name));
}

/** As after a reboot. The flows stay where they are, and what was to be cleared away at the source is. */
async function restore(
  run: LabRun,
  phase: Phase,
  tenants: Tenants,
  silentBefore: number,
  migrations: readonly Migration[],
): Promise<DeadFirewall['restored']> {
  const { api } = phase.controller;
  const known = (await api.migrations()).length;
  await setPorts(phase, 'up', await managementPorts(phase));
  await setPorts(phase, 'up');
  agentOf(phase).startAgain();
  const what = `${SOURCE} to be there again`;
  const states = await until({ what, timeoutMs: HEALED_TIMEOUT_MS, signal: run.signal }, async () => {
    const { attached } = (await api.status()).stateHosts;
    const now = await Promise.all(migrations.map(async ({ id }) => (await api.migration(id)).state));
    const done = attached >= phase.testbed.ready.firewalls.length && now.every((state) => state !== 'running');
    return done ? now : `${attached} attached, migrations ${now.join(', ')}`;
  });
  const silent = (await silentOf(tenants, AGAIN_BOUND_MS)).length - silentBefore;
  return { silent, states, migrations: (await api.migrations()).length - known };
}

/** Local ports of the connections that have no echo. */
async function silentOf({ a, b }: Tenants, boundMs: number): Promise<readonly number[]> {
  const checks = await Promise.all([a, b].map((tenant) => tenant.check(boundMs)));
  return checks.flatMap(({ silent }) => silent);
}

async function setPorts(phase: Phase, state: 'up' | 'down', names?: readonly string[]): Promise<void> {
  const { netns, dataPorts } = phase.testbed.firewall(SOURCE);
  const ports = names ?? dataPorts.map(({ name }) => name);
  await Promise.all(ports.map((name) => runProgram('ip', ['link', 'set', 'dev', name, state], { netns })));
}

function agentOf({ agents }: Phase): RunningAgent {
  const agent = agents.find((a) => a.firewall === SOURCE);
  if (agent === undefined) throw new LabError('BAD_ANSWER', `no agent of ${SOURCE}`);
  return agent;
}
