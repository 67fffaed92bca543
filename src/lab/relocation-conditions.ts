// What must hold of scenario `move`. Pure.

import type { Condition, Forwarding, Relocation } from './result.ts';
import { median, round1, worst } from './statistics.ts';

const MEDIAN_BOUND_MS = 10;
const WORST_BOUND_MS = 50;

export function relocationConditions(all: readonly Relocation[], asked: number): readonly Condition[] {
  return (['down', 'up'] as const).flatMap((oldPort) => {
    const of = (by: Forwarding): number[] =>
      all.filter((r) => r.by === by && r.oldPort === oldPort).map((r) => r.reachedMs);
    const ours = of('stateferry');
    const normal = of('NORMAL');
    const row = (name: string, pick: (values: readonly number[]) => number | null, boundMs: number): Condition => {
      const [value, beside] = [pick(ours), pick(normal)];
      const shown = (ms: number | null): string => (ms === null ? 'not measured' : `${round1(ms)} ms`);
      return {
        name: `old port ${oldPort}: ${name} from the announcement to the first packet`,
        held: ours.length === asked && value !== null && value <= boundMs,
        value: `${shown(value)}; NORMAL ${shown(beside)}`,
        bound: `at most ${boundMs} ms`,
      };
    };
    return [row('median', median, MEDIAN_BOUND_MS), row('worst', worst, WORST_BOUND_MS)];
  });
}
