// What the installer works out, kept over all runs: the lists it works on are the same objects again and again.

import { changeOf, readingOf } from '../../flows/apply-plan.ts';
import type { Reading, SwitchChange } from '../../flows/apply-plan.ts';
import type { Workings } from '../../flows/installer.ts';
import type { InstalledRule } from '../../flows/rule.ts';

/** By the identity of both arguments. */
function keptByBoth<A extends object, B extends object, R>(work: (a: A, b: B) => R): (a: A, b: B) => R {
  const kept = new WeakMap<A, WeakMap<B, { readonly result: R }>>();
  return (a, b) => {
    let byB = kept.get(a);
    if (byB === undefined) {
      byB = new WeakMap();
      kept.set(a, byB);
    }
    let found = byB.get(b);
    if (found === undefined) {
      found = { result: work(a, b) };
      byB.set(b, found);
    }
    return found.result;
  };
}

const NO_GATES: readonly InstalledRule[] = [];
const read = keptByBoth<readonly InstalledRule[], readonly InstalledRule[], Reading>(readingOf);

export const KEPT_WORKINGS: Workings = {
  changeOf: keptByBoth<readonly InstalledRule[], Parameters<typeof changeOf>[1], SwitchChange | null>(changeOf),
  // Of what was there before, only closed gates count.
  readingOf: (rows, before) => read(rows, before.some((rule) => (rule.hardTimeout ?? 0) > 0) ? before : NO_GATES),
};
