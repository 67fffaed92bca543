// Which fields a match may have beside which: every field beside every protocol, as Open vSwitch sees it.
import { expect } from 'chai';
import { encodeMessage } from '../../../src/openflow/message.ts';
import type { Match, OxmField } from '../../../src/openflow/model.ts';
import { oxmRow } from '../../../src/openflow/oxm.ts';
import { OXM_FIELDS } from '../../../src/openflow/oxm-fields.ts';
import type { OxmRow } from '../../../src/openflow/oxm-fields.ts';
import { unmetPrerequisite } from '../../../src/openflow/prerequisites.ts';
import { parseMatch } from '../../../src/openflow/text/parse-match.ts';
import { TextError } from '../../../src/openflow/text/text-error.ts';
import { flow } from './flow-examples.ts';
import { hasOfctl, ofpPrint } from './ofp-print.ts';

const BESIDE = [
  '',
  ...[
    'ip',
    'ipv6',
    'arp',
    'rarp',
    'mpls',
    'mplsm',
    'dl_type=0x894f',
    'dl_type=0x88e7',
    'dl_vlan=5',
    'vlan_tci=0x1000/0x1000',
  ],
  ...[
    'dl_vlan=0xffff',
    'tcp',
    'tcp6',
    'udp',
    'udp6',
    'sctp',
    'sctp6',
    'icmp',
    'icmp6',
    'ip,nw_proto=58',
    'ipv6,nw_proto=1',
  ],
  ...['icmp6,icmp_type=135', 'icmp6,icmp_type=136,icmp_code=0', 'icmp6,icmp_type=135,icmp_code=3', 'icmp6,icmp_type=1'],
  ...[
    'ct_state=+trk',
    'ct_state=-inv+trk',
    'ct_state=+inv+trk',
    'ct_state=+est',
    'ct_state=+trk-est',
    'ct_state=-new,ip',
  ],
  ...['packet_type=(1,0x800)', 'packet_type=(1,0x894f)', 'packet_type=(1,0x86dd)', 'packet_type=(1,0x8847)'],
];

const VALUES: Readonly<Record<OxmRow['form'], OxmField['value']>> = {
  dec: 0,
  hex: 0,
  mac: '00:00:00:00:00:00',
  ipv4: '0.0.0.0',
  ipv6: '::',
  bytes: Buffer.alloc(4),
};

/** Fields that 1.3 writes and Open vSwitch knows, beyond those that would repeat what stands beside them. */
const FIELDS = OXM_FIELDS.filter((row) => oxmRow(4, row.name) === row && row.form !== 'bytes').map(
  ({ name, form, bits }): OxmField => ({ name, value: bits > 32 && VALUES[form] === 0 ? 0n : VALUES[form] }),
);

const matches: readonly Match[] = BESIDE.flatMap((text) => {
  const beside = parseMatch(text);
  return FIELDS.filter(({ name }) => beside.every((each) => each.name !== name)).map((field) => [...beside, field]);
});

const MET = 'met';
const UNMET = 'OFPBMC_BAD_PREREQ';

const named = (match: Match): string =>
  match
    .map(({ name, value, mask }) => `${name}=${String(value)}${mask === undefined ? '' : `/${String(mask)}`}`)
    .join();

describe('prerequisites of match fields', function () {
  this.timeout(60_000);

  it('are those that Open vSwitch demands', function () {
    if (!hasOfctl()) {
      console.log('      skipped: no ovs-ofctl');
      this.skip();
    }
    const said = ofpPrint(matches.map((match) => encodeMessage(4, 1, flow(match, []))));
    const theirs = said.map((text) => /OFPBMC_[A-Z_]+/.exec(text)?.[0] ?? MET);
    // Fields it does not have, values that no field has, and the same field by another name are other faults.
    const asked = matches
      .map((match, i) => [match, theirs[i]] as const)
      .filter(([, each]) => each === MET || each === UNMET);
    const wrong = asked.filter(([match, each]) => (unmetPrerequisite(match) === null) !== (each === MET));
    expect(wrong.map(([match, each]) => `${each}: ${named(match)}`)).to.deep.equal([]);
    const unmet = asked.filter(([, each]) => each === UNMET);
    expect(unmet).to.have.length.above(1_000);
    expect(asked.length - unmet.length).to.be.above(1_000);
  });

  it('have to be met by fields that go before', () => {
    const tcp = parseMatch('tcp,tcp_dst=80');
    expect(unmetPrerequisite(tcp)).to.equal(null);
    expect(unmetPrerequisite(tcp.toReversed())).to.deep.equal({ name: 'tcp_dst', prerequisite: 'tcp' });
  });

  it('that a text does not have are named', () => {
    const WRONG = [
      ['tcp_dst=80', 'expected tcp or tcp6 beside it, found "tcp_dst"'],
      ['udp,tcp_src=1', 'at character 5: expected tcp or tcp6 beside it, found "tcp_src"'],
      ['nw_src=10.0.0.0/8', 'expected ip beside it, found "nw_src"'],
      ['ipv6,nw_dst=10.0.0.1', 'expected ip beside it, found "nw_dst"'],
      ['nw_tos=4', 'expected ip or ipv6 beside it, found "nw_tos"'],
      ['ct_state=+trk,ct_nw_proto=6', 'expected ct_state of a valid connection, such as +est or -inv+trk, beside it'],
      ['icmp6,nd_target=::1', 'expected icmp6 and icmp_type=135 or 136 beside it, found "nd_target"'],
      ['packet_type=(1,0x800),dl_vlan=3', 'expected no packet_type but Ethernet beside it, found "dl_vlan"'],
      ['tcp_flags[0..1]=1', 'expected tcp or tcp6 beside it'],
    ] as const;
    for (const [text, says] of WRONG) {
      expect(() => parseMatch(text), text).to.throw(TextError, says);
    }
    expect(parseMatch('tcp_dst=0/0')).to.deep.equal([]);
  });
});
