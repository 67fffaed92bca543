// Who has asked for changes, and what came of it. Pure.

import type { AuditJson } from '../api/schemas/audit.ts';
import { html, type Markup } from './html.ts';
import { MOST_ROWS, table } from './table.ts';
import { count, moment } from './words.ts';

export function auditPage({ entries }: AuditJson): Markup {
  if (entries.length === 0) {
    return html`<h1>Audit</h1>
      <p>Nobody has asked for a change yet. Whatever is asked for by the API or the command line is noted here.</p>`;
  }
  const rows = entries
    .slice(-MOST_ROWS)
    .toReversed()
    .map(
      (e) =>
        html`<tr>
          <td>${moment(e.wallMs)}</td>
          <td>${e.remote}</td>
          <td>${e.operation}</td>
          <td>${Object.entries(e.asked).map(([name, value]) => html`<code>${name}=${String(value)}</code> `)}</td>
          <td class="${e.outcome === 'done' ? 'good' : 'bad'}">${e.outcome}${e.detail !== null && `: ${e.detail}`}</td>
        </tr>`,
    );
  return html`<h1>Audit</h1>
    ${entries.length > MOST_ROWS && html`<p>The last ${MOST_ROWS} of ${count(entries.length)}.</p>`}
    ${table(['UTC', 'from', 'operation', 'asked', 'outcome'], rows)}`;
}
