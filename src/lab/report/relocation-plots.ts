import type { Relocation } from '../result.ts';
import { dotPlot } from './dot-plot.ts';
import type { Drawing } from './drawing.ts';

export function relocationPlots(all: readonly Relocation[]): Drawing[] {
  const of = (by: Relocation['by'], oldPort: Relocation['oldPort']): number[] =>
    all.filter((r) => r.by === by && r.oldPort === oldPort).map((r) => r.reachedMs);
  return (['down', 'up'] as const).map((oldPort) =>
    dotPlot(
      `reached-old-port-${oldPort}`,
      `Old port ${oldPort}: ms from the announcement to the first datagram at the new place`,
      [
        { label: 'stateferry', colour: '--accent', values: of('stateferry', oldPort) },
        { label: 'NORMAL', colour: '--quiet', values: of('NORMAL', oldPort) },
      ],
    ),
  );
}
