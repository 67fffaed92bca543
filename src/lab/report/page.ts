// What every page of a report is made of. One self-contained file: no script, nothing loaded.

import { type Drawing, svgOf } from './drawing.ts';
import { INK } from './palette.ts';

const STYLE = `
:root { color-scheme: light dark; ${INK.light} }
@media (prefers-color-scheme: dark) { :root { ${INK.dark} } }
@media print { :root { color-scheme: light; ${INK.light} } body { margin: 0; max-width: none; font-size: 10pt; }
  figure, tr { break-inside: avoid; } details::details-content { content-visibility: visible; } }
body { margin: 3rem auto; max-width: 60rem; padding: 0 1.5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.7rem; font-weight: 650; letter-spacing: -0.01em; margin: 0; } h2 { font-size: 1.1rem; margin: 2.5rem 0 0.6rem; }
p { max-width: 46rem; } .soft { color: var(--soft); } .held { color: var(--good); } .failed { color: var(--bad); font-weight: 650; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } .wide { overflow-x: auto; }
th { text-align: left; font-weight: 550; color: var(--soft); font-size: 0.85rem; } td, th { padding: 0.35rem 0.9rem 0.35rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; } .numbers td, .numbers th { text-align: right; white-space: nowrap; font-size: 0.85rem; }
figure { margin: 1.5rem 0; } figcaption { color: var(--soft); font-size: 0.85rem; margin-bottom: 0.4rem; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 11px; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; color: var(--soft); } .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1.5rem; }
@media (max-width: 50rem) { .pair { grid-template-columns: 1fr; } }
pre { overflow-x: auto; } code, pre { font: 0.85rem ui-monospace, monospace; }`;

/** `sections` are HTML already. */
export function page(title: string, sections: readonly string[]): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title><style>${STYLE}</style></head><body>${sections.filter((s) => s !== '').join('\n')}</body></html>\n`;
}

export function figure(drawing: Drawing): string {
  return `<figure><figcaption>${drawing.title}</figcaption>${svgOf(drawing, '')}</figure>`;
}

/** Cells are HTML already. */
export function rows(head: readonly string[], body: readonly (readonly string[])[], kind = ''): string {
  const tr = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((c) => `<${tag}>${c}</${tag}>`).join('')}</tr>`;
  return `<div class="wide"><table class="${kind}"><thead>${tr(head, 'th')}</thead><tbody>${body.map((b) => tr(b, 'td')).join('')}</tbody></table></div>`;
}

export function facts(all: Readonly<Record<string, unknown>>): string {
  return rows(
    ['', ''],
    Object.entries(all).map(([name, value]) => [
      escape(name),
      escape(typeof value === 'string' ? value : JSON.stringify(value)),
    ]),
  );
}

export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
