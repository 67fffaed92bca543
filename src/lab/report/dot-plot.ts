// One dot a move and series: x is the move, y milliseconds unless said otherwise.

import type { MoveResult } from '../result.ts';
import {
  BOTTOM,
  dot,
  type Drawing,
  grid,
  type Key,
  LEFT,
  legend,
  niceTop,
  PLOT,
  round,
  text,
  TOP,
  vertical,
} from './drawing.ts';

export interface Series extends Key {
  /** One value a move. */
  readonly values: readonly number[];
}

const HEIGHT = TOP + 168 + BOTTOM;

export function dotPlot(name: string, title: string, series: readonly Series[], unit = 'ms'): Drawing {
  const count = Math.max(1, ...series.map((s) => s.values.length));
  const max = niceTop(Math.max(1, ...series.flatMap((s) => s.values)));
  const x = (i: number): number => LEFT + (PLOT * (i + 0.5)) / count;
  const y = vertical(HEIGHT, max);
  // Side by side, so that equal values do not hide each other.
  const beside = (k: number): number => (k - (series.length - 1) / 2) * 10;
  const dots = series.flatMap((s, k) =>
    s.values.map((v, i) => dot(x(i) + beside(k), y(v), 4, s.colour, `${s.label}, move ${i + 1}: ${round(v)} ${unit}`)),
  );
  const numbers = Array.from({ length: count }, (_, i) => text(x(i), HEIGHT - 26, String(i + 1), 'middle'));
  return { name, title, height: HEIGHT, parts: [...grid(max, y, unit), ...numbers, ...dots, legend(series, HEIGHT)] };
}

/** The longest gaps of each move; `series` picks the value of a move for each series. */
export function gapPlots(series: (pick: (move: MoveResult) => number) => readonly Series[]): Drawing[] {
  return [
    dotPlot(
      'udp-gaps',
      'Longest gap of UDP every 2 ms, by move',
      series((m) => m.longestGapMs),
    ),
    dotPlot(
      'tcp-gaps',
      'Longest gap of any trickle TCP connection, by move',
      series((m) => m.trickleGapMs),
    ),
  ];
}
