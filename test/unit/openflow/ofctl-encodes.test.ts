// Open vSwitch as the oracle of how things are written: the bytes of ovs-ofctl are those that we write for the same text, and
// what we write it prints as that text.
import { expect } from 'chai';
import { OFP_NO_BUFFER, OFPP } from '../../../src/openflow/constants.ts';
import { decodeMessage, encodeMessage } from '../../../src/openflow/message.ts';
import type { FlowMod } from '../../../src/openflow/model.ts';
import { parseFlow } from '../../../src/openflow/text/parse-flow.ts';
import { formatInstructions } from '../../../src/openflow/text/print-actions.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';
import { FLOW_TEXTS, MATCH_TEXTS } from './flow-texts.ts';
import { addedBy } from './ofctl-peer.ts';
import { hasOfctl, ofpPrint } from './ofp-print.ts';

const OFCTL_TIMEOUT_MS = 20_000;

const DROPS = MATCH_TEXTS.map((text) => (text === '' ? 'actions=drop' : `${text},actions=drop`));

/** Texts that ovs-ofctl writes in another form that means the same: resubmit with a table that says "this one". */
const OTHER_FORM: ReadonlySet<string> = new Set(['actions=resubmit:5']);

/** Of 1.0, those whose match only NXM can say are Nicira's messages. */
async function flowsOf(
  version: WireVersion,
  texts: readonly string[],
): Promise<Pick<FlowMod, 'match' | 'instructions'>[]> {
  const frames = await addedBy(version, texts);
  return frames
    .map((frame) => decodeMessage(frame).message)
    .filter((message) => message.type === 'flow_mod' || message.type === 'nx_flow_mod');
}

/** Instructions, and actions that came with later versions. */
const NOT_IN_10 = /push_vlan|encap|decap|meter:|clear_actions|write_actions|goto_table/;

const NAMES = { 1: '1.0', 4: '1.3', 5: '1.4', 6: '1.5' } as const;

describe('what ovs-ofctl writes', function () {
  this.timeout(OFCTL_TIMEOUT_MS);

  before(function () {
    if (hasOfctl()) return;
    console.log('      skipped: no ovs-ofctl');
    this.skip();
  });

  for (const version of [4, 5, 6] as const) {
    it(`in ${NAMES[version]} are the actions that we write for the same text`, async () => {
      const mods = await flowsOf(version, FLOW_TEXTS);
      expect(mods).to.have.length(FLOW_TEXTS.length);
      const different = FLOW_TEXTS.filter((text, i) => {
        const { instructions } = parseFlow(text, { version });
        const ours = encodeMessage(version, 0, parsed(instructions));
        return !ours.equals(encodeMessage(version, 0, parsed(mods[i]?.instructions ?? [])));
      });
      expect(different).to.deep.equal(FLOW_TEXTS.filter((text) => OTHER_FORM.has(text)));
    });
  }

  for (const version of [1, 4, 5, 6] as const) {
    it(`in ${NAMES[version]} comes under the headers that we would choose`, async () => {
      const mods = await flowsOf(version, DROPS);
      expect(mods).to.have.length(DROPS.length);
      const others = mods.flatMap(({ match }) => match).filter(({ oxmType }) => oxmType !== undefined);
      expect(others).to.deep.equal([]);
    });
  }
});

/** A flow of these instructions and nothing else. */
function parsed(instructions: FlowMod['instructions']): FlowMod {
  return {
    type: 'flow_mod',
    command: 'add',
    table: 0,
    priority: 0,
    cookie: 0n,
    match: [],
    instructions,
  };
}

describe('what we write', function () {
  this.timeout(OFCTL_TIMEOUT_MS);

  before(function () {
    if (hasOfctl()) return;
    console.log('      skipped: no ovs-ofctl');
    this.skip();
  });

  /** Those that ovs-ofctl does not read, or does not print with the actions as we do. */
  const wronglyRead = (mods: readonly Pick<FlowMod, 'instructions'>[], messages: readonly Buffer[]): string[] =>
    ofpPrint(messages).filter((line, i) => {
      const actions = formatInstructions(mods[i]?.instructions ?? []);
      return /error/.test(line) || !line.endsWith(`actions=${actions}`);
    });

  for (const version of [4, 5, 6] as const) {
    it(`in ${NAMES[version]} ovs-ofctl reads and prints as we do`, () => {
      const mods = [...FLOW_TEXTS, ...DROPS].map((text) => parseFlow(text, { version }));
      const messages = mods.map((mod) => encodeMessage(version, 1, mod));
      expect(wronglyRead(mods, messages)).to.deep.equal([]);
    });
  }

  it("in 1.0 ovs-ofctl reads and prints as we do, in Nicira's messages", () => {
    const mods = FLOW_TEXTS.filter((text) => !NOT_IN_10.test(text)).map((text) => parseFlow(text, { version: 1 }));
    const messages = mods.map((mod) =>
      encodeMessage(1, 1, {
        idleTimeout: 0,
        hardTimeout: 0,
        flags: 0,
        bufferId: OFP_NO_BUFFER,
        outPort: OFPP.ANY,
        ...mod,
        type: 'nx_flow_mod',
        table: 0,
      }),
    );
    expect(messages).to.have.length.above(80);
    expect(wronglyRead(mods, messages)).to.deep.equal([]);
  });
});
