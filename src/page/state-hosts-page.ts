// Each State Host as it has registered, and who is pinned there. Pure.

import type { AgentJson } from '../api/schemas/agents.ts';
import type { StatusJson } from '../api/schemas/status.ts';
import type { StateHostJson, TopologyJson } from '../api/schemas/topology.ts';
import { html, type Markup, type Part } from './html.ts';
import { bytes, count, duration, plural } from './words.ts';

export function stateHostsPage(topology: TopologyJson, { standby }: StatusJson, agents: readonly AgentJson[]): Markup {
  if (topology.stateHosts.length === 0) {
    return html`<h1>State Hosts</h1>
      <p>None is known. A State Host announces itself by LLDP on its data ports when its agent has registered.</p>`;
  }
  return html`<h1>State Hosts</h1>
    <div class="cards">
      ${topology.stateHosts.map((host) => {
        const agent = agents.find((a) => a.id === host.id);
        return card(host, topology, [session(agent), checkpoint(host.id, standby)]);
      })}
    </div>`;
}

/** `further`: rows of what is known of it beside the topology. */
function card(host: StateHostJson, { pins, vms, nves }: TopologyJson, further: Part): Markup {
  const mine = pins.filter((p) => p.holder === host.id && p.phase !== 'lifted');
  const nameOf = (dpid: string): string => nves.find((n) => n.dpid === dpid)?.name ?? dpid;
  const pinned = mine.map((p) => {
    const vm = vms.find((v) => v.vnid === p.vnid && v.mac === p.vm);
    return html`<li>
      ${vm?.vn} ${vm?.addresses[0] ?? p.vm} with ${nameOf(p.peerNve)}:
      <a href="/migrations/${p.migration}">${p.migration}</a>
    </li>`;
  });
  return html`<section class="card" id="host-${host.id}">
    <h2>${host.id} ${condition(host)}</h2>
    <dl>
      <dt>role</dt>
      <dd>${host.role}</dd>
      <dt>attached to</dt>
      <dd>
        ${host.attachments.map((a) => `${nameOf(a.nve)} port ${a.port} (${a.dataPort})`).join(', ') || 'nothing: its LLDP was not seen'}
      </dd>
      <dt>zones</dt>
      <dd>${host.zones.map((z) => `${z.zone} for VNID ${z.vnid}`).join(', ') || 'none'}</dd>
      <dt>functions</dt>
      <dd>${host.functions.join(', ') || 'none'}</dd>
      <dt>ruleset</dt>
      <dd><code>${host.rulesetDigest.slice(0, 16) || 'unknown'}</code></dd>
      <dt>table</dt>
      <dd>${occupancy(host)}</dd>
      ${further}
      <dt>pinned here</dt>
      <dd>
        ${
          pinned.length === 0
            ? 'nobody'
            : html`<ul>
                ${pinned}
              </ul>`
        }
      </dd>
    </dl>
  </section>`;
}

function condition({ registered, drained }: StateHostJson): Markup {
  if (!registered) return html`<span class="state bad">no agent</span>`;
  return drained ? html`<span class="state wait">drained</span>` : html`<span class="state good">registered</span>`;
}

function session(agent: AgentJson | undefined): Part {
  if (agent === undefined) return null;
  const { software, kernel, remote, kinds, shadowRecords, eventsLost, clockOffsetMs } = agent;
  return html`<dt>agent</dt>
    <dd>${software} on Linux ${kernel}, from ${remote}</dd>
    <dt>kinds of state</dt>
    <dd>${kinds.join(', ')}</dd>
    <dt>follows</dt>
    <dd>
      ${shadowRecords === null ? 'no heartbeat yet' : plural(shadowRecords, 'connection')}${
        eventsLost !== null &&
        eventsLost > 0 &&
        html`, <span class="wait">events lost ${plural(eventsLost, 'time')}</span>`
      }
    </dd>
    <dt>clock</dt>
    <dd>${duration(Math.abs(clockOffsetMs))} ${clockOffsetMs < 0 ? 'behind' : 'ahead of'} the controller's</dd>`;
}

function occupancy({ tableUsed, tableSize }: StateHostJson): Part {
  if (tableSize === 0) return 'unknown';
  return html`${count(tableUsed)} of ${count(tableSize)} entries<br /><meter
      min="0"
      max="${tableSize}"
      high="${tableSize * 0.8}"
      optimum="0"
      value="${tableUsed}"
    >
      ${((100 * tableUsed) / tableSize).toFixed(0)} %
    </meter>`;
}

function checkpoint(id: string, standby: StatusJson['standby']): Part {
  const found = standby.find((s) => s.stateHost === id);
  if (found === undefined) return null;
  const { state, reason, records, bytes: size, ageMs } = found;
  const age = ageMs === null ? '' : `, ${duration(ageMs)} old`;
  const what =
    state === 'none'
      ? `none${reason === null ? '' : `: ${reason}`}`
      : `${plural(records, 'record')}, ${bytes(size)}${age}`;
  return html`<dt>checkpoint</dt>
    <dd>${state}: ${what}</dd>`;
}
