// An Open vSwitch of its own for the OpenFlow tests: own database, own daemons, own run directory, own network namespace, so
// that nothing of the machine's is touched (TLS configuration is global to a daemon; two userspace datapaths in one
// namespace fight for the device `ovs-netdev`). Ended by process id.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCHEMA = '/usr/share/openvswitch/vswitch.ovsschema';
const WAIT_MS = 10_000;
/** Our end of the cable. */
const OUTSIDE = `of${process.pid}o`;

/** Why these tests cannot run here; null if they can. */
export function reasonToSkip(): string | null {
  if (process.getuid?.() !== 0) return 'not root';
  if (!existsSync(SCHEMA) || !existsSync('/usr/sbin/ovs-vswitchd')) return 'no Open vSwitch';
  if (!existsSync('/dev/net/tun')) return 'no /dev/net/tun';
  return existsSync('/usr/bin/openssl') ? null : 'no openssl';
}

/** Asks until the answer is not null; for conditions that no event tells of. */
export async function until<T>(what: string, ask: () => T | null): Promise<T> {
  for (const start = Date.now(); Date.now() - start < WAIT_MS;) {
    const answer = ask();
    if (answer !== null) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not in ${WAIT_MS} ms: ${what}`);
}

/** A /30 of the benchmarking range for the cable between the namespaces, by process so that runs do not collide. */
function cable(): { readonly here: string; readonly there: string } {
  const network = `198.18.${(process.pid >> 6) & 0xff}`;
  const first = (process.pid & 0x3f) * 4;
  return { here: `${network}.${first + 1}`, there: `${network}.${first + 2}` };
}

export class PrivateOvs {
  /** Where a controller listens that this Open vSwitch can reach. */
  readonly controllerHost = cable().here;
  /** Where it listens itself, if it is told to. */
  readonly switchHost = cable().there;
  readonly #hosts: string[] = [];
  readonly #namespace = `of-${process.pid}`;
  readonly folder = mkdtempSync(join(tmpdir(), 'of-ovs-'));
  readonly #daemons: ChildProcess[] = [];
  readonly #bridges = new Set<string>();
  readonly #env = { ...process.env, OVS_RUNDIR: this.folder, OVS_DBDIR: this.folder, OVS_LOGDIR: this.folder };

  async start(): Promise<void> {
    const db = join(this.folder, 'db.sock');
    this.#addNamespace();
    execFileSync('ovsdb-tool', ['create', join(this.folder, 'conf.db'), SCHEMA]);
    const options = (name: string): string[] => [
      `--unixctl=${join(this.folder, `${name}.ctl`)}`,
      `--log-file=${join(this.folder, `${name}.log`)}`,
      '-vconsole:off',
    ];
    this.#daemon('ovsdb-server', [`--remote=punix:${db}`, ...options('ovsdb'), join(this.folder, 'conf.db')]);
    await until('ovsdb-server listens', () => (existsSync(db) ? true : null));
    this.vsctl('--no-wait', 'init');
    this.#daemon('ovs-vswitchd', [`unix:${db}`, ...options('vswitchd'), '--disable-system']);
    await until('ovs-vswitchd runs', () => (existsSync(join(this.folder, 'vswitchd.ctl')) ? true : null));
  }

  /** The process of ovs-vswitchd. */
  get vswitchd(): ChildProcess {
    const daemon = this.#daemons[1];
    if (daemon === undefined) throw new Error('not started');
    return daemon;
  }

  vsctl(...args: readonly string[]): string {
    return this.#run('ovs-vsctl', [`--db=unix:${join(this.folder, 'db.sock')}`, '--timeout=10', ...args]);
  }

  ofctl(version: string, ...args: readonly string[]): string {
    const [command = '', bridge = '', ...more] = args;
    return this.#run('ovs-ofctl', ['-O', version, '--no-names', command, join(this.folder, `${bridge}.mgmt`), ...more]);
  }

  /** The flows of a bridge as ovs-ofctl prints them without counters, sorted. */
  flows(version: string, bridge: string): string[] {
    const [command, options] = ['dump-flows', '--no-stats'];
    return this.ofctl(version, command, bridge, options)
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line.startsWith('cookie='))
      .sort();
  }

  /** A userspace bridge in secure mode that speaks this version only. */
  addBridge(name: string, version: string): void {
    this.#bridges.add(name);
    const settings = ['datapath_type=netdev', 'fail_mode=secure', `protocols=${version}`];
    this.vsctl('add-br', name, '--', 'set', 'bridge', name, ...settings);
  }

  /** A host on a port of the bridge, in a namespace of its own; what it answers is whether it reaches another. */
  addHost(bridge: string, address: string): { readonly ping: (to: string) => boolean } {
    const n = this.#hosts.length;
    const [host, port] = [`ofh-${process.pid}-${n}`, `h${process.pid % 1_000_000}-${n}`];
    const ip = (...args: readonly string[]): unknown => execFileSync('ip', args);
    ip('netns', 'add', host);
    this.#hosts.push(host);
    ip('-n', this.#namespace, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', host);
    ip('-n', this.#namespace, 'link', 'set', port, 'up');
    ip('-n', host, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', host, 'link', 'set', 'eth0', 'up');
    this.vsctl('add-port', bridge, port);
    const exec = ['netns', 'exec', host, 'ping', '-c', '1', '-W', '1'];
    return { ping: (to) => spawnSync('ip', [...exec, to], { stdio: 'ignore' }).status === 0 };
  }

  deleteBridge(name: string): void {
    this.vsctl('--if-exists', 'del-br', name);
    this.#bridges.delete(name);
  }

  async stop(): Promise<void> {
    for (const name of [...this.#bridges]) this.deleteBridge(name);
    for (const daemon of this.#daemons.reverse()) {
      const gone = new Promise((resolve) => daemon.once('exit', resolve));
      if (daemon.exitCode === null && daemon.kill('SIGTERM')) await gone;
    }
    spawnSync('ip', ['link', 'delete', OUTSIDE]); // with the namespace it would go some time later
    for (const namespace of [...this.#hosts, this.#namespace]) spawnSync('ip', ['netns', 'delete', namespace]);
    rmSync(this.folder, { recursive: true });
  }

  #addNamespace(): void {
    const inside = `of${process.pid}i`;
    const { here, there } = cable();
    const ip = (...args: readonly string[]): unknown => execFileSync('ip', args);
    ip('netns', 'add', this.#namespace);
    ip('link', 'add', OUTSIDE, 'type', 'veth', 'peer', 'name', inside, 'netns', this.#namespace);
    ip('address', 'add', `${here}/30`, 'dev', OUTSIDE);
    ip('link', 'set', OUTSIDE, 'up');
    ip('-n', this.#namespace, 'address', 'add', `${there}/30`, 'dev', inside);
    ip('-n', this.#namespace, 'link', 'set', inside, 'up');
  }

  /** `ip netns exec` becomes the daemon itself, so that its process id is the daemon's. */
  #daemon(command: string, args: readonly string[]): void {
    const inside = ['netns', 'exec', this.#namespace, command, ...args];
    this.#daemons.push(spawn('ip', inside, { env: this.#env, stdio: 'ignore' }));
  }

  #run(command: string, args: readonly string[]): string {
    return execFileSync(command, args, { env: this.#env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }
}

/** A certificate authority and certificates it signed, made by openssl. */
export class Certificates {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  authority(name: string): void {
    const files = ['-keyout', this.path(`${name}.key`), '-out', this.path(`${name}.pem`)];
    this.#openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`, ...files);
  }

  issue(name: string, authority: string): void {
    const request = this.path(`${name}.csr`);
    const files = ['-keyout', this.path(`${name}.key`), '-out', request];
    this.#openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`, ...files);
    const signer = ['-CA', this.path(`${authority}.pem`), '-CAkey', this.path(`${authority}.key`), '-CAcreateserial'];
    this.#openssl('x509', '-req', '-days', '2', '-in', request, '-out', this.path(`${name}.pem`), ...signer);
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { stdio: 'ignore' });
  }
}
