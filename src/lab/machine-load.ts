// How busy the machine's processors are, all programs together: what a lab measures on a machine without time to spare is the
// machine.

import { readFileSync } from 'node:fs';

/** Above this nothing that was timed speaks of the network alone. */
export const OVERLOADED = 0.9;

export interface ProcessorTime {
  /** In clock ticks, over all processors since the start. */
  readonly idle: number;
  readonly total: number;
}

/** proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; guest time is in user time already. */
export function processorTime(stat = readFileSync('/proc/stat', 'latin1')): ProcessorTime {
  const ticks = (stat.split('\n', 1)[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number);
  const [, , , idle = 0, waiting = 0] = ticks;
  return { idle: idle + waiting, total: ticks.reduce((sum, each) => sum + each, 0) };
}

/** 0 to 1. */
export function busyShare(before: ProcessorTime, after: ProcessorTime): number {
  const total = after.total - before.total;
  return total <= 0 ? 0 : 1 - (after.idle - before.idle) / total;
}
