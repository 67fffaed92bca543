// The page of a sweep: the figure and the table that a paper prints.

import type { MoveResult, ScenarioResult } from '../result.ts';
import { median, quantile, worst } from '../statistics.ts';
import type { Drawing } from './drawing.ts';
import { type Growth, growthPlot } from './growth-plot.ts';
import { verdict } from './html.ts';
import { escape, facts, figure, page, rows } from './page.ts';
import { ms } from './text-table.ts';

export interface SweepPoint {
  readonly flows: number;
  readonly result: ScenarioResult;
}

type Pick = (move: MoveResult) => number | null;

const TIMES: readonly (readonly [label: string, colour: string, pick: Pick])[] = [
  ['notify to lift', '--accent', (m) => m.notifyToLiftMs],
  ['gate', '--second', (m) => m.gateMs],
  ['notify to pin', '--quiet', (m) => m.notifyToPinMs],
];

const valuesOf = ({ result }: SweepPoint, pick: Pick): number[] => result.moves.map(pick).filter((v) => v !== null);

export function sweepDrawings(points: readonly SweepPoint[]): Drawing[] {
  const series = TIMES.map(([label, colour, pick]): Growth => ({
    label,
    colour,
    points: points.map((point) => ({ at: point.flows, values: valuesOf(point, pick) })),
  }));
  if (series.every((s) => s.points.every((p) => p.values.length === 0))) return [];
  return [growthPlot('growth', 'Times of a migration by connections of the VM: median, middle half, extremes', series)];
}

export function renderSweep(points: readonly SweepPoint[]): string {
  const cell = (values: readonly number[]): string =>
    `${ms(median(values))} (${ms(quantile(values, 0.25))} to ${ms(quantile(values, 0.75))}, worst ${ms(worst(values))})`;
  const table = rows(
    ['connections', 'moves', 'records, median', ...TIMES.map(([label]) => label), 'conditions'],
    points.map((point) => [
      String(point.flows),
      String(point.result.moves.length),
      String(Math.round(median(point.result.moves.map((m) => m.entries)) ?? 0)),
      ...TIMES.map(([, , pick]) => cell(valuesOf(point, pick))),
      `${verdict(point.result)} <a href="flows-${point.flows}/report.html">report</a>`,
    ]),
  );
  const first = points[0]?.result;
  return page('stateferry lab sweep', [
    '<h1>stateferry lab sweep</h1><p class="soft">Median (middle half, worst). Each row is a run with a report of its own.</p>',
    `<h2>Times</h2>${sweepDrawings(points).map(figure).join('')}${table}`,
    first === undefined
      ? ''
      : `<h2>These runs</h2><pre>${escape(first.command)}</pre>${facts({ ...first.options, ...first.machine })}`,
  ]);
}
