// What must change in a switch so that it holds what is desired. Pure: installed and desired in, three lists out.

import { ruleKey, sameRule } from './rule.ts';
import type { InstalledRule, Rule } from './rule.ts';

export interface Difference {
  readonly add: readonly Rule[];
  /** Same key, other instructions, owner or timeout. */
  readonly modify: readonly { readonly from: InstalledRule; readonly to: Rule }[];
  readonly delete: readonly InstalledRule[];
}

/** By key; of rules with one key the last counts. */
export function indexRules<R extends InstalledRule>(rules: Iterable<R>): Map<string, R> {
  const index = new Map<string, R>();
  for (const rule of rules) index.set(ruleKey(rule), rule);
  return index;
}

/**
 * Each list without two rules of one key. Rules that are the same object on both sides cost next to nothing, and those at the
 * ends of both lists less: most changes of a world are in one place of a long list.
 */
export function diff(installed: readonly InstalledRule[], desired: readonly Rule[]): Difference {
  const [from, behind] = commonEnds(installed, desired);
  const here = new Set(installed.slice(from, installed.length - behind));
  const wanted = desired.slice(from, desired.length - behind).filter((rule) => !here.delete(rule));
  const others = indexRules(here);
  const add: Rule[] = [];
  const modify: { from: InstalledRule; to: Rule }[] = [];
  for (const rule of wanted) {
    const key = ruleKey(rule);
    const there = others.get(key);
    others.delete(key);
    if (there === undefined) add.push(rule);
    else if (!sameRule(there, rule)) modify.push({ from: there, to: rule });
  }
  return { add, modify, delete: [...others.values()] };
}

/** How many objects are the same at the beginning, and behind those at the end. */
function commonEnds(a: readonly unknown[], b: readonly unknown[]): [number, number] {
  const most = Math.min(a.length, b.length);
  let from = 0;
  while (from < most && a[from] === b[from]) from += 1;
  let behind = 0;
  while (behind < most - from && a[a.length - 1 - behind] === b[b.length - 1 - behind]) behind += 1;
  return [from, behind];
}

export const isEmpty = (d: Difference): boolean => d.add.length + d.modify.length + d.delete.length === 0;
