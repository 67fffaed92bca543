// Scenario `uc2`: the draft's Use Case 2. VM1 stays at Server1; the path through FW1 is cut under full traffic of two tenants with
// equal 5-tuples, and FW1 itself is still reached over the management network. Its state goes to FW2, and the flows after it.

import { endedStep, type Migration } from './controller-api.ts';
import type { Strategy } from './controller-process.ts';
import { epochMs, sleep, until } from './deadline.ts';
import { run as runProgram } from './child-process.ts';
import type { LabRun } from './lab-run.ts';
import { type MigrationWatch, watchMigration } from './migration-watch.ts';
import { dpidText, stateHostOf, vmIdentity } from './names.ts';
import { startPhase, type Phase } from './phase.ts';
import type { PathCut } from './result.ts';
import { sum } from './statistics.ts';
import type { DatagramWindow, TenantTraffic } from './tenant-traffic.ts';
import type { StreamFailure } from './traffic/stream-server.ts';
import { startTraffic } from './uc1.ts';
import { invalidCounters, newFailures, type Tenants } from './uc1-move.ts';

export const PATH_CAUSES = ['link-down', 'hung', 'drain'] as const;
export type PathCause = (typeof PATH_CAUSES)[number];

export interface Uc2Options {
  readonly cause: PathCause;
  readonly flows: number;
  readonly withoutState: boolean;
}

/** Between two probes through each firewall: a hung one is known after three rounds without an answer. */
export const PROBE_PERIOD_MS = 200;
export const FIRST_PORT = 20_000;
const BROKEN_LINK = 'NVE1-FW1';
export const [SOURCE, DESTINATION] = ['FW1', 'FW2'] as const;
/** Where VM1 is and stays. */
const NVE_OF_VM1 = 1;
export const LIFT_TIMEOUT_MS = 30_000;
export const ECHO_BOUND_MS = 10_000;
export const HEALED_TIMEOUT_MS = 15_000;
/** Longer than it takes flows to go wrong when they went back. */
const HEALED_MS = 1500;
/** The last datagrams of the window have arrived. */
export const SETTLE_MS = 300;

interface Snapshot {
  readonly a: readonly StreamFailure[];
  readonly b: readonly StreamFailure[];
  readonly invalid: Readonly<Record<string, number>>;
}

export async function runUc2(run: LabRun, options: Uc2Options): Promise<PathCut> {
  const { withoutState, flows, cause } = options;
  const strategy: Strategy = withoutState ? 'none' : 'detour';
  const tde = { probePeriodMs: PROBE_PERIOD_MS };
  const phase = await startPhase(run, { name: 'cut', mode: 'firewall', delayMs: 0, strategy, tde });
  const tenants = await startTraffic(run, phase, { flows, newRate: 0 }, FIRST_PORT);
  if (withoutState) await Promise.all([tenants.a.pause(), tenants.b.pause()]);
  const before = await snapshot(phase, tenants);
  const watches = await Promise.all(['vm1-a', 'vm1-b'].map((name) => watchOf(phase, name, run.signal)));
  const brokenMs = await breakPath(phase, cause);
  run.progress(`the flows have to leave ${SOURCE} (${cause})`);
  const migrations = await Promise.all(watches.map((w) => w.ended(LIFT_TIMEOUT_MS)));
  const bytes = withoutState ? 1 : undefined;
  const [checkA, checkB] = [await tenants.a.check(ECHO_BOUND_MS, bytes), await tenants.b.check(ECHO_BOUND_MS, bytes)];
  await sleep(SETTLE_MS, run.signal);
  const windows = await tenants.a.datagrams(brokenMs, epochMs());
  const healed = withoutState ? null : await healAndCheck(run, phase, tenants, cause);
  const after = await snapshot(phase, tenants);
  const failures = [...newFailures(before.a, after.a), ...newFailures(before.b, after.b)];
  const silent = checkA.silent.length + checkB.silent.length;
  return {
    cause,
    connections: tenants.a.connections + tenants.b.connections,
    echoed: checkA.answered + checkB.answered,
    resets: failures.filter((f) => f.kind === 'reset').length,
    lostConnections: silent + failures.filter((f) => f.kind !== 'reset').length,
    invalidAtSource: (after.invalid[SOURCE] ?? 0) - (before.invalid[SOURCE] ?? 0),
    invalidAtDestination: (after.invalid[DESTINATION] ?? 0) - (before.invalid[DESTINATION] ?? 0),
    firstByteMs: withoutState ? null : firstByteMs(windows, brokenMs),
    migrations: migrations.map((m) => described(m, brokenMs)),
    healed,
  };
}

export function watchOf({ testbed, controller }: Phase, name: string, signal: AbortSignal): Promise<MigrationWatch> {
  return watchMigration(controller.api, { ...vmIdentity(testbed.vm(name)), newNve: dpidText(NVE_OF_VM1) }, signal);
}

/** What has gone wrong until now: connections of both tenants, packets INVALID at each firewall. */
export async function snapshot(phase: Phase, { a, b }: Tenants): Promise<Snapshot> {
  const [inA, inB, invalid] = await Promise.all([a.failures(), b.failures(), invalidCounters(phase)]);
  return { a: inA, b: inB, invalid };
}

/**
 * When, in epoch milliseconds. A hung firewall has its links up and its agent alive, and forwards nothing; one that is drained
 * forwards on, and the flows detour through it meanwhile.
 */
async function breakPath(phase: Phase, cause: PathCause): Promise<number> {
  if (cause === 'link-down') return phase.testbed.setLink(BROKEN_LINK, false);
  if (cause === 'drain') return drain(phase, true);
  await isolatePorts(phase, true);
  return epochMs();
}

async function healPath(phase: Phase, cause: PathCause): Promise<void> {
  if (cause === 'link-down') await phase.testbed.setLink(BROKEN_LINK, true);
  else if (cause === 'drain') await drain(phase, false);
  else await isolatePorts(phase, false);
}

async function drain({ controller }: Phase, drained: boolean): Promise<number> {
  const atMs = epochMs();
  await controller.api.drain(stateHostOf(SOURCE), drained);
  return atMs;
}

/** A bridge forwards nothing between isolated ports. Its ruleset stays as it is: FW2 would refuse the state of another one. */
async function isolatePorts({ testbed }: Phase, isolated: boolean): Promise<void> {
  const { netns, dataPorts } = testbed.firewall(SOURCE);
  for (const { name } of dataPorts) {
    const flag = ['isolated', isolated ? 'on' : 'off'];
    await runProgram('ip', ['link', 'set', 'dev', name, 'type', 'bridge_slave', ...flag], { netns });
  }
}

/** The old path is whole again: by default the flows stay where their state is. */
async function healAndCheck(
  run: LabRun,
  phase: Phase,
  { a, b }: Tenants,
  cause: PathCause,
): Promise<PathCut['healed']> {
  const { api } = phase.controller;
  const known = (await api.migrations()).length;
  await healPath(phase, cause);
  const all = phase.testbed.ready.firewalls.length;
  await until({ what: 'the path to heal', timeoutMs: HEALED_TIMEOUT_MS, signal: run.signal }, async () => {
    const { attached } = (await api.status()).stateHosts;
    return attached >= all ? true : `${attached} State Hosts attached`;
  });
  await sleep(HEALED_MS, run.signal);
  const silent = await silentOf([a, b]);
  return { silent, migrations: (await api.migrations()).length - known };
}

async function silentOf(tenants: readonly TenantTraffic[]): Promise<number> {
  const silent: number[] = [];
  for (const tenant of tenants) silent.push((await tenant.check(ECHO_BOUND_MS)).silent.length);
  return sum(silent);
}

/** From the break to the first datagram that was sent after it and came through; the slower direction. */
export function firstByteMs(windows: readonly DatagramWindow[], brokenMs: number): number | null {
  const firsts = windows.map(({ sentMs, arrivedMs }) => {
    const arrived = arrivedMs.filter((at, i) => at > 0 && (sentMs[i] ?? 0) > brokenMs);
    return arrived.length === 0 ? Infinity : Math.min(...arrived) - brokenMs;
  });
  const slowest = Math.max(...firsts);
  return Number.isFinite(slowest) ? slowest : null;
}

export function described(m: Migration, brokenMs: number): PathCut['migrations'][number] {
  const [notify, lift, upload] = [endedStep(m, 'notify'), endedStep(m, 'lift'), endedStep(m, 'upload')];
  const { transfers } = m;
  return {
    id: m.id,
    cause: m.cause,
    state: m.state,
    reason: m.reason,
    transfers: transfers.map((t) => `${t.source ?? '-'}->${t.destination ?? '-'}`),
    entries: sum(transfers.map((t) => t.entries)),
    digestEqual: transfers.length > 0 && transfers.every((t) => t.digestEqual === true),
    detectionMs: notify === undefined ? null : notify.startedWallMs - brokenMs,
    transferMs: upload === undefined || lift === undefined ? null : lift.startedWallMs - upload.startedWallMs,
    liftMs: lift?.ms ?? null,
    held: Number(lift?.detail['held'] ?? 0),
    heldDropped: Number(lift?.detail['dropped'] ?? 0),
  };
}

export const EXPECTED_TRANSFER = `${stateHostOf(SOURCE)}->${stateHostOf(DESTINATION)}`;
