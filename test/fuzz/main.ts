// Searches for bytes that the OpenFlow decoder trips over, guided by which of its code has run.
// Flags: --seconds N (60), --seed N, --keep (writes what it found into the corpus), --generated N (instead of searching:
// so many messages made from the tables, whole, cut, noisy, and in streams). Fails on any fault, on an input that takes
// seconds, and on memory that grows.
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { foundCorpus, keepFound, vectorCorpus } from './corpus.ts';
import type { FuzzReport, FuzzTask } from './fuzz-worker.ts';

const MAX_INPUT_BYTES = 1 << 16;
const HANG_MS = 5000;
/** After the first report. The corpus, and what is known of blocks, may take some. */
const MAX_GROWTH_MB = 128;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: `${Date.now() & 0xffffff}` },
    generated: { type: 'string', default: '0' },
    keep: { type: 'boolean', default: false },
  },
});

const present = new SharedArrayBuffer(8 + MAX_INPUT_BYTES);
const counts = new Int32Array(present, 0, 2);
const task: FuzzTask = {
  seed: Number(values.seed),
  seconds: Number(values.seconds),
  generated: Number(values.generated),
  known: vectorCorpus(),
  found: foundCorpus(),
  present,
};
console.log(
  `seed ${values.seed}, ${values.seconds} s, from ${task.known.length} vectors and ${task.found.length} finds`,
);

let faults = 0;
let firstHeapMb: number | null = null;
const fail = (what: string, bytes: Uint8Array): void => {
  faults += 1;
  process.exitCode = 1;
  console.error(`FAULT ${Buffer.from(bytes).toString('hex')}\n      ${what}`);
};

const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), { workerData: task });
let lastRuns = -1;
const watchdog = setInterval(() => {
  const runs = Atomics.load(counts, 0);
  if (runs === lastRuns) {
    fail(`is not done with after ${HANG_MS} ms`, new Uint8Array(present, 8, counts[1]));
    void worker.terminate();
  }
  lastRuns = runs;
}, HANG_MS);

worker.on('message', (report: FuzzReport) => {
  if (report.kind === 'fault') fail(report.reason, report.bytes);
  else if (report.kind === 'progress') {
    const { runs, blocks, kept, heapMb } = report;
    console.log(`${runs} inputs, ${blocks} blocks, ${kept} kept, ${heapMb} MB`);
    firstHeapMb ??= heapMb;
    if (heapMb - firstHeapMb > MAX_GROWTH_MB) {
      fail(`memory grew from ${firstHeapMb} to ${heapMb} MB`, new Uint8Array(0));
      firstHeapMb = heapMb;
    }
  } else {
    clearInterval(watchdog);
    console.log(`${report.runs} inputs`);
    if (task.generated > 0) return;
    if (values.keep) keepFound(report.found.map((bytes) => Buffer.from(bytes)));
    console.log(`${report.found.length} inputs reach what no vector does${values.keep ? ': kept' : ''}`);
  }
});
worker.on('error', (error: Error) => {
  fail(`ended the fuzzer: ${error.stack ?? error.message}`, new Uint8Array(present, 8, counts[1]));
});
worker.on('exit', () => {
  clearInterval(watchdog);
  console.log(faults === 0 ? 'no faults' : `${faults} faults`);
});
