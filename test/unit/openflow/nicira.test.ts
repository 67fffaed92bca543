// Nicira's and the ONF's messages: read by Open vSwitch, byte by byte as its headers describe them, and back as they were.
import { expect } from 'chai';
import { WireError } from '../../../src/base/errors.ts';
import { decodeMessage, encodeFrame, encodeMessage } from '../../../src/openflow/message.ts';
import type { Message } from '../../../src/openflow/message.ts';
import { packetInOf } from '../../../src/openflow/nicira/packet-in.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';
import { extensions } from './nicira-examples.ts';
import { hasOfctl, ofpPrint } from './ofp-print.ts';
import { FRAME } from './v10-examples.ts';

const VERSIONS: readonly WireVersion[] = [1, 4, 5, 6];

/** Annotated hex: comments and blanks go. */
const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, ''), 'hex');

for (const version of VERSIONS) {
  describe(`extension messages, wire version ${version}`, () => {
    const examples = extensions(version);
    let said: string[] = [];

    before(function () {
      if (!hasOfctl()) {
        console.log('      skipped: no ovs-ofctl');
        this.skip();
      }
      said = ofpPrint(examples.map(([message]) => encodeMessage(version, 1, message)));
    });

    for (const [i, [message, text]] of examples.entries()) {
      it(`${message.type} is read by Open vSwitch`, () => {
        expect(said[i])
          .to.match(text)
          .and.not.to.match(/error:|\*\*\*/);
      });

      it(`${message.type} comes back as it was`, () => {
        const sent = encodeMessage(version, 1, message);
        const frame = decodeMessage(sent);
        expect(frame.message.type).to.equal(message.type);
        expect(encodeFrame(frame).toString('hex')).to.equal(sent.toString('hex'));
      });
    }
  });
}

describe('NXT_PACKET_IN2', () => {
  const PACKET_IN2 = bytes(`
    04 04 0060 00000000  00002320 0000001e  # 1.3, experimenter, 96 bytes; Nicira, NXT_PACKET_IN2
    0000 0012 ffffffffffff 000000000001 88b5 000000000000  # packet: 14 bytes, padded to 8
    0001 0008 00000040                      # full_len 64
    0003 0005 07 000000                     # table 7
    0004 0010 00000000 00000000000000aa     # cookie
    0005 0008 01 000000                     # reason, in a property longer than Open vSwitch's
    0006 000a 00000002 fffe 000000000000   # metadata: NXM_OF_IN_PORT = OFPP_LOCAL, padded
  `);

  it('reads as a packet-in of any other form', () => {
    const { message } = decodeMessage(PACKET_IN2);
    expect(message.type).to.equal('nx_packet_in2');
    if (message.type !== 'nx_packet_in2') return;
    const { inPort, cookie, table, reason, totalLen, data } = packetInOf(message);
    expect({ inPort, cookie, table, reason, totalLen }).to.deep.equal({
      inPort: 0xfffffffe,
      cookie: 0xaan,
      table: 7,
      reason: 1,
      totalLen: 64,
    });
    expect(data.equals(FRAME)).to.equal(true);
  });

  it('keeps a length that counts padding', () => {
    expect(encodeFrame(decodeMessage(PACKET_IN2)).toString('hex')).to.equal(PACKET_IN2.toString('hex'));
  });
});

describe('NXT_FLOW_MOD', () => {
  it('has the table in its command only when told so', () => {
    const mod: Message = {
      type: 'nx_flow_mod',
      command: 'delete',
      table: 4,
      tableInCommand: true,
      priority: 0,
      cookie: 0n,
      match: [],
      instructions: [],
    };
    expect(encodeMessage(1, 0, mod).readUInt16BE(24)).to.equal(0x0403);
    expect(() => encodeMessage(1, 0, { ...mod, tableInCommand: false })).to.throw(WireError, /NXT_FLOW_MOD_TABLE_ID/);
  });
});

describe('an experimenter message that no table has', () => {
  it('keeps its data', () => {
    const message: Message = { type: 'experimenter', experimenter: 0x2320, expType: 999, data: Buffer.from('x') };
    expect(decodeMessage(encodeMessage(1, 5, message)).message).to.deep.equal(message);
  });
});
