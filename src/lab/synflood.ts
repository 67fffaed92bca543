// Scenario `synflood`: an attacker against a threshold. VM1 of tenant `a` floods VM3 with SYNs and moves between Server1 and Server2
// meanwhile; VM1 of tenant `b`, with the same addresses, sends as many and stays. Both firewalls count SYNs by source.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startCapture, type Capture } from './capture.ts';
import type { Migration } from './controller-api.ts';
import { sleep } from './deadline.ts';
import type { LabRun } from './lab-run.ts';
import { watchMove } from './migration-watch.ts';
import { TENANTS } from './names.ts';
import { startPhase, type Phase } from './phase.ts';
import type { FloodMove, FloodResult, SynFlood } from './result.ts';
import { sum } from './statistics.ts';
import { startFlood, synsSeen, type Flood } from './syn-flood.ts';
import { COUNTER_SETS, countedByFirewall, IP_VERSIONS, writeGuardedRuleset, type IpVersion } from './syn-guard.ts';
import type { Announce } from './testbed.ts';

export interface SynFloodOptions {
  readonly moves: number;
  /** SYNs a second, of each VM and IP version, while the VM moves. */
  readonly rate: number;
  /** SYNs a source may send in a window. */
  readonly threshold: number;
  readonly blackoutMs: number;
  readonly announce: Announce;
  readonly withoutState: boolean;
}

/** The tenant whose VM1 moves. */
export const MOVING = 'a';
const END_TIMEOUT_MS = 30_000;
/** Between two moves: the VM sends some at each place. */
const STAY_MS = 700;
/** What a VM sends in the end, until its threshold must have been reached, and beyond. */
const BURST_PER_SECOND = 500;
const SETTLE_MS = 500;

export async function runSynFlood(run: LabRun, options: SynFloodOptions): Promise<SynFlood> {
  const { rate, threshold, withoutState } = options;
  const ruleset = writeGuardedRuleset(run.folder, threshold);
  const phase = await startPhase(run, {
    name: 'flood',
    mode: 'firewall',
    delayMs: 0,
    strategy: withoutState ? 'none' : 'detour',
    ruleset,
    counterSets: COUNTER_SETS,
  });
  const captures = await Promise.all(TENANTS.map(({ name }) => captureVictim(run, phase, name)));
  const floods = await startFloods(phase, { perSecond: rate, first: () => 0 });
  run.progress(`${floods.size} floods of ${rate} SYNs/s, threshold ${threshold}`);
  const moves = await allMoves(run, phase, options);
  const sent = await count(floods, (flood) => flood.end());
  const burst = await startFloods(phase, {
    perSecond: BURST_PER_SECOND,
    first: (key) => sent.get(key) ?? 0,
    count: threshold,
  });
  const more = await count(burst, (flood) => flood.ended());
  await sleep(SETTLE_MS, run.signal);
  const captureMissed = sum(await Promise.all(captures.map((c) => c.stop())));
  const results: FloodResult[] = [];
  for (const [i, { name: tenant }] of TENANTS.entries()) {
    for (const version of IP_VERSIONS) {
      const key = keyOf(tenant, version);
      const total = (sent.get(key) ?? 0) + (more.get(key) ?? 0);
      results.push(await floodResult(phase, { tenant, version, sent: total, files: captures[i]?.files ?? [] }));
    }
  }
  return { threshold, asked: options.moves, moves, floods: results, captureMissed };
}

const keyOf = (tenant: string, version: IpVersion): string => `${tenant} ${version}`;

async function captureVictim(run: LabRun, { testbed, folder }: Phase, tenant: string): Promise<Capture> {
  const victim = testbed.vm(`vm3-${tenant}`);
  const files = join(folder, victim.name);
  mkdirSync(files);
  const capture = await startCapture({ ...victim, dataPorts: [{ name: victim.nic }] }, files);
  run.cleanup.add(`the capture at ${victim.name}`, () => capture.stop());
  return capture;
}

interface Plan {
  readonly perSecond: number;
  readonly first: (key: string) => number;
  readonly count?: number;
}

/** One of each tenant and IP version. */
async function startFloods({ testbed, folder }: Phase, plan: Plan): Promise<ReadonlyMap<string, Flood>> {
  const { first, ...rest } = plan;
  const logFile = join(folder, 'floods.log');
  const all = TENANTS.flatMap(({ name: tenant }) =>
    IP_VERSIONS.map(async (version): Promise<readonly [string, Flood]> => {
      const key = keyOf(tenant, version);
      return [key, await startFlood(testbed, tenant, { ...rest, version, first: first(key), logFile })];
    }),
  );
  return new Map(await Promise.all(all));
}

async function count(
  floods: ReadonlyMap<string, Flood>,
  ask: (flood: Flood) => Promise<number>,
): Promise<ReadonlyMap<string, number>> {
  return new Map(await Promise.all([...floods].map(async ([key, flood]) => [key, await ask(flood)] as const)));
}

async function allMoves(run: LabRun, phase: Phase, options: SynFloodOptions): Promise<FloodMove[]> {
  const moves: FloodMove[] = [];
  await sleep(STAY_MS, run.signal);
  for (let i = 0; i < options.moves; i += 1) {
    const one = await move(run, phase, options, i % 2 === 0 ? 2 : 1);
    moves.push(one);
    const where = Object.entries(one.counted)
      .map(([firewall, n]) => `${firewall} ${n}`)
      .join(', ');
    run.progress(`move ${i + 1} of ${options.moves} to ${one.to}: ${one.state}, SYNs counted: ${where}`);
    await sleep(STAY_MS, run.signal);
  }
  return moves;
}

async function move(
  run: LabRun,
  { testbed, controller }: Phase,
  { blackoutMs, announce }: SynFloodOptions,
  to: number,
): Promise<FloodMove> {
  const vm = testbed.vm(`vm1-${MOVING}`);
  const server = `Server${to}`;
  const watch = await watchMove({ testbed, controller }, vm, server, run.signal);
  const moved = await testbed.move({ vm: vm.name, server, blackoutMs, announce });
  const migration = await watch.ended(END_TIMEOUT_MS);
  const counted = await countedByFirewall(testbed, vm, IP_VERSIONS);
  return { ...described(migration), from: moved.from.server, to: moved.to.server, counted };
}

function described({ id, state, reason, transfers }: Migration) {
  return {
    migration: id,
    state,
    reason,
    kinds: [...new Set(transfers.flatMap((t) => t.kinds))],
    digestEqual: transfers.length > 0 && transfers.every((t) => t.digestEqual === true),
  };
}

async function floodResult(
  { testbed }: Phase,
  of: { tenant: string; version: IpVersion; sent: number; files: readonly string[] },
): Promise<FloodResult> {
  const { tenant, version, sent, files } = of;
  const vm = testbed.vm(`vm1-${tenant}`);
  const counted = await countedByFirewall(testbed, vm, [version]);
  return { tenant, version, moves: tenant === MOVING, sent, ...synsSeen(files, vm, version), counted };
}
