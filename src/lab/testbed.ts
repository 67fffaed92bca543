// The testbed (mininet/testbed.py) as the lab drives it: the JSON lines of mininet/README.md, typed.

import { join } from 'node:path';
import { LabError } from './lab-error.ts';
import { packageRoot } from './package-root.ts';
import { openRequestLine, type RequestLine } from './request-line.ts';

/** Mininet is a package of the system's own Python. */
const PYTHON = '/usr/bin/python3';
const START_TIMEOUT_MS = 90_000;
const GUEST_START_MS = 2000;
const STOP_TIMEOUT_MS = 60_000;

export type Announce = 'rarp' | 'garp' | 'none';

export interface TestbedOptions {
  readonly topology?: 'figure1' | 'single';
  readonly mode: 'firewall' | 'wire' | 'normal';
  readonly controller?: string | null;
  readonly delayMs?: number;
  readonly peerServer?: number;
  /** More VMs of tenant a on Server1, `vm101-a` and so on. */
  readonly guests?: number;
  /** Of the firewalls; a path. */
  readonly ruleset?: string;
  /** A firewall in every server, between its VMs and its NVE. */
  readonly hypervisorFirewalls?: boolean;
  /** How long to wait for another testbed of this machine to end. */
  readonly lockWaitMs?: number;
}

export interface TestbedVm {
  readonly name: string;
  readonly vm: number;
  readonly tenant: string;
  readonly vlan: number;
  readonly pid: number;
  readonly netns: string;
  readonly nic: string;
  readonly mac: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly server: string;
  readonly nve: string;
  readonly vap: string;
}

interface TestbedStateHost {
  readonly name: string;
  readonly pid: number;
  readonly netns: string;
  readonly managementAddress: string;
  readonly zones: Readonly<Record<string, number>>;
}

export interface TestbedFirewall extends TestbedStateHost {
  readonly bridge: string;
  readonly dataPorts: readonly { readonly name: string; readonly mac: string; readonly link: string }[];
}

/** Between the VMs of a server and its NVE. Has a place for every VM, whether it is there or not. */
export interface TestbedHypervisorFirewall extends TestbedStateHost {
  readonly server: string;
  readonly guards: readonly {
    readonly vm: string;
    readonly vlan: number;
    readonly vmPort: string;
    readonly nvePort: string;
  }[];
}

export interface TestbedReady {
  readonly datapath: string;
  readonly mode: string;
  readonly delayLine: string;
  readonly nves: readonly {
    readonly name: string;
    readonly dpid: number;
    readonly server: string;
    readonly bridge: string;
  }[];
  readonly links: readonly { readonly name: string; readonly delayMs: number }[];
  readonly firewalls: readonly TestbedFirewall[];
  readonly hypervisorFirewalls: readonly TestbedHypervisorFirewall[];
  readonly management: { readonly bridge: string; readonly address: string };
  readonly vms: readonly TestbedVm[];
}

/** One move of a VM, stamped by the testbed in epoch milliseconds. */
export interface TestbedMove {
  readonly vm: string;
  readonly from: { readonly server: string; readonly nve: string; readonly vap: string };
  readonly to: { readonly server: string; readonly nve: string; readonly vap: string };
  readonly frozenAt: number;
  readonly unplugRequestedAt: number;
  readonly unpluggedAt: number;
  readonly plugRequestedAt: number;
  readonly pluggedAt: number;
  readonly thawedAt: number;
  readonly announcedAt: number | null;
}

export interface MoveRequest {
  readonly vm: string;
  readonly server: string;
  readonly blackoutMs: number;
  readonly announce: Announce;
  readonly oldPort?: 'down' | 'up';
}

export type NftCounters = Readonly<Record<string, Readonly<Record<string, { readonly packets: number }>>>>;

export interface Testbed {
  readonly ready: TestbedReady;
  vm(name: string): TestbedVm;
  firewall(name: string): TestbedFirewall;
  adopt(vm: string, pid: number): Promise<void>;
  move(request: MoveRequest): Promise<TestbedMove>;
  counters(): Promise<NftCounters>;
  /** Both ends of a link lose or get their carrier; when, in epoch milliseconds. */
  setLink(link: string, up: boolean): Promise<number>;
  /** Takes everything down. */
  stop(): Promise<void>;
}

export async function startTestbed(
  options: TestbedOptions,
  io: { logFile: string; progress: (text: string) => void },
): Promise<Testbed> {
  let fatal = '';
  const line = openRequestLine({
    program: {
      name: 'the testbed',
      command: PYTHON,
      args: [join(packageRoot, 'mininet/testbed.py')],
      logFile: io.logFile,
    },
    encode: (id, cmd, args) => ({ id, cmd, ...args }),
    decode: (message) => {
      if (message['type'] === 'reply') return decodeReply(message);
      return { id: null, other: message };
    },
    onOther: (message) => {
      const { type, text, error } = message as {
        type?: string;
        text?: string;
        error?: { code: string; message: string };
      };
      if (type === 'progress') io.progress(text ?? '');
      if (type === 'fatal') fatal = `${error?.code}: ${error?.message}`;
    },
  });
  try {
    const timeoutMs = START_TIMEOUT_MS + (options.guests ?? 0) * GUEST_START_MS + (options.lockWaitMs ?? 0);
    const ready = (await line.request('start', { options }, timeoutMs)) as TestbedReady;
    return testbed(line, ready);
  } catch (error) {
    await line.program.stop({ signal: null, graceMs: STOP_TIMEOUT_MS });
    if (fatal !== '') throw new LabError('NOT_POSSIBLE', `the testbed did not start: ${fatal}`, { cause: error });
    throw error;
  }
}

function decodeReply(message: Record<string, unknown>): { id: number; result?: unknown; error?: string } {
  const id = Number(message['id']);
  if (message['ok'] === true) return { id, result: message['result'] };
  const error = message['error'] as { code?: string; message?: string } | undefined;
  return { id, error: `${error?.code ?? 'error'}: ${error?.message ?? ''}` };
}

function testbed(line: RequestLine, ready: TestbedReady): Testbed {
  return {
    ready,
    vm: (name) => {
      const vm = ready.vms.find((v) => v.name === name);
      if (vm === undefined) throw new LabError('BAD_ANSWER', `the testbed has no VM ${name}`);
      return vm;
    },
    firewall: (name) => {
      const firewall = ready.firewalls.find((f) => f.name === name);
      if (firewall === undefined) throw new LabError('BAD_ANSWER', `the testbed has no ${name}`);
      return firewall;
    },
    adopt: async (vm, pid) => {
      await line.request('adopt', { vm, pid }, 10_000);
    },
    move: async (request) => (await line.request('move', { ...request }, 15_000 + request.blackoutMs)) as TestbedMove,
    counters: async () => (await line.request('counters', {}, 10_000)) as NftCounters,
    setLink: async (link, up) => {
      const done = (await line.request(up ? 'linkup' : 'linkdown', { link }, 10_000)) as { at: number };
      return done.at;
    },
    stop: async () => {
      // End of input is the testbed's stop, also when it is busy.
      await line.program.stop({ signal: null, graceMs: STOP_TIMEOUT_MS });
    },
  };
}
