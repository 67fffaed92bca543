// The same load against each controller in turn, over and over, so that what else the machine does hits all of them.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { median } from '../../../src/lab/statistics.ts';
import type { LoadResult } from './load.ts';
import { LOAD_CPU, PEERS, pinned, startPeer } from './peers.ts';
import type { Peer, RunningPeer } from './peers.ts';

export interface Setting {
  readonly name: string;
  readonly switches: number;
  /** 1: latency mode. */
  readonly window: number;
}

export const SETTINGS: Readonly<Record<string, Setting>> = {
  throughput: { name: 'throughput, 16 switches', switches: 16, window: 512 },
  latency: { name: 'latency, 16 switches', switches: 16, window: 1 },
  'latency-1': { name: 'latency, 1 switch', switches: 1, window: 1 },
};

export interface Plan {
  readonly version: string;
  readonly rounds: number;
  readonly loops: number;
  readonly loopMs: number;
}

export interface Comparison {
  readonly setting: string;
  readonly version: string;
  readonly rows: readonly ComparisonRow[];
}

export interface ComparisonRow {
  readonly peer: string;
  /** Packet-ins answered a second, over all loops of all rounds. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly messagesPerAnswer: number;
  readonly lost: number;
  readonly peakMb: number;
  /** The load generator's share of its CPU, at most. */
  readonly loadCpu: number;
  /** CPU time of the controller for one packet-in answered, the least of all rounds: what it costs undisturbed. */
  readonly controllerUs: number | null;
  readonly roundTripUs: LoadResult['roundTripUs'];
}

const run = promisify(execFile);
const LOAD_DEADLINE_MS = 120_000;

export async function compare(setting: Setting, plan: Plan): Promise<Comparison> {
  const peers = PEERS.filter((peer) => peer.present() && (peer.versions?.includes(plan.version) ?? true));
  const results = new Map<Peer, { readonly load: LoadResult; readonly peakMb: number }[]>();
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const peer of peers) {
      const running = await startPeer(peer.command);
      try {
        const load = await runLoad(running, setting, plan);
        results.set(peer, [...(results.get(peer) ?? []), { load, peakMb: running.peakMb() }]);
      } finally {
        await running.stop();
      }
    }
  }
  return {
    setting: setting.name,
    version: plan.version,
    rows: [...results].map(([peer, all]) => rowOf(peer.name, all)),
  };
}

async function runLoad({ port, pid }: RunningPeer, setting: Setting, plan: Plan): Promise<LoadResult> {
  const [file = '', ...args] = pinned(LOAD_CPU, [
    process.execPath,
    join(import.meta.dirname, 'load.ts'),
    ...['--port', `${port}`, '--version', plan.version, '--controller-pid', `${pid}`],
    ...['--switches', `${setting.switches}`, '--window', `${setting.window}`],
    ...['--loops', `${plan.loops}`, '--loop-ms', `${plan.loopMs}`],
  ]);
  const { stdout } = await run(file, args, { timeout: LOAD_DEADLINE_MS });
  return JSON.parse(stdout) as LoadResult;
}

function rowOf(peer: string, all: readonly { readonly load: LoadResult; readonly peakMb: number }[]): ComparisonRow {
  const rates = all.flatMap(({ load }) => load.answeredPerSecond);
  const trips = all.flatMap(({ load }) => load.roundTripUs ?? []);
  const costs = all.flatMap(({ load }) => load.controllerUs ?? []);
  return {
    peer,
    median: median(rates) ?? 0,
    least: Math.min(...rates),
    most: Math.max(...rates),
    messagesPerAnswer: median(all.map(({ load }) => load.messagesPerAnswer)) ?? 0,
    lost: all.reduce((sum, { load }) => sum + load.lost, 0),
    peakMb: Math.max(...all.map((each) => each.peakMb)),
    loadCpu: Math.max(...all.map(({ load }) => load.ownCpu)),
    controllerUs: costs.length === 0 ? null : Math.min(...costs),
    roundTripUs:
      trips.length === 0
        ? null
        : {
            p50: median(trips.map((each) => each.p50)) ?? 0,
            p99: median(trips.map((each) => each.p99)) ?? 0,
            worst: Math.max(...trips.map((each) => each.worst)),
          },
  };
}

/** For people; ratios are those of the medians. */
export function comparisonTable({ setting, version, rows }: Comparison): string {
  const of = (name: string): number | null => rows.find((row) => row.peer === name)?.median ?? null;
  const [ovs, bare] = [of('ovs-testcontroller'), of('bare responder')];
  const lines = rows.map((row) => {
    const trips = row.roundTripUs;
    return [
      row.peer.padEnd(20),
      thousands(row.median),
      `${thousands(row.least)} ..${thousands(row.most)}`,
      ratio(row.median, ovs),
      ratio(row.median, bare),
      row.messagesPerAnswer.toFixed(2).padStart(8),
      `${row.lost}`.padStart(6),
      `${row.peakMb}`.padStart(6),
      row.loadCpu.toFixed(2).padStart(9),
      (row.controllerUs?.toFixed(2) ?? '-').padStart(8),
      ...(trips === null ? [] : [`${trips.p50}`.padStart(8), `${trips.p99}`.padStart(8)]),
    ].join('');
  });
  const trips = rows.some((row) => row.roundTripUs !== null) ? '  p50 us  p99 us' : '';
  return [
    `${setting}, OpenFlow ${version}: packet-ins answered a second`,
    `${' '.repeat(20)}    median     least ..      most   x ovs  x bare  msg/ans  lost    MB load CPU  CPU us${trips}`,
    ...lines,
  ].join('\n');
}

const thousands = (value: number): string => Math.round(value).toLocaleString('en').padStart(10);
const ratio = (value: number, to: number | null): string => (to === null ? '-' : (value / to).toFixed(2)).padStart(8);
