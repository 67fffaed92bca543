// How a time grows with the number of connections: the median, the middle half as a bar, the extremes as a line; both axes
// logarithmic.

import { median, quantile } from '../statistics.ts';
import { BOTTOM, dot, type Drawing, type Key, LEFT, legend, PLOT, round, RIGHT, text, TOP, WIDTH } from './drawing.ts';

export interface Growth extends Key {
  readonly points: readonly { readonly at: number; readonly values: readonly number[] }[];
}

const HEIGHT = TOP + 240 + BOTTOM;

export function growthPlot(name: string, title: string, series: readonly Growth[]): Drawing {
  const values = series.flatMap((s) => s.points.flatMap((p) => p.values)).filter((v) => v > 0);
  const places = [...new Set(series.flatMap((s) => s.points.map((p) => p.at)))].sort((a, b) => a - b);
  const [low, high] = [decade(Math.min(...values), Math.floor), decade(Math.max(...values), Math.ceil)];
  const span = Math.max(1e-9, Math.log(high / low));
  const y = (v: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.log(Math.max(v, low) / low) / span);
  const [first = 1, last = 1] = [places[0], places.at(-1)];
  const wide = Math.max(1e-9, Math.log(last / first));
  const margin = 40;
  const x = (at: number): number => LEFT + margin + ((PLOT - 2 * margin) * Math.log(at / first)) / wide;
  const lines = Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, i) => low * 10 ** i).flatMap((v) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(v))}" y2="${round(y(v))}" stroke="var(--line)"/>`,
    text(LEFT - 8, y(v) + 4, `${v} ms`, 'end'),
  ]);
  return {
    name,
    title,
    height: HEIGHT,
    parts: [
      ...lines,
      ...places.map((at) => text(x(at), HEIGHT - 26, String(at), 'middle')),
      ...series.flatMap((s, k) => spread(s, (at) => x(at) + (k - (series.length - 1) / 2) * 8, y)),
      legend(series, HEIGHT),
    ],
  };
}

function spread({ points, colour, label }: Growth, x: (at: number) => number, y: (v: number) => number): string[] {
  const shown = points.filter((p) => p.values.length > 0);
  const middle = shown.map((p) => ({ at: p.at, value: median(p.values) ?? 0 }));
  const line = middle.map(({ at, value }) => `${round(x(at))},${round(y(value))}`).join(' ');
  return [
    `<polyline points="${line}" fill="none" stroke="var(${colour})" opacity="0.5"/>`,
    ...shown.flatMap(({ at, values }) => [
      upright(x(at), y(Math.min(...values)), y(Math.max(...values)), colour, 1),
      upright(x(at), y(quantile(values, 0.25) ?? 0), y(quantile(values, 0.75) ?? 0), colour, 4),
    ]),
    ...middle.map(({ at, value }) =>
      dot(x(at), y(value), 4.5, colour, `${label}, ${at} connections: ${round(value)} ms`),
    ),
  ];
}

const upright = (x: number, from: number, to: number, colour: string, width: number): string =>
  `<line x1="${round(x)}" x2="${round(x)}" y1="${round(from)}" y2="${round(to)}" stroke="var(${colour})" stroke-width="${width}"/>`;

const decade = (value: number, towards: (v: number) => number): number => 10 ** towards(Math.log10(value));
