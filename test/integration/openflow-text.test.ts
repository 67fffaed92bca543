// Open vSwitch as the oracle of text: every match field of ovs-fields(7) and every action of ovs-actions(7), written in
// ovs-ofctl's syntax, parsed and sent by this library to a real switch; `ovs-ofctl dump-flows` then reads back what this
// library prints. And `stateferry openflow watch` beside it. Needs root and Open vSwitch.
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { WireError } from '../../src/base/errors.ts';
import { OFP_NO_BUFFER, OFPMF, OFPP } from '../../src/openflow/constants.ts';
import { encodeMessage } from '../../src/openflow/message.ts';
import type { Message } from '../../src/openflow/message.ts';
import type { FlowMod, FlowStats } from '../../src/openflow/model.ts';
import { OpenFlowError } from '../../src/openflow/openflow-error.ts';
import type { SwitchChannel } from '../../src/openflow/switch-channel.ts';
import { parseFlow } from '../../src/openflow/text/parse-flow.ts';
import { formatFlow } from '../../src/openflow/text/print-flow.ts';
import { TextError } from '../../src/openflow/text/text-error.ts';
import type { WireVersion } from '../../src/openflow/wire-version.ts';
import { ALL_FLOW_TEXTS } from '../unit/openflow/flow-texts.ts';
import { OpenFlowBed } from './openflow-bed.ts';
import { reasonToSkip, until } from './openflow-ovs.ts';

const VERSIONS = [
  ['OpenFlow10', 1],
  ['OpenFlow13', 4],
  ['OpenFlow14', 5],
  ['OpenFlow15', 6],
] as const;

/** What 1.0 has neither an action nor an instruction for: refused before it is sent. */
const NOT_IN_10: readonly string[] = [
  'actions=push_vlan:0x8100,set_field:4101->vlan_vid,output:1',
  'actions=encap(nsh(md_type=1)),encap(ethernet),output:1',
  'actions=encap(nsh(md_type=2,tlv(0x1000,10,0x12345678),tlv(0x2000,20,0xfedcba9876543210)))',
  'actions=encap(nsh(md_type=2)),set_field:0x1234->nsh_spi,set_field:255->nsh_si,dec_nsh_ttl',
  'actions=encap(mpls),encap(ethernet)',
  'actions=encap(mpls_mc)',
  'actions=decap()',
  'packet_type=(1,0x894f) actions=decap(),output:1',
  'dl_type=0x894f actions=decap(packet_type(ns=0,type=0)),output:1',
  'actions=meter:5,output:1',
  'actions=clear_actions',
  'actions=write_actions(output:1)',
  'actions=write_actions(set_field:0x5->reg0,group:3)',
  'actions=goto_table:9',
  'table=1, priority=3,tcp,nw_src=10.0.0.0/8 actions=meter:5,dec_ttl,output:1,clear_actions,write_actions(output:2),write_metadata:0x1/0x3,goto_table:9',
];

/** What 1.0 cannot say with its own match and its own flow-mod goes out as Nicira's. */
function messageOf(mod: FlowMod, version: WireVersion): Message {
  if (version !== 1) return mod;
  const own: FlowMod = { ...mod, tableInCommand: true };
  try {
    encodeMessage(version, 0, own);
    return own;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const usual = { idleTimeout: 0, hardTimeout: 0, flags: 0, bufferId: OFP_NO_BUFFER, outPort: OFPP.ANY };
    return { ...usual, ...own, type: 'nx_flow_mod' };
  }
}

/** As a switch reports it that has seen no packet of it; 1.0 does not tell flags. */
const reported = (mod: FlowMod, version: WireVersion): FlowStats => ({
  ...mod,
  idleTimeout: mod.idleTimeout ?? 0,
  hardTimeout: mod.hardTimeout ?? 0,
  flags: version === 1 ? 0 : (mod.flags ?? 0),
  packetCount: 0n,
  byteCount: 0n,
  durationSec: 0,
  durationNsec: 0,
});

describe('flows as text, on Open vSwitch', function () {
  this.timeout(120_000);
  let bed: OpenFlowBed;

  before(async function () {
    const reason = reasonToSkip();
    if (reason !== null) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    bed = new OpenFlowBed();
    await bed.ovs.start();
  });

  after(async () => {
    await (bed as OpenFlowBed | undefined)?.closeServers();
    await (bed as OpenFlowBed | undefined)?.ovs.stop();
  });

  /** With the group, the meters and the tunnel options that the flows refer to. */
  async function connected(name: string): Promise<{ sw: SwitchChannel; bridge: string }> {
    const bridge = bed.newBridge(name);
    const sw = await bed.connect(bridge, await bed.start({ versions: [1, 4, 5, 6] }));
    bed.ovs.ofctl(
      name,
      'add-tlv-map',
      bridge,
      '{class=0xffff,type=0,len=4}->tun_metadata0,{class=0xffff,type=1,len=8}->tun_metadata1,{class=0xffff,type=2,len=8}->tun_metadata3,{class=0xffff,type=3,len=8}->tun_metadata10',
    );
    const bucket = { actions: [{ type: 'output', port: 1 }], weight: 0, watchPort: OFPP.ANY } as const;
    const groups = [3, 5].map(
      (groupId) => ({ type: 'group_mod', command: 'add', groupType: 'all', groupId, buckets: [bucket] }) as const,
    );
    const meters = [5, 7].map(
      (meterId) =>
        ({
          type: 'meter_mod',
          command: 'add',
          meterId,
          flags: OFPMF.KBPS,
          bands: [{ rate: 100, burstSize: 0 }],
        }) as const,
    );
    // 1.0 has Nicira's groups, and no meters.
    await sw.confirm([...groups, ...(sw.version === 1 ? [{ type: 'nx_flow_mod_table_id', set: 1 } as const] : meters)]);
    return { sw, bridge };
  }

  for (const [name, version] of VERSIONS) {
    it(`${name}: what we install, ovs-ofctl reads back as we print it`, async () => {
      const { sw, bridge } = await connected(name);
      const expected: string[] = [];
      const refused: Record<string, string> = {};
      const unsaid: string[] = [];
      for (const [i, text] of ALL_FLOW_TEXTS.entries()) {
        let mod: FlowMod;
        try {
          mod = { ...parseFlow(text, { version }), priority: 1000 + i, cookie: BigInt(i + 1) };
          if (version === 1) mod = { ...mod, flags: (mod.flags ?? 0) & 3 };
        } catch (error) {
          if (!(error instanceof TextError) || error.code !== 'NOT_ALLOWED') throw error;
          unsaid.push(text);
          continue;
        }
        try {
          const message = messageOf(mod, version);
          await sw.confirm([message]);
          const printed = formatFlow(reported(mod, version));
          // "No tag" of 1.0's own match is about the priority too, which later versions leave out.
          const noTag = version === 1 && message.type === 'flow_mod';
          expected.push(noTag ? printed.replace('vlan_tci=0x0000/0x1fff', 'vlan_tci=0x0000') : printed);
        } catch (error) {
          if (!(error instanceof OpenFlowError)) throw error;
          refused[text] = error.errorName ?? error.message;
        }
      }
      const theirs = bed.ovs.flows(name, bridge);
      const others = theirs.filter((flow) => !expected.includes(flow));
      const ours = expected.filter((flow) => !theirs.includes(flow));
      expect(ours, others.join('; ')).to.deep.equal([]);
      expect(theirs).to.have.length(expected.length);
      expect(unsaid).to.deep.equal(version === 1 ? NOT_IN_10 : []);
      expect(refused, 'refused by Open vSwitch 3.1').to.deep.equal({});
    });
  }

  /** What the program prints until it ends by itself. */
  async function watched(args: readonly string[], during: () => void): Promise<string[]> {
    const child = spawn(process.execPath, ['src/cli/main.ts', 'openflow', 'watch', ...args], {
      env: { ...process.env, OVS_RUNDIR: bed.ovs.folder },
    });
    let [text, began] = ['', false];
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    try {
      await until('it has begun', () => (/FLOW_MONITOR reply|ECHO|HELLO.*\n/.test(text) ? true : null));
      if (!began) during();
      began = true;
      expect(await ended).to.equal(0);
      return text.trim().split('\n');
    } finally {
      child.kill('SIGKILL');
    }
  }

  for (const [name] of VERSIONS) {
    it(`${name}: watch tells of ports, flows and every change of them`, async () => {
      const bridge = bed.newBridge(name);
      bed.ovs.ofctl(name, 'add-flow', bridge, 'priority=7,udp,tp_dst=53 actions=LOCAL');
      const lines = await watched([bridge, '-O', name, '--count', '6', '--flows', 'udp'], () => {
        bed.ovs.ofctl(name, 'add-flow', bridge, 'tcp actions=drop'); // is not asked for
        bed.ovs.ofctl(name, 'add-flow', bridge, 'udp,tp_dst=54 actions=output:1');
        bed.ovs.ofctl(name, 'del-flows', bridge, 'udp,tp_dst=54');
      });
      const said = lines.map((line) => line.replace(/^\S+ /, '').replace(/ \(OF1\.\d\)| \(xid=0x[0-9a-f]+\)/g, ''));
      expect(said[0]).to.match(/^OFPT_HELLO: version bitmap: 0x0[1456]/);
      expect(said[1]).to.match(/^OFPT_FEATURES_REPLY: dpid:/);
      expect(said[2]).to.match(new RegExp(`^OFPST_PORT_DESC reply: LOCAL\\(${bridge}\\): addr:`));
      const [initial, added, deleted] = said.slice(3).map((line) => line.replace(/^.* reply: /, ''));
      expect(initial).to.match(/^event=(?:INITIAL|ADDED) table=0 cookie=0 priority=7 udp,tp_dst=53 actions=LOCAL$/);
      expect(added).to.equal('event=ADDED table=0 cookie=0 priority=32768 udp,tp_dst=54 actions=output:1');
      expect(deleted).to.equal(
        'event=DELETED reason=delete table=0 cookie=0 priority=32768 udp,tp_dst=54 actions=output:1',
      );
    });
  }

  it('watch --snoop tells what a bridge and its controller say to each other', async () => {
    const { sw, bridge } = await connected('OpenFlow13');
    const lines = await watched([bridge, '--snoop', '--count', '4'], () => {
      sw.send(parseFlow('priority=5,ip actions=drop'), { type: 'echo_request', data: Buffer.alloc(3) });
    });
    const said = lines.map((line) => line.replace(/^\S+ /, '').replace(/ \(xid=0x[0-9a-f]+\)/, ''));
    expect(said).to.include.members([
      'OFPT_FLOW_MOD (OF1.3): ADD priority=5,ip actions=drop',
      'OFPT_ECHO_REQUEST (OF1.3): 3 bytes of payload',
      'OFPT_ECHO_REPLY (OF1.3): 3 bytes of payload',
    ]);
  });

  it('watch says in one line what is wrong with a name, and ends with 1', async () => {
    const child = spawn(process.execPath, ['src/cli/main.ts', 'openflow', 'watch', 'nosuchbridge']);
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    expect(await new Promise((resolve) => child.once('close', resolve))).to.equal(1);
    expect(text).to.match(/^stateferry: [^\n]*nosuchbridge.mgmt: no such socket[^\n]*\n$/);
  });
});
