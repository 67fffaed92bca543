// An Open vSwitch of our own for one test run: real ovs-vswitchd and ovsdb-server in a temporary directory, with the dummy
// datapath, so that it needs no root and meets nobody else's. The links of Figure 1 are patch ports.

import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Dpid } from '../../src/base/ids.ts';
import type { FakeLink } from '../fakes/fake-network.ts';
import type { NveView } from '../../flows/world.ts';

const run = promisify(execFile);
const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';

/** Why there can be no Open vSwitch here, or null. */
export async function ovsMissing(): Promise<string | null> {
  try {
    await run('ovs-vswitchd', ['--version']);
    await run('ovsdb-tool', ['schema-version', SCHEMA]);
    return null;
  } catch (error) {
    return `no Open vSwitch: ${(error as Error).message}`;
  }
}

export const bridgeName = (id: Dpid): string => `nve${Number.parseInt(id, 16)}`;
export const portName = (id: Dpid, port: number): string => `${bridgeName(id)}p${port}`;

export class PrivateOvs {
  readonly #directory: string;
  readonly #children: ChildProcess[] = [];

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async start(): Promise<PrivateOvs> {
    const ovs = new PrivateOvs(await mkdtemp(join(tmpdir(), 'flows-ovs-')));
    await run('ovsdb-tool', ['create', ovs.#path('conf.db'), SCHEMA]);
    const common = ['--no-chdir', '-vconsole:off', '-vsyslog:off'];
    ovs.#spawn('ovsdb-server', [
      ...common,
      `--unixctl=${ovs.#path('db.ctl')}`,
      `--remote=punix:${ovs.#path('db.sock')}`,
      ovs.#path('conf.db'),
    ]);
    await ovs.#until(() => ovs.vsctl('--no-wait', 'init'));
    ovs.#spawn('ovs-vswitchd', [
      ...common,
      '--enable-dummy',
      '--disable-system',
      `--unixctl=${ovs.#path('vs.ctl')}`,
      `unix:${ovs.#path('db.sock')}`,
    ]);
    await ovs.#until(() => ovs.appctl('version'));
    return ovs;
  }

  /** Bridges for the NVEs; ports in `links` are patch ports, the others dummies. */
  async build(
    nves: readonly NveView[],
    links: readonly FakeLink[],
    controller: string,
    protocols: string,
  ): Promise<void> {
    const peers = new Map<string, string>();
    for (const { a, b } of links) {
      peers.set(portName(a.nve, a.port), portName(b.nve, b.port));
      peers.set(portName(b.nve, b.port), portName(a.nve, a.port));
    }
    for (const nve of nves) {
      const br = bridgeName(nve.dpid);
      const commands = [
        ['add-br', br],
        ['set', 'bridge', br, 'datapath_type=dummy', 'fail_mode=secure', `protocols=${protocols}`],
        ['set', 'bridge', br, `other-config:datapath-id=${nve.dpid}`],
      ];
      for (const { no } of nve.ports) {
        const name = portName(nve.dpid, no);
        const peer = peers.get(name);
        const type = peer === undefined ? ['type=dummy'] : ['type=patch', `options:peer=${peer}`];
        commands.push(['add-port', br, name], ['set', 'interface', name, ...type, `ofport_request=${no}`]);
      }
      commands.push(['set-controller', br, controller], ['set', 'controller', br, 'connection-mode=out-of-band']);
      await this.vsctl(...commands.flatMap((c, i) => (i === 0 ? c : ['--', ...c])));
    }
  }

  async vsctl(...args: readonly string[]): Promise<string> {
    return (await run('ovs-vsctl', [`--db=unix:${this.#path('db.sock')}`, '--timeout=10', ...args])).stdout;
  }

  async appctl(...args: readonly string[]): Promise<string> {
    return (await run('ovs-appctl', ['-t', this.#path('vs.ctl'), '--timeout=10', ...args])).stdout;
  }

  /** The flow table as ovs-ofctl prints it. */
  async dumpFlows(id: Dpid, protocol: string): Promise<string> {
    const target = `unix:${this.#path(`${bridgeName(id)}.mgmt`)}`;
    const env = { ...process.env, OVS_RUNDIR: this.#directory };
    return (await run('ovs-ofctl', ['-O', protocol, 'dump-flows', target], { env })).stdout;
  }

  /** What ofproto/trace says happens to a frame: where it comes out, whether the controller gets it, the whole text. */
  async trace(id: Dpid, port: number, frame: Buffer): Promise<{ out: string[]; actions: string; text: string }> {
    const text = await this.appctl('ofproto/trace', bridgeName(id), `in_port=${port}`, frame.toString('hex'));
    const actions = /^Datapath actions: (.*)$/m.exec(text)?.[1] ?? '';
    const names = await this.#datapathPorts();
    const top = actions.replace(/[a-z_0-9]+\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g, '');
    const out = top.split(',').flatMap((token) => names.get(token.trim()) ?? []);
    return { out: out.sort(), actions, text };
  }

  /** A frame comes in at a port of the datapath itself. */
  async receive(id: Dpid, port: number, frame: Buffer): Promise<void> {
    await this.appctl('netdev-dummy/receive', portName(id, port), frame.toString('hex'));
  }

  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #datapathPorts(): Promise<Map<string, string>> {
    const shown = await this.appctl('dpif/show');
    return new Map([...shown.matchAll(/^\s+(\S+) \d+\/(\d+):/gm)].map((m) => [m[2] ?? '', m[1] ?? '']));
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }

  #spawn(program: string, args: readonly string[]): void {
    const env = { ...process.env, OVS_RUNDIR: this.#directory, OVS_DBDIR: this.#directory };
    this.#children.push(spawn(program, args, { env, stdio: 'ignore' }));
  }

  /** Until a command succeeds; the last failure when the children end or ten seconds are over. */
  async #until(attempt: () => Promise<unknown>): Promise<void> {
    const deadline = performance.now() + 10_000;
    for (;;) {
      try {
        await attempt();
        return;
      } catch (error) {
        if (performance.now() > deadline || this.#children.some((c) => c.exitCode !== null)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}
