import { expect } from 'chai';
import type { Tuple } from '../../../src/netlink/conntrack-entry.ts';
import { formatAddress, formatTuple, mirror, parseAddress, tupleKey } from '../../../src/netlink/tuple.ts';

const v4 = (src: string, dst: string): NonNullable<Tuple['ip']> => ({
  v4Src: parseAddress(src),
  v4Dst: parseAddress(dst),
});
const v6 = (src: string, dst: string): NonNullable<Tuple['ip']> => ({
  v6Src: parseAddress(src),
  v6Dst: parseAddress(dst),
});

const PAIRS: [title: string, Tuple, Tuple, string][] = [
  [
    'TCP: addresses and ports change sides',
    { ip: v4('10.0.0.1', '10.0.0.3'), proto: { num: 6, srcPort: 1, dstPort: 2 } },
    { ip: v4('10.0.0.3', '10.0.0.1'), proto: { num: 6, srcPort: 2, dstPort: 1 } },
    'tcp 10.0.0.1:1 > 10.0.0.3:2',
  ],
  [
    'ICMP: the reply has its own type and the same id',
    { ip: v4('10.0.0.1', '10.0.0.3'), proto: { num: 1, icmpId: 5, icmpType: 8, icmpCode: 0 } },
    { ip: v4('10.0.0.3', '10.0.0.1'), proto: { num: 1, icmpId: 5, icmpType: 0, icmpCode: 0 } },
    'icmp 10.0.0.1 > 10.0.0.3 type 8 id 5',
  ],
  [
    'ICMPv6 likewise',
    { ip: v6('fd00::1', 'fd00::3'), proto: { num: 58, icmpv6Id: 5, icmpv6Type: 128, icmpv6Code: 0 } },
    { ip: v6('fd00::3', 'fd00::1'), proto: { num: 58, icmpv6Id: 5, icmpv6Type: 129, icmpv6Code: 0 } },
    'icmpv6 [fd00::1] > [fd00::3] type 128 id 5',
  ],
  [
    'a protocol without ports: addresses only',
    { ip: v4('10.0.0.1', '10.0.0.3'), proto: { num: 50 } },
    { ip: v4('10.0.0.3', '10.0.0.1'), proto: { num: 50 } },
    'proto-50 10.0.0.1 > 10.0.0.3',
  ],
];

describe('the mirror of a tuple', () => {
  for (const [title, tuple, mirrored, text] of PAIRS) {
    it(`${title}; twice mirrored is the tuple`, () => {
      expect(mirror(tuple)).to.deep.equal(mirrored);
      expect(mirror(mirrored)).to.deep.equal(tuple);
      expect(formatTuple(tuple)).to.equal(text);
    });
  }
});

describe('the key of a tuple', () => {
  const tuple = PAIRS[0]![1];

  it('differs by zone, protocol, ports and direction', () => {
    const keys = [
      tupleKey(1, tuple),
      tupleKey(256, tuple),
      tupleKey(1, mirror(tuple)),
      tupleKey(1, { ...tuple, proto: { num: 17, srcPort: 1, dstPort: 2 } }),
      tupleKey(1, { ...tuple, proto: { num: 6, srcPort: 2, dstPort: 1 } }),
      tupleKey(1, PAIRS[1]![1]),
      tupleKey(1, PAIRS[1]![2]),
    ];
    expect(new Set(keys).size).to.equal(keys.length);
  });

  it('is the same for the same tuple read elsewhere', () => {
    expect(tupleKey(7, structuredClone(tuple))).to.equal(tupleKey(7, tuple));
  });
});

describe('an address', () => {
  for (const text of ['0.0.0.0', '10.0.0.1', '255.255.255.255', '::', 'fd00::1', '2001:db8::8:0:1']) {
    it(`${text} survives being packed`, () => {
      expect(formatAddress(parseAddress(text))).to.equal(text);
    });
  }
  it('that is none is refused', () => {
    expect(() => parseAddress('10.0.0')).not.to.throw(); // ipaddr.js reads the old short form
    expect(() => parseAddress('ten')).to.throw(RangeError);
  });
});
