// The report's three drawings as inline SVG. Colours are CSS variables of the page, so that light and dark both work.

import type { MoveResult, Relocation, StepTime } from '../result.ts';

const WIDTH = 760;
const LEFT = 64;
const RIGHT = 16;
const PLOT = WIDTH - LEFT - RIGHT;

interface Series {
  readonly label: string;
  readonly colour: string;
  /** One value a move. */
  readonly values: readonly number[];
}

/** One dot a move and series: x is the move, y milliseconds. */
export function dotPlot(title: string, series: readonly Series[]): string {
  const height = 228;
  const top = 16;
  const bottom = 44;
  const count = Math.max(1, ...series.map((s) => s.values.length));
  const max = niceTop(Math.max(1, ...series.flatMap((s) => s.values)));
  const x = (i: number): number => LEFT + (PLOT * (i + 0.5)) / count;
  const y = (v: number): number => top + (height - top - bottom) * (1 - v / max);
  // Side by side, so that equal values do not hide each other.
  const beside = (k: number): number => (k - (series.length - 1) / 2) * 10;
  const dots = series.flatMap((s, k) =>
    s.values.map(
      (v, i) =>
        `<circle cx="${f(x(i) + beside(k))}" cy="${f(y(v))}" r="4" fill="var(${s.colour})"><title>${s.label}, move ${i + 1}: ${f(v)} ms</title></circle>`,
    ),
  );
  const labels = Array.from({ length: count }, (_, i) => text(x(i), height - 26, String(i + 1), 'middle'));
  return figure(title, height, [...grid(max, y), ...labels, ...dots, legend(series, height)]);
}

/** Every silence of the datagrams around the moves: x from the unplugging on, y how long it was. */
export function silencePlot(moves: readonly MoveResult[], baseline: readonly MoveResult[]): string {
  const height = 248;
  const top = 16;
  const bottom = 44;
  const all = [...moves, ...baseline].flatMap((m) => m.silences);
  const minX = -100;
  const maxX = niceTop(Math.max(500, ...all.map(([at]) => at)));
  const max = niceTop(Math.max(1, ...all.map(([, gap]) => gap)));
  const x = (v: number): number => LEFT + (PLOT * (v - minX)) / (maxX - minX);
  const y = (v: number): number => top + (height - top - bottom) * (1 - v / max);
  const draw = (from: readonly MoveResult[], colour: string): string[] =>
    from.flatMap((m) =>
      m.silences
        .filter(([at]) => at >= minX)
        .map(([at, gap]) => `<circle cx="${f(x(at))}" cy="${f(y(gap))}" r="2.5" fill="var(${colour})" opacity="0.7"/>`),
    );
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((q) =>
    text(x(maxX * q), height - 26, f(maxX * q), q === 1 ? 'end' : 'middle'),
  );
  const series = [
    { label: 'through the firewalls', colour: '--accent', values: [] },
    { label: 'no firewall', colour: '--quiet', values: [] },
  ];
  return figure('Silences of the UDP stream longer than 8 ms, by their begin in ms after the unplugging', height, [
    ...grid(max, y),
    ...ticks,
    ...draw(baseline, '--quiet'),
    ...draw(moves, '--accent'),
    legend(series, height),
  ]);
}

/** One bar a move: its steps from notify to lift on a common time axis. Retire's grace is left out. */
export function stepPlot(moves: readonly MoveResult[]): string {
  const row = 20;
  const top = 28;
  const height = top + moves.length * row + 8;
  const shown = (m: MoveResult): readonly StepTime[] => m.steps.filter((s) => s.step !== 'retire');
  const names = [...new Set(moves.flatMap((m) => shown(m).map((s) => s.step)))];
  const max = niceTop(Math.max(1, ...moves.flatMap((m) => shown(m).map((s) => s.atMs + s.ms))));
  const x = (v: number): number => LEFT + (PLOT * v) / max;
  const bars = moves.flatMap((m, i) => [
    text(LEFT - 8, top + i * row + 13, `move ${i + 1}`, 'end'),
    ...shown(m).map((s) => {
      const colour = `--step-${names.indexOf(s.step) % 9}`;
      const width = Math.max(1, x(s.atMs + s.ms) - x(s.atMs));
      return `<rect x="${f(x(s.atMs))}" y="${top + i * row}" width="${f(width)}" height="${row - 5}" fill="var(${colour})"><title>${s.step}: ${f(s.ms)} ms</title></rect>`;
    }),
  ]);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((q) =>
    text(x(max * q), 16, `${f(max * q)} ms`, q === 1 ? 'end' : 'middle'),
  );
  const key = names.map((n, i) => `<span><i style="background:var(--step-${i % 9})"></i>${n}</span>`).join('');
  return `${figure('Steps of each migration, from notify to lift', height, [...ticks, ...bars])}<p class="key">${key}</p>`;
}

export function relocationPlot(all: readonly Relocation[]): string {
  const of = (by: Relocation['by'], oldPort: Relocation['oldPort']): number[] =>
    all.filter((r) => r.by === by && r.oldPort === oldPort).map((r) => r.reachedMs);
  return (['down', 'up'] as const)
    .map((oldPort) =>
      dotPlot(`Old port ${oldPort}: ms from the announcement to the first datagram at the new place`, [
        { label: 'stateferry', colour: '--accent', values: of('stateferry', oldPort) },
        { label: 'NORMAL', colour: '--quiet', values: of('NORMAL', oldPort) },
      ]),
    )
    .join('');
}

function figure(title: string, height: number, parts: readonly string[]): string {
  return `<figure><figcaption>${title}</figcaption><svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${title}">${parts.join('')}</svg></figure>`;
}

function grid(max: number, y: (v: number) => number): string[] {
  return [0, 0.25, 0.5, 0.75, 1].flatMap((q) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${f(y(max * q))}" y2="${f(y(max * q))}" stroke="var(--line)"/>`,
    text(LEFT - 8, y(max * q) + 4, `${f(max * q)} ms`, 'end'),
  ]);
}

function legend(series: readonly Series[], height: number): string {
  return series
    .map((s, i) => {
      const at = LEFT + i * 190;
      return `<circle cx="${at + 4}" cy="${height - 8}" r="4" fill="var(${s.colour})"/>${text(at + 14, height - 4, s.label, 'start')}`;
    })
    .join('');
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${f(x)}" y="${f(y)}" text-anchor="${anchor}">${content}</text>`;
}

/** The next round number: an axis ends there. */
export function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((n) => n * power >= value) ?? 10);
}

function f(value: number): string {
  return String(Math.round(value * 10) / 10);
}
