// Drives mininet/testbed.py for the tests of the testbed itself: JSON lines, nothing of src/lab, so that the protocol is checked
// as it is written in mininet/README.md.
import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';

export const PYTHON = '/usr/bin/python3';
export const MININET = new URL('../../mininet/', import.meta.url).pathname;
export const LOCK_WAIT_MS = 120_000;
const CONDITION_TIMEOUT_MS = 20_000;

type Json = Readonly<Record<string, unknown>>;

export interface Ready {
  readonly run: string;
  readonly datapath: string;
  readonly delayLine: string;
  readonly nves: readonly { name: string; dpid: number; server: string }[];
  readonly ports: readonly { nve: string; name: string; ofport: number; role: string }[];
  readonly firewalls: readonly { name: string; netns: string; managementAddress: string; pid: number }[];
  readonly vms: readonly { name: string; netns: string; pid: number; mac: string; vap: string; nve: string }[];
}

interface Place {
  readonly server: string;
  readonly nve: string;
  readonly vap: string;
  readonly ofport: number;
}

export interface Moved {
  readonly from: Place;
  readonly to: Place;
  readonly freezeRequestedAt: number;
  readonly frozenAt: number;
  readonly unplugRequestedAt: number;
  readonly unpluggedAt: number;
  readonly plugRequestedAt: number;
  readonly pluggedAt: number;
  readonly thawedAt: number;
  readonly announcedAt: number | null;
}

export class RequestRefused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** Why the testbed cannot run on this machine; undefined if it can. */
export function reasonToSkip(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root';
  for (const tool of [
    '/usr/bin/mnexec',
    '/usr/bin/ovs-vsctl',
    '/usr/sbin/nft',
    '/usr/sbin/conntrack',
    '/usr/bin/tcpdump',
  ]) {
    if (!existsSync(tool)) return `${tool} is not installed`;
  }
  try {
    execFileSync('ovs-vsctl', ['--timeout=5', 'show'], { stdio: 'ignore' });
  } catch {
    return 'Open vSwitch does not run';
  }
  return undefined;
}

export function shell(command: string): string {
  return execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Waits for a condition, not for ever. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + CONDITION_TIMEOUT_MS;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error(`not within ${CONDITION_TIMEOUT_MS} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export class TestbedSession {
  readonly process: ChildProcessWithoutNullStreams;
  readonly events: Json[] = [];
  readonly ended: Promise<number | null>;
  fatal: { code: string; message: string } | undefined;
  private readonly lines: Interface;
  private readonly waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  private nextId = 1;

  constructor() {
    this.process = spawn(PYTHON, [`${MININET}testbed.py`], { stdio: 'pipe' });
    this.process.stderr.pipe(process.stderr);
    this.process.stdin.on('error', () => undefined); // its end is told by `ended`
    this.lines = createInterface({ input: this.process.stdout });
    this.lines.on('line', (line) => this.accept(JSON.parse(line) as Json));
    this.ended = new Promise((resolve) => {
      this.process.on('close', (status) => {
        resolve(status);
        for (const { reject } of this.waiting.values()) reject(new Error(`ended: ${JSON.stringify(this.fatal)}`));
      });
    });
  }

  async start(options: Json): Promise<Ready> {
    return (await this.call('start', { options: { controller: null, lockWaitMs: LOCK_WAIT_MS, ...options } })) as Ready;
  }

  async move(args: Json): Promise<Moved> {
    return (await this.call('move', args)) as Moved;
  }

  async exec(node: string, command: string): Promise<string> {
    const result = await this.call('exec', { node, argv: ['/bin/sh', '-c', command], timeoutMs: 20_000 });
    const { status, stdout, stderr } = result as { status: number; stdout: string; stderr: string };
    if (status !== 0) throw new Error(`${node}: ${command}: status ${status}: ${stdout}${stderr}`);
    return stdout;
  }

  async counter(firewall: string, name: string): Promise<number> {
    const all = (await this.call('counters')) as Record<string, Record<string, { packets: number }>>;
    return all[firewall]![name]!.packets;
  }

  call(cmd: string, args: Json = {}): Promise<unknown> {
    if (this.process.exitCode !== null) return Promise.reject(new Error(`ended: ${JSON.stringify(this.fatal)}`));
    const id = this.nextId++;
    this.process.stdin.write(JSON.stringify({ id, cmd, ...args }) + '\n');
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null) await this.call('stop');
    await this.ended;
  }

  private accept(message: Json): void {
    if (message['type'] === 'event') this.events.push(message);
    if (message['type'] === 'fatal') this.fatal = message['error'] as { code: string; message: string };
    if (message['type'] !== 'reply') return;
    const waiting = this.waiting.get(message['id'] as number);
    this.waiting.delete(message['id'] as number);
    if (message['ok'] === true) waiting?.resolve(message['result']);
    else {
      const error = message['error'] as { code: string; message: string };
      waiting?.reject(new RequestRefused(error.code, error.message));
    }
  }
}
