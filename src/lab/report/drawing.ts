// What every plot is made of: a drawing is SVG parts with a name and a title. Colours are CSS variables, given by the page or by
// the file it stands in, so that light, dark and print each have their own.

export const WIDTH = 760;
export const LEFT = 64;
export const RIGHT = 16;
export const PLOT = WIDTH - LEFT - RIGHT;
export const TOP = 16;
/** Room below a plot for an axis' numbers and a legend. */
export const BOTTOM = 44;

export interface Drawing {
  /** Its file's name. */
  readonly name: string;
  readonly title: string;
  readonly height: number;
  readonly parts: readonly string[];
}

/** Width, height and view are the drawing's; `inner` comes first in it. */
export function svgOf({ title, height, parts }: Drawing, attributes: string, inner = ''): string {
  const label = `role="img" aria-label="${title}"`;
  return `<svg ${attributes} viewBox="0 0 ${WIDTH} ${height}" ${label}>${inner}${parts.join('')}</svg>`;
}

/** Milliseconds to the vertical place in a drawing of that height. */
export function vertical(height: number, max: number): (value: number) => number {
  return (value) => TOP + (height - TOP - BOTTOM) * (1 - value / max);
}

const QUARTERS = [0, 0.25, 0.5, 0.75, 1];

/** Lines across at the quarters of the vertical axis, with their values. */
export function grid(max: number, y: (value: number) => number, unit: string): string[] {
  return QUARTERS.flatMap((q) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(max * q))}" y2="${round(y(max * q))}" stroke="var(--line)"/>`,
    text(LEFT - 8, y(max * q) + 4, `${round(max * q)} ${unit}`, 'end'),
  ]);
}

/** Round numbers under (or, by `at`, elsewhere along) the horizontal axis. */
export function ticks(from: number, to: number, x: (value: number) => number, at: number, unit = ''): string[] {
  const step = niceTop((to - from) / 6);
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.floor(to / step) - first + 1 }, (_, i) => (first + i) * step).map((value) =>
    text(x(value), at, `${round(value)}${unit === '' ? '' : ` ${unit}`}`, value > to - step / 2 ? 'end' : 'middle'),
  );
}

export interface Key {
  readonly label: string;
  readonly colour: string;
}

export function legend(keys: readonly Key[], height: number, apart = 190): string {
  return keys
    .map(({ label, colour }, i) => {
      const at = LEFT + i * apart;
      return `<circle cx="${at + 4}" cy="${height - 8}" r="4" fill="var(${colour})"/>${text(at + 14, height - 4, label, 'start')}`;
    })
    .join('');
}

export function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${content}</text>`;
}

/** `around` is a tooltip's text. */
export function dot(x: number, y: number, radius: number, colour: string, around = ''): string {
  const title = around === '' ? '' : `<title>${around}</title>`;
  return `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="var(${colour})">${title}</circle>`;
}

/** The next round number: an axis ends there. */
export function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((n) => n * power >= value) ?? 10);
}

export function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
