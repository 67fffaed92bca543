// What one switch and the OpenFlow server say to each other, on Open vSwitch, in each version it speaks. Needs root and Open
// vSwitch.
import { expect } from 'chai';
import { OFPFF, OFPMF, OFPP, OFPR } from '../../src/openflow/constants.ts';
import { formatFlow } from '../../src/openflow/text/print-flow.ts';
import type { PacketIn, PortStatus, SwitchEvent } from '../../src/openflow/model.ts';
import { OpenFlowError } from '../../src/openflow/openflow-error.ts';
import type { SwitchChannel } from '../../src/openflow/switch-channel.ts';
import { FLOWS } from '../unit/openflow/flow-examples.ts';
import { drop, OpenFlowBed, overlapping, senseless, VERSIONS, type Recorder } from './openflow-bed.ts';
import { reasonToSkip, until, type PrivateOvs } from './openflow-ovs.ts';

const ARP_REQUEST = Buffer.from(
  'ffffffffffff020000000001080600010800060400010200000000010a0000010000000000000a000002'.padEnd(120, '0'),
  'hex',
);

async function refusal(promise: Promise<unknown>): Promise<OpenFlowError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof OpenFlowError) return error;
    throw error;
  }
  throw new Error('not refused');
}

describe('OpenFlow with Open vSwitch', function () {
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
      const event = <T extends SwitchEvent>(what: string, which: (event: SwitchEvent) => event is T): Promise<T> =>
        until(what, () => recorder.events.find(which) ?? null);

      beforeEach(async () => {
        bridge = bed.newBridge(name);
        recorder = await bed.start();
        sw = await bed.connect(bridge, recorder);
      });

      afterEach(() => {
        ovs.deleteBridge(bridge);
      });

      it('agrees on the version, and knows dpid, ports and description', async () => {
        expect(sw.version).to.equal(version);
        expect(`"${sw.dpid}"`).to.equal(ovs.vsctl('get', 'bridge', bridge, 'datapath_id').trim());
        expect(recorder.server.switches.get(sw.dpid)).to.equal(sw);
        const ports = await sw.ports();
        expect(ports.map(({ name: port, portNo }) => [port, portNo])).to.deep.equal([[bridge, OFPP.LOCAL]]);
        expect((await sw.description()).software).to.match(/^\d+\.\d+/);
      });

      it('tells of ports that come, change and go', async () => {
        const port = `${bridge}p`;
        const told = (reason: PortStatus['reason']) =>
          event(
            `port-status ${reason}`,
            (e): e is PortStatus => e.type === 'port_status' && e.reason === reason && e.port.name === port,
          );
        ovs.vsctl('add-port', bridge, port, '--', 'set', 'interface', port, 'type=internal', 'ofport_request=7');
        expect((await told('add')).port.portNo).to.equal(7);
        expect((await sw.ports()).map((each) => each.name)).to.include(port);
        ovs.ofctl(name, 'mod-port', bridge, '7', 'up');
        await until('link up', () =>
          recorder.events.some((e) => e.type === 'port_status' && e.reason === 'modify' && !e.port.linkDown)
            ? true
            : null,
        );
        ovs.vsctl('del-port', bridge, port);
        await told('delete');
        expect((await sw.ports()).map((each) => each.name)).not.to.include(port);
      });

      it('takes every flow it can write, by a bundle, and both list them alike', async () => {
        sw.send({
          type: 'meter_mod',
          command: 'add',
          meterId: 4,
          flags: OFPMF.KBPS,
          bands: [{ rate: 100, burstSize: 0 }],
        });
        const mods = Object.values(FLOWS).filter(({ command, instructions }) => {
          const groups = instructions.some(
            (each) => 'actions' in each && each.actions.some(({ type }) => type === 'group'),
          );
          return command === 'add' && !groups;
        });
        const bundle = await sw.prepareBundle(
          mods.map((mod, i) => ({ ...mod, priority: 100 + i, flags: 0, idleTimeout: 0, hardTimeout: 0 })),
        );
        expect(ovs.flows(name, bridge)).to.deep.equal([]);
        await bundle.commit();
        const listed = ovs.flows(name, bridge);
        expect(listed).to.have.length(mods.length);
        expect((await sw.flows()).map(formatFlow).sort()).to.deep.equal(listed);
      });

      it('lists timeouts, flags and importance as ovs-ofctl does', async () => {
        sw.send(
          drop(7, {
            idleTimeout: 60,
            hardTimeout: 70,
            flags: OFPFF.SEND_FLOW_REM,
            ...(version > 4 ? { importance: 3 } : {}),
          }),
        );
        await sw.barrier();
        expect((await sw.flows()).map(formatFlow)).to.deep.equal(ovs.flows(name, bridge));
      });

      it('carries packets in both directions, whole, with cookie, table, metadata and port', async () => {
        sw.send(
          drop(1, {
            instructions: [
              { type: 'write_metadata', metadata: 101n, mask: 0xffffn },
              { type: 'goto_table', table: 5 },
            ],
          }),
          drop(2, {
            table: 5,
            cookie: 0x1234n,
            match: [{ name: 'metadata', value: 101n }],
            instructions: [{ type: 'apply_actions', actions: [{ type: 'output', port: OFPP.CONTROLLER }] }],
          }),
          { type: 'packet_out', inPort: 1, actions: [{ type: 'output', port: OFPP.TABLE }], data: ARP_REQUEST },
        );
        const packet = await event('packet-in', (e): e is PacketIn => e.type === 'packet_in');
        expect(packet).to.include({ inPort: 1, table: 5, cookie: 0x1234n, metadata: 101n });
        // From 1.4 on the reason tells a packet-out that came back (OFPR_PACKET_OUT) from a packet off the wire.
        expect(packet.reason).to.equal(version === 4 ? OFPR.APPLY_ACTION : OFPR.PACKET_OUT);
        expect(packet.data.equals(ARP_REQUEST)).to.equal(true);
      });

      it('sends a packet-out to a port', async () => {
        const port = `${bridge}p`;
        ovs.vsctl('add-port', bridge, port, '--', 'set', 'interface', port, 'type=internal', 'ofport_request=3');
        await event('port', (e): e is PortStatus => e.type === 'port_status' && e.port.portNo === 3);
        ovs.ofctl(name, 'mod-port', bridge, '3', 'up');
        sw.send({
          type: 'packet_out',
          inPort: OFPP.CONTROLLER,
          actions: [{ type: 'output', port: 3 }],
          data: ARP_REQUEST,
        });
        await sw.barrier();
        await until('one packet out', () =>
          /tx pkts=1,/.test(ovs.ofctl(name, 'dump-ports', bridge, '3')) ? true : null,
        );
      });

      it('tells which command it refuses, by xid, and goes on', async () => {
        sw.send(drop(1), senseless(2), drop(3));
        await sw.barrier();
        expect(recorder.events.map((e) => e.type === 'error' && [e.errorType, e.errorCode])).to.deep.equal([[4, 9]]);
        expect(ovs.flows(name, bridge)).to.have.length(2);
      });

      it('a bundle with a senseless flow-mod is refused as a whole, naming it', async () => {
        const error = await refusal(sw.prepareBundle([drop(1), senseless(2), drop(3)]));
        expect(error).to.include({ code: 'REJECTED', errorName: 'OFPBMC_BAD_PREREQ' });
        expect(error.mod?.priority).to.equal(2);
        expect(ovs.flows(name, bridge)).to.deep.equal([]);
      });

      it('a bundle that fails at its commit leaves nothing, naming the flow-mod', async () => {
        sw.send(drop(9));
        const bundle = await sw.prepareBundle([
          drop(1),
          drop(9, { command: 'delete' }),
          drop(2),
          overlapping(2),
          drop(3),
        ]);
        const error = await refusal(bundle.commit());
        expect(error).to.include({ code: 'REJECTED', errorName: 'OFPFMFC_OVERLAP' });
        expect(error.mod?.flags).to.equal(OFPFF.CHECK_OVERLAP);
        expect((await sw.flows()).map(({ priority }) => priority)).to.deep.equal([9]);
        await (await sw.prepareBundle([drop(1)])).commit();
        expect(ovs.flows(name, bridge)).to.have.length(2);
        expect(recorder.events).to.deep.equal([]);
      });

      it('a discarded bundle leaves nothing', async () => {
        await (await sw.prepareBundle([drop(1)])).discard();
        expect(ovs.flows(name, bridge)).to.deep.equal([]);
      });

      it('a bundle of 5,000 flow-mods takes effect at its commit, and all of them are read back', async () => {
        const mods = Array.from({ length: 5_000 }, (_, i) => drop(i + 1));
        const bundle = await sw.prepareBundle(mods);
        expect(await sw.flows()).to.have.length(0);
        await bundle.commit();
        expect(await sw.flows()).to.have.length(5_000);
      });

      it('reports a flow that was removed', async () => {
        sw.send(drop(5, { flags: OFPFF.SEND_FLOW_REM, table: 2 }), drop(5, { command: 'delete', table: 2 }));
        const removed = await event('flow removed', (e) => e.type === 'flow_removed');
        expect(removed).to.include({ cookie: 5n, table: 2, reason: 2 });
      });

      it('answers echo in both directions and asks for a role', async () => {
        const echo = await sw.request({ type: 'echo_request', data: Buffer.from('stateferry') });
        expect(echo.data.toString()).to.equal('stateferry');
        const { role } = await sw.request({ type: 'role_request', role: 'master', generationId: 1n });
        expect(role).to.equal('master');
        expect(await sw.request({ type: 'get_config_request' })).to.include({ missSendLen: 0xffff });
      });
    });
  }
});
