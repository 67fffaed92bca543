// What must change in a switch so that it holds what is desired. Pure: installed and desired in, three lists out.

import { ruleKey, sameRule } from './rule.ts';
import type { InstalledRule, Rule } from './rule.ts';

/** Rules by key (`ruleKey`). */
export type RuleIndex<R extends InstalledRule = InstalledRule> = ReadonlyMap<string, R>;

export interface Difference {
  readonly add: readonly Rule[];
  /** Same key, other instructions, owner or timeout. */
  readonly modify: readonly { readonly from: InstalledRule; readonly to: Rule }[];
  readonly delete: readonly InstalledRule[];
}

/** By key; of rules with one key the last counts. */
export function indexRules<R extends InstalledRule>(rules: Iterable<R>): RuleIndex<R> {
  const index = new Map<string, R>();
  for (const rule of rules) index.set(ruleKey(rule), rule);
  return index;
}

export function diff(installed: RuleIndex, desired: RuleIndex<Rule>): Difference {
  const add: Rule[] = [];
  const modify: { from: InstalledRule; to: Rule }[] = [];
  const gone: InstalledRule[] = [];
  for (const [key, rule] of desired) {
    const there = installed.get(key);
    if (there === undefined) add.push(rule);
    else if (!sameRule(there, rule)) modify.push({ from: there, to: rule });
  }
  for (const [key, rule] of installed) if (!desired.has(key)) gone.push(rule);
  return { add, modify, delete: gone };
}

export const isEmpty = (d: Difference): boolean => d.add.length + d.modify.length + d.delete.length === 0;
