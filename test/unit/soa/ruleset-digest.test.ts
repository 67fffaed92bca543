import { expect } from 'chai';
import { canonicalRuleset, type LocalNames } from '../../../src/soa/ruleset-digest.ts';

const NAMES: LocalNames = { interfaces: new Map(), zones: new Map() };
const listing = (...objects: object[]): string =>
  JSON.stringify({ nftables: [{ metainfo: { version: '1' } }, ...objects] });
const table = (name: string, handle = 1): object => ({ table: { family: 'inet', name, handle } });
const rule = (expr: object[], handle = 5): object => ({
  rule: { family: 'inet', table: 'filter', chain: 'forward', handle, expr },
});
const set = (name: string, elem: unknown[], flags: string[] = []): object => ({
  set: { family: 'inet', table: 'filter', name, type: 'ipv4_addr', handle: 9, flags, elem },
});
const equal = (one: string, two: string, names = NAMES, others = NAMES): boolean =>
  canonicalRuleset(one, names) === canonicalRuleset(two, others);

describe('the canonical ruleset', () => {
  it('leaves out handles, counters and our own table', () => {
    const counted = (packets: number): object =>
      rule([{ counter: { packets, bytes: 60 * packets } }, { drop: null }], packets);
    expect(
      equal(listing(table('filter', 1), counted(1)), listing(table('filter', 7), table('stateferry'), counted(9))),
    ).to.equal(true);
    const ours = { chain: { family: 'inet', table: 'stateferry', name: 'forward', prio: -200 } };
    expect(equal(listing(counted(1)), listing(counted(2), ours))).to.equal(true);
  });

  it('tells rules, their order and policies apart', () => {
    const [drop, accept] = [rule([{ drop: null }]), rule([{ accept: null }])];
    expect(equal(listing(drop), listing(accept))).to.equal(false);
    expect(equal(listing(drop, accept), listing(accept, drop))).to.equal(false);
    const chain = (policy: string): object => ({ chain: { family: 'inet', table: 'filter', name: 'forward', policy } });
    expect(equal(listing(chain('drop')), listing(chain('accept')))).to.equal(false);
  });

  it('has a set’s elements in no particular order, and not those that packets put there', () => {
    expect(equal(listing(set('s', ['10.0.0.1', '10.0.0.2'])), listing(set('s', ['10.0.0.2', '10.0.0.1'])))).to.equal(
      true,
    );
    expect(equal(listing(set('s', ['10.0.0.1'])), listing(set('s', ['10.0.0.2'])))).to.equal(false);
    expect(equal(listing(set('s', ['10.0.0.1'], ['timeout'])), listing(set('s', [], ['timeout'])))).to.equal(true);
    const filled = rule([{ set: { op: 'add', elem: 'x', set: '@s' } }]);
    expect(equal(listing(filled, set('s', ['10.0.0.1'])), listing(filled, set('s', [])))).to.equal(true);
  });

  it('names zones by VNID where a rule sets or compares them, and nowhere else', () => {
    const zoned = (a: number, b: number, key = 1): object =>
      rule([
        {
          mangle: {
            key: { ct: { key: 'zone' } },
            value: {
              map: {
                key: { meta: { key: 'mark' } },
                data: {
                  set: [
                    [key, a],
                    [2, b],
                  ],
                },
              },
            },
          },
        },
        { match: { op: '==', left: { ct: { key: 'zone' } }, right: { set: [a, b] } } },
        { match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: 101 } },
      ]);
    const here: LocalNames = {
      interfaces: new Map(),
      zones: new Map([
        [101, 'vn 1'],
        [102, 'vn 2'],
      ]),
    };
    const there: LocalNames = {
      interfaces: new Map(),
      zones: new Map([
        [777, 'vn 1'],
        [778, 'vn 2'],
      ]),
    };
    expect(equal(listing(zoned(101, 102)), listing(zoned(777, 778)), here, there)).to.equal(true);
    expect(equal(listing(zoned(101, 102)), listing(zoned(778, 777)), here, there)).to.equal(false);
    expect(equal(listing(zoned(101, 102, 101)), listing(zoned(777, 778, 777)), here, there)).to.equal(false);
  });

  it('names interfaces by their role', () => {
    const from = (name: string): object =>
      rule([{ match: { op: '==', left: { meta: { key: 'iifname' } }, right: name } }]);
    const named = (name: string): LocalNames => ({ interfaces: new Map([[name, 'outside']]), zones: new Map() });
    expect(equal(listing(from('eth0')), listing(from('ens3')), named('eth0'), named('ens3'))).to.equal(true);
    expect(equal(listing(from('eth0')), listing(from('ens3')))).to.equal(false);
  });
});
