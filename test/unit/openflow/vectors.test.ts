// Messages made by another implementation: what is decoded encodes to the same bytes.
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { WireError } from '../../../src/base/errors.ts';
import { formatMessage } from '../../../src/openflow/text/print-message.ts';
import { decodeMessage, encodeMessage } from '../../../src/openflow/message.ts';

interface Vector {
  readonly file: string;
  readonly ver: string;
  readonly hex: string;
}

const VECTORS = readFileSync(new URL('../../fixtures/openflow/ryu-packet-data.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector);

/** Vectors that are wrong themselves, with the reason. */
const WRONG: Readonly<Record<string, string>> = {
  // Its goto-table instruction says 0x0808 bytes long with 8 left; ovs-ofctl ofp-print answers OFPBIC_BAD_LEN.
  'of15/libofproto-OFP15-flow_desc_reply.packet': 'multipart_reply.flow.flows.instructions',
  // Its ct takes the zone, 16 bits wide, from 28 bits of a register; ovs-ofctl ofp-print answers OFPBAC_BAD_SET_LEN.
  'of13/ovs-ofctl-of13-action_ct.packet': 'flow_mod.instructions.apply_actions.actions.ct.zone',
};

/** The message without what follows it: one vector has 8 bytes more than its header says. */
function messageOf(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex');
  return bytes.subarray(0, bytes.readUInt16BE(2));
}

describe('OpenFlow messages of Ryu', () => {
  it('are all there', () => {
    expect(VECTORS).to.have.length(254);
  });

  for (const { file, ver, hex } of VECTORS) {
    const wrong = WRONG[file];
    if (wrong !== undefined) {
      it(`${ver} ${file} is refused: the vector is wrong`, () => {
        expect(() => decodeMessage(messageOf(hex)))
          .to.throw(WireError)
          .with.property('field', wrong);
      });
      continue;
    }
    it(`${ver} ${file} encodes to the same bytes`, () => {
      const bytes = messageOf(hex);
      const { version, xid, message } = decodeMessage(bytes);
      expect(encodeMessage(version, xid, message).toString('hex')).to.equal(bytes.toString('hex'));
      expect(formatMessage(message)).not.to.include('\n');
    });
  }

  it('are all of a type that has a row', () => {
    const verbatim = VECTORS.filter(({ file }) => !(file in WRONG)).flatMap(({ hex }) => {
      const { message } = decodeMessage(messageOf(hex));
      return message.type === 'unknown' ? [message.messageType] : [];
    });
    expect(verbatim).to.deep.equal([]);
  });
});
