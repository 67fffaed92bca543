// In place of src/netlink/start-kernel-worker.ts: the worker's program is in the single file too.

import { getAsset } from 'node:sea';
import { Worker } from 'node:worker_threads';

import type { KernelWorkerData } from '../../src/netlink/start-kernel-worker.ts';

export function startKernelWorker(data: KernelWorkerData): Worker {
  return new Worker(getAsset('kernel-worker.js', 'utf8'), {
    eval: true,
    workerData: data,
    transferList: [data.channel],
  });
}
