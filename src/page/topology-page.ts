// The network as the TDE has learnt it, drawn and listed; the way between two VMs lit. Pure.

import type { PathJson } from '../api/schemas/path.ts';
import type { StatusJson } from '../api/schemas/status.ts';
import type { TopologyJson } from '../api/schemas/topology.ts';
import { html, type Markup, type Part } from './html.ts';
import { vmKey } from './layout.ts';
import { nameOfVm, topologyPicture } from './topology-picture.ts';
import { table } from './table.ts';
import { moment, plural } from './words.ts';

/** The two VMs whose way is wanted (`vmKey`), and it, or why there is none. */
export interface Asked {
  readonly from: string;
  readonly to: string;
  readonly path: PathJson | null;
  readonly problem: string | null;
}

export function topologyPage(topology: TopologyJson, status: StatusJson, asked: Asked | null): Markup {
  return html`<h1>Topology</h1>
    ${summary(status)} ${picker(topology, asked)} ${asked !== null && answer(asked)}
    ${topologyPicture(topology, asked?.path ?? null)} ${alarms(status)} ${tables(topology)}`;
}

function summary({ nves, stateHosts, links, vms, migrations, strategy }: StatusJson): Markup {
  const running = migrations.running + migrations.degraded;
  return html`<ul class="facts">
    <li><b>${nves.connected}</b> of <b>${nves.known}</b> NVEs connected</li>
    <li><b>${stateHosts.registered}</b> of <b>${stateHosts.attached}</b> State Hosts with an agent</li>
    <li>${plural(links, 'link')} between NVEs</li>
    <li>${plural(vms, 'VM')}</li>
    <li>
      <a href="/migrations">${plural(migrations.total, 'migration')}</a>,
      <span class="${migrations.degraded > 0 ? 'bad' : running > 0 ? 'wait' : ''}"
        ><b>${migrations.running}</b> running, <b>${migrations.degraded}</b> degraded</span
      >
    </li>
    <li>strategy ${strategy}</li>
  </ul>`;
}

function picker({ vms }: TopologyJson, asked: Asked | null): Markup {
  const choices = (chosen: string | undefined): Markup[] =>
    vms.map(
      (vm) =>
        html`<option value="${vmKey(vm)}" ${vmKey(vm) === chosen && html` selected`}>${vm.vn} ${nameOfVm(vm)}</option>`,
    );
  const keyOfSecond = vms[1] === undefined ? undefined : vmKey(vms[1]);
  return html`<form class="pick" method="get" action="/">
    <label
      >Path from<select name="from">
        ${choices(asked?.from)}
      </select></label
    >
    <label
      >to<select name="to">
        ${choices(asked?.to ?? keyOfSecond)}
      </select></label
    ><button>Show the path</button>${asked !== null && html` <a href="/">Clear</a>`}
  </form>`;
}

function answer({ path, problem }: Asked): Markup {
  if (path === null) return html`<p class="bad" role="status">${problem}</p>`;
  if (path.nves === null)
    return html`<p class="bad" role="status">No path leads from ${path.from.nve} to ${path.to.nve}.</p>`;
  const through = path.stateHosts.length === 0 ? 'no State Host' : path.stateHosts.join(', ');
  return html`<p role="status">
    ${path.vn}: ${path.nves.join(' - ')}, through ${through}.
    ${
      path.pinned !== null &&
      html`<span class="wait"
        >A detour: these flows are pinned${path.pinned.holder !== null && html` to ${path.pinned.holder}`} by
        <a href="/migrations/${path.pinned.migration}">${path.pinned.migration}</a>.</span
      >`
    }
  </p>`;
}

function alarms({ alarms: list }: StatusJson): Part {
  if (list.length === 0) return null;
  const rows = list.toReversed().map(
    (a) =>
      html`<tr>
        <td>${moment(a.wallMs)}</td>
        <td><code>${a.code}</code></td>
        <td>${a.text}</td>
      </tr>`,
  );
  return html`<h2>Alarms</h2>
    ${table(['UTC', 'code', 'what'], rows)}`;
}

function tables({ nves, vms, routes }: TopologyJson): Markup {
  const nameOfNve = (dpid: string): string => nves.find((n) => n.dpid === dpid)?.name ?? dpid;
  const vmRows = vms.map(
    (vm) =>
      html`<tr>
        <td>${vm.vn}</td>
        <td>${vm.addresses.join(', ')}</td>
        <td><code>${vm.mac}</code></td>
        <td>
          ${
            vm.nve === null
              ? html`<span class="wait">between two places</span>`
              : `${nameOfNve(vm.nve)} port ${vm.port ?? '?'}`
          }
        </td>
      </tr>`,
  );
  const routeRows = routes.map(
    (r) =>
      html`<tr>
        <td>${nameOfNve(r.from)}</td>
        <td>${nameOfNve(r.to)}</td>
        <td>${r.nves.map(nameOfNve).join(' - ')}</td>
        <td>${r.stateHosts.join(', ') || 'none'}</td>
      </tr>`,
  );
  return html`<h2>VMs</h2>
    ${table(['VN', 'addresses', 'MAC', 'at'], vmRows)}
    <h2>Paths between NVEs</h2>
    ${table(['from', 'to', 'over', 'State Hosts'], routeRows)}`;
}
