import { expect } from 'chai';
import { compile } from '../../../flows/compile.ts';
import { diff, isEmpty } from '../../../flows/diff.ts';
import { ruleKey, sameRule } from '../../../flows/rule.ts';
import type { InstalledRule, Rule } from '../../../flows/rule.ts';
import { apply, encap, field, fromVap, goto, output, rule } from '../../../flows/terms.ts';
import { RED, figure1, gated, nve1, nve2, pinned } from './figure1.ts';

const base = rule('forward', 'deliver', 100, [fromVap(RED), field('eth_dst', '02:00:00:00:00:01')], [apply(output(1))]);
const like = (change: Partial<InstalledRule>): InstalledRule => ({ ...base, ...change });

describe('rule keys', () => {
  it('do not depend on the order or the spelling of a match', () => {
    const match = [
      field('eth_dst', '02:00:00:00:00:01', 'ff:ff:ff:ff:ff:ff'),
      field('metadata', 0x1010065, 0xffff_ffff_ffff_ffffn),
    ];
    expect(ruleKey(like({ match }))).to.equal(ruleKey(base));
    const six = (text: string): string => ruleKey(like({ match: [field('ipv6_src', text)] }));
    expect(six('FD00:0:0:0:0:0:0:1')).to.equal(six('fd00::1'));
  });

  it('differ by table, priority, value and mask', () => {
    const others = [
      like({ table: 4 }),
      like({ priority: 101 }),
      like({ match: [fromVap(RED)] }),
      like({ match: [fromVap(RED), field('eth_dst', '02:00:00:00:00:02')] }),
      like({ match: [fromVap(RED), field('eth_dst', '02:00:00:00:00:00', 'ff:00:00:00:00:00')] }),
    ];
    expect(new Set([base, ...others].map(ruleKey)).size).to.equal(others.length + 1);
  });
});

describe('equality of rules', () => {
  it('ignores the order of instructions, empty action lists and how much of a frame a plain output sends', () => {
    const two = [goto('flood'), apply(output(1))];
    expect(sameRule(like({ instructions: two }), like({ instructions: two.toReversed() }))).to.equal(true);
    expect(sameRule(like({ instructions: [] }), like({ instructions: [apply()] }))).to.equal(true);
    const sized = apply({ type: 'output', port: 1, maxLen: 0 });
    expect(sameRule(like({ instructions: [sized] }), base)).to.equal(true);
  });

  it('sees owner, timeout, order of actions and what the controller gets', () => {
    expect(sameRule(like({ cookie: 1n }), base)).to.equal(false);
    expect(sameRule(like({ hardTimeout: 2 }), base)).to.equal(false);
    expect(sameRule(like({ hardTimeout: 0 }), base)).to.equal(true);
    const tagged = like({ instructions: [apply(...encap(101, 1))] });
    expect(sameRule(tagged, like({ instructions: [apply(output(1), ...encap(101))] }))).to.equal(false);
    const some = apply({ type: 'output', port: 0xffff_fffd, maxLen: 128 });
    const all = apply({ type: 'output', port: 0xffff_fffd, maxLen: 0xffff });
    expect(sameRule(like({ instructions: [some] }), like({ instructions: [all] }))).to.equal(false);
  });
});

describe('diff', () => {
  const rules = (world: typeof figure1, nve: typeof nve1): readonly Rule[] => compile(world).get(nve) ?? [];

  it('of a table with itself is empty, also when it was compiled anew from other objects', () => {
    const copy = structuredClone({ ...figure1 });
    for (const nve of [nve1, nve2]) {
      expect(isEmpty(diff(rules(figure1, nve), rules(figure1, nve)))).to.equal(true);
      expect(isEmpty(diff(rules(figure1, nve), rules(copy, nve)))).to.equal(true);
    }
  });

  it('of the move of one VM touches only rules that name it', () => {
    const change = diff(rules(figure1, nve1), rules(pinned, nve1));
    const all = [...change.add, ...change.delete, ...change.modify.map((m) => m.to)];
    expect(all).to.not.be.empty;
    for (const r of all) expect(JSON.stringify(r.match, bigints)).to.include('02:00:00:01:00:01');
  });

  it('of a closing gate adds to the gate table alone', () => {
    const change = diff(rules(pinned, nve2), rules(gated, nve2));
    expect(change.delete.length + change.modify.length).to.equal(0);
    expect(new Set(change.add.map((r) => r.table))).to.deep.equal(new Set([3]));
  });

  it('replaces in one step what is delivered by what is kept, and by what is sent on', () => {
    const { modify } = diff(rules(figure1, nve1), rules(pinned, nve1));
    expect(modify.map((m) => [m.from.table, m.to.stage])).to.deep.equal([[5, 'transit']]);
  });
});

const bigints = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
