// The worker is a file beside this one, in whichever form this one runs. A program that is one single file brings another
// `startKernelWorker` (scripts/single-file).

import { Worker, type MessagePort } from 'node:worker_threads';
import type { WorkerOptions } from './worker-protocol.ts';

export interface KernelWorkerData {
  readonly options: WorkerOptions;
  readonly channel: MessagePort;
}

export function startKernelWorker(data: KernelWorkerData): Worker {
  const file = import.meta.url.endsWith('.ts') ? './kernel-worker.ts' : './kernel-worker.js';
  return new Worker(new URL(file, import.meta.url), { workerData: data, transferList: [data.channel] });
}
