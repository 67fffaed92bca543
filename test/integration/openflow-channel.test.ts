// What a channel offers beside commands, against Open vSwitch: confirmations, bundles in one call, roles and their elections,
// typed statistics, iterated events; switches that are dialled, and certificates that change. Needs root and Open vSwitch.
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { createLog } from '../../src/base/log.ts';
import { OpenFlowError, parseFlow } from '../../src/openflow/index.ts';
import type { Message, SwitchChannel, TlsMaterial } from '../../src/openflow/index.ts';
import { OpenFlowBed, senseless, VERSIONS } from './openflow-bed.ts';
import type { Recorder } from './openflow-bed.ts';
import { Certificates, reasonToSkip, until } from './openflow-ovs.ts';
import type { PrivateOvs } from './openflow-ovs.ts';

async function refusal(promise: Promise<unknown>): Promise<OpenFlowError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof OpenFlowError) return error;
  throw new Error('not refused', { cause: error });
}

describe('OpenFlow channel and Open vSwitch', function () {
  this.timeout(30_000);
  let bed: OpenFlowBed;
  let ovs: PrivateOvs;

  before(async function () {
    const reason = reasonToSkip();
    if (reason !== null) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    bed = new OpenFlowBed();
    ovs = bed.ovs;
    await ovs.start();
  });

  afterEach(async () => {
    await (bed as OpenFlowBed | undefined)?.closeServers();
  });

  after(async () => {
    await (bed as OpenFlowBed | undefined)?.ovs.stop();
  });

  for (const [name, version] of VERSIONS) {
    describe(name, () => {
      let bridge: string;
      let recorder: Recorder;
      let sw: SwitchChannel;

      beforeEach(async () => {
        bridge = bed.newBridge(name);
        recorder = await bed.start();
        sw = await bed.connect(bridge, recorder);
      });

      afterEach(() => {
        ovs.deleteBridge(bridge);
      });

      const flowCount = (): number => (ovs.ofctl(name, 'dump-flows', bridge).match(/actions=/g) ?? []).length;

      it('confirms what the switch has carried out, and names what it refuses', async () => {
        await sw.confirm([parseFlow('priority=1,actions=drop'), parseFlow('priority=2,tcp,actions=normal')]);
        expect(flowCount()).to.equal(2);
        const error = await refusal(sw.confirm([parseFlow('priority=3,actions=drop'), senseless(4)]));
        expect(error.errorName).to.equal('OFPBMC_BAD_PREREQ');
        expect(error.mod?.priority).to.equal(4);
        expect(flowCount()).to.equal(3);
        expect(recorder.events).to.deep.equal([]);
      });

      it('takes a bundle of several kinds of messages in one call', async () => {
        const group: Message = {
          type: 'group_mod',
          command: 'add',
          groupType: 'all',
          groupId: 7,
          buckets: [],
        };
        await sw.bundle([group, parseFlow('priority=1,actions=group:7')]);
        expect(ovs.ofctl(name, 'dump-groups', bridge)).to.contain('group_id=7');
        const error = await refusal(sw.bundle([parseFlow('priority=2,actions=drop'), senseless(3)]));
        expect(error.errorName).to.equal('OFPBMC_BAD_PREREQ');
        expect(flowCount()).to.equal(1);
      });

      it('is granted roles by the generation of their election, and told of a later one', async () => {
        expect((await sw.role()).role).to.equal('equal');
        expect(await sw.setRole('master', 5n)).to.deep.equal({ outcome: 'granted', role: 'master', generationId: 5n });
        expect(await sw.setRole('slave', 4n)).to.deep.equal({ outcome: 'stale', generationId: 5n });
        expect(await sw.role()).to.deep.equal({ role: 'master', generationId: 5n });
        expect(await sw.setRole('slave', 6n)).to.deep.equal({ outcome: 'granted', role: 'slave', generationId: 6n });
        expect((await refusal(sw.confirm([parseFlow('actions=drop')]))).errorName).to.match(/IS_SLAVE|OFPBRC_IS_SLAVE/);
      });

      it('answers typed requests for statistics', async () => {
        await sw.confirm([parseFlow('priority=1,actions=drop')]);
        const parts = await sw.multipart({ part: 'aggregate', match: [] }, { signal: AbortSignal.timeout(5_000) });
        expect(parts.map(({ flowCount: count }) => count)).to.deep.equal([1]);
        const ports = await sw.request({ type: 'multipart_request', more: false, body: { part: 'port_stats' } });
        expect(ports.flatMap((part) => part.ports).map(({ portNo }) => portNo)).to.deep.equal([0xfffffffe]);
      });

      it('yields what the switch says, until it goes away', async () => {
        const told: string[] = [];
        const reading = (async () => {
          for await (const event of sw.events()) told.push(event.type);
        })();
        const port = `${bridge}p`;
        ovs.vsctl('add-port', bridge, port, '--', 'set', 'interface', port, 'type=internal');
        await until('port-status', () => (told.includes('port_status') ? true : null));
        ovs.deleteBridge(bridge);
        await reading;
        expect(sw.closed.aborted).to.equal(true);
      });

      it('is reached where the switch listens, and again when it has been away', async () => {
        const at = 20_000 + (process.pid % 10_000) + version;
        ovs.vsctl('set-controller', bridge, `ptcp:${at}:${ovs.switchHost}`);
        const before = recorder.switches.length;
        recorder.server.dial({ host: ovs.switchHost, port: at });
        const dialled = await until('the switch is reached', () => recorder.switches[before] ?? null);
        expect(dialled.dpid).to.equal(sw.dpid);
        expect(dialled.remote).to.equal(`${ovs.switchHost}:${at}`);
        await dialled.confirm([parseFlow('priority=1,actions=controller')]);
        expect(flowCount()).to.equal(1);
        ovs.vsctl('del-controller', bridge);
        await until('it has gone', () => (dialled.closed.aborted ? true : null));
        ovs.vsctl('set-controller', bridge, `ptcp:${at}:${ovs.switchHost}`);
        await until('it is reached again', () => recorder.switches[before + 1] ?? null);
      });
    });
  }

  describe('over TLS', () => {
    let certificates: Certificates;
    const material = (name: string, ca = 'ca'): TlsMaterial => {
      const pem = (file: string): Buffer => readFileSync(certificates.path(file));
      return { key: pem(`${name}.key`), cert: pem(`${name}.pem`), ca: pem(`${ca}.pem`) };
    };

    before(() => {
      certificates = new Certificates(ovs.folder);
      for (const authority of ['ca', 'new-ca']) certificates.authority(authority);
      certificates.issue('controller', 'ca');
      certificates.issue('switch', 'ca');
      certificates.issue('new-controller', 'new-ca');
      certificates.issue('new-switch', 'new-ca');
    });

    const switchUses = (name: string, ca: string): void => {
      const path = (file: string): string => certificates.path(file);
      ovs.vsctl('set-ssl', path(`${name}.key`), path(`${name}.pem`), path(`${ca}.pem`));
    };

    it('has new certificates for new connections, and keeps those there are', async () => {
      switchUses('switch', 'ca');
      const recorder = await bed.start({ listen: { host: ovs.controllerHost, port: 0, tls: material('controller') } });
      const [first, second] = [bed.newBridge('OpenFlow13'), bed.newBridge('OpenFlow15')];
      const old = await bed.connect(first, recorder, 'ssl');
      recorder.server.setCertificates(material('new-controller', 'new-ca'));
      await old.barrier();
      expect(old.closed.aborted).to.equal(false);
      switchUses('new-switch', 'new-ca');
      const young = await bed.connect(second, recorder, 'ssl');
      await young.barrier();
      ovs.deleteBridge(first);
      ovs.deleteBridge(second);
    });

    it('reaches a switch that listens, and no other than ours', async () => {
      switchUses('switch', 'ca');
      const lines: string[] = [];
      const recorder = await bed.start({ log: createLog({ write: (line) => lines.push(line) }) });
      const bridge = bed.newBridge('OpenFlow14');
      const at = 20_000 + (process.pid % 10_000);
      ovs.vsctl('set-controller', bridge, `pssl:${at}:${ovs.switchHost}`);
      const wrong = { ...material('controller'), ca: material('new-controller', 'new-ca').ca };
      const dialing = recorder.server.dial({ host: ovs.switchHost, port: at, tls: wrong });
      await until(
        'it is not trusted',
        () => lines.find((line) => /switch not reached.*(VERIFY|CERT|certificate)/.test(line)) ?? null,
      );
      expect(recorder.switches).to.deep.equal([]);
      dialing.close();
      recorder.server.dial({ host: ovs.switchHost, port: at, tls: material('controller') });
      const sw = await until('it is reached', () => recorder.switches[0] ?? null);
      await sw.barrier();
      ovs.deleteBridge(bridge);
    });
  });
});
