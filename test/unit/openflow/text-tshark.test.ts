// Flows of every field and action before Wireshark's dissector: nothing is malformed. What it has no dissector for, it says;
// there Open vSwitch must read the message. (Of 1.5 it reads flow-mods with the layouts of 1.4: see messages.test.ts.)
import { expect } from 'chai';
import { WireError } from '../../../src/base/errors.ts';
import { encodeMessage } from '../../../src/openflow/message.ts';
import { parseFlow } from '../../../src/openflow/text/parse-flow.ts';
import { TextError } from '../../../src/openflow/text/text-error.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';
import { FLOW_TEXTS, MASKED_SETS, MATCH_TEXTS } from './flow-texts.ts';
import { hasOfctl, ofpPrint } from './ofp-print.ts';
import { dissect, hasTshark } from './tshark.ts';

const TEXTS = [...MATCH_TEXTS.map((text) => `${text} actions=drop`), ...FLOW_TEXTS, ...MASKED_SETS];

/** What it says of fields and actions that it does not know; the last of the masks of ports that Open vSwitch allows. */
const UNKNOWN = ['Unknown OXM body.', 'Experimenter action body.', 'Action not dissected yet', 'Undecoded Data'];

interface Flow {
  readonly text: string;
  readonly bytes: Buffer;
}

/** Those that the version can say: 1.0 has neither instructions nor Nicira's fields. */
function flowsOf(version: WireVersion): readonly Flow[] {
  return TEXTS.flatMap((text) => {
    // It takes a flow-mod of 1.0 without actions for a short one.
    if (version === 1 && text.endsWith('actions=drop')) return [];
    try {
      return [{ text, bytes: encodeMessage(version, 1, parseFlow(text, { version })) }];
    } catch (error) {
      if (version === 1 && (error instanceof WireError || error instanceof TextError)) return [];
      throw error;
    }
  });
}

const FEWEST = { 1: 60, 4: 200, 5: 200 } as const;

for (const version of [1, 4, 5] as const) {
  describe(`flows of wire version ${version} in Wireshark`, function () {
    this.timeout(60_000);
    const flows = flowsOf(version);
    let strange: readonly Flow[] = [];

    before(function () {
      if (hasTshark()) return;
      console.log('      skipped: no tshark');
      this.skip();
    });

    it('are none of them malformed', () => {
      expect(flows).to.have.length.above(FEWEST[version]);
      const said = dissect(flows.map(({ bytes }) => bytes));
      const complaints = said.map(({ expert }) => UNKNOWN.reduce((left, each) => left.replaceAll(each, ''), expert));
      const wrong = flows.filter((_, i) => (complaints[i] ?? '').replaceAll(',', '') !== '');
      expect(wrong.map(({ text }) => text)).to.deep.equal([]);
      expect(said.every(({ protocols }) => protocols.includes('openflow'))).to.equal(true);
      strange = flows.filter((_, i) => said[i]?.expert !== '');
    });

    it('are read by Open vSwitch where Wireshark does not know them', function () {
      if (!hasOfctl()) this.skip();
      const said = ofpPrint(strange.map(({ bytes }) => bytes));
      const refused = strange.filter((_, i) => /error/.test(said[i] ?? 'error'));
      expect(refused.map(({ text }) => text)).to.deep.equal([]);
    });
  });
}
