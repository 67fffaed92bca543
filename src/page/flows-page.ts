// The pipeline of an NVE: its tables, and each rule in the words of ovs-ofctl with what it is for. Pure.

import type { FlowsJson } from '../api/schemas/flows.ts';
import type { TopologyJson } from '../api/schemas/topology.ts';
import { TABLE } from '../../flows/tables.ts';
import { html, type Markup } from './html.ts';
import { table } from './table.ts';
import { plural } from './words.ts';

const TABLE_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(TABLE).map(([name, id]) => [id, name]));

/** `flows` null: no NVE is known, or none of that name. */
export function flowsPage({ nves }: TopologyJson, flows: FlowsJson | null): Markup {
  if (nves.length === 0)
    return html`<h1>Flows</h1>
      <p>No NVE is connected.</p>`;
  const links = nves.map(
    (n) => html`<a href="/flows?nve=${n.dpid}" ${n.dpid === flows?.nve && html` aria-current="page"`}>${n.name}</a>`,
  );
  return html`<h1>Flows</h1>
    <nav aria-label="NVEs">${links}</nav>
    ${flows === null ? html`<p class="bad">There is no such NVE.</p>` : tables(flows)}`;
}

function tables({ rules }: FlowsJson): Markup {
  const byTable = [...Map.groupBy(rules, (rule) => rule.table)].sort(([a], [b]) => a - b);
  return html`<p>${plural(rules.length, 'rule')} that the switch has confirmed.</p>
    ${byTable.map(([id, mine]) => {
      const rows = [...mine]
        .sort((a, b) => b.priority - a.priority)
        .map(
          (rule) =>
            html`<tr>
              <td class="number">${rule.priority}</td>
              <td>${rule.owner}</td>
              <td class="rule"><code>${withoutHead(rule.text)}</code></td>
            </tr>`,
        );
      return html`<details open id="table-${id}">
        <summary><b>Table ${id}</b> ${TABLE_NAMES.get(id)}, ${plural(mine.length, 'rule')}</summary>
        ${table([{ number: 'priority' }, 'for', 'rule'], rows)}
      </details>`;
    })}`;
}

/** Table, priority and counters are said elsewhere, or are none. */
const withoutHead = (text: string): string =>
  text.replace(/\b(cookie|duration|table|n_packets|n_bytes|idle_age|priority)=[^ ,]*,? ?/g, '').trim();
