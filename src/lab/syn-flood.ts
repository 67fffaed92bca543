// A SYN flood out of a VM (mininet/syn_flood.py), and the count of what of it arrives at its victim: by capture, each SYN told by its
// number.

import { join } from 'node:path';
import { addressKey, readCaptureFile } from './capture-file.ts';
import { startProgram } from './child-process.ts';
import { within } from './deadline.ts';
import { LabError } from './lab-error.ts';
import { packageRoot } from './package-root.ts';
import type { IpVersion } from './syn-guard.ts';
import type { Testbed, TestbedVm } from './testbed.ts';

const PYTHON = '/usr/bin/python3';
const END_TIMEOUT_MS = 30_000;
const SYN = 0x02;
const ACK = 0x10;
const TCP = 6;
/** Nobody listens there: the victim answers with a reset. */
export const FLOOD_PORT = 9;

export interface Flood {
  /** Ends it, or waits for its end; how many SYNs it has sent. */
  end(): Promise<number>;
  ended(): Promise<number>;
}

export interface FloodPlan {
  readonly version: IpVersion;
  readonly perSecond: number;
  /** Number of its first SYN. */
  readonly first: number;
  /** Undefined: until it is ended. */
  readonly count?: number;
  readonly logFile: string;
}

export const addressOf = (vm: TestbedVm, version: IpVersion): string => (version === 'v4' ? vm.ipv4 : vm.ipv6);

/** From VM1 of a tenant to VM3 of the same. The VM's freezing holds it up, too. */
export async function startFlood(testbed: Testbed, tenant: string, plan: FloodPlan): Promise<Flood> {
  const { version, perSecond, first, count, logFile } = plan;
  const [vm, victim] = [testbed.vm(`vm1-${tenant}`), testbed.vm(`vm3-${tenant}`)];
  const said = Promise.withResolvers<number>();
  const program = startProgram({
    name: `the SYN flood of ${vm.name}`,
    command: PYTHON,
    args: [
      join(packageRoot, 'mininet/syn_flood.py'),
      addressOf(vm, version),
      addressOf(victim, version),
      ...['--port', String(FLOOD_PORT), '--rate', String(perSecond), '--first', String(first)],
      ...(count === undefined ? [] : ['--count', String(count)]),
    ],
    netns: vm.netns,
    logFile,
    onLine: (line) => {
      said.resolve((JSON.parse(line) as { sent: number }).sent);
    },
  });
  void program.ended.then((why) => {
    said.reject(new LabError('PROCESS_ENDED', `${program.name} ${why}: ${program.complaint}`));
  });
  said.promise.catch(() => undefined); // whoever ends it hears of it
  await testbed.adopt(vm.name, program.pid);
  const ended = (): Promise<number> => within(END_TIMEOUT_MS, `${program.name} to end`, said.promise);
  return {
    ended,
    end: async () => {
      // Its standard input ends; it says what it has sent, and exits.
      await program.stop({ signal: null });
      return ended();
    },
  };
}

export interface SynsSeen {
  /** Different ones. */
  readonly arrived: number;
  /** That arrived more than once. */
  readonly twice: number;
}

/** SYNs of the VM in a capture of its victim's port, which has no VLAN tag. */
export function synsSeen(files: readonly string[], vm: TestbedVm, version: IpVersion): SynsSeen {
  const source = addressKey(addressOf(vm, version));
  const times = new Map<number, number>();
  for (const file of files) {
    readCaptureFile(file, (p) => {
      if (p.protocol !== TCP || p.source !== source || p.destinationPort !== FLOOD_PORT) return;
      if ((p.flags & (SYN | ACK)) !== SYN) return;
      times.set(p.sequence, (times.get(p.sequence) ?? 0) + 1);
    });
  }
  return { arrived: times.size, twice: [...times.values()].filter((n) => n > 1).length };
}
