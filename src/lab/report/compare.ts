// Two runs side by side: with the state and without it, one strategy and another, before a change and after it.

import type { Condition, MoveResult, ScenarioResult } from '../result.ts';
import { median, quantile, worst } from '../statistics.ts';
import { drawingsOf } from './drawings.ts';
import type { Drawing } from './drawing.ts';
import { dotPlot, gapPlots } from './dot-plot.ts';
import { verdict } from './html.ts';
import { escape, facts, figure, page, rows } from './page.ts';
import { silenceDistribution } from './silence-plots.ts';
import { ms } from './text-table.ts';

export interface Compared {
  readonly name: string;
  readonly result: ScenarioResult;
}

type Pair = readonly [Compared, Compared];

const COLOURS = ['--accent', '--second'] as const;

/** The plots that both runs are in. */
export function comparedDrawings(pair: Pair): Drawing[] {
  const timed = pair.filter(({ result }) => result.moves.some((m) => m.longestGapMs > 0));
  const series = (pick: (m: MoveResult) => number | null) =>
    pair.map(({ name, result }, i) => {
      const values = result.moves.map(pick).filter((v) => v !== null);
      return { label: name, colour: COLOURS[i] ?? '--quiet', values };
    });
  const silences = pair.map(({ name, result }, i) => ({
    label: name,
    colour: COLOURS[i] ?? '--quiet',
    moves: result.moves,
  }));
  const echoed = series((m) => (m.connections === 0 ? null : (100 * m.echoed) / m.connections));
  return [
    dotPlot('echoed', 'Connections that had their echo after the move, per cent', echoed, '%'),
    ...(timed.length === 0 ? [] : [...gapPlots(series), silenceDistribution(silences)]),
    dotPlot(
      'notify-to-lift',
      'From notify to lift, by move',
      series((m) => m.notifyToLiftMs),
    ),
  ];
}

export function renderComparison(pair: Pair): string {
  const title = `${pair[0].name} and ${pair[1].name}`;
  return page(title, [
    `<h1>${escape(title)}</h1>${headline(pair)}`,
    `<h2>Conditions</h2>${conditionTable(pair)}`,
    `<h2>Numbers</h2>${numberTable(pair)}`,
    `<h2>Plots</h2>${comparedDrawings(pair).map(figure).join('')}`,
    sideBySide(pair),
    `<h2>The runs</h2><div class="pair">${pair.map(aboutRun).join('')}</div>`,
  ]);
}

const aboutRun = ({ name, result }: Compared): string =>
  `<div><b>${escape(name)}</b><pre>${escape(result.command)}</pre>${facts({ ...result.options, ...result.machine })}</div>`;

const headline = (pair: Pair): string =>
  pair
    .map(({ name, result }) => `<p class="soft">${escape(name)}: ${escape(result.startedAt)}. ${verdict(result)}</p>`)
    .join('');

function conditionTable(pair: Pair): string {
  const names = [...new Set(pair.flatMap(({ result }) => result.conditions.map((c) => c.name)))];
  const cell = (condition: Condition | undefined): string =>
    condition === undefined
      ? '<span class="soft">not asked</span>'
      : `<span class="${condition.held ? 'held' : 'failed'}">${condition.held ? 'held' : 'failed'}</span> ${escape(condition.value)}`;
  return rows(
    ['condition', ...pair.map(({ name }) => escape(name))],
    names.map((name) => [
      escape(name),
      ...pair.map(({ result }) => cell(result.conditions.find((c) => c.name === name))),
    ]),
  );
}

const NUMBERS: readonly (readonly [name: string, pick: (m: MoveResult) => number | null])[] = [
  ['notify to pin', (m) => m.notifyToPinMs],
  ['notify to lift', (m) => m.notifyToLiftMs],
  ['gate', (m) => m.gateMs],
  ['longest UDP gap', (m) => (m.longestGapMs > 0 ? m.longestGapMs : null)],
  ['longest trickle gap', (m) => (m.trickleGapMs > 0 ? m.trickleGapMs : null)],
];

/** Median, the middle half, and the worst of each. */
function numberTable(pair: Pair): string {
  const tell = (values: readonly number[]): string =>
    values.length === 0
      ? '-'
      : `${ms(median(values))} (${ms(quantile(values, 0.25))} to ${ms(quantile(values, 0.75))}, worst ${ms(worst(values))})`;
  return rows(
    ['', ...pair.map(({ name }) => escape(name))],
    NUMBERS.map(([name, pick]) => [
      name,
      ...pair.map(({ result }) => tell(result.moves.map(pick).filter((v) => v !== null))),
    ]),
  );
}

/** The first connection of each run. */
function sideBySide(pair: Pair): string {
  const firsts = pair.map(({ name, result }) => ({ name, drawing: drawingsOf(result).sequences[0] }));
  if (firsts.every(({ drawing }) => drawing === undefined)) return '';
  const half = ({ name, drawing }: (typeof firsts)[number]): string =>
    `<div><b>${escape(name)}</b>${drawing === undefined ? '<p class="soft">no capture</p>' : figure(drawing)}</div>`;
  return `<h2>TCP sequence numbers</h2><div class="pair">${firsts.map(half).join('')}</div>`;
}
