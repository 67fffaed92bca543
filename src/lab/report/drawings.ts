// The plots of one run, in the order of its report.

import type { MoveResult, ScenarioResult } from '../result.ts';
import { gapPlots } from './dot-plot.ts';
import type { Drawing } from './drawing.ts';
import { relocationPlots } from './relocation-plots.ts';
import { sequencePlot } from './sequence-plot.ts';
import { silenceDistribution, silencePlot, type SilenceSeries } from './silence-plots.ts';
import { stepPlot } from './step-plot.ts';

export interface Drawings {
  readonly gaps: readonly Drawing[];
  readonly steps: readonly Drawing[];
  readonly sequences: readonly Drawing[];
  readonly reached: readonly Drawing[];
}

export function drawingsOf(result: ScenarioResult): Drawings {
  const { moves, sessions, relocations } = result;
  const migrated = moves.filter((m) => m.steps.length > 0);
  return {
    gaps: moves.some((m) => m.longestGapMs > 0) ? gaps(result) : [],
    steps: migrated.length > 0 ? [stepPlot(migrated)] : [],
    sequences: sessions.map((trace) => sequencePlot(trace, moves[trace.move - 1]?.steps ?? [])),
    reached: relocations.length > 0 ? relocationPlots(relocations) : [],
  };
}

export const allDrawings = (drawings: Drawings): readonly Drawing[] => Object.values(drawings).flat() as Drawing[];

function gaps({ moves, baseline }: ScenarioResult): Drawing[] {
  const series = (pick: (m: MoveResult) => number) => [
    { label: 'through the firewalls', colour: '--accent', values: moves.map(pick) },
    { label: 'no firewall', colour: '--quiet', values: baseline.map(pick) },
  ];
  const silences: SilenceSeries[] = [
    { label: 'no firewall', colour: '--quiet', moves: baseline },
    { label: 'through the firewalls', colour: '--accent', moves },
  ];
  return [...gapPlots(series), silencePlot(silences), silenceDistribution(silences)];
}
