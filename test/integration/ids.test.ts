// A State Host that is not ours (docs/examples/ids): a Python program that speaks the published interface only and has state of its
// own kind. What it has counted of a VM goes where the VM goes.

import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnswerOf, type OperationId, OPERATIONS } from '../../src/api/operations.ts';
import { run, startProgram, type Program } from '../../src/lab/child-process.ts';
import type { Migration } from '../../src/lab/controller-api.ts';
import { startController, tlsFiles, type RunningController } from '../../src/lab/controller-process.ts';
import { createCleanup } from '../../src/lab/cleanup.ts';
import { until } from '../../src/lab/deadline.ts';
import { watchMigration } from '../../src/lab/migration-watch.ts';
import { dpidText, stateHostOf, TENANTS, vmIdentity, vnidOfVlan } from '../../src/lab/names.ts';
import { startTestbed, type Testbed, type TestbedFirewall } from '../../src/lab/testbed.ts';
import { labClient } from './lab-client.ts';
import { reasonToSkip } from './testbed-session.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const PYTHON = '/usr/bin/python3';
const THRESHOLD = 20;
const BOUND_MS = 30_000;
const VNID_A = vnidOfVlan(TENANTS[0]?.vlan ?? 0);
const VNID_B = vnidOfVlan(TENANTS[1]?.vlan ?? 0);

interface Said {
  readonly event: string;
  readonly vnid?: number;
  readonly source?: string;
  readonly count?: number;
}

/** Opens a connection to each port of `argv[2]` to `argv[3]` once; nobody listens there. */
const SCAN = `
import socket, sys
for port in range(int(sys.argv[2]), int(sys.argv[3]) + 1):
    with socket.socket() as s:
        s.settimeout(3)
        s.connect_ex((sys.argv[1], port))
`;

function missing(): string | undefined {
  const reason = reasonToSkip();
  if (reason !== undefined) return reason;
  try {
    execFileSync('protoc', ['--version'], { stdio: 'ignore' });
    execFileSync(PYTHON, ['-c', 'import grpc, google.protobuf'], { stdio: 'ignore' });
  } catch {
    return 'protoc, or Python with grpc and protobuf, is missing';
  }
  return undefined;
}

describe('an intrusion detection system as a State Host', function () {
  this.timeout(120_000);
  const cleanup = createCleanup((text) => console.log(text));
  const heard = new Map<string, Said[]>();
  let folder: string;
  let controller: RunningController;
  let testbed: Testbed;

  before(async function () {
    const reason = missing();
    if (reason !== undefined) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'stateferry-ids-'));
    cleanup.add('the folder', () => {
      rmSync(folder, { recursive: true });
      return undefined;
    });
    const generated = join(folder, 'generated');
    mkdirSync(generated);
    execFileSync('protoc', ['-I', join(ROOT, 'src/protocol'), `--python_out=${generated}`, 'stateferry.proto']);
    controller = await startController({ folder, strategy: 'detour' });
    cleanup.add('the controller', () => controller.stop());
    testbed = await startTestbed(
      { mode: 'wire', controller: controller.openflow, lockWaitMs: 60_000 },
      { logFile: join(folder, 'testbed.log'), progress: () => undefined },
    );
    cleanup.add('the testbed', () => testbed.stop());
    for (const firewall of testbed.ready.firewalls) {
      const ids = startIds(firewall);
      cleanup.add(firewall.name, () => ids.stop());
    }
    await until({ what: 'both to be found', timeoutMs: BOUND_MS }, async () => {
      const { stateHosts } = await controller.api.status();
      return stateHosts.attached >= 2 ? true : `${stateHosts.registered} registered, ${stateHosts.attached} attached`;
    });
    for (const tenant of TENANTS) {
      const [one, three] = [testbed.vm(`vm1-${tenant.name}`), testbed.vm(`vm3-${tenant.name}`)];
      await until({ what: `${one.name} to reach ${three.name}`, timeoutMs: BOUND_MS }, () =>
        run('ping', ['-n', '-q', '-c', '1', '-W', '1', three.ipv4], { netns: one.netns }).then(
          () => true as const,
          () => 'no answer',
        ),
      );
    }
  });
  after(() => cleanup.run());

  function startIds(firewall: TestbedFirewall): Program {
    const identity = stateHostOf(firewall.name);
    const config = join(folder, `${identity}.json`);
    const said: Said[] = [];
    heard.set(firewall.name, said);
    writeFileSync(
      config,
      JSON.stringify({
        identity,
        som: {
          address: `${testbed.ready.management.address}:${controller.agentsPort}`,
          serverName: controller.certificates.serverName,
        },
        tls: tlsFiles(controller.certificates.folder, identity),
        vns: TENANTS.map(({ vlan }) => ({ vlan, vnid: vnidOfVlan(vlan) })),
        dataPorts: firewall.dataPorts.map((p) => p.name),
        threshold: THRESHOLD,
      }),
    );
    const python = `PYTHONPATH=${join(folder, 'generated')}`;
    return startProgram({
      name: `the IDS at ${firewall.name}`,
      command: 'env',
      args: [python, 'PYTHONDONTWRITEBYTECODE=1', PYTHON, join(ROOT, 'docs/examples/ids/ids.py'), config],
      netns: firewall.netns,
      logFile: join(folder, `${identity}.log`),
      onLine: (line) => said.push(JSON.parse(line) as Said),
    });
  }

  const scan = async (vm: string, first: number, last: number): Promise<void> => {
    const { netns } = testbed.vm(vm);
    const peer = testbed.vm('vm3-a').ipv4; // the same address in every tenant
    await run(PYTHON, ['-c', SCAN, peer, String(first), String(last)], { netns, timeoutMs: BOUND_MS });
  };
  /** How many targets the IDS has counted of VM1 in a VN. */
  const counted = (firewall: string, vnid: number): number =>
    heard.get(firewall)?.findLast((s) => s.event === 'count' && s.vnid === vnid && s.source === '10.0.0.1')?.count ?? 0;
  const counts = (firewall: string, vnid: number, wanted: number): Promise<unknown> =>
    until({ what: `${firewall} to count ${wanted}`, timeoutMs: BOUND_MS }, () => {
      const count = counted(firewall, vnid);
      return Promise.resolve(count === wanted ? true : String(count));
    });
  const alarms = (firewall: string): Said[] => (heard.get(firewall) ?? []).filter((s) => s.event === 'alarm');

  async function move(server: number): Promise<Migration> {
    const vm = testbed.vm('vm1-a');
    const place = { ...vmIdentity(vm), newNve: dpidText(server) };
    const watch = await watchMigration(controller.api, place, new AbortController().signal);
    await testbed.move({ vm: vm.name, server: `Server${server}`, blackoutMs: 50, announce: 'rarp' });
    return watch.ended(BOUND_MS);
  }

  it('counts whom a VM tries to reach, each VN by itself', async () => {
    await scan('vm1-a', 1001, 1012);
    await scan('vm1-b', 1001, 1005);
    await counts('FW1', VNID_A, 12);
    await counts('FW1', VNID_B, 5);
    expect(heard.get('FW2')?.filter((s) => s.event === 'count')).to.deep.equal([]);
  });

  it('hands its counts on when the VM moves, in a kind of state that the SOM does not know', async () => {
    const migration = await move(2);
    expect(migration).to.include({ state: 'migrated' });
    expect(migration.transfers).to.have.lengthOf(1);
    expect(migration.transfers[0]).to.deep.include({
      source: 'fw1',
      destination: 'fw2',
      entries: 12,
      digestEqual: true,
      kinds: ['portscan'],
    });
    await counts('FW2', VNID_A, 12);
  });

  it('so that a scan which goes on elsewhere is found out at the same number as one that stays', async () => {
    await scan('vm1-a', 1013, 1019);
    await counts('FW2', VNID_A, 19);
    expect([...alarms('FW1'), ...alarms('FW2')]).to.deep.equal([]);
    await scan('vm1-a', 1020, 1020);
    await until({ what: 'the alarm', timeoutMs: BOUND_MS }, () =>
      Promise.resolve(alarms('FW2').length > 0 ? true : 'none'),
    );
    expect(alarms('FW2')).to.deep.equal([{ event: 'alarm', vnid: VNID_A, source: '10.0.0.1', count: THRESHOLD }]);
    expect(alarms('FW1')).to.deep.equal([]);
  });

  it('and brings them back with the VM, without a trace of the other stay', async () => {
    const migration = await move(1);
    expect(migration.transfers[0]).to.deep.include({
      source: 'fw2',
      destination: 'fw1',
      entries: 20,
      digestEqual: true,
    });
    await scan('vm1-a', 1001, 1021);
    await counts('FW1', VNID_A, 21);
    expect(counted('FW1', VNID_B), 'the other tenant’s').to.equal(5);
    expect(counted('FW2', VNID_A)).to.equal(20);
  });

  it('and all of this is told by the API in the shapes that it promises', async () => {
    const client = labClient(folder);
    const { migrations } = await client.listMigrations();
    const id = migrations[0]?.id ?? '';
    const flows = await client.getFlows({ nve: dpidText(1) });
    const answers: { readonly [K in OperationId]?: AnswerOf<K> } = {
      getStatus: await client.getStatus(),
      getTopology: await client.getTopology(),
      getMigration: await client.getMigration({ id }),
      listMigrations: { migrations },
      getPath: await client.getPath({ from: '10.0.0.1', to: '10.0.0.3', vn: 'tenant-a' }),
      getFlows: flows,
      foreseeMove: await client.foreseeMove({ vm: '10.0.0.1', vn: 'tenant-a', to: dpidText(2) }),
    };
    for (const [operation, answer] of Object.entries(answers)) {
      // What a schema does not name it leaves out.
      expect(OPERATIONS[operation as OperationId].answer.parse(answer), operation).to.deep.equal(answer);
    }
    expect(answers.getPath).to.deep.include({ nves: ['NVE1', 'NVE3'], stateHosts: ['fw1'], pinned: null });
    const words = join(folder, 'rules');
    writeFileSync(words, flows.rules.map(({ text }) => `${text}\n`).join(''));
    const read = execFileSync('ovs-ofctl', ['-O', 'OpenFlow13', 'parse-flows', words], { encoding: 'utf8' });
    expect(read.match(/ADD/g)).to.have.lengthOf(flows.rules.length);
    expect(flows.rules.map((r) => r.owner)).not.to.include('foreign');
    expect(await client.getFlows({ nve: '0000000000000009' }).catch((e: unknown) => e)).to.include({ code: 'refused' });
  });
});
