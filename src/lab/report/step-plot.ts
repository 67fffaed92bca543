// One bar a move: its steps from notify to lift on a common time axis. Retire's grace is left out.

import type { MoveResult, StepTime } from '../result.ts';
import { type Drawing, LEFT, niceTop, PLOT, round, text, ticks } from './drawing.ts';

const ROW = 20;
const ABOVE = 28;
const PER_LINE = 9;

export const shownSteps = (move: MoveResult): readonly StepTime[] => move.steps.filter((s) => s.step !== 'retire');

/** A colour a step, the same in all plots of a page. */
export const stepColour = (index: number): string => `--step-${index % PER_LINE}`;

export function stepPlot(moves: readonly MoveResult[]): Drawing {
  const names = [...new Set(moves.flatMap((m) => shownSteps(m).map((s) => s.step)))];
  const height = ABOVE + moves.length * ROW + 28;
  const max = niceTop(Math.max(1, ...moves.flatMap((m) => shownSteps(m).map((s) => s.atMs + s.ms))));
  const x = (v: number): number => LEFT + (PLOT * v) / max;
  const bars = moves.flatMap((m, i) => [
    text(LEFT - 8, ABOVE + i * ROW + 13, `move ${i + 1}`, 'end'),
    ...shownSteps(m).map((s) => {
      const width = Math.max(1, x(s.atMs + s.ms) - x(s.atMs));
      const place = `x="${round(x(s.atMs))}" y="${ABOVE + i * ROW}" width="${round(width)}" height="${ROW - 5}"`;
      return `<rect ${place} fill="var(${stepColour(names.indexOf(s.step))})"><title>${s.step}: ${round(s.ms)} ms</title></rect>`;
    }),
  ]);
  const key = names.map((name, i) => {
    const at = LEFT + (i * PLOT) / Math.max(PER_LINE, names.length);
    return `<rect x="${round(at)}" y="${height - 15}" width="9" height="9" fill="var(${stepColour(i)})"/>${text(at + 13, height - 7, name, 'start')}`;
  });
  return {
    name: 'steps',
    title: 'Steps of each migration, from notify to lift',
    height,
    parts: [...ticks(0, max, x, 16, 'ms'), ...bars, ...key],
  };
}
