// The silences of the datagram stream around the moves: when each began and how long it was, and how many there were of each length.

import type { MoveResult } from '../result.ts';
import {
  BOTTOM,
  dot,
  type Drawing,
  grid,
  LEFT,
  legend,
  niceTop,
  PLOT,
  RIGHT,
  round,
  text,
  ticks,
  TOP,
  vertical,
  WIDTH,
} from './drawing.ts';

export interface SilenceSeries {
  readonly label: string;
  readonly colour: string;
  readonly moves: readonly MoveResult[];
}

const HEIGHT = TOP + 188 + BOTTOM;
const FIRST_MS = -100;

const silencesOf = ({ moves }: SilenceSeries): (readonly [number, number])[] => moves.flatMap((m) => m.silences);

/** x: from the unplugging on, y: how long. */
export function silencePlot(series: readonly SilenceSeries[]): Drawing {
  const all = series.flatMap(silencesOf);
  const last = niceTop(Math.max(500, ...all.map(([at]) => at)));
  const max = niceTop(Math.max(1, ...all.map(([, gap]) => gap)));
  const x = (at: number): number => LEFT + (PLOT * (at - FIRST_MS)) / (last - FIRST_MS);
  const y = vertical(HEIGHT, max);
  const dots = series.flatMap((one) =>
    silencesOf(one)
      .filter(([at]) => at >= FIRST_MS)
      .map(([at, gap]) => dot(x(at), y(gap), 2.5, one.colour)),
  );
  return {
    name: 'silences',
    title: 'Silences of the UDP stream longer than 8 ms, by their begin in ms after the unplugging',
    height: HEIGHT,
    parts: [...grid(max, y, 'ms'), ...ticks(0, last, x, HEIGHT - 26), ...dots, legend(series, HEIGHT)],
  };
}

/** How many silences a move had that were at least so long; both axes logarithmic. */
export function silenceDistribution(series: readonly SilenceSeries[]): Drawing {
  const shortest = 8;
  const longest = niceTop(Math.max(100, ...series.flatMap(silencesOf).map(([, gap]) => gap)));
  const most = niceTop(Math.max(1, ...series.map((s) => silencesOf(s).length / Math.max(1, s.moves.length))));
  const fewest = 1 / Math.max(1, ...series.map((s) => s.moves.length));
  const place = (value: number, from: number, to: number): number => Math.log(value / from) / Math.log(to / from);
  const x = (gap: number): number => LEFT + PLOT * place(Math.max(gap, shortest), shortest, longest);
  const y = (count: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - place(count, fewest, most));
  const lines = series.map((one) => {
    const gaps = silencesOf(one)
      .map(([, gap]) => gap)
      .sort((a, b) => b - a);
    const points = gaps.map((gap, i) => `${round(x(gap))},${round(y((i + 1) / one.moves.length))}`);
    return `<polyline points="${points.join(' ')}" fill="none" stroke="var(${one.colour})" stroke-width="2"/>`;
  });
  const decades = powersOfTen(fewest, most).flatMap((count) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(count))}" y2="${round(y(count))}" stroke="var(--line)"/>`,
    text(LEFT - 8, y(count) + 4, String(count), 'end'),
  ]);
  const lengths = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000].filter((gap) => gap <= longest);
  return {
    name: 'silence-distribution',
    title: 'Silences of the UDP stream a move, of at least so many ms (both axes logarithmic)',
    height: HEIGHT,
    parts: [
      ...decades,
      ...lengths.map((gap) => text(x(gap), HEIGHT - 26, `${gap}`, 'middle')),
      ...lines,
      legend(series, HEIGHT),
    ],
  };
}

function powersOfTen(from: number, to: number): number[] {
  const first = Math.ceil(Math.log10(from) - 1e-9);
  const last = Math.floor(Math.log10(to) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => Number((10 ** (first + i)).toPrecision(1)));
}
