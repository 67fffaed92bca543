// A drawing as a file of its own: light, on white, for a paper or a slide.

import { type Drawing, svgOf, text, WIDTH } from './drawing.ts';
import { INK } from './palette.ts';

const STYLE = `<style>svg{${INK.light}background:#fff}text{fill:var(--soft);font:11px system-ui,sans-serif}</style>`;
const TITLE_HEIGHT = 22;

export function svgFile(drawing: Drawing): string {
  const { title, height, parts } = drawing;
  const inside = `<g transform="translate(0 ${TITLE_HEIGHT})">${parts.join('')}</g>`;
  const whole = { ...drawing, height: height + TITLE_HEIGHT, parts: [text(16, 15, title, 'start'), inside] };
  const size = `xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${whole.height}"`;
  return `${svgOf(whole, size, STYLE)}\n`;
}
