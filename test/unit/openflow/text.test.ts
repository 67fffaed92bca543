// Flows as text: what is written as Open vSwitch prints it is read and printed the same; what is wrong is named with its place.
import { expect } from 'chai';
import { parseActions } from '../../../src/openflow/text/parse-actions.ts';
import { parseFlow } from '../../../src/openflow/text/parse-flow.ts';
import { parseMatch } from '../../../src/openflow/text/parse-match.ts';
import { formatActions } from '../../../src/openflow/text/print-actions.ts';
import { formatFlow, formatFlowStats } from '../../../src/openflow/text/print-flow.ts';
import { formatMatch } from '../../../src/openflow/text/print-match.ts';
import { TextError } from '../../../src/openflow/text/text-error.ts';
import type { FlowMod, FlowStats } from '../../../src/openflow/model.ts';
import { FLOW_TEXTS, MASKED_SETS, MATCH_TEXTS, OTHER_FLOW_TEXTS, OTHER_MATCH_TEXTS } from './flow-texts.ts';

/** The flow as a switch that has it reports it. */
const reported = ({ idleTimeout = 0, hardTimeout = 0, flags = 0, ...mod }: FlowMod): FlowStats => ({
  ...mod,
  idleTimeout,
  hardTimeout,
  flags,
  packetCount: 3n,
  byteCount: 180n,
  durationSec: 12,
  durationNsec: 345_000_000,
});

const printed = (text: string): string => formatFlow(reported(parseFlow(text)));

describe('a match as text', () => {
  for (const text of MATCH_TEXTS) {
    it(text, () => {
      expect(formatMatch(parseMatch(text))).to.equal(text);
    });
  }

  for (const [text, other] of OTHER_MATCH_TEXTS) {
    it(`${text} prints as ${other}`, () => {
      expect(formatMatch(parseMatch(text))).to.equal(other);
    });
  }

  it('holds fields in the order in which they need each other', () => {
    expect(parseMatch('tp_dst=80,nw_src=10.0.0.0/8,tcp,in_port=LOCAL')).to.deep.equal([
      { name: 'in_port', value: 0xfffffffe },
      { name: 'eth_type', value: 0x800 },
      { name: 'ip_proto', value: 6 },
      { name: 'tcp_dst', value: 80 },
      { name: 'ipv4_src', value: '10.0.0.0', mask: '255.0.0.0' },
    ]);
  });

  it('takes port names of the switch', () => {
    expect(parseMatch('in_port="vm-1"', new Map([['vm-1', 7]]))).to.deep.equal([{ name: 'in_port', value: 7 }]);
    expect(parseMatch('in_port=eth0', new Map([['eth0', 8]]))).to.deep.equal([{ name: 'in_port', value: 8 }]);
  });

  it('keeps fields that no table names', () => {
    const text = 'oxm:0x8000:99=0x0102/0xffff,oxm:0xffff:5:0x1234=0x01';
    expect(formatMatch(parseMatch(text))).to.equal(text);
  });

  it('keeps the length of tunnel options', () => {
    expect(parseMatch('tun_metadata0=0x0012')).to.deep.equal([
      { name: 'tun_metadata0', value: Buffer.from([0, 0x12]) },
    ]);
    expect(formatMatch(parseMatch('tun_metadata0=0x0012/0xffff,tun_metadata3'))).to.equal(
      'tun_metadata0=0x12,tun_metadata3',
    );
  });
});

describe('a flow as text', () => {
  for (const text of [...FLOW_TEXTS, ...MASKED_SETS]) {
    it(text, () => {
      expect(printed(text)).to.equal(text);
    });
  }

  for (const [text, other] of OTHER_FLOW_TEXTS) {
    it(`${text} prints as ${other}`, () => {
      expect(printed(text)).to.equal(other);
    });
  }

  it('with statistics reads like a line of dump-flows, which is a flow as well', () => {
    const line =
      'cookie=0x0, duration=12.345s, table=3, n_packets=3, n_bytes=180, idle_timeout=5, priority=7,tcp actions=output:1';
    expect(formatFlowStats(reported(parseFlow(line)))).to.equal(line);
  });

  it('to be deleted names a cookie by its mask, and the port it outputs to', () => {
    const mod = parseFlow('cookie=0x5/-1,table=2,ip,out_port=3', { command: 'delete' });
    expect(mod).to.deep.include({ table: 2, cookie: 5n, cookieMask: 0xffff_ffff_ffff_ffffn, outPort: 3 });
  });

  it('goes to table 0 when added, to every table when deleted', () => {
    expect(parseFlow('actions=drop').table).to.equal(0);
    expect(parseFlow('ip', { command: 'delete' }).table).to.equal(0xff);
  });
});

describe('actions of other versions as text', () => {
  const V10 = [
    'mod_vlan_vid:9,mod_vlan_pcp:6,strip_vlan',
    'mod_dl_src:00:11:22:33:44:55,mod_dl_dst:10:20:30:40:50:60',
    'mod_nw_src:1.2.3.4,mod_nw_dst:192.168.0.1,mod_nw_tos:48,mod_tp_src:80,mod_tp_dst:443',
    'enqueue:10:55,set_tunnel:0x12345678,set_tunnel64:0xc426384d49c53d60',
    'set_mpls_label(5),set_mpls_tc(3)',
    'write_metadata:0xfedcba9876543210/0xffff0000ffff0000',
    'set_field:0x5->reg0',
  ];
  for (const text of V10) {
    it(`1.0: ${text}`, () => {
      expect(formatActions(parseActions(text, { version: 1 }))).to.equal(text);
    });
  }

  for (const text of ['meter:5,output:1', 'set_field:00:00:00:00:12:34/00:00:00:00:ff:ff->eth_src']) {
    it(`1.5: ${text}`, () => {
      expect(formatActions(parseActions(text, { version: 6 }))).to.equal(text);
    });
  }

  it('of actions that the version has not is refused where they stand', () => {
    const refused = [
      ['output:1,push_vlan:0x8100', 1, 'an action that OpenFlow 1.0 has, found "push_vlan"'],
      ['clone(encap(mpls))', 1, 'an action that OpenFlow 1.0 has, found "encap"'],
      ['meter:5', 4, 'an action, found "meter"'],
    ] as const;
    for (const [text, version, said] of refused) {
      expect(() => parseActions(text, { version })).to.throw(TextError, said);
    }
  });

  it('1.5: load becomes a masked set_field', () => {
    expect(formatActions(parseActions('load:0x5->NXM_NX_REG0[8..15]', { version: 6 }))).to.equal(
      'set_field:0x500/0xff00->reg0',
    );
  });
});

describe('wrong text raises one error that says where and what', () => {
  const WRONG: readonly (readonly [text: string, code: string, found: string, expected: RegExp])[] = [
    ['foo=3 actions=drop', 'UNKNOWN_WORD', 'foo', /a match field or a setting/],
    ['tcp,tp_src=99999 actions=drop', 'OUT_OF_RANGE', '99999', /at most 65535/],
    ['ip,nw_src=10.0.0 actions=drop', 'BAD_VALUE', '10.0.0', /IPv4/],
    ['ip,nw_src=10.0.0.0/33 actions=drop', 'OUT_OF_RANGE', '33', /prefix length/],
    ['tp_src=4 actions=drop', 'NOT_ALLOWED', 'tp_src', /tcp, udp or sctp/],
    ['dl_vlan=4097 actions=drop', 'OUT_OF_RANGE', '4097', /VLAN/],
    ['ct_state=+trk+foo actions=drop', 'UNKNOWN_WORD', 'foo', /new, est/],
    ['reg0[30..35]=1 actions=drop', 'OUT_OF_RANGE', '[30..35]', /below 32/],
    ['ip', 'SYNTAX', '', /actions=/],
    ['actions=foo:1', 'UNKNOWN_WORD', 'foo', /an action or a port/],
    ['actions=output:foo', 'BAD_VALUE', 'foo', /a port/],
    ['actions=drop,output:1', 'NOT_ALLOWED', 'drop', /by itself/],
    ['actions=goto_table:1,output:2', 'NOT_ALLOWED', 'output', /before goto_table/],
    ['actions=ct(commit,foo)', 'UNKNOWN_WORD', 'foo', /commit, force/],
    ['actions=ct(commit,nat(src=1.2.3))', 'BAD_VALUE', '1.2.3', /ADDRESS/],
    ['actions=ct(commit', 'SYNTAX', '', /"\)"/],
    ['actions=learn(table=1,foo=3)', 'UNKNOWN_WORD', 'foo', /a field/],
    ['actions=load:5->NXM_NX_REG0[0..1]', 'OUT_OF_RANGE', '5', /2 bits/],
    ['actions=move:NXM_NX_REG0[0..7]->NXM_NX_REG1[]', 'BAD_VALUE', 'NXM_NX_REG1[]', /8 bits/],
    ['actions=set_field:5->foo', 'UNKNOWN_WORD', 'foo', /a field/],
    ['actions=conjunction(1,3/2)', 'OUT_OF_RANGE', '1,3/2', /clauses/],
    ['actions=mod_tp_dst:5', 'NOT_ALLOWED', 'mod_tp_dst', /tcp, udp or sctp/],
    ['cookie=5/-1 actions=drop', 'NOT_ALLOWED', '-1', /without a mask/],
    ['priority=70000 actions=drop', 'OUT_OF_RANGE', '70000', /priority/],
  ];
  for (const [text, code, found, expected] of WRONG) {
    it(text, () => {
      let caught: unknown = null;
      try {
        parseFlow(text);
      } catch (error) {
        caught = error;
      }
      if (!(caught instanceof TextError)) throw new Error('no TextError', { cause: caught });
      expect([caught.code, caught.found]).to.deep.equal([code, found]);
      expect(caught.expected).to.match(expected);
      expect(text.slice(caught.position)).to.satisfy((rest: string) => rest.startsWith(found));
    });
  }
});
