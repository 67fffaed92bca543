// Ten times the packet-ins that a controller can serve: how long echo, port-status and LLDP take then, what is dropped, and
// whether its memory grows. Whatever happens it ends: each process has a deadline.

import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CONTROLLER_CPU, LOAD_CPU, accepting, freePort, memoryMb, pinned } from './peers.ts';

export type Probe = 'echo' | 'portStatus' | 'discovery';

export interface ProbeTimes {
  readonly answered: number;
  /** Half a second after the flood. */
  readonly unanswered: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

export interface FloodResult {
  readonly offeredPerSecond: number;
  readonly servedPerSecond: number;
  readonly sent: number;
  /** Packet-ins that the switches themselves dropped, because they could not get rid of them. */
  readonly heldBack: number;
  readonly probes: Readonly<Record<Probe, ProbeTimes>>;
}

/** What the controller says at its end. */
export interface BusyCounts {
  readonly packetIns: number;
  readonly discovery: number;
  readonly portStatus: number;
  readonly droppedPacketIns: number;
  readonly droppedDiscovery: number;
  readonly droppedPacketOuts: number;
}

export interface Overload {
  /** Of the controller's application, for each packet-in. */
  readonly workUs: number;
  /** What it serves when it is not flooded. */
  readonly capacityPerSecond: number;
  readonly flood: FloodResult;
  readonly counts: BusyCounts;
  /** Resident memory of the controller: the most in the first half of the flood, and in the second. */
  readonly residentMb: readonly [number, number];
}

const SWITCHES = 16;
const FLOOD_MS = 6000;
const SAMPLE_MS = 250;
const DEADLINE_MS = 30_000;
const STOP_MS = 5000;

const run = promisify(execFile);

async function ask<T>(program: string, args: readonly string[]): Promise<T> {
  const [file = '', ...rest] = pinned(LOAD_CPU, [process.execPath, join(import.meta.dirname, program), ...args]);
  const { stdout } = await run(file, rest, { timeout: DEADLINE_MS, killSignal: 'SIGKILL' });
  return JSON.parse(stdout) as T;
}

/** `workUs`: what the application spends on a packet-in. */
export async function overload(workUs: number, times = 10): Promise<Overload> {
  const port = await freePort();
  const command = [process.execPath, join(import.meta.dirname, 'busy-controller.ts'), `${port}`, `${workUs}`];
  const [file = '', ...args] = pinned(CONTROLLER_CPU, command);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let timer: NodeJS.Timeout | undefined;
  try {
    await accepting(port, child);
    const at = ['--port', `${port}`, '--switches', `${SWITCHES}`];
    const { answeredPerSecond } = await ask<{ answeredPerSecond: number[] }>('load.ts', [...at, '--loops', '3']);
    const capacityPerSecond = Math.max(...answeredPerSecond);
    const samples: number[] = [];
    timer = setInterval(() => samples.push(memoryMb(child.pid ?? 0, 'VmRSS')), SAMPLE_MS);
    const rate = `${Math.round(capacityPerSecond * times)}`;
    const flood = await ask<FloodResult>('flood.ts', [...at, '--rate', rate, '--ms', `${FLOOD_MS}`]);
    clearInterval(timer);
    const half = samples.length >> 1;
    const residentMb = [Math.max(...samples.slice(0, half)), Math.max(...samples.slice(half))] as const;
    return { workUs, capacityPerSecond, flood, counts: await countsOf(child), residentMb };
  } finally {
    clearInterval(timer);
    child.kill('SIGKILL');
    await exited;
  }
}

async function countsOf(child: ChildProcess): Promise<BusyCounts> {
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  child.kill('SIGTERM');
  if (child.stdout !== null) await once(child.stdout, 'close');
  clearTimeout(timer);
  return JSON.parse(String(Buffer.concat(chunks))) as BusyCounts;
}

export function overloadLines({ workUs, capacityPerSecond, flood, counts, residentMb }: Overload): string {
  const times = (flood.offeredPerSecond / capacityPerSecond).toFixed(1);
  const probes = (['echo', 'portStatus', 'discovery'] as const).map((probe) => {
    const { answered, unanswered, p50Ms, p99Ms, worstMs } = flood.probes[probe];
    const figures = [p50Ms, p99Ms, worstMs].map((ms) => ms.toFixed(1).padStart(8)).join('');
    return `  ${probe.padEnd(12)}${`${answered}`.padStart(8)}${`${unanswered}`.padStart(12)}${figures}`;
  });
  return [
    `an application of ${workUs} us a packet-in, ${SWITCHES} switches: serves ${whole(capacityPerSecond)}/s of their own pace;`,
    `${whole(flood.offeredPerSecond)}/s came (${times} times; ${whole(flood.heldBack)} more did not leave the switches), ` +
      `${whole(flood.servedPerSecond)}/s were served`,
    '                answered  unanswered  p50 ms  p99 ms   worst',
    ...probes,
    `  dropped: ${whole(counts.droppedPacketIns)} packet-ins, ${counts.droppedDiscovery} LLDP, ${counts.droppedPacketOuts} packet-outs`,
    `  memory: ${residentMb[0]} MB in the first half, ${residentMb[1]} MB in the second`,
  ].join('\n');
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');
