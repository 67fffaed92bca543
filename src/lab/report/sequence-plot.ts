// TCP sequence numbers of one connection over time, each segment in the colour of the firewall it crossed, with the steps of the
// migration as upright lines. A flat stretch is a gap, a step back a retransmission, a change of colour the lift.

import type { SessionTrace, StepTime } from '../result.ts';
import {
  BOTTOM,
  dot,
  type Drawing,
  grid,
  LEFT,
  legend,
  niceTop,
  PLOT,
  round,
  text,
  ticks,
  TOP,
  vertical,
} from './drawing.ts';

/** Labels of steps that end soon one after the other stand on lines above each other. */
const LABEL_LINES = 3;
const LINE = 13;
const ABOVE = LABEL_LINES * LINE;
const HEIGHT = TOP + ABOVE + 180 + BOTTOM;
const COLOURS = ['--accent', '--second'];
const MARKED = ['notify', 'pin', 'download', 'gate', 'lift'];

/** `steps`: of the migration of the trace's move. */
export function sequencePlot(trace: SessionTrace, steps: readonly StepTime[]): Drawing {
  const { segments, firewalls, session, move } = trace;
  const from = Math.floor(Math.min(0, ...segments.map(([at]) => at)) / 100) * 100;
  const to = Math.ceil(Math.max(100, ...segments.map(([at]) => at)) / 100) * 100;
  const kilobytes = Math.max(1, ...segments.map(([, sequence, bytes]) => sequence + bytes)) / 1000;
  const max = kilobytes < 1 ? Math.ceil(kilobytes * 10) / 10 : niceTop(kilobytes);
  const x = (at: number): number => LEFT + (PLOT * (at - from)) / (to - from);
  const below = vertical(HEIGHT - ABOVE, max);
  const y = (value: number): number => ABOVE + below(value);
  const dots = segments.map(([at, sequence, bytes, firewall]) =>
    dot(x(at), y((sequence + bytes) / 1000), 2, COLOURS[firewall] ?? '--quiet'),
  );
  return {
    name: `sequence-move-${move}-${session.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`,
    title: `Move ${move}, ${session}: TCP sequence number, by ms after notify`,
    height: HEIGHT,
    parts: [
      ...grid(max, y, 'kB'),
      ...ticks(from, to, x, HEIGHT - 26),
      ...marks(steps, x),
      ...dots,
      legend(
        firewalls.map((label, i) => ({ label: `through ${label}`, colour: COLOURS[i] ?? '--quiet' })),
        HEIGHT,
      ),
    ],
  };
}

/** Where each step ended. */
function marks(steps: readonly StepTime[], x: (at: number) => number): string[] {
  const freeFrom = Array<number>(LABEL_LINES).fill(0);
  return steps
    .filter((s) => MARKED.includes(s.step))
    .flatMap(({ step, atMs, ms }) => {
      const at = x(atMs + ms);
      const free = freeFrom.findIndex((from) => at >= from);
      const line = free === -1 ? LABEL_LINES - 1 : free;
      freeFrom[line] = at + 7 * step.length + 6;
      const y = TOP + ABOVE - 4 - line * LINE;
      return [
        `<line x1="${round(at)}" x2="${round(at)}" y1="${y + 3}" y2="${HEIGHT - BOTTOM}" stroke="var(--soft)" stroke-dasharray="2 3"/>`,
        text(at, y, step, 'start'),
      ];
    });
}
