// One measured move of Use Case 1: VM1 of tenant `a` goes to the other server under full traffic; everything seen from
// outside is collected into a MoveResult. The other tenant runs on with equal 5-tuples.

import { backAtMs, blackoutOf, countLosses, longestWayMs, lostSends, type Blackout } from './blackout.ts';
import { endedStep, notifyToMs, stepTimes, type Migration } from './controller-api.ts';
import { epochMs, sleep } from './deadline.ts';
import { watchMove } from './migration-watch.ts';
import { stateHostOf } from './names.ts';
import { countNewConnections, troubledAttempts, type Circumstances } from './new-connections.ts';
import { compareAtLift, entriesBornSince, listFirewalls, type FirewallListing } from './oracle.ts';
import type { Phase } from './phase.ts';
import type { MoveResult, OracleResult } from './result.ts';
import { longestGap, sum, worst } from './statistics.ts';
import type { DatagramWindow, TenantTraffic } from './tenant-traffic.ts';
import type { Announce, TestbedMove } from './testbed.ts';
import type { StreamFailure } from './traffic/stream-server.ts';
import { ECHO_BOUND_MS } from './uc1-conditions.ts';

export interface MovePlan {
  readonly toServer: string;
  readonly blackoutMs: number;
  readonly announce: Announce;
  /** Of an undisturbed packet between the VM and its peer, by the links' set delays. */
  readonly roundTripMs: number;
  /** The same over the detour; null where flows are not pinned. */
  readonly detourRoundTripMs: number | null;
}

export interface Tenants {
  readonly a: TenantTraffic;
  readonly b: TenantTraffic;
}

/** What one move was seen to do, and what the capture has to be asked about it later. */
export interface MeasuredMove {
  readonly result: MoveResult;
  readonly destinationFirewall: string | null;
  readonly notifiedMs: number | null;
  readonly installedMs: number | null;
}

const LIFT_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 30_000;
/** How long before the move the window begins: long enough to know how long a packet was under way. */
const MARGIN_MS = 300;
/** What waited for the lift goes its way first: the checks write on every connection at once, and would be what it waits for. */
const CHECK_AFTER_MS = 500;
/** How long the traffic is watched after the lift at least. */
const WINDOW_MS = 1500;
/** The firewall in whose path the other tenant never is. */
export const OTHER_FIREWALL = 'FW2';
/** Late answers to pings and datagrams of the window arrive within this. */
const SETTLE_MS = 500;

export async function measureMove(
  phase: Phase,
  tenants: Tenants,
  plan: MovePlan,
  signal: AbortSignal,
): Promise<MeasuredMove> {
  const before = await snapshot(phase, tenants);
  await Promise.all([tenants.a.beginWindow(), tenants.b.beginWindow(), tenants.a.attempts(epochMs())]);
  const seen = await moveAndCheck(phase, tenants, plan, signal);
  await sleep(SETTLE_MS, signal);
  const after = await snapshot(phase, tenants);
  const { move, migration, window } = seen;
  const datagrams = await tenants.a.datagrams(window.fromMs, window.toMs);
  const inFlightMs = longestWayMs(datagrams, move.unplugRequestedAt);
  const blackout = blackoutOf(move, inFlightMs, worst(datagrams.map((w) => learntMs(w, move) ?? Infinity)));
  const transfer = migration.transfers.find((t) => firewallOf(phase, t.destination) !== null);
  const source = firewallOf(phase, transfer?.source ?? null) ?? besideServer(phase, move.from.server);
  const destination = firewallOf(phase, transfer?.destination ?? null) ?? besideServer(phase, move.to.server);
  return {
    destinationFirewall: destination,
    notifiedMs: migration.steps.find((s) => s.step === 'notify')?.startedWallMs ?? null,
    installedMs: transfer?.installedWallMs ?? null,
    result: {
      ...describeMigration(migration),
      vm: move.vm,
      from: move.from.server,
      to: move.to.server,
      ...describeFailures(newFailures(before.failuresA, after.failuresA), seen.checkA.silent),
      ...(await describeNew(tenants.a, window.toMs, circumstancesOf(plan, blackout, migration), move)),
      ...describeDatagrams(datagrams, inFlightMs, window, move),
      ...describePings(tenants.a, { ...blackout, fromMs: blackout.fromMs - inFlightMs }, window),
      ...invalidOf(before.counters, after.counters, source, destination),
      installedBeforeFirstPacket: null,
      baselineGapMs: null,
      trickleGapMs: worst((await tenants.a.endWindow()).map((g) => g.gapMs)) ?? 0,
      blackoutMs: blackout.backMs - move.unpluggedAt,
      longestEchoMs: seen.checkA.longestAnswerMs,
      echoed: seen.checkA.answered,
      connections: tenants.a.connections,
      oracle: oracleOf(seen, source, destination, tenants.a.idlePorts),
      otherTenant: {
        ...describeFailures(newFailures(before.failuresB, after.failuresB), seen.checkB.silent),
        ...(await otherTenant(tenants.b, window)),
        entriesAtOtherFirewall: foreignEntries(phase, seen.listings),
      },
    },
  };
}

/** The move itself, the listings at the lift and the echoes after it. */
async function moveAndCheck(phase: Phase, tenants: Tenants, plan: MovePlan, signal: AbortSignal) {
  const { testbed } = phase;
  const vm = testbed.vm('vm1-a');
  const { toServer: server, blackoutMs, announce } = plan;
  const watch = await watchMove(phase, vm, server, signal);
  const fromMs = epochMs() - MARGIN_MS;
  const move = await testbed.move({ vm: vm.name, server, blackoutMs, announce });
  const lifted = await watch.lifted(LIFT_TIMEOUT_MS);
  const firewalls = testbed.ready.mode === 'firewall' ? testbed.ready.firewalls : [];
  // The listings come first: the checks write on every connection, which changes timeouts.
  const listings = endedStep(lifted, 'lift') === undefined ? [] : await listFirewalls(firewalls, vm.vlan);
  await sleep(CHECK_AFTER_MS, signal);
  // One tenant after the other: both at once would be more than userspace switches of a small machine carry.
  const checks = tenants.a.check(ECHO_BOUND_MS).then(async (a) => [a, await tenants.b.check(ECHO_BOUND_MS)] as const);
  const [[checkA, checkB], migration] = await Promise.all([
    checks,
    watch.ended(END_TIMEOUT_MS),
    sleep(WINDOW_MS, signal),
  ]);
  const toMs = epochMs();
  const later = listings.length === 0 ? [] : await listFirewalls(firewalls, vm.vlan);
  return { move, listings, later, checkA, checkB, migration, window: { fromMs, toMs } };
}

function firewallOf(phase: Phase, stateHost: string | null): string | null {
  return phase.testbed.ready.firewalls.find((f) => stateHostOf(f.name) === stateHost)?.name ?? null;
}

/** Where nothing had to move the counters of both firewalls are still of interest. */
function besideServer(phase: Phase, server: string): string | null {
  const nve = phase.testbed.ready.nves.find((n) => n.server === server)?.name;
  const beside = phase.testbed.ready.firewalls.find((f) =>
    f.dataPorts.some((p) => p.link.split('-').includes(nve ?? '')),
  );
  return phase.testbed.ready.mode === 'firewall' ? (beside?.name ?? null) : null;
}

async function snapshot(phase: Phase, tenants: Tenants) {
  const [failuresA, failuresB, counters] = await Promise.all([
    tenants.a.failures(),
    tenants.b.failures(),
    phase.testbed.ready.mode === 'firewall' ? invalidCounters(phase) : {},
  ]);
  return { failuresA, failuresB, counters };
}

/** Packets each firewall has counted INVALID so far. */
export async function invalidCounters(phase: Phase): Promise<Readonly<Record<string, number>>> {
  const counters = await phase.testbed.counters();
  return Object.fromEntries(Object.entries(counters).map(([name, c]) => [name, c['c_invalid']?.packets ?? 0]));
}

function invalidOf(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  source: string | null,
  destination: string | null,
): Pick<MoveResult, 'invalidAtSource' | 'invalidAtDestination'> {
  const grown = (name: string | null): number | null =>
    name === null || after[name] === undefined ? null : after[name] - (before[name] ?? 0);
  return { invalidAtSource: grown(source), invalidAtDestination: grown(destination) };
}

function describeMigration(migration: Migration) {
  const quiesce = endedStep(migration, 'quiesce') ?? endedStep(migration, 'gate');
  const lift = endedStep(migration, 'lift');
  const digests = migration.transfers.map((t) => t.digestEqual);
  return {
    migration: migration.id,
    cause: migration.cause,
    state: migration.state,
    reason: migration.reason ?? migration.transfers.find((t) => t.reason !== null)?.reason ?? null,
    entries: migration.transfers.reduce((n, t) => n + t.entries, 0),
    notifyToPinMs: notifyToMs(migration, 'pin'),
    notifyToLiftMs: notifyToMs(migration, 'lift'),
    gateMs: quiesce === undefined || lift === undefined ? null : lift.wallMs - quiesce.startedWallMs,
    digestEqual: digests.length === 0 ? null : digests.every((d) => d === true),
    steps: stepTimes(migration),
    held: migration.held ?? {},
  };
}

/** A failure is known by who saw it where and when: those of `after` that `before` does not have. */
export function newFailures(
  before: readonly StreamFailure[],
  after: readonly StreamFailure[],
): readonly StreamFailure[] {
  const known = new Set(before.map((f) => `${f.id} ${f.kind} ${f.atMs}`));
  return after.filter((f) => !known.has(`${f.id} ${f.kind} ${f.atMs}`));
}

function describeFailures(failures: readonly StreamFailure[], silent: readonly number[]) {
  const resets = new Set(failures.filter((f) => f.kind === 'reset').map((f) => f.id));
  return { resets: resets.size, lostConnections: new Set([...failures.map((f) => f.id), ...silent]).size };
}

async function describeNew(traffic: TenantTraffic, untilMs: number, circumstances: Circumstances, move: TestbedMove) {
  const attempts = await traffic.attempts(untilMs);
  const count = countNewConnections(attempts, circumstances);
  return {
    newOpened: count.opened,
    newFailed: count.failed,
    newSlow: count.slow,
    newCaught: count.caught,
    newWorstBeyondMs: count.worstBeyondMs,
    newTroubled: troubledAttempts(attempts, circumstances, move.unpluggedAt),
  };
}

function circumstancesOf(plan: MovePlan, blackout: Blackout, migration: Migration): Circumstances {
  const { roundTripMs, detourRoundTripMs } = plan;
  const untilMs = endedStep(migration, 'lift')?.wallMs;
  const isPinned = detourRoundTripMs !== null && untilMs !== undefined;
  return { blackout, roundTripMs, detour: isPinned ? { untilMs, roundTripMs: detourRoundTripMs } : null };
}

/** The send stamp of the first datagram sent since the VM was back that arrived. */
function learntMs(window: DatagramWindow, move: TestbedMove): number | null {
  const backMs = backAtMs(move);
  return window.sentMs.find((sent, i) => sent >= backMs && (window.arrivedMs[i] ?? 0) > 0) ?? null;
}

function describeDatagrams(
  windows: readonly DatagramWindow[],
  inFlightMs: number,
  range: { fromMs: number; toMs: number },
  move: TestbedMove,
) {
  const judged = windows.map((w) => {
    const blackout = blackoutOf(move, inFlightMs, learntMs(w, move));
    const sentMs = lostSends(w.sentMs, w.arrivedMs);
    const outside = sentMs.filter((t) => t < blackout.fromMs || t >= blackout.toMs);
    const at = outside.map((t) => `${w.direction} ${(t - move.unpluggedAt).toFixed(0)}`);
    return { ...countLosses(sentMs, blackout), at };
  });
  const reached = windows
    .filter((w) => w.direction === 'to-vm')
    .flatMap((w) => w.arrivalsMs)
    .find((t) => t > move.pluggedAt);
  return {
    udpLost: sum(judged.map((j) => j.outside)),
    udpLostInBlackout: sum(judged.map((j) => j.lost - j.outside)),
    udpLostLearning: sum(judged.map((j) => j.learning)),
    udpLostAt: judged.flatMap((j) => j.at),
    longestGapMs: longestDatagramGap(windows, range),
    learningMs: reached === undefined ? null : Math.max(0, reached - backAtMs(move)),
    silences: silences(windows, move),
  };
}

export function longestDatagramGap(
  windows: readonly DatagramWindow[],
  range: { fromMs: number; toMs: number },
): number {
  return worst(windows.map((w) => longestGap(w.arrivalsMs, range.fromMs, range.toMs).gapMs)) ?? 0;
}

const SHOWN_SILENCE_MS = 8;

function silences(windows: readonly DatagramWindow[], move: TestbedMove): MoveResult['silences'] {
  return windows.flatMap((w) =>
    w.arrivalsMs.flatMap((t, i): (readonly [number, number])[] => {
      const gapMs = t - (w.arrivalsMs[i - 1] ?? t);
      const atMs = t - gapMs - move.unpluggedAt;
      return gapMs < SHOWN_SILENCE_MS ? [] : [[Math.round(atMs * 10) / 10, Math.round(gapMs * 10) / 10]];
    }),
  );
}

function describePings(traffic: TenantTraffic, blackout: Blackout, range: { fromMs: number; toMs: number }) {
  const losses = countLosses(
    traffic.pings.flatMap((p) => p.unanswered(range.fromMs, range.toMs)),
    blackout,
  );
  return { pingLost: losses.outside, pingLostInBlackout: losses.lost - losses.outside };
}

function oracleOf(
  seen: { readonly listings: readonly FirewallListing[]; readonly later: readonly FirewallListing[] },
  source: string | null,
  destination: string | null,
  idlePorts: ReadonlySet<number>,
): OracleResult | null {
  const from = seen.listings.find((l) => l.firewall === source);
  const to = seen.listings.find((l) => l.firewall === destination);
  const later = seen.later.find((l) => l.firewall === destination);
  if (from === undefined || to === undefined || later === undefined) return null;
  const { listed, details, ...counts } = compareAtLift(from, to, idlePorts);
  return {
    ...counts,
    ...entriesBornSince(seen.listings, later),
    differences: listed.map((d) => `${d.flow}: ${d.what} ${d.source} / ${d.destination || 'absent'}`),
    detailDifferences: details,
  };
}

async function otherTenant(traffic: TenantTraffic, range: { fromMs: number; toMs: number }) {
  const windows = await traffic.datagrams(range.fromMs, range.toMs);
  return {
    udpLost: windows.flatMap((w) => lostSends(w.sentMs, w.arrivedMs)).length,
    longestGapMs: longestDatagramGap(windows, range),
    packetsAtOtherFirewall: null,
  };
}

/** The other tenant's VM1 stays beside FW1: entries of its zone at FW2 would be somebody's mistake. */
function foreignEntries(phase: Phase, listings: readonly FirewallListing[]): number | null {
  const listing = listings.find((l) => l.firewall === OTHER_FIREWALL);
  const zones = phase.testbed.ready.firewalls.find((f) => f.name === OTHER_FIREWALL)?.zones;
  if (listing === undefined || zones === undefined) return null;
  const zone = zones[String(phase.testbed.vm('vm1-b').vlan)];
  return listing.entries.filter((e) => e.zone === zone).length;
}
