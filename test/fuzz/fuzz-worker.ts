// The loop of the fuzzer, in a thread of its own so that one that hangs can be told and ended: mutate, check, look for blocks
// that have never run, and keep what reached them.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { BlockCoverage } from './block-coverage.ts';
import { faultOf } from './decoder-target.ts';
import { checkGenerated, GENERATED_BATCH } from './generated.ts';
import { mutate, Random } from './mutate.ts';

export interface FuzzTask {
  readonly seed: number;
  readonly seconds: number;
  /** Messages to generate from the tables; 0: search by coverage instead. */
  readonly generated: number;
  /** What everybody has, and what was found before. */
  readonly known: readonly Uint8Array[];
  readonly found: readonly Uint8Array[];
  /** Where the present input stands for whoever watches: a count of runs, its length, its bytes. */
  readonly present: SharedArrayBuffer;
}

export type FuzzReport =
  | { readonly kind: 'fault'; readonly bytes: Uint8Array; readonly reason: string }
  | {
      readonly kind: 'progress';
      readonly runs: number;
      readonly blocks: number;
      readonly kept: number;
      readonly heapMb: number;
    }
  | { readonly kind: 'end'; readonly runs: number; readonly found: readonly Uint8Array[] };

const BATCH = 1000;
const PROGRESS_MS = 5000;

// Memory is looked at after a collection, or it would be that of the garbage.
setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const task = workerData as FuzzTask;
const counts = new Int32Array(task.present, 0, 2);
const shown = new Uint8Array(task.present, 8);
const random = new Random(task.seed);
// Counting costs: only where it is asked for.
const coverage = new BlockCoverage(task.generated > 0 ? [] : ['/src/openflow/', '/src/wire/']);
const blocks = new Set<string>();
const faults = new Set<string>();
let runs = 0;

const report = (what: FuzzReport): void => parentPort?.postMessage(what);

/** Shows what is looked at now, for whoever watches. */
function begin(bytes: Buffer): void {
  runs += 1;
  shown.set(bytes);
  counts[1] = bytes.length;
  Atomics.add(counts, 0, 1);
}

function fault(bytes: Buffer, reason: string): void {
  // One of each kind: the first words and the place tell it.
  const kind = reason
    .split('\n')
    .slice(0, 2)
    .join(' ')
    .replaceAll(/[0-9a-f]{8,}|\d+/g, '#');
  if (faults.has(kind)) return;
  faults.add(kind);
  report({ kind: 'fault', bytes: Uint8Array.from(bytes), reason });
}

function run(bytes: Buffer): void {
  begin(bytes);
  const reason = faultOf(bytes);
  if (reason !== null) fault(bytes, reason);
}

/** Runs them all; the blocks that had never run before. */
function fresh(inputs: readonly Buffer[]): readonly string[] {
  for (const bytes of inputs) run(bytes);
  return coverage.take().filter((block) => !blocks.has(block));
}

/** Runs the inputs, and finds those that reach something new by halving. */
function explore(inputs: readonly Buffer[]): void {
  const reached = fresh(inputs);
  const [only] = inputs;
  if (reached.length === 0 || only === undefined) return;
  if (inputs.length === 1) {
    for (const block of reached) blocks.add(block);
    corpus.push(only);
    found.push(only);
    return;
  }
  const middle = inputs.length >> 1;
  explore(inputs.slice(0, middle));
  explore(inputs.slice(middle));
}

/** Those of `inputs` that reach what the vectors do not, the shortest first. */
function minimal(inputs: readonly Buffer[]): Buffer[] {
  blocks.clear();
  for (const block of fresh(known)) blocks.add(block);
  return inputs
    .toSorted((a, b) => a.length - b.length)
    .filter((bytes) => {
      const reached = fresh([bytes]);
      for (const block of reached) blocks.add(block);
      return reached.length > 0;
    });
}

function progress(): void {
  if (performance.now() < progressMs) return;
  progressMs = performance.now() + PROGRESS_MS;
  gc();
  const heapMb = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
  report({ kind: 'progress', runs, blocks: blocks.size, kept: found.length, heapMb });
}

const known: readonly Buffer[] = task.known.map((bytes) => Buffer.from(bytes));
let found: Buffer[] = [];
const corpus: Buffer[] = [...known];
const endMs = performance.now() + task.seconds * 1000;
let progressMs = performance.now();

function search(): void {
  found = minimal(task.found.map((bytes) => Buffer.from(bytes)));
  corpus.push(...found);
  while (performance.now() < endMs) {
    explore(Array.from({ length: BATCH }, () => mutate(random, random.pick(corpus), corpus)));
    progress();
  }
  found = minimal(found);
}

function generate(): void {
  for (let done = 0; done < task.generated; done += GENERATED_BATCH) {
    checkGenerated(random, begin, fault);
    progress();
  }
}

if (task.generated > 0) generate();
else search();
report({ kind: 'end', runs, found: found.map((bytes) => Uint8Array.from(bytes)) });
