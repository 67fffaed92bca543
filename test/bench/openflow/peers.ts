// The controllers that get the same load in one run, each a process of its own on one CPU.

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const LOAD_CPU = 0;
export const CONTROLLER_CPU = 1;

const STOP_MS = 3000;

export interface Peer {
  readonly name: string;
  /** Versions it speaks; null: all. */
  readonly versions: readonly string[] | null;
  readonly present: () => boolean;
  /** What to do where it is not. */
  readonly howToGet?: string;
  readonly command: (port: number) => readonly string[];
}

const program = (name: string): string => join(import.meta.dirname, name);
const node = (file: string, port: number): readonly string[] => [process.execPath, program(file), `${port}`];
const isInstalled = (name: string): boolean => spawnSync('which', [name], { stdio: 'ignore' }).status === 0;

export const PEERS: readonly Peer[] = [
  {
    name: 'stateferry',
    versions: null,
    present: () => true,
    command: (port) => node('learning-switch.ts', port),
  },
  {
    name: 'ovs-testcontroller',
    versions: null,
    present: () => isInstalled('ovs-testcontroller'),
    howToGet: 'apt-get install openvswitch-testcontroller',
    command: (port) => [
      'ovs-testcontroller',
      '-vconsole:emer',
      '-O',
      'OpenFlow10,OpenFlow13,OpenFlow14,OpenFlow15',
      `ptcp:${port}:127.0.0.1`,
    ],
  },
  {
    name: 'bare responder',
    versions: ['1.3'],
    present: () => true,
    command: (port) => node('bare-responder.ts', port),
  },
];

export const missingPeers = (): readonly { readonly name: string; readonly howToGet: string }[] =>
  PEERS.filter((peer) => !peer.present()).map(({ name, howToGet = '' }) => ({ name, howToGet }));

/** The same command bound to one CPU, where there is more than one and taskset to do it. */
export function pinned(cpu: number, command: readonly string[]): readonly string[] {
  return availableParallelism() > 1 && isInstalled('taskset') ? ['taskset', '-c', `${cpu}`, ...command] : command;
}

export interface RunningPeer {
  readonly port: number;
  readonly pid: number;
  /** Most resident memory so far. */
  peakMb(): number;
  /** Resident memory now. */
  residentMb(): number;
  stop(): Promise<void>;
}

export async function startPeer(command: (port: number) => readonly string[]): Promise<RunningPeer> {
  const port = await freePort();
  const [file = '', ...args] = pinned(CONTROLLER_CPU, command(port));
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill();
    // One that is too busy to hear of it must not keep the benchmark.
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
  };
  try {
    await accepting(port, child);
  } catch (error) {
    await stop();
    throw error;
  }
  const { pid = 0 } = child;
  return { port, pid, stop, peakMb: () => memoryMb(pid, 'VmHWM'), residentMb: () => memoryMb(pid, 'VmRSS') };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function accepting(port: number, child: ChildProcess): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (performance.now() < deadlineMs) {
    if (child.exitCode !== null) throw new Error(`the controller ended with ${child.exitCode}`);
    const socket = connect({ host: '127.0.0.1', port });
    const isOpen = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen === true) return;
    await sleep(20);
  }
  throw new Error('the controller does not listen');
}

export function memoryMb(pid: number, what: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(new RegExp(`^${what}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0) / 1024);
}
