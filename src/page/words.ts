// Numbers, times and names as people read them. Pure.

import { html, type Markup } from './html.ts';

/** `12.3 ms`, `123 ms`, `1.23 s`. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return ms >= 100 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(1)} ms`;
}

export function count(n: number): string {
  return n.toLocaleString('en');
}

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 1024 / 1024).toFixed(1)} MiB`;
}

export function moment(wallMs: number): Markup {
  const iso = new Date(wallMs).toISOString();
  return html`<time datetime="${iso}" class="nowrap">${iso.slice(0, 10)} ${iso.slice(11, 23)}</time>`;
}

/** Of a migration or a transfer; told apart by its word, not by its colour alone. */
export function state(word: string): Markup {
  const colour = word === 'migrated' ? 'good' : word === 'degraded' ? 'bad' : word === 'running' ? 'wait' : 'soft';
  return html`<span class="state ${colour}">${word}</span>`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
