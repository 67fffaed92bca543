// OpenFlow 1.0 with Open vSwitch: another protocol under the same channel. Needs root and Open vSwitch.
import { expect } from 'chai';
import { OFPFF, OFPP, OFPR } from '../../src/openflow/constants.ts';
import type { PacketIn, PortStatus, SwitchEvent } from '../../src/openflow/model.ts';
import { OpenFlowError } from '../../src/openflow/openflow-error.ts';
import type { SwitchChannel } from '../../src/openflow/switch-channel.ts';
import { parseFlow } from '../../src/openflow/text/parse-flow.ts';
import { formatFlow } from '../../src/openflow/text/print-flow.ts';
import { OpenFlowBed } from './openflow-bed.ts';
import type { Recorder } from './openflow-bed.ts';
import { reasonToSkip, until } from './openflow-ovs.ts';
import type { PrivateOvs } from './openflow-ovs.ts';

const NAME = 'OpenFlow10';
const VERSION = 1;
const FRAME = Buffer.from('ffffffffffff02000000000188b5'.padEnd(120, '0'), 'hex');

const flow = (text: string): ReturnType<typeof parseFlow> => parseFlow(text, { version: VERSION });

async function refusal(promise: Promise<unknown>): Promise<OpenFlowError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof OpenFlowError) return error;
  throw new Error('not refused', { cause: error });
}

describe('OpenFlow 1.0 with Open vSwitch', function () {
  this.timeout(30_000);
  let bed: OpenFlowBed;
  let ovs: PrivateOvs;
  let bridge: string;
  let recorder: Recorder;
  let sw: SwitchChannel;

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

  beforeEach(async () => {
    bridge = bed.newBridge(NAME);
    recorder = await bed.start({ versions: [1, 4, 5, 6] });
    sw = await bed.connect(bridge, recorder);
  });

  afterEach(async () => {
    if ((bed as OpenFlowBed | undefined) === undefined) return;
    ovs.deleteBridge(bridge);
    await bed.closeServers();
  });

  after(async () => {
    await (bed as OpenFlowBed | undefined)?.ovs.stop();
  });

  const event = <T extends SwitchEvent>(what: string, which: (event: SwitchEvent) => event is T): Promise<T> =>
    until(what, () => recorder.events.find(which) ?? null);

  async function addPort(portNo: number): Promise<void> {
    const port = `${bridge}p`;
    ovs.vsctl('add-port', bridge, port, '--', 'set', 'interface', port, 'type=internal', `ofport_request=${portNo}`);
    await event('the port', (e): e is PortStatus => e.type === 'port_status' && e.port.portNo === portNo);
    ovs.ofctl(NAME, 'mod-port', bridge, `${portNo}`, 'up');
  }

  it('is agreed on, with dpid, ports and description', async () => {
    expect(sw.version).to.equal(VERSION);
    expect(`"${sw.dpid}"`).to.equal(ovs.vsctl('get', 'bridge', bridge, 'datapath_id').trim());
    const features = await sw.request({ type: 'features_request' });
    expect('ports' in features && features.ports.map(({ name }) => name)).to.deep.equal([bridge]);
    expect((await sw.ports()).map(({ name, portNo }) => [name, portNo])).to.deep.equal([[bridge, OFPP.LOCAL]]);
    expect((await sw.description()).software).to.match(/^\d+\.\d+/);
  });

  it('confirms flows by a barrier, lists them as ovs-ofctl does, changes and deletes them', async () => {
    await sw.confirm([
      flow(
        'priority=7,idle_timeout=60,hard_timeout=70,cookie=0x5,tcp,nw_src=10.0.0.0/8,tp_dst=80 actions=mod_nw_tos:32,output:1',
      ),
      flow('priority=6,cookie=0x6,dl_vlan=5 actions=mod_vlan_pcp:3,enqueue:2:1'),
      flow('priority=5,cookie=0x7,in_port=LOCAL,dl_src=02:00:00:00:00:01 actions=strip_vlan,mod_tp_dst:9,FLOOD'),
      flow('priority=4,cookie=0x8,arp,nw_dst=10.0.0.1,nw_proto=2 actions=CONTROLLER:128'),
    ]);
    const listed = ovs.flows(NAME, bridge);
    expect(listed).to.have.length(4);
    expect((await sw.flows()).map(formatFlow).sort()).to.deep.equal(listed);
    await sw.confirm([
      parseFlow('cookie=0x5,tcp actions=output:3', { version: VERSION, command: 'modify' }),
      parseFlow('priority=6,dl_vlan=5', { version: VERSION, command: 'delete_strict' }),
    ]);
    const left = (await sw.flows()).map(formatFlow).sort();
    expect(left).to.deep.equal(ovs.flows(NAME, bridge));
    expect(left.join())
      .to.match(/tp_dst=80 actions=output:3/)
      .and.not.to.contain('dl_vlan');
  });

  it('counts flows, tables and ports', async () => {
    await addPort(3);
    await sw.confirm([flow('actions=output:3'), flow('priority=9,arp actions=drop')]);
    sw.send({ type: 'packet_out', inPort: OFPP.LOCAL, actions: [{ type: 'output', port: OFPP.TABLE }], data: FRAME });
    await sw.barrier();
    const [aggregate] = await sw.multipart({ part: 'aggregate', match: [] });
    expect(aggregate?.flowCount).to.equal(2);
    const tables = await sw.multipart({ part: 'table' });
    expect(tables.flatMap((part) => part.tables).find(({ table }) => table === 0)?.activeCount).to.equal(2);
    const parts = await sw.multipart({ part: 'port_stats', portNo: 3 });
    const port = parts.flatMap((part) => part.ports)[0];
    expect([port?.portNo, port?.txPackets]).to.deep.equal([3, 1n]);
    const queues = await sw.multipart({ part: 'queue', portNo: OFPP.ANY, queueId: 0xffffffff });
    expect(queues.flatMap((part) => part.queues)).to.deep.equal([]);
  });

  it('carries packets in both directions, whole', async () => {
    await addPort(3);
    await sw.confirm([flow('in_port=3,actions=controller')]);
    sw.send({ type: 'packet_out', inPort: 3, actions: [{ type: 'output', port: OFPP.TABLE }], data: FRAME });
    const packet = await event('packet-in', (e): e is PacketIn => e.type === 'packet_in');
    expect(packet).to.include({ inPort: 3, reason: OFPR.APPLY_ACTION, totalLen: FRAME.length });
    expect(packet.data.equals(FRAME)).to.equal(true);
    sw.send({ type: 'packet_out', inPort: OFPP.CONTROLLER, actions: [{ type: 'output', port: 3 }], data: FRAME });
    await sw.barrier();
    await until('one packet out', () => (/tx pkts=1,/.test(ovs.ofctl(NAME, 'dump-ports', bridge, '3')) ? true : null));
  });

  it('tells of flows that are removed, and of ports that come and go', async () => {
    await addPort(3);
    await sw.confirm([{ ...flow('priority=5,cookie=0x5,arp actions=drop'), flags: OFPFF.SEND_FLOW_REM }]);
    sw.send(parseFlow('arp', { version: VERSION, command: 'delete' }));
    expect(await event('flow removed', (e) => e.type === 'flow_removed')).to.include({
      cookie: 5n,
      priority: 5,
      reason: 2,
    });
    ovs.vsctl('del-port', bridge, `${bridge}p`);
    await event('port gone', (e): e is PortStatus => e.type === 'port_status' && e.reason === 'delete');
  });

  it('names what it refuses, in the words of 1.0', async () => {
    await sw.confirm([flow('priority=9,arp actions=drop')]);
    const overlap = { ...flow('priority=9,dl_src=02:00:00:00:00:01 actions=drop'), flags: OFPFF.CHECK_OVERLAP };
    const error = await refusal(sw.confirm([overlap]));
    expect(error).to.include({ code: 'REJECTED', errorName: 'OFPFMFC_OVERLAP', errorType: 3, errorCode: 1 });
    expect(error.mod?.priority).to.equal(9);
    expect((await refusal(sw.confirm([flow('actions=group:5')]))).errorName).to.equal('OFPBAC_BAD_OUT_GROUP');
    expect((await refusal(sw.bundle([flow('actions=drop')]))).code).to.equal('UNSUPPORTED');
  });

  it('answers echo, configuration and roles, and takes flows for tables and registers by extension', async () => {
    expect((await sw.request({ type: 'echo_request', data: Buffer.from('x') })).data.toString()).to.equal('x');
    expect(await sw.request({ type: 'get_config_request' })).to.include({ missSendLen: 0xffff });
    expect((await sw.request({ type: 'nx_role_request', role: 'master' })).role).to.equal('master');
    const usual = { idleTimeout: 0, hardTimeout: 0, flags: 0, bufferId: 0xffffffff, outPort: OFPP.ANY };
    const mod = { ...usual, ...flow('table=3,cookie=0x9,reg1=0x5 actions=resubmit(,4)'), type: 'nx_flow_mod' } as const;
    await sw.confirm([
      { type: 'nx_flow_mod_table_id', set: 1 },
      { ...mod, tableInCommand: true },
    ]);
    expect(ovs.flows(NAME, bridge)).to.deep.equal(['cookie=0x9, table=3, reg1=0x5 actions=resubmit(,4)']);
  });
});
