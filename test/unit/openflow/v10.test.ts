// OpenFlow 1.0: byte by byte as openflow.h has it, in the shapes of later versions, and as Open vSwitch reads it.
import { expect } from 'chai';
import { WireError } from '../../../src/base/errors.ts';
import { decodeMessage, encodeFrame, encodeMessage } from '../../../src/openflow/message.ts';
import type { Message } from '../../../src/openflow/message.ts';
import type { Match } from '../../../src/openflow/model.ts';
import { errorName10 } from '../../../src/openflow/v10/error-names.ts';
import { hasOfctl, ofpPrint } from './ofp-print.ts';
import { dissect, hasTshark } from './tshark.ts';
import type { Dissection } from './tshark.ts';
import { flowMod, V10 } from './v10-examples.ts';
import { V10_STATS } from './v10-stats-examples.ts';

const EXAMPLES = [...V10, ...V10_STATS];

/** Annotated hex: comments and blanks go. */
const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, ''), 'hex');

describe('Open vSwitch reads what we write, OF1.0', () => {
  let said: string[] = [];

  before(function () {
    if (!hasOfctl()) {
      console.log('      skipped: no ovs-ofctl');
      this.skip();
    }
    said = ofpPrint(EXAMPLES.map(([message]) => encodeMessage(1, 1, message)));
  });

  for (const [i, [message, text]] of EXAMPLES.entries()) {
    it(`${message.type}: ${text.source}`, () => {
      expect(said[i]).to.match(text);
      // Open vSwitch has no emergency flows, and says so by this error.
      if (!text.source.includes('TABLE_FULL')) expect(said[i]).not.to.match(/error:/);
    });

    it(`${message.type} comes back as it was (${i})`, () => {
      const frame = decodeMessage(encodeMessage(1, 1, message));
      expect(frame).to.deep.include({ version: 1, xid: 1 });
      expect(frame).not.to.have.property('reserved');
      expect(encodeFrame(frame).toString('hex')).to.equal(encodeMessage(1, 1, message).toString('hex'));
    });
  }
});

/** Wireshark 4.0 knows the more common half of 1.0, and takes a flow-mod without actions for a short one. */
const unknownToWireshark = (message: Message): boolean =>
  message.type === 'flow_mod' && message.instructions.length === 0;

describe('Wireshark reads what we write, OF1.0', () => {
  const known = EXAMPLES.filter(([message]) => !unknownToWireshark(message));
  let said: Dissection[] = [];

  before(function () {
    if (!hasTshark()) {
      console.log('      skipped: no tshark');
      this.skip();
    }
    this.timeout(60_000);
    said = dissect(known.map(([message]) => encodeMessage(1, 1, message)));
  });

  for (const [i, [message]] of known.entries()) {
    it(`${message.type} (${i})`, () => {
      expect(said[i]?.protocols).to.include('openflow_v1');
      expect(said[i]?.expert.replace('Message data not dissected yet', '')).to.equal('');
    });
  }
});

const FLOW_MOD = bytes(`
  01 0e 0050 00000007    # version 1.0, OFPT_FLOW_MOD, 80 bytes, xid 7
  003808e2               # wildcards: all but in_port, dl_src, dl_dst, dl_type; 8 low bits of nw_src are not matched
  0003                   # in_port
  000000000001           # dl_src
  000000000002           # dl_dst
  0000 00 00             # dl_vlan, dl_vlan_pcp, pad
  0800 00 00 0000        # dl_type, nw_tos, nw_proto, pad
  0a000100 00000000      # nw_src, nw_dst
  0000 0000              # tp_src, tp_dst
  00000000000000aa       # cookie
  0000 000a 0000 8000    # add, idle 10, hard 0, priority
  ffffffff ffff 0001     # no buffer, OFPP_NONE, OFPFF_SEND_FLOW_REM
  0000 0008 fffd 0080    # output to OFPP_CONTROLLER, 128 bytes
`);

describe('flow-mod of OpenFlow 1.0', () => {
  it('is what a flow-mod of 1.3 would be', () => {
    const frame = decodeMessage(FLOW_MOD);
    expect(frame.reserved).to.equal(undefined);
    expect(frame.message).to.deep.equal({
      type: 'flow_mod',
      command: 'add',
      table: 0,
      priority: 0x8000,
      cookie: 0xaan,
      idleTimeout: 10,
      hardTimeout: 0,
      bufferId: 0xffffffff,
      outPort: 0xffffffff,
      flags: 1,
      match: [
        { name: 'in_port', value: 3 },
        { name: 'eth_src', value: '00:00:00:00:00:01' },
        { name: 'eth_dst', value: '00:00:00:00:00:02' },
        { name: 'eth_type', value: 0x800 },
        { name: 'ipv4_src', value: '10.0.1.0', mask: '255.255.255.0' },
      ],
      instructions: [{ type: 'apply_actions', actions: [{ type: 'output', port: 0xfffffffd, maxLen: 128 }] }],
    });
    expect(encodeFrame(frame).toString('hex')).to.equal(FLOW_MOD.toString('hex'));
  });

  it('deletes from all tables without naming one', () => {
    expect(encodeMessage(1, 0, flowMod([], { command: 'delete', table: 0xff })).readUInt16BE(56)).to.equal(3);
  });

  it('names a table when NXT_FLOW_MOD_TABLE_ID is on', () => {
    const wire = encodeMessage(1, 0, flowMod([], { table: 0xff, tableInCommand: true }));
    expect(wire.readUInt16BE(56)).to.equal(0xff00);
    expect(decodeMessage(wire).message).to.include({ table: 0xff, tableInCommand: true });
    expect(() => encodeMessage(1, 0, flowMod([], { table: 2 }))).to.throw(WireError, /table 2/);
  });

  for (const [what, mod] of [
    ['a cookie mask', flowMod([], { cookieMask: 1n })],
    ['a group', flowMod([], { command: 'delete', outGroup: 1 })],
    ['importance', flowMod([], { importance: 1 })],
    ['reset of counters by a modification', flowMod([], { command: 'modify', flags: 4 })],
    ['a goto', flowMod([], { instructions: [{ type: 'goto_table', table: 1 }] })],
  ] as const) {
    it(`has no ${what}`, () => {
      expect(() => encodeMessage(1, 0, mod)).to.throw(WireError);
    });
  }
});

describe('match of OpenFlow 1.0', () => {
  const refuse = (match: Match): void => {
    expect(() => encodeMessage(1, 0, flowMod(match))).to.throw(WireError);
  };

  it('keeps what stands under wildcards, and odd wildcards, in their places', () => {
    const wire = Buffer.from(FLOW_MOD);
    wire.writeUInt32BE(0xfff8_08e3, 8); // in_port not matched after all, and bits without a meaning
    wire.writeUInt16BE(0xabcd, 44); // under tp_src
    wire.writeUInt8(3, 32); // the low bits of nw_tos
    const frame = decodeMessage(wire);
    expect(frame.message).to.have.nested.property('match[0].name', 'eth_src');
    expect(frame.reserved?.map(({ offset }) => offset)).to.deep.equal([8, 13, 32, 44]);
    expect(encodeFrame(frame).toString('hex')).to.equal(wire.toString('hex'));
  });

  it('reads 32 and more wildcarded bits of an address as no match on it', () => {
    const wire = Buffer.from(FLOW_MOD);
    wire.writeUInt32BE(0x003f_ffff, 8);
    const frame = decodeMessage(wire);
    expect(frame.message).to.have.property('match').that.deep.equals([]);
    expect(encodeFrame(frame).toString('hex')).to.equal(wire.toString('hex'));
  });

  it('ignores, as switches do, what is matched without its lower layer', () => {
    const wire = Buffer.from(FLOW_MOD);
    wire.writeUInt32BE(0x0038_00ff & ~0x40, 8); // tp_src is matched, dl_type is not
    const frame = decodeMessage(wire);
    expect(frame.message).to.have.property('match').that.deep.equals([]);
    expect(encodeFrame(frame).toString('hex')).to.equal(wire.toString('hex'));
  });

  it('refuses a field whose lower layer is not matched', () => {
    refuse([{ name: 'tcp_dst', value: 80 }]);
    refuse([
      { name: 'eth_type', value: 0x800 },
      { name: 'ip_proto', value: 17 },
      { name: 'tcp_dst', value: 80 },
    ]);
    refuse([{ name: 'vlan_pcp', value: 1 }]);
  });

  it('refuses fields and masks that 1.0 does not have', () => {
    refuse([{ name: 'metadata', value: 1n }]);
    refuse([{ name: 'eth_dst', value: '01:00:00:00:00:00', mask: '01:00:00:00:00:00' }]);
    refuse([{ name: 'vlan_vid', value: 0x1000, mask: 0x1000 }]);
    refuse([
      { name: 'eth_type', value: 0x800 },
      { name: 'ipv4_src', value: '10.0.0.0', mask: '255.0.255.0' },
    ]);
    refuse([
      { name: 'in_port', value: 1 },
      { name: 'in_port', value: 2 },
    ]);
    refuse([{ name: 'in_port', value: 0x10000 }]);
  });
});

describe('messages of OpenFlow 1.0', () => {
  it('keep a hello that holds no elements', () => {
    const wire = bytes('01 00 000b 00000001 ffffff');
    const frame = decodeMessage(wire);
    expect(frame.message).to.have.property('type', 'hello');
    expect(encodeFrame(frame).equals(wire)).to.equal(true);
  });

  it('name errors by the numbers of 1.0', () => {
    expect(errorName10(3, 0)).to.equal('OFPFMFC_ALL_TABLES_FULL');
    expect(errorName10(4, 1)).to.equal('OFPPMFC_BAD_HW_ADDR');
    expect(errorName10(1, 77)).to.equal('OFPET_BAD_REQUEST/77');
    expect(errorName10(9, 1)).to.equal('9/1');
    expect(errorName10(0xb0c2, 0, bytes('00002320 0001 0201'))).to.equal('OFPRRFC_BAD_ROLE');
  });

  it('are refused in the versions between, by name', () => {
    for (const version of ['02', '03']) {
      expect(() => decodeMessage(bytes(`${version} 02 0008 00000000`)))
        .to.throw(WireError)
        .with.property('code', 'BAD_VERSION');
    }
  });
});
