// Scenario `evacuate`: a server is emptied. All of its VMs move to another one at the same time, each with many connections through
// FW1, and every one of their states has to be at FW2 before its flows are.

import { run as runProgram } from './child-process.ts';
import { parseConntrackListing } from './conntrack-listing.ts';
import { endedStep, type Migration } from './controller-api.ts';
import { epochMs, until } from './deadline.ts';
import type { LabRun } from './lab-run.ts';
import { vmIdentity } from './names.ts';
import { startPhase, type Phase } from './phase.ts';
import { watchMemory } from './resident-memory.ts';
import type { Evacuation } from './result.ts';
import { sum } from './statistics.ts';
import type { TestbedVm } from './testbed.ts';
import { startTrafficInVm, type TrafficProcess } from './traffic-process.ts';
import { ECHO_PORT, type PlannedConnection } from './traffic/connection-plan.ts';
import type { CheckResult } from './traffic/stream-client.ts';
import { invalidCounters } from './uc1-move.ts';

export interface EvacuateOptions {
  readonly vms: number;
  /** Connections of each. */
  readonly flows: number;
  readonly withoutState: boolean;
}

const [SOURCE, DESTINATION, AWAY] = ['FW1', 'FW2', 'Server2'] as const;
const PEER = 'vm3-a';
const GUEST = /^vm1\d\d-a$/;
const FIRST_PORT = 10_000;
/** On so many of a VM's connections something is written all the time. */
const TRICKLES = 2;
const AT_ONCE = 10;
const BLACKOUT_MS = 100;
const OPEN_TIMEOUT_MS = 60_000;
const ENDED_TIMEOUT_MS = 120_000;
const ECHO_BOUND_MS = 10_000;

interface Guest {
  readonly vm: TestbedVm;
  readonly traffic: TrafficProcess;
}

export async function runEvacuate(run: LabRun, options: EvacuateOptions): Promise<Evacuation> {
  const { vms, withoutState } = options;
  const strategy = withoutState ? 'none' : 'detour';
  const phase = await startPhase(run, { name: 'evacuation', mode: 'firewall', delayMs: 0, strategy, guests: vms });
  const guests = await openConnections(run, phase, options);
  if (withoutState) await eachOf(guests, ({ traffic }) => traffic.call('stream.pause', {}));
  const invalidBefore = await invalidCounters(phase);
  const endMemory = watchMemory(programs(phase));
  run.progress(`all ${vms} VMs move to ${AWAY}`);
  const startMs = epochMs();
  await Promise.all(
    guests.map(({ vm }) =>
      phase.testbed.move({ vm: vm.name, server: AWAY, blackoutMs: BLACKOUT_MS, announce: 'rarp' }),
    ),
  );
  const migrations = await ended(run, phase, guests, startMs);
  const memory = endMemory();
  run.progress('every connection has to echo');
  const checks = await eachOf(guests, ({ traffic }) => check(traffic, withoutState));
  const failures = (await eachOf(guests, ({ traffic }) => traffic.call('stream.failures', {}))).flatMap(
    (f) => f.failures,
  );
  const invalidAfter = await invalidCounters(phase);
  return {
    vms,
    connections: vms * options.flows,
    echoed: sum(checks.map((c) => c.answered)),
    resets: failures.filter((f) => f.kind === 'reset').length,
    failed: failures.length,
    invalid: Object.fromEntries(
      [SOURCE, DESTINATION].map((name) => [name, (invalidAfter[name] ?? 0) - (invalidBefore[name] ?? 0)]),
    ),
    migrations: migrations.map((m) => described(m, startMs)),
    pins: (await phase.controller.api.pins()).length,
    left: await entriesOf(phase, SOURCE, guests),
    arrived: await entriesOf(phase, DESTINATION, guests),
    memory,
  };
}

/** From each guest to VM3, told apart by their local ports. */
async function openConnections(run: LabRun, phase: Phase, { vms, flows }: EvacuateOptions): Promise<readonly Guest[]> {
  const { testbed } = phase;
  const key = `evacuation-${epochMs()}`;
  const start = async (name: string): Promise<TrafficProcess> => {
    const logFile = `${phase.folder}/traffic.log`;
    const traffic = await startTrafficInVm(testbed, name, { role: 'streams', niceness: 0, logFile });
    run.cleanup.add(`the traffic in ${name}`, () => traffic.stop());
    return traffic;
  };
  const peer = testbed.vm(PEER);
  const listener = await start(PEER);
  await listener.call('stream.listen', { key, port: ECHO_PORT, answer: 'echo' });
  run.progress(`${vms} VMs open ${flows} connections each`);
  const all = testbed.ready.vms.filter(({ name }) => GUEST.test(name)).map((vm, i) => ({ vm, place: i }));
  return eachOf(all, async ({ vm, place }) => {
    const traffic = await start(vm.name);
    const plans = plansOf(FIRST_PORT + place * flows, flows);
    const to = { host4: peer.ipv4, host6: peer.ipv6, port: ECHO_PORT };
    await traffic.call('stream.open', { key, plans, to, answer: 'echo', timeoutMs: 20_000 }, OPEN_TIMEOUT_MS);
    await traffic.call('stream.start', { bulkBitsPerS: 1 });
    return { vm, traffic };
  });
}

const plansOf = (firstId: number, flows: number): readonly PlannedConnection[] =>
  Array.from({ length: flows }, (_, i) => ({
    id: firstId + i,
    kind: i < TRICKLES ? 'trickle' : 'idle',
    opener: 'vm',
    family: i % 10 < 3 ? 6 : 4,
  }));

/** The migration of each guest, when it goes on no more. */
function ended(
  run: LabRun,
  { controller }: Phase,
  guests: readonly Guest[],
  startMs: number,
): Promise<readonly Migration[]> {
  const macs = new Set(guests.map(({ vm }) => vmIdentity(vm).mac));
  const what = `${guests.length} migrations to end`;
  return until({ what, timeoutMs: ENDED_TIMEOUT_MS, everyMs: 200, signal: run.signal }, async () => {
    const mine = (await controller.api.migrations()).filter(
      (m) => macs.has(m.vm.mac) && (m.steps[0]?.startedWallMs ?? 0) >= startMs,
    );
    const over = mine.filter((m) => m.state !== 'running');
    return over.length >= guests.length ? over : `${mine.length} begun, ${over.length} over`;
  });
}

function check(traffic: TrafficProcess, withoutState: boolean): Promise<CheckResult> {
  const bytes = withoutState ? 1 : 32;
  return traffic.call('stream.check', { timeoutMs: ECHO_BOUND_MS, bytes }, ECHO_BOUND_MS + OPEN_TIMEOUT_MS);
}

function programs({ controller, agents }: Phase): ReadonlyMap<string, number> {
  const found = agents.map((a) => [`agent of ${a.firewall}`, a.current().pid] as const);
  return new Map([['controller', controller.current().pid], ...found]);
}

async function entriesOf({ testbed }: Phase, name: string, guests: readonly Guest[]): Promise<number> {
  const { netns } = testbed.firewall(name);
  const addresses = new Set(guests.flatMap(({ vm }) => [vm.ipv4, vm.ipv6]));
  const listing = ['4', '6'].map((v) => runProgram('conntrack', ['-L', '-f', `ipv${v}`, '-o', 'extended'], { netns }));
  const entries = (await Promise.all(listing)).flatMap(parseConntrackListing);
  return entries.filter((e) => e.protocol === 'tcp' && (addresses.has(e.source) || addresses.has(e.destination)))
    .length;
}

function described(m: Migration, startMs: number): Evacuation['migrations'][number] {
  const { transfers } = m;
  const sinceStart = (step: string): number | null => {
    const done = endedStep(m, step);
    return done === undefined ? null : done.wallMs - startMs;
  };
  return {
    id: m.id,
    state: m.state,
    reason: m.reason,
    entries: sum(transfers.map((t) => t.entries)),
    digestEqual: transfers.length > 0 && transfers.every((t) => t.digestEqual === true),
    attempts: Math.max(0, ...transfers.map((t) => t.attempt)),
    pinMs: sinceStart('pin'),
    liftMs: sinceStart('lift'),
  };
}

/** Some at a time. */
async function eachOf<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE) {
    results.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(work))));
  }
  return results;
}
