// The OpenFlow server and several switches, their versions, their silence, and TLS, on Open vSwitch. Needs root and Open vSwitch.
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { createLog } from '../../src/base/log.ts';
import type { TlsMaterial } from '../../src/openflow/openflow-server.ts';
import type { SwitchChannel } from '../../src/openflow/switch-channel.ts';
import { drop, OpenFlowBed, portOf, senseless, VERSIONS } from './openflow-bed.ts';
import { Certificates, reasonToSkip, until, type PrivateOvs } from './openflow-ovs.ts';

describe('OpenFlow server and Open vSwitch', function () {
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

  it('serves several switches at once, each with its own events', async () => {
    const told: string[] = [];
    const recorder = await bed.start({ onEvent: (sw, e) => told.push(`${sw.dpid} ${e.type}`) });
    const names = VERSIONS.map(([name]) => bed.newBridge(name));
    const switches: SwitchChannel[] = [];
    for (const name of names) switches.push(await bed.connect(name, recorder));
    expect(switches.map(({ version }) => version)).to.deep.equal([4, 5, 6]);
    switches[1]?.send(senseless(1));
    await Promise.all(switches.map((sw) => sw.barrier()));
    expect(told).to.deep.equal([`${switches[1]?.dpid ?? ''} error`]);
    for (const name of names) ovs.deleteBridge(name);
    await until('all are gone', () => (recorder.closings.length === 3 ? true : null));
    expect(recorder.server.switches.size).to.equal(0);
  });

  it('takes the highest version both sides speak', async () => {
    const recorder = await bed.start({ versions: [4, 5] });
    const bridge = bed.newBridge('OpenFlow13,OpenFlow14,OpenFlow15');
    expect((await bed.connect(bridge, recorder)).version).to.equal(5);
    ovs.deleteBridge(bridge);
  });

  it('refuses a switch that speaks OpenFlow 1.0 only, and says so to it', async () => {
    const recorder = await bed.start();
    const bridge = bed.newBridge('OpenFlow10');
    ovs.vsctl('set-controller', bridge, `tcp:${ovs.controllerHost}:${portOf(recorder)}`);
    const log = `${ovs.folder}/vswitchd.log`;
    const line = await until('the refusal', () =>
      /version negotiation failed.*|.*no common version.*/.exec(readFileSync(log, 'utf8')),
    );
    expect(line[0]).to.match(/version negotiation|no common version/);
    expect(recorder.switches).to.deep.equal([]);
    ovs.deleteBridge(bridge);
  });

  it('notices by echo that a switch has stopped, and takes it back when it goes on', async () => {
    const recorder = await bed.start({ liveness: { quietMs: 200, answerMs: 200 } });
    const bridge = bed.newBridge('OpenFlow14');
    await bed.connect(bridge, recorder);
    ovs.vswitchd.kill('SIGSTOP');
    try {
      await until('the silence is noticed', () => (recorder.closings[0]?.code === 'TIMEOUT' ? true : null));
    } finally {
      ovs.vswitchd.kill('SIGCONT');
    }
    await until('it connects again', () => recorder.switches[1] ?? null);
    ovs.deleteBridge(bridge);
  });

  describe('over TLS', () => {
    let certificates: Certificates;
    let material: TlsMaterial;

    before(() => {
      certificates = new Certificates(ovs.folder);
      certificates.authority('ca');
      certificates.authority('stranger-ca');
      certificates.issue('controller', 'ca');
      certificates.issue('switch', 'ca');
      certificates.issue('stranger', 'stranger-ca');
      const pem = (name: string): Buffer => readFileSync(certificates.path(name));
      material = { key: pem('controller.key'), cert: pem('controller.pem'), ca: pem('ca.pem') };
    });

    const useCertificate = (name: string): void => {
      ovs.vsctl(
        'set-ssl',
        certificates.path(`${name}.key`),
        certificates.path(`${name}.pem`),
        certificates.path('ca.pem'),
      );
    };

    for (const [name, version] of VERSIONS) {
      it(`serves a switch whose certificate our authority signed, ${name}`, async () => {
        useCertificate('switch');
        const recorder = await bed.start({ listen: { host: ovs.controllerHost, port: 0, tls: material } });
        const bridge = bed.newBridge(name);
        const sw = await bed.connect(bridge, recorder, 'ssl');
        expect(sw.version).to.equal(version);
        await (await sw.prepareBundle([drop(1)])).commit();
        expect(ovs.flows(name, bridge)).to.have.length(1);
        ovs.deleteBridge(bridge);
      });
    }

    it('refuses a switch with another authority’s certificate, and serves it when it shows the right one', async () => {
      useCertificate('stranger');
      const lines: string[] = [];
      const recorder = await bed.start({
        listen: { host: ovs.controllerHost, port: 0, tls: material },
        log: createLog({ write: (line) => lines.push(line) }),
      });
      const bridge = bed.newBridge('OpenFlow13');
      ovs.vsctl('set-controller', bridge, `ssl:${ovs.controllerHost}:${portOf(recorder)}`);
      await until('the switch is refused', () => lines.find((line) => line.includes('switch refused by TLS')) ?? null);
      expect(recorder.switches).to.deep.equal([]);
      useCertificate('switch');
      await until('it connects', () => recorder.switches[0] ?? null);
      ovs.deleteBridge(bridge);
    });

    it('refuses a switch without TLS', async () => {
      const lines: string[] = [];
      const recorder = await bed.start({
        listen: { host: ovs.controllerHost, port: 0, tls: material },
        log: createLog({ write: (line) => lines.push(line) }),
      });
      const bridge = bed.newBridge('OpenFlow13');
      ovs.vsctl('set-controller', bridge, `tcp:${ovs.controllerHost}:${portOf(recorder)}`);
      await until('it is refused', () => lines.find((line) => line.includes('switch refused by TLS')) ?? null);
      expect(recorder.switches).to.deep.equal([]);
      ovs.deleteBridge(bridge);
    });
  });
});
