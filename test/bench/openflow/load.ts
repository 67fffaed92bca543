// The load generator, a process of its own: N emulated switches against the controller at an address, one line of JSON.
// `node load.ts --port 6653 --version 1.3 --switches 16 --window 512` (see the options below).

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { EmulatedSwitch } from './emulated-switch.ts';
import type { SwitchCounts } from './emulated-switch.ts';
import { LOAD_VERSIONS } from './switch-frames.ts';
import type { LoadVersion } from './switch-frames.ts';

export interface LoadResult {
  readonly switches: number;
  readonly window: number;
  /** Packet-ins answered a second, of each measured loop. */
  readonly answeredPerSecond: readonly number[];
  /** Flow-mods and packet-outs for one packet-in answered. */
  readonly messagesPerAnswer: number;
  readonly lost: number;
  /** Connections that ended on the way. */
  readonly closed: number;
  /** Of the generator itself, 0 to 1: near 1 it is the generator that is measured. */
  readonly ownCpu: number;
  /** CPU time of the controller for one packet-in answered, of all its threads: it hardly depends on what else runs. */
  readonly controllerUs: number | null;
  /** With a window of 1 only. */
  readonly roundTripUs: { readonly p50: number; readonly p99: number; readonly worst: number } | null;
}

const GIVE_UP_MS = 1000;
const BUCKETS = 100_000; // of a microsecond each

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '6653' },
    version: { type: 'string', default: '1.3' },
    switches: { type: 'string', default: '16' },
    /** 1: latency mode. */
    window: { type: 'string', default: '512' },
    macs: { type: 'string', default: '1000' },
    loops: { type: 'string', default: '5' },
    'loop-ms': { type: 'string', default: '1000' },
    /** At least so long, and until so many are answered, so that a controller has compiled what it runs; at most so long. */
    'warm-up-ms': { type: 'string', default: '1000' },
    'warm-up-answers': { type: 'string', default: '50000' },
    'warm-up-most-ms': { type: 'string', default: '5000' },
    /** Between the handshakes and the first packet-in. */
    'start-delay-ms': { type: 'string', default: '200' },
    /** Between one connection and the next: some controllers have a short backlog. */
    'connect-delay-ms': { type: 'string', default: '5' },
    /** The controller's process, if its CPU time is to be told. */
    'controller-pid': { type: 'string' },
  },
});

const version: LoadVersion | undefined = LOAD_VERSIONS[values.version];
if (version === undefined) throw new Error(`no version ${values.version}`);
const window = Number(values.window);
const histogram = new Uint32Array(BUCKETS);
let worstUs = 0;

const recordRoundTrip = (ms: number): void => {
  const us = ms * 1000;
  if (us > worstUs) worstUs = us;
  const bucket = Math.min(BUCKETS - 1, Math.floor(us));
  histogram[bucket] = (histogram[bucket] ?? 0) + 1;
};

function quantile(q: number): number {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (let us = 0; us < BUCKETS; us += 1) {
    seen += histogram[us] ?? 0;
    if (seen >= q * total) return us;
  }
  return BUCKETS;
}

const total = (all: readonly EmulatedSwitch[], key: keyof SwitchCounts): number =>
  all.reduce((sum, each) => sum + each.counts[key], 0);

/** The first figure of schedstat: nanoseconds on a CPU. */
function controllerCpuUs(): number | null {
  const pid = values['controller-pid'];
  if (pid === undefined) return null;
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.reduce((sum, task) => {
    const [ns] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ');
    return sum + Number(ns) / 1000;
  }, 0);
}

async function connectAll(): Promise<readonly EmulatedSwitch[]> {
  const all: EmulatedSwitch[] = [];
  for (let i = 0; i < Number(values.switches); i += 1) {
    all.push(
      new EmulatedSwitch({
        version: version ?? 4,
        host: values.host,
        port: Number(values.port),
        datapathId: i + 1,
        window,
        macs: Number(values.macs),
        onRoundTrip: window === 1 ? recordRoundTrip : null,
      }),
    );
    await sleep(Number(values['connect-delay-ms']));
  }
  const deadlineMs = performance.now() + 10_000;
  while (all.some((each) => !each.featuresSent)) {
    if (performance.now() > deadlineMs) throw new Error('the controller has not asked every switch for its features');
    await sleep(10);
  }
  return all;
}

const all = await connectAll();
await sleep(Number(values['start-delay-ms']));
const timer = setInterval(() => {
  for (const each of all) each.giveUp(GIVE_UP_MS);
}, 250);
for (const each of all) each.start();
const warmUpEndsMs = performance.now() + Number(values['warm-up-most-ms']);
await sleep(Number(values['warm-up-ms']));
while (performance.now() < warmUpEndsMs && total(all, 'answered') < Number(values['warm-up-answers'])) await sleep(50);
histogram.fill(0);
worstUs = 0;

const answeredPerSecond: number[] = [];
const before = { answered: total(all, 'answered'), lost: total(all, 'lost') };
const messagesBefore = total(all, 'flowMods') + total(all, 'packetOuts');
const cpuBefore = process.cpuUsage();
const controllerBefore = controllerCpuUs();
const startedMs = performance.now();
for (let loop = 0; loop < Number(values.loops); loop += 1) {
  const from = { ms: performance.now(), answered: total(all, 'answered') };
  await sleep(Number(values['loop-ms']));
  answeredPerSecond.push(((total(all, 'answered') - from.answered) * 1000) / (performance.now() - from.ms));
}
const cpu = process.cpuUsage(cpuBefore);
const controllerAfter = controllerCpuUs();
const answered = Math.max(1, total(all, 'answered') - before.answered);
const elapsedMs = performance.now() - startedMs;
const messages = total(all, 'flowMods') + total(all, 'packetOuts') - messagesBefore;
const result: LoadResult = {
  switches: all.length,
  window,
  answeredPerSecond,
  messagesPerAnswer: messages / answered,
  lost: total(all, 'lost') - before.lost,
  closed: all.filter((each) => each.closed).length,
  ownCpu: (cpu.user + cpu.system) / 1000 / elapsedMs,
  controllerUs:
    controllerBefore === null || controllerAfter === null ? null : (controllerAfter - controllerBefore) / answered,
  roundTripUs: window === 1 ? { p50: quantile(0.5), p99: quantile(0.99), worst: Math.round(worstUs) } : null,
};
clearInterval(timer);
for (const each of all) each.destroy();
console.log(JSON.stringify(result));
