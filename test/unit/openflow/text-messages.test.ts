// Every message in one line as `ovs-ofctl ofp-print` has it in several.
import { expect } from 'chai';
import type { IpAddress } from '../../../src/base/ids.ts';
import { decodeMessage, encodeMessage } from '../../../src/openflow/message.ts';
import type { NxCtFlush } from '../../../src/openflow/nicira/conntrack.ts';
import { formatFrame, formatMessage } from '../../../src/openflow/text/print-message.ts';
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
  'OFPST_TABLE reply': 'tables one after the other',
  'OFPST_TABLE_FEATURES reply': 'properties by the names of the specification',
  'OFPST_TABLE_DESC reply': 'configuration by the names of the specification',
  'OFPST_GROUP_FEATURES reply': 'types one after the other',
  'NXST_GROUP_FEATURES reply': 'types one after the other',
  NXT_PACKET_IN2: "the continuation is the switch's own affair: its bytes",
  NXT_RESUME: "the continuation is the switch's own affair: its bytes",
  NXT_TLV_TABLE_MOD: 'mappings as `ovs-ofctl add-tlv-map` takes them',
  NXT_TLV_TABLE_REPLY: 'mappings as `ovs-ofctl add-tlv-map` takes them',
  NXT_CT_FLUSH: 'of tuples only what is given',
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
        const name = /^\w+(?: request| reply)?/.exec(line)?.[0] ?? '';
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

describe('a request to forget connections', () => {
  const src = { type: 'src', address: '::ffff:10.0.0.1' as IpAddress } as const;
  const CASES: readonly (readonly [text: string, ipProto: number, properties: NxCtFlush['properties']])[] = [
    ['zone=3', 0, [{ type: 'zone', zone: 3 }]],
    [
      "zone=3 'ct_nw_src=10.0.0.1,ct_tp_dst=80,ct_nw_proto=6'",
      6,
      [
        { type: 'orig_tuple', tuple: [src, { type: 'dst_port', value: 80 }] },
        { type: 'zone', zone: 3 },
      ],
    ],
    [
      "'ct_ipv6_dst=fe80::1,icmp_type=128,ct_nw_proto=58' 'ct_nw_src=10.0.0.1'",
      58,
      [
        {
          type: 'orig_tuple',
          tuple: [
            { type: 'dst', address: 'fe80::1' as IpAddress },
            { type: 'icmp_type', value: 128 },
          ],
        },
        { type: 'reply_tuple', tuple: [src] },
      ],
    ],
    [
      "mark=0x5/0xf labels=0/0xff '' 'ct_nw_src=10.0.0.1'",
      0,
      [
        { type: 'mark', mark: 5 },
        { type: 'mark_mask', mark: 15 },
        { type: 'labels_mask', labels: 255n },
        { type: 'reply_tuple', tuple: [src] },
      ],
    ],
  ];
  for (const [text, ipProto, properties] of CASES) {
    it(text, () => {
      expect(formatMessage({ type: 'nx_ct_flush', ipProto, properties })).to.equal(text);
    });
  }
});
