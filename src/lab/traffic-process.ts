// One traffic process (traffic/main.ts) inside a VM, typed by its protocol.

import type { Testbed } from './testbed.ts';
import type { TrafficOp, TrafficOps } from './traffic/protocol.ts';
import { programFile } from './package-root.ts';
import { openRequestLine } from './request-line.ts';

export interface TrafficProcess {
  readonly pid: number;
  /** Waits at most `timeoutMs`: beyond what the op itself may take, plus a freeze of the VM. */
  call<K extends TrafficOp>(op: K, args: TrafficOps[K]['args'], timeoutMs?: number): Promise<TrafficOps[K]['result']>;
  stop(): Promise<void>;
}

const CALL_TIMEOUT_MS = 15_000;

/** `niceness` below 0 for what measures time, 0 for load. */
export function startTraffic(options: {
  name: string;
  netns?: string;
  niceness: number;
  logFile?: string;
}): TrafficProcess {
  const line = openRequestLine({
    program: { ...options, command: process.execPath, args: [programFile('traffic/main')] },
    encode: (id, op, args) => ({ id, op, args }),
    decode: ({ id, result, error }) => ({
      id: Number(id),
      result,
      ...(typeof error === 'string' ? { error } : {}),
    }),
  });
  return {
    pid: line.program.pid,
    call: (op, args, timeoutMs = CALL_TIMEOUT_MS) =>
      line.request(op, args, timeoutMs) as Promise<TrafficOps[typeof op]['result']>,
    stop: () => line.program.stop(),
  };
}

/** The same, inside a VM of the testbed, which freezes it with the VM. */
export async function startTrafficInVm(
  testbed: Testbed,
  vm: string,
  options: { role: string; niceness: number; logFile: string },
): Promise<TrafficProcess> {
  const { role, ...rest } = options;
  const traffic = startTraffic({ name: `${role} in ${vm}`, netns: testbed.vm(vm).netns, ...rest });
  await testbed.adopt(vm, traffic.pid);
  return traffic;
}
