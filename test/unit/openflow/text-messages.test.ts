// Every message in one line as `ovs-ofctl ofp-print` has it in several.
import { expect } from 'chai';
import { decodeMessage, encodeMessage } from '../../../src/openflow/message.ts';
import { formatFrame } from '../../../src/openflow/text/print-message.ts';
import { examplesOf } from './examples.ts';
import { hasOfctl, ofpPrint } from './ofp-print.ts';

/** Where one line is not ovs-ofctl's lines one after the other: what differs, and why. */
const OTHERWISE: Readonly<Record<string, string>> = {
  OFPT_ERROR: 'ovs-ofctl remarks that nothing is quoted',
  OFPT_ECHO_REQUEST: 'the payload is not dumped',
  OFPT_ECHO_REPLY: 'the payload is not dumped',
  OFPT_TABLE_MOD: 'configuration by the names of the specification',
  OFPT_TABLE_STATUS: 'configuration by the names of the specification',
  OFPT_REQUESTFORWARD: 'the message that is forwarded is named, with its xid',
  NXT_REQUESTFORWARD: 'the message that is forwarded is named, with its xid',
  ONFT_REQUESTFORWARD: 'the message that is forwarded is named, with its xid',
  OFPST_TABLE: 'tables one after the other',
  OFPST_TABLE_FEATURES: 'properties by the names of the specification',
  OFPST_TABLE_DESC: 'configuration by the names of the specification',
  OFPST_GROUP_FEATURES: 'types one after the other',
  NXST_GROUP_FEATURES: 'types one after the other',
  OFPST_PORT: 'ports are not counted',
  OFPST_QUEUE: 'queues are not counted',
  NXST_IPFIX_BRIDGE: 'counters by the names of nicira-ext.h',
  NXST_IPFIX_FLOW: 'counters by the names of nicira-ext.h',
  NXT_PACKET_IN2: "the continuation is the switch's own affair: its bytes",
  NXT_RESUME: "the continuation is the switch's own affair: its bytes",
  NXT_TLV_TABLE_MOD: 'mappings as `ovs-ofctl add-tlv-map` takes them',
  NXT_TLV_TABLE_REPLY: 'mappings as `ovs-ofctl add-tlv-map` takes them',
  NXT_CT_FLUSH: 'properties one after the other',
  OFPT_BUNDLE_CONTROL: 'the flag of scheduled bundles has its name',
};

/** Updates tell the priority too, and rows of several flows stand behind each other. */
const more = (text: string): string => text.replaceAll(/(?<=cookie=\S+ )priority=\d+ /g, '').replaceAll('; ', ' ');

/** 1.0 says "no VLAN" of all 16 bits of a tag, where later versions leave its priority out; ovs-ofctl sorts actions. */
const later = (text: string): string =>
  text
    .replaceAll('vlan_tci=0x0000/0x1fff', 'vlan_tci=0x0000')
    .replace('mod_tp_dst enqueue', 'mod_tp_dst')
    .replace('output set_vlan_vid', 'output enqueue set_vlan_vid');

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

for (const version of [1, 4, 5, 6] as const) {
  describe(`messages of wire version ${version} in one line`, function () {
    this.timeout(60_000);
    const examples = examplesOf(version);
    const bytes = examples.map((message) => encodeMessage(version, 1, message));
    const lines = bytes.map((each) => formatFrame(decodeMessage(each)));

    it('are in the words of ovs-ofctl', function () {
      if (!hasOfctl()) {
        console.log('      skipped: no ovs-ofctl');
        this.skip();
      }
      const said = ofpPrint(bytes).map(oneLine);
      const compared = lines.flatMap((line, i) => {
        const name = line.split(' ')[0] ?? '';
        const theirs = said[i] ?? '';
        // Of what it cannot read it says nothing.
        if (name in OTHERWISE || /error|\*\*\*/.test(theirs)) return [];
        const ours = more(oneLine(version === 1 ? later(line) : line));
        return [[ours, theirs] as const];
      });
      expect(compared.filter(([ours, theirs]) => ours !== more(theirs))).to.deep.equal([]);
      expect(compared).to.have.length.above(30);
    });
  });
}
