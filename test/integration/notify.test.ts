// IF(M,T) as a hypervisor, a VM manager or a script uses it: `stateferry notify` with a certificate, a real controller, a real switch.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { NOTIFY_PATH } from '../../src/protocol/notification-service.ts';
import { shell, reasonToSkip, until } from './testbed-session.ts';

const PROGRAM = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const BRIDGE = 'sf-notify';
/** VAPs of VN blue, of VN red, and a port of nobody. */
const [HERE, THERE, RED] = ['sfn-blue1', 'sfn-blue2', 'sfn-red1'];
const VM = '52:54:00:00:00:01';
const TOKEN = 'a token of sixteen bytes';

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function stateferry(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROGRAM, ...args]);
    const ended = { stdout: '', stderr: '' };
    child.stdout.on('data', (data: Buffer) => (ended.stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (ended.stderr += data.toString()));
    child.on('close', (status) => {
      resolve({ status, ...ended });
    });
  });
}

describe('stateferry notify', function () {
  this.timeout(120_000);
  let folder: string;
  let controller: ChildProcess;
  let agentsPort: string;
  let api: string;

  const file = (name: string): string => join(folder, 'pki', name);
  const tlsOf = (name: string): object => {
    return { ca: file('ca.crt'), crl: file('ca.crl'), cert: file(`${name}.crt`), key: file(`${name}.key`) };
  };
  const configOf = (name: string): string => {
    const path = join(folder, `${name}.yaml`);
    writeFileSync(
      path,
      stringify({ som: { address: `127.0.0.1:${agentsPort}`, serverName: 'som' }, tls: tlsOf(name) }),
    );
    return path;
  };
  const notify = (by: string, vn: string, port: string, ...more: string[]): Promise<Ended> => {
    const place = ['--vn', vn, '--vm', VM, '--nve', BRIDGE, '--port', port];
    return stateferry('notify', '--config', configOf(by), ...place, ...more);
  };
  const asked = async (path: string): Promise<Record<string, unknown>> => {
    const response = await fetch(`http://${api}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
    return (await response.json()) as Record<string, unknown>;
  };

  before(async function () {
    const reason = reasonToSkip();
    if (reason !== undefined) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'stateferry-notify-'));
    await stateferry('pki', 'init', '--dir', file('.'));
    await stateferry('pki', 'issue', 'som', 'vmm.lab', 'fw1', 'gone.lab', '--dir', file('.'));
    writeFileSync(
      join(folder, 'controller.yaml'),
      stringify({
        openflow: { listen: '127.0.0.1:0' },
        agents: { listen: '127.0.0.1:0', tls: tlsOf('som') },
        notifiers: { allow: ['vmm.lab', 'gone.lab'] },
        api: { listen: '127.0.0.1:0', token: TOKEN },
        vns: [
          { name: 'blue', vnid: 101, vlan: 101 },
          { name: 'red', vnid: 102, vlan: 102 },
        ],
        vaps: [
          { port: 'sfn-blue*', vn: 'blue' },
          { port: 'sfn-red*', vn: 'red' },
        ],
        journal: ':memory:',
        log: { level: 'info', format: 'json' },
      }),
    );
    const args = [
      '--disable-warning=ExperimentalWarning',
      PROGRAM,
      'controller',
      '--config',
      join(folder, 'controller.yaml'),
    ];
    controller = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    controller.stderr?.on('data', (data: Buffer) => (log += data.toString()));
    const addresses = (): Record<string, string> | undefined => {
      const line = log.split('\n').find((l) => l.includes('"api"') && l.includes('"openflow"'));
      return line === undefined ? undefined : (JSON.parse(line) as Record<string, string>);
    };
    await until(() => addresses() !== undefined || controller.exitCode !== null);
    const running = addresses();
    expect(running, log).not.to.equal(undefined);
    api = (running?.['api'] ?? '').replace('http://', '');
    agentsPort = running?.['agents']?.split(':').at(-1) ?? '';
    shell(`ovs-vsctl --if-exists del-br ${BRIDGE}`);
    const ports = [HERE, THERE, RED].map((p) => `-- add-port ${BRIDGE} ${p} -- set interface ${p} type=internal`);
    shell(
      `ovs-vsctl add-br ${BRIDGE} -- set bridge ${BRIDGE} datapath_type=netdev protocols=OpenFlow13,OpenFlow14 fail_mode=secure ${ports.join(' ')}`,
    );
    for (const port of [HERE, THERE, RED])
      shell(`sysctl -qw net.ipv6.conf.${port}.disable_ipv6=1; ip link set ${port} up`);
    shell(`ovs-vsctl set-controller ${BRIDGE} tcp:${running?.['openflow'] ?? ''}`);
    await until(async () => ((await asked('/v1/status'))['nves'] as { connected: number }).connected === 1);
  });

  after(async () => {
    if (reasonToSkip() !== undefined) return;
    shell(`ovs-vsctl --if-exists del-br ${BRIDGE}`);
    controller.kill('SIGTERM');
    if (controller.exitCode === null) await once(controller, 'exit');
    rmSync(folder, { recursive: true });
  });

  const outputOf = (port: string): string => shell(`ovs-vsctl get interface ${port} ofport`).trim();
  const deliveredTo = (): string[] =>
    shell(`ovs-ofctl -O OpenFlow14 dump-flows ${BRIDGE}`)
      .split('\n')
      .filter((line) => line.includes(`dl_dst=${VM}`))
      .flatMap((line) => [...line.matchAll(/output:"?([\w-]+)"?/g)].map((m) => m[1] ?? ''));

  it('makes a VM known where it is said to be, and moves it where it is said to be next; the answer means the switch has it', async () => {
    const first = await notify('vmm.lab', 'blue', HERE, '--address', '10.0.0.1');
    expect(first).to.deep.equal({ status: 0, stdout: 'it is there; nothing had to be migrated\n', stderr: '' });
    await until(() => deliveredTo().some((port) => [HERE, outputOf(HERE)].includes(port)));
    const second = await notify('vmm.lab', 'blue', THERE, '--from', BRIDGE, '--json');
    expect(second.stderr).to.equal('');
    const { migration, state } = JSON.parse(second.stdout) as { migration: string; state: string };
    expect([migration, state]).to.deep.equal(['m-000001', 'migrated']);
    expect(deliveredTo().every((port) => [THERE, outputOf(THERE)].includes(port))).to.equal(true);
    expect(await asked(`/v1/migrations/${migration}`)).to.deep.include({ evidence: ['notified by vmm.lab'] });
  });

  it('is refused where our own eyes would not believe it, in words: exit status 1', async () => {
    const cases: [string, string, string[], RegExp][] = [
      ['green', HERE, [], /unknown-vn: there is no VN "green"/],
      ['red', HERE, [], /not-a-vap: 52:54:00:00:00:01 at port "sfn-blue1"/],
      ['blue', RED, [], /not-a-vap/],
      ['blue', 'sfn-blue9', [], /unknown-port/],
      ['blue', HERE, ['--from', 'br9'], /unknown-nve: there is no NVE "br9"/],
      ['blue', HERE, ['--state-hosts', 'fw1:fw2'], /other-state-hosts/],
      ['blue', HERE, ['--address', '10.0.0.999'], /malformed: addresses: "10.0.0.999"/],
    ];
    const before = ((await asked('/v1/migrations'))['migrations'] as unknown[]).length;
    for (const [vn, port, more, words] of cases) {
      const { status, stdout, stderr } = await notify('vmm.lab', vn, port, ...more);
      expect(stderr)
        .to.match(/^stateferry: the SOM refused: /)
        .and.to.match(words);
      expect([status, stdout]).to.deep.equal([1, '']);
    }
    expect((await asked('/v1/migrations'))['migrations']).to.have.length(before);
  });

  it('is nobody’s but those of the list: not an agent’s, not one that was revoked, not without a certificate', async () => {
    const agent = await notify('fw1', 'blue', HERE);
    expect(agent.stderr).to.match(/the SOM refused: not-allowed: fw1 is not on the list of notifiers/);
    await stateferry('pki', 'revoke', 'gone.lab', '--dir', file('.'));
    const gone = await askedUntil(
      () => notify('gone.lab', 'blue', HERE),
      ({ stderr }) => stderr.includes('revoked'),
    );
    expect(gone.status).to.equal(1);
    const client = new Client(`127.0.0.1:${agentsPort}`, credentials.createSsl(readFileSync(file('ca.crt'))), {
      'grpc.ssl_target_name_override': 'som',
    });
    const same = (bytes: Buffer): Buffer => bytes;
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest(NOTIFY_PATH, same, same, Buffer.alloc(0), (e) => {
        resolve(e);
      });
    });
    client.close();
    expect(error?.details).to.match(/certificate-required/);
  });

  it('of rubbish is answered, and the next one is heard', async () => {
    const read = (name: string): Buffer => readFileSync(file(name));
    const secured = credentials.createSsl(read('ca.crt'), read('vmm.lab.key'), read('vmm.lab.crt'));
    const client = new Client(`127.0.0.1:${agentsPort}`, secured, { 'grpc.ssl_target_name_override': 'som' });
    const same = (bytes: Buffer): Buffer => bytes;
    const say = (bytes: Buffer): Promise<string> =>
      new Promise((resolve) => {
        client.makeUnaryRequest(NOTIFY_PATH, same, same, bytes, (e) => {
          resolve(e?.details ?? 'taken');
        });
      });
    expect(await say(Buffer.from([0xff, 0xff]))).to.match(/^malformed: /);
    expect(await say(Buffer.alloc(0))).to.match(/^malformed: a nonce of 0 bytes, not 16/);
    expect(await say(Buffer.alloc(100_000))).to.match(/^oversized: 100000 bytes/);
    client.close();
    expect((await notify('vmm.lab', 'blue', THERE)).status).to.equal(0);
    const metrics = await (
      await fetch(`http://${api}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
    ).text();
    expect(metrics).to.match(/stateferry_som_notifications_total\{outcome="oversized"\} 1/);
  });
});

/** A revocation is looked at within half a second. */
async function askedUntil<T>(ask: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  let last = await ask();
  await until(async () => {
    if (!holds(last)) last = await ask();
    return holds(last);
  });
  return last;
}
