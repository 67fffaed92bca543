// Every message that this library can send, before two readers that we did not write: Wireshark finds nothing malformed and
// nothing to remark; where it has no dissector, or a wrong one, Open vSwitch accepts the message.
import { expect } from 'chai';
import { encodeMessage, messageRows } from '../../../src/openflow/message.ts';
import { partRows } from '../../../src/openflow/messages/multipart.ts';
import { messageName } from '../../../src/openflow/text/message-names.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';
import { examplesOf } from './examples.ts';
import { hasOfctl, ofpPrint } from './ofp-print.ts';
import { dissect, hasTshark } from './tshark.ts';

/** What Wireshark 4.0 says of bytes that it has no dissector for. */
const NOT_DISSECTED = [
  'Message data not dissected yet',
  'Experimenter body.',
  'Experimenter multipart request body.',
  'Experimenter multipart reply body.',
];

/** Queue descriptions, which it takes for shorter than they are, Ryu's as well. */
const QUEUES = ['OFPST_QUEUE reply', 'OFPST_QUEUE_DESC reply'];

/** Behind the last byte of the experimenter's it reads on. */
const EXTENSIONS = ['NXST_IPFIX_BRIDGE reply', 'NXST_IPFIX_FLOW reply', 'OFPST_EXPERIMENTER reply'];

/** Messages that Wireshark 4.0 reads wrongly: all that it calls malformed. */
const READ_WRONGLY: Readonly<Record<WireVersion, readonly string[]>> = {
  // It wants an action.
  1: ['OFPT_FLOW_MOD'],
  4: [...EXTENSIONS, 'ONFST_FLOW_MONITOR reply'],
  5: [...EXTENSIONS, ...QUEUES],
  // It reads these with the layouts of 1.4.
  6: [
    ...EXTENSIONS,
    ...QUEUES,
    'OFPST_AGGREGATE request',
    'OFPST_BUNDLE_FEATURES reply',
    'OFPST_CONTROLLER_STATUS reply',
    'OFPST_FLOW reply',
    'OFPST_FLOW request',
    'OFPST_FLOW_MONITOR reply',
    'OFPST_FLOW_MONITOR request',
    'OFPST_FLOW_STATS reply',
    'OFPST_FLOW_STATS request',
    'OFPST_GROUP_DESC reply',
    'OFPST_TABLE_FEATURES reply',
    'OFPT_BUNDLE_ADD_MESSAGE',
    'OFPT_CONTROLLER_STATUS',
    'OFPT_FLOW_MOD',
    'OFPT_FLOW_REMOVED',
    'OFPT_GROUP_MOD',
    'OFPT_PACKET_IN',
    'OFPT_PACKET_OUT',
    'OFPT_REQUESTFORWARD',
  ],
};

/** What Open vSwitch 3.1 does not know either: strangers' messages, and parts of 1.5 that it has not, see the vectors. */
const STRANGERS = ['OFPST_EXPERIMENTER reply', 'OFPST_EXPERIMENTER request', 'OFPT_EXPERIMENTER'];
const NEITHER: Readonly<Record<WireVersion, readonly string[]>> = {
  1: [...STRANGERS, 'OFPST_VENDOR reply', 'OFPST_VENDOR request', 'OFPT_VENDOR'],
  4: STRANGERS,
  5: STRANGERS,
  6: [
    ...STRANGERS,
    'OFPST_BUNDLE_FEATURES reply',
    'OFPST_CONTROLLER_STATUS reply',
    'OFPST_FLOW_STATS reply',
    'OFPST_FLOW_STATS request',
    'OFPT_CONTROLLER_STATUS',
  ],
};

for (const version of [1, 4, 5, 6] as const) {
  describe(`every message of wire version ${version}`, function () {
    this.timeout(60_000);
    const examples = examplesOf(version);
    const names = examples.map((message) => messageName(message, version));

    it('has an example, and every part in both directions', () => {
      const had = new Set<string>(examples.map(({ type }) => type));
      const messages = messageRows(version).map(({ name }) => name);
      expect(messages.filter((name) => !had.has(name))).to.deep.equal([]);
      const parts = new Set(
        examples.flatMap((each) => ('body' in each && 'part' in each.body ? [`${each.type} ${each.body.part}`] : [])),
      );
      const all = partRows(version).flatMap(({ part }) => [`multipart_request ${part}`, `multipart_reply ${part}`]);
      expect(all.filter((name) => !parts.has(name))).to.deep.equal([]);
    });

    it('is read by Wireshark without a remark, or else by Open vSwitch', function () {
      if (!hasTshark() || !hasOfctl()) {
        console.log('      skipped: no tshark or no ovs-ofctl');
        this.skip();
      }
      const bytes = examples.map((message) => encodeMessage(version, 1, message));
      const dissected = dissect(bytes);
      const printed = ofpPrint(bytes);
      const malformed: string[] = [];
      const unread: string[] = [];
      for (const [i, name] of names.entries()) {
        const { expert = '', protocols = '' } = dissected[i] ?? {};
        if (expert === '' && protocols.includes('openflow')) continue;
        if (!NOT_DISSECTED.includes(expert)) malformed.push(name);
        if (/^\*\*\*|error:|\*\*\*decode/.test(printed[i] ?? 'error:')) unread.push(name);
      }
      // Later releases may read more.
      expect(malformed.filter((name) => !READ_WRONGLY[version].includes(name))).to.deep.equal([]);
      expect(unread.filter((name) => !NEITHER[version].includes(name))).to.deep.equal([]);
    });
  });
}
