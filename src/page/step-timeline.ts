// When each step of a migration ran, from the notification to the lift, on one scale. Pure.

import type { MigrationJson } from '../api/schemas/migration.ts';
import { html, type Markup, type Part } from './html.ts';
import { duration } from './words.ts';

const LEFT = 150;
const WIDTH = 1040;
const ROW = 24;
const AXIS = 26;
/** Room for a bar's own time behind it. */
const RIGHT = 90;
/** Openers wait while these run. */
const HOLDING: ReadonlySet<string> = new Set(['quiesce', 'gate', 'drain', 'lift']);

/** Null before the first step has ended. Retiring, which comes after a grace and keeps nobody waiting, is said in words. */
export function stepTimeline({ id, steps, transfers, startedWallMs }: MigrationJson): Markup | null {
  const shown = steps.filter((s) => s.step !== 'retire');
  if (shown.length === 0) return null;
  const lastMs = Math.max(1, ...shown.map((s) => s.wallMs - startedWallMs));
  const x = (ms: number): number => LEFT + (Math.max(0, ms) / lastMs) * (WIDTH - LEFT - RIGHT);
  const height = AXIS + ROW * shown.length + 6;
  const bars = shown.map((s, i) => {
    const [from, to] = [x(s.startedWallMs - startedWallMs), x(s.wallMs - startedWallMs)];
    const look = s.failed !== undefined ? ' failed' : HOLDING.has(s.step) ? ' held' : '';
    const y = AXIS + ROW * i;
    const name = `${s.step}${s.transfer === null || transfers.length === 1 ? '' : ` ${s.transfer}`}${s.attempt > 1 ? `, try ${s.attempt}` : ''}`;
    return html`<g
      ><title>${name}: ${duration(s.ms)}${s.failed !== undefined && `, failed: ${s.failed}`}</title
      ><text x="${LEFT - 10}" y="${y + 14}" text-anchor="end">${name}</text
      ><rect
        class="bar${look}"
        x="${from.toFixed(1)}"
        y="${y + 3}"
        width="${Math.max(2, to - from).toFixed(1)}"
        height="${ROW - 8}"
        rx="2"
      /><text class="small soft" x="${(Math.max(to, from + 2) + 6).toFixed(1)}" y="${y + 14}"
        >${duration(s.ms)}</text
      ></g
    >`;
  });
  return html`<svg
    class="diagram"
    xmlns="http://www.w3.org/2000/svg"
    role="img"
    aria-label="When each step of ${id} ran"
    viewBox="0 0 ${WIDTH} ${height}"
  >
    ${axis(lastMs, x, height)}${bars}
  </svg>`;
}

function axis(lastMs: number, x: (ms: number) => number, height: number): Part {
  const every = tick(lastMs / 5);
  return Array.from({ length: Math.floor(lastMs / every) + 1 }, (_, i) => {
    const at = x(i * every).toFixed(1);
    return html`<line class="grid" x1="${at}" y1="${AXIS - 6}" x2="${at}" y2="${height}" /><text
        class="small soft"
        x="${at}"
        y="14"
        text-anchor="middle"
        >${i * every} ms</text
      >`;
  });
}

/** 1, 2 or 5 times a power of ten, not less than `least`. */
function tick(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return power * ([1, 2, 5].find((n) => n * power >= least) ?? 10);
}
