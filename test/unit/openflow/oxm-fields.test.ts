// The table of match fields against the manual page ovs-fields(7), where it is installed, and against itself.
import { expect } from 'chai';
import { OXM_CLASS, OXM_FIELDS } from '../../../src/openflow/oxm-fields.ts';
import type { OxmPrerequisite, OxmRow } from '../../../src/openflow/oxm-fields.ts';
import { oxmTypeOf } from '../../../src/openflow/oxm-rows.ts';
import { fieldByText } from '../../../src/openflow/text/fields.ts';
import { fieldPages } from './ovs-manual.ts';
import type { FieldPage } from './ovs-manual.ts';

/** What a prefix of a name in the manual means: class and experimenter. */
const CLASSES: Readonly<Record<string, readonly [oxmClass: number, experimenter: number | null]>> = {
  NXM_OF: [OXM_CLASS.NXM_0, null],
  NXM_NX: [OXM_CLASS.NXM_1, null],
  OXM_OF: [OXM_CLASS.BASIC, null],
  OXM_OF_PKT: [OXM_CLASS.PACKET_REGS, null],
  ONFOXM_ET: [OXM_CLASS.EXPERIMENTER, 0x4f4e4600],
  NXOXM_ET: [OXM_CLASS.EXPERIMENTER, 0x2320],
  NXOXM_NSH: [OXM_CLASS.EXPERIMENTER, 0x005ad650],
  ERICOXM_OF: [OXM_CLASS.ERICSSON, null],
};

const PREREQUISITES: Readonly<Record<string, OxmPrerequisite>> = {
  none: 'none',
  Ethernet: 'ethernet',
  'VLAN VID': 'vlan',
  MPLS: 'mpls',
  'IPv4/IPv6': 'ip',
  IPv4: 'ipv4',
  IPv6: 'ipv6',
  ARP: 'arp',
  TCP: 'tcp',
  UDP: 'udp',
  SCTP: 'sctp',
  ICMPv4: 'icmpv4',
  ICMPv6: 'icmpv6',
  ND: 'nd',
  'ND solicit': 'nd_solicit',
  'ND advert': 'nd_advert',
  NSH: 'nsh',
  CT: 'ct',
};

/** Headers the page gives the field, the later forms of OXM too. */
const headersOf = (page: FieldPage): string[] =>
  ['OXM', 'NXM'].flatMap((key) =>
    [...(page.get(key) ?? '').matchAll(/([A-Z0-9]+_[A-Z0-9]+)_[A-Z0-9_]+ \((\d+)\)/g)].map(
      ([name, prefix = '', number]) => {
        const [oxmClass, experimenter] = CLASSES[name.startsWith('OXM_OF_PKT_') ? 'OXM_OF_PKT' : prefix] ?? [];
        return `${oxmClass}/${experimenter}/${number}`;
      },
    ),
  );

const headerOf = ({ oxmClass, experimenter, field }: OxmRow): string => `${oxmClass}/${experimenter}/${field}`;

/** Bits of the field, and bytes on the wire. */
function widthOf(page: FieldPage): readonly [bits: number, bytes: number] {
  const [, whole, used] = /^(\d+) bits(?: \(only the least-significant (\d+))?/.exec(page.get('Width') ?? '') ?? [];
  return [Number(used ?? whole), Number(whole) / 8];
}

/** OFPVID_PRESENT is a bit of the field in OpenFlow and of nothing in the manual. */
const bitsOf = (row: OxmRow): number => (row.name === 'vlan_vid' ? 12 : row.bits);

describe('the table of match fields', () => {
  it('says what ovs-fields(7) says', function () {
    const pages = fieldPages().filter((page) => headersOf(page).length > 0);
    if (pages.length === 0) {
      console.log('      skipped: no manual page ovs-fields(7)');
      this.skip();
    }
    expect(pages).to.have.length(88);
    for (const page of pages) {
      const name = page.get('Name')?.split(' ')[0] ?? '';
      const field = fieldByText(name);
      const headers = headersOf(page);
      const rows = OXM_FIELDS.filter((row) => row.name === field?.name && headers.includes(headerOf(row)));
      expect(rows.map(headerOf).toSorted(), name).to.deep.equal(headers.toSorted());
      for (const row of rows) {
        expect([bitsOf(row), row.bytes], `${name}: width`).to.deep.equal(widthOf(page));
        expect(row.maskable, `${name}: masking`).to.equal(page.get('Masking') !== 'not maskable');
        expect(row.writable, `${name}: access`).to.equal(page.get('Access') === 'read/write');
        expect(row.prerequisite, `${name}: prerequisites`).to.equal(PREREQUISITES[page.get('Prerequisites') ?? '']);
      }
    }
  });

  it('has no header twice, lengths told apart', () => {
    const keys = OXM_FIELDS.map((row) => `${oxmTypeOf(row)}/${row.experimenter}/${row.bytes}`);
    expect(new Set(keys).size).to.equal(keys.length);
  });

  it('has no two experimenters under one number, so that class and number tell the header', () => {
    const owners = Map.groupBy(OXM_FIELDS, oxmTypeOf);
    const shared = [...owners.values()].filter((rows) => new Set(rows.map((row) => row.experimenter)).size > 1);
    expect(shared).to.deep.equal([]);
  });

  it('has every field of the basic class up to 44 but the one without a meaning', () => {
    const numbers = OXM_FIELDS.filter(({ oxmClass }) => oxmClass === OXM_CLASS.BASIC).map(({ field }) => field);
    const all = Array.from({ length: 45 }, (_, i) => i).filter((number) => number !== 40);
    expect(numbers.toSorted((a, b) => a - b)).to.deep.equal(all);
  });
});
