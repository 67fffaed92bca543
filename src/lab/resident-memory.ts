// How much memory programs hold while something goes on, by /proc: before it, and at most.

import { readFileSync } from 'node:fs';

const EVERY_MS = 100;

export interface Watched {
  readonly program: string;
  readonly before: number;
  readonly peak: number;
}

/** `pids`: by the program's name. The returned function ends it. In bytes. */
export function watchMemory(pids: ReadonlyMap<string, number>): () => readonly Watched[] {
  const seen = new Map([...pids].map(([program, pid]) => [program, { pid, before: residentBytes(pid), peak: 0 }]));
  const look = (): void => {
    for (const one of seen.values()) one.peak = Math.max(one.peak, residentBytes(one.pid));
  };
  const timer = setInterval(look, EVERY_MS);
  return () => {
    clearInterval(timer);
    look();
    return [...seen].map(([program, { before, peak }]) => ({ program, before, peak }));
  };
}

/** proc(5), /proc/pid/status: VmRSS in KiB. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
