// Scenario `uc1`: the draft's Use Case 1. As many moves without firewalls in the path (the baseline), a quiet period, then the
// moves through the firewalls; all under full traffic of two tenants with equal 5-tuples.

import { join } from 'node:path';
import { askCapture, startCapture, type Capture } from './capture.ts';
import { LEARNING_MS } from './blackout.ts';
import { epochMs, sleep } from './deadline.ts';
import type { Strategy } from './controller-process.ts';
import type { LabRun } from './lab-run.ts';
import { busyShare, processorTime } from './machine-load.ts';
import { startPhase, type Phase } from './phase.ts';
import type { MoveResult, QuietResult, SessionTrace } from './result.ts';
import { sum, worst } from './statistics.ts';
import { lostSends } from './blackout.ts';
import { DATAGRAM_EVERY_MS, startTenantTraffic } from './tenant-traffic.ts';
import { traceSessions } from './tcp-trace.ts';
import type { Announce } from './testbed.ts';
import { BULK_PORT, ECHO_PORT } from './traffic/connection-plan.ts';
import type { Uc1Evidence } from './uc1-conditions.ts';
import {
  invalidCounters,
  longestDatagramGap,
  measureMove,
  OTHER_FIREWALL,
  type MeasuredMove,
  type Tenants,
} from './uc1-move.ts';

export interface Uc1Options {
  readonly moves: number;
  readonly flows: number;
  readonly newRate: number;
  readonly blackoutMs: number;
  readonly announce: Announce;
  readonly delayMs: number;
  readonly strategy: Strategy;
  readonly hypervisorFirewalls?: boolean;
}

/** Local ports of the long-lived connections, a range a phase: no connection meets a predecessor in TIME_WAIT. */
const BASELINE_PORTS = 12_000;
const FIREWALL_PORTS = 20_000;
/** NVE - firewall - NVE. */
const LINKS_OF_A_PATH = 2;
/** And between the NVEs before. */
const LINKS_OF_THE_DETOUR = 3;
/** Handshakes of the start are over and schedules have settled. */
const WARM_UP_MS = 1500;

/** `sessions` are for the report; nothing is judged by them. */
export type Uc1Measured = Uc1Evidence & { readonly sessions: readonly SessionTrace[] };

export async function runUc1(run: LabRun, options: Uc1Options): Promise<Uc1Measured> {
  const baseline = await baselinePhase(run, options);
  await run.cleanup.run();
  return firewallPhase(run, options, baseline);
}

async function baselinePhase(
  run: LabRun,
  options: Uc1Options,
): Promise<{ moves: readonly MoveResult[]; durationMs: number }> {
  const phase = await startPhase(run, { ...options, name: 'baseline', mode: 'wire' });
  const tenants = await startTraffic(run, phase, options, BASELINE_PORTS);
  const startMs = epochMs();
  const moves = await allMoves(run, phase, tenants, options);
  return { moves: moves.map((m) => m.result), durationMs: epochMs() - startMs };
}

async function firewallPhase(
  run: LabRun,
  options: Uc1Options,
  baseline: { moves: readonly MoveResult[]; durationMs: number },
): Promise<Uc1Measured> {
  const phase = await startPhase(run, { ...options, name: 'firewalls', mode: 'firewall' });
  const tenants = await startTraffic(run, phase, options, FIREWALL_PORTS);
  const quiet = await quietPeriod(run, phase, tenants, baseline.durationMs);
  const captures = await Promise.all(phase.testbed.ready.firewalls.map((f) => startCapture(f, phase.folder)));
  for (const capture of captures) run.cleanup.add(`the capture at ${capture.firewall}`, () => capture.stop());
  const measured = await allMoves(run, phase, tenants, options);
  const captureMissed = sum(await Promise.all(captures.map((c) => c.stop())));
  const baselineGapMs = worst(baseline.moves.map((m) => m.longestGapMs));
  run.progress('reading the captures');
  const moves = withCapture(phase, measured, captures).map((m) => ({ ...m, baselineGapMs }));
  const sessions = tracedSessions(phase, measured, captures);
  const { moves: asked, delayMs } = options;
  return { asked, moves, baseline: baseline.moves, quiet, delayMs, captureMissed, sessions };
}

/** There and back. */
const TRACED_MOVES = 2;
const TRACED = new Map([
  [BULK_PORT, { name: 'bulk', most: 4 }],
  [ECHO_PORT, { name: 'trickle', most: 4 }],
]);
const TRACE_BEFORE_MS = 500;
const TRACE_AFTER_MS = 1500;

function tracedSessions(
  phase: Phase,
  measured: readonly MeasuredMove[],
  captures: readonly Capture[],
): readonly SessionTrace[] {
  const { vlan, ipv4, ipv6 } = phase.testbed.vm('vm1-a');
  const questions = measured.slice(0, TRACED_MOVES).flatMap(({ notifiedMs }, i) => {
    if (notifiedMs === null) return [];
    const range = { fromMs: notifiedMs - TRACE_BEFORE_MS, toMs: notifiedMs + TRACE_AFTER_MS, zeroMs: notifiedMs };
    return [{ move: i + 1, vlan, addresses: [ipv4, ipv6], ...range, sessions: TRACED }];
  });
  return traceSessions(captures, questions);
}

/** Of the tenant that stays, losses are counted; its gaps are nobody's question. */
const OTHER_DATAGRAM_EVERY_MS = 20;

export async function startTraffic(
  run: LabRun,
  phase: Phase,
  options: Pick<Uc1Options, 'flows' | 'newRate'>,
  firstPort: number,
): Promise<Tenants> {
  run.progress(`opening ${options.flows} connections for each of two tenants`);
  const start = (tenant: string, newPerSecond: number, datagramEveryMs: number) =>
    startTenantTraffic(phase.testbed, {
      tenant,
      flows: options.flows,
      firstPort,
      newPerSecond,
      pings: tenant === 'a',
      datagramEveryMs,
      logFile: join(phase.folder, 'traffic.log'),
    });
  const [a, b] = await Promise.all([
    start('a', options.newRate, DATAGRAM_EVERY_MS),
    start('b', 0, OTHER_DATAGRAM_EVERY_MS),
  ]);
  run.cleanup.add('the traffic', () => Promise.all([a.stop(), b.stop()]));
  await sleep(WARM_UP_MS, run.signal);
  return { a, b };
}

async function allMoves(
  run: LabRun,
  phase: Phase,
  tenants: Tenants,
  options: Uc1Options,
): Promise<readonly MeasuredMove[]> {
  const measured: MeasuredMove[] = [];
  const pins = options.strategy === 'detour' || options.strategy === 'copy';
  const roundTrips = {
    roundTripMs: 2 * LINKS_OF_A_PATH * options.delayMs,
    detourRoundTripMs: pins ? 2 * LINKS_OF_THE_DETOUR * options.delayMs : null,
  };
  for (let i = 0; i < options.moves; i++) {
    const toServer = i % 2 === 0 ? 'Server2' : 'Server1';
    const one = await measureMove(phase, tenants, { ...options, ...roundTrips, toServer }, run.signal);
    measured.push(one);
    run.progress(`move ${i + 1} of ${options.moves} to ${toServer}: ${brief(one.result)}`);
  }
  return measured;
}

function brief(m: MoveResult): string {
  const lift = m.notifyToLiftMs === null ? 'no lift' : `lift after ${m.notifyToLiftMs.toFixed(0)} ms`;
  const trouble = m.resets + m.lostConnections + m.newFailed + m.udpLost + m.pingLost;
  return `${m.state}, ${m.entries} entries, ${lift}, longest UDP gap ${m.longestGapMs.toFixed(0)} ms${
    trouble === 0
      ? ''
      : `; ${m.lostConnections} lost, ${m.resets} reset, ${m.newFailed} new failed, ${m.udpLost} UDP and ${m.pingLost} pings lost`
  }`;
}

/** The same traffic for as long, without a move: what the counters show by themselves. */
async function quietPeriod(run: LabRun, phase: Phase, tenants: Tenants, durationMs: number): Promise<QuietResult> {
  run.progress(`quiet period of ${(durationMs / 1000).toFixed(0)} s: the same traffic, no move`);
  const before = await invalidCounters(phase);
  const timeBefore = processorTime();
  const fromMs = epochMs();
  await sleep(durationMs, run.signal);
  const toMs = epochMs() - LEARNING_MS;
  const after = await invalidCounters(phase);
  const windows = await tenants.a.datagrams(fromMs, toMs);
  return {
    durationMs,
    busyShare: busyShare(timeBefore, processorTime()),
    invalid: sum(Object.values(after)) - sum(Object.values(before)),
    udpLost: windows.flatMap((w) => lostSends(w.sentMs, w.arrivedMs)).length,
    longestGapMs: longestDatagramGap(windows, { fromMs, toMs }),
  };
}

/** Asks the captures what each move needs to know, all in one pass over the files. */
function withCapture(
  phase: Phase,
  measured: readonly MeasuredMove[],
  captures: readonly Capture[],
): readonly MoveResult[] {
  const vm = phase.testbed.vm('vm1-a');
  const other = phase.testbed.vm('vm1-b');
  const early = new Map<MeasuredMove, number>();
  let foreign = 0;
  for (const capture of captures) {
    const mine = measured.filter((m) => m.destinationFirewall === capture.firewall);
    const answers = askCapture(capture.files, [
      ...mine.map((m) => ({
        vlan: vm.vlan,
        addresses: [vm.ipv4, vm.ipv6],
        fromMs: m.notifiedMs ?? 0,
        toMs: m.installedMs ?? Infinity,
      })),
      { vlan: other.vlan, addresses: [other.ipv4, other.ipv6], fromMs: 0, toMs: Infinity },
    ]);
    mine.forEach((m, i) => early.set(m, answers[i]?.before ?? 0));
    if (capture.firewall === OTHER_FIREWALL) foreign = answers.at(-1)?.before ?? 0;
  }
  return measured.map((m, i) => ({
    ...m.result,
    installedBeforeFirstPacket: m.installedMs !== null && early.get(m) === 0,
    // The count is of the whole run: shown once, with the first move.
    otherTenant: { ...m.result.otherTenant, packetsAtOtherFirewall: i === 0 ? foreign : 0 },
  }));
}
