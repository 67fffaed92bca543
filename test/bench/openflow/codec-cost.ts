// What it costs to decode and to encode each type of message: nanoseconds, and bytes allocated. A process of its own,
// because it wants a collector that does not run in between: `node --expose-gc --min-semi-space-size=64
// --max-semi-space-size=64 codec-cost.ts [NAME]` prints JSON.

import { decodeMessage, encodeFrame, writeMessage } from '../../../src/openflow/message.ts';
import { Writer } from '../../../src/wire/writer.ts';
import { messageSamples } from './message-samples.ts';
import type { MessageSample } from './message-samples.ts';

export interface Cost {
  readonly ns: number;
  /** Allocated: objects, and buffers that are not views. */
  readonly bytes: number;
}

export interface CodecCost {
  readonly version: string;
  readonly name: string;
  readonly length: number;
  readonly decode: Cost;
  readonly encode: Cost;
}

const WARM_UP_MS = 40;
const BATCHES = 15;
const BATCH_MS = 4;
const ALLOCATION_RUNS = 1000;

/** Keeps results alive, so that nothing is left out. */
export let sink: unknown = null;

function cost(operation: () => unknown): Cost {
  const until = performance.now() + WARM_UP_MS;
  let runs = 0;
  while (performance.now() < until) {
    for (let i = 0; i < 50; i += 1) sink = operation();
    runs += 50;
  }
  const perBatch = Math.max(20, Math.round((runs * BATCH_MS) / WARM_UP_MS));
  const times: number[] = [];
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const from = process.hrtime.bigint();
    for (let i = 0; i < perBatch; i += 1) sink = operation();
    times.push(Number(process.hrtime.bigint() - from) / perBatch);
  }
  // The least: what else the machine does only adds to it.
  return { ns: Math.round(Math.min(...times)), bytes: allocated(operation) };
}

function allocated(operation: () => unknown): number {
  if (globalThis.gc === undefined) return Number.NaN;
  globalThis.gc();
  const before = process.memoryUsage();
  for (let i = 0; i < ALLOCATION_RUNS; i += 1) sink = operation();
  const after = process.memoryUsage();
  const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
  return Math.max(0, Math.round(grown / ALLOCATION_RUNS));
}

function costOf({ version, name, bytes, frame }: MessageSample): CodecCost {
  // Into one writer, as the outbox does.
  const w = new Writer(bytes.length);
  const { reserved = null } = frame;
  return {
    version,
    name,
    length: bytes.length,
    decode: cost(() => decodeMessage(bytes)),
    encode: cost(() => {
      w.truncate(0);
      writeMessage(w, frame.version, frame.xid, frame.message, reserved);
    }),
  };
}

const wanted = process.argv[2] ?? '';
const costs: CodecCost[] = [];
const samples = messageSamples();
// A process that speaks one kind of message is not what is to be measured: the code is to have seen all of them.
for (let i = 0; i < 300; i += 1) for (const { bytes } of samples) sink = encodeFrame(decodeMessage(bytes));
for (const sample of samples) if (`${sample.version} ${sample.name}`.includes(wanted)) costs.push(costOf(sample));
console.log(JSON.stringify(costs));
