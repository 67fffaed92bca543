// Messages of 1.3, 1.4 and 1.5 before two readers that we did not write, Open vSwitch's and Wireshark's, and back again.
import { expect } from 'chai';
import { decodeMessage, encodeMessage } from '../../../src/openflow/message.ts';
import type { Message } from '../../../src/openflow/message.ts';
import type { OxmVersion } from '../../../src/openflow/wire-version.ts';
import { modExamples } from './mod-examples.ts';
import { hasOfctl, ofpPrint } from './ofp-print.ts';
import { partExamples } from './part-examples.ts';
import { dissect, hasTshark } from './tshark.ts';
import type { Dissection } from './tshark.ts';

const OXM_VERSIONS: readonly OxmVersion[] = [4, 5, 6];

/**
 * Wireshark (4.x) calls messages of 1.4 about queues malformed, Ryu's as well, and reads 1.5 with the layouts of 1.4: there
 * Open vSwitch is the reader.
 */
const dissects = (version: OxmVersion, name: string): boolean => version < 6 && !(version === 5 && /queue/.test(name));

const nameOf = (message: Message): string =>
  'body' in message && 'part' in message.body ? `${message.type} ${message.body.part}` : message.type;

for (const version of OXM_VERSIONS) {
  const examples = [...modExamples(version), ...partExamples(version)];
  const encoded = examples.map(([message]) => encodeMessage(version, 1, message));

  describe(`messages of wire version ${version}`, () => {
    let said: string[] = [];
    let dissected: Dissection[] = [];

    before(() => {
      if (hasOfctl()) said = ofpPrint(encoded);
      else console.log('      no ovs-ofctl: what it says is not asked');
      if (hasTshark()) dissected = dissect(encoded);
      else console.log('      no tshark: what it says is not asked');
    });

    for (const [i, [message, text]] of examples.entries()) {
      it(`${nameOf(message)} comes back as it was`, () => {
        const bytes = encoded[i] ?? Buffer.alloc(0);
        const frame = decodeMessage(bytes);
        expect(frame.message.type).to.equal(message.type);
        expect(encodeMessage(version, frame.xid, frame.message).toString('hex')).to.equal(bytes.toString('hex'));
      });

      it(`${nameOf(message)} is read by Open vSwitch`, function () {
        if (said.length === 0 || text === null) this.skip();
        expect(said[i])
          .to.match(text)
          .and.not.to.match(/error:|\*\*\*/);
      });

      if (!dissects(version, nameOf(message))) continue;
      it(`${nameOf(message)} has nothing that Wireshark complains of`, function () {
        if (dissected.length === 0) this.skip();
        expect(dissected[i]?.protocols).to.include('openflow');
        expect(dissected[i]?.expert).to.equal('');
      });
    }
  });
}
