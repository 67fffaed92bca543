// The topology as a drawing: NVEs, State Hosts and VMs, the links between them, pins, and a path that is lit. Pure.

import type { PathJson } from '../api/schemas/path.ts';
import type { NveJson, StateHostJson, TopologyJson } from '../api/schemas/topology.ts';
import { edgeKey, edgesOf, pinnedEdges } from './edges.ts';
import { html, idOf, type Markup, type Part } from './html.ts';
import { type Layout, layOut, NODE, type Point, VM, vmKey } from './layout.ts';
import { duration, plural } from './words.ts';

/** `path`: to be lit. */
export function topologyPicture(topology: TopologyJson, path: PathJson | null): Markup {
  const layout = layOut(topology);
  const { x, y, width, height } = layout.box;
  const lit = litBy(topology, path);
  return html`<div class="scroll" tabindex="0">
    <svg
      class="picture"
      id="picture"
      role="img"
      aria-label="NVEs, State Hosts and VMs with the links between them; the tables below say the same"
      viewBox="${x} ${y} ${width} ${height}"
    >
      <g id="edges">${edges(topology, layout, lit)}</g>
      <g id="vms">${topology.vms.map((vm) => vmNode(vm, layout))}</g>
      <g id="nves">${topology.nves.map((nve) => nveNode(nve, layout, lit.nodes.has(nve.dpid)))}</g>
      <g id="hosts">${topology.stateHosts.map((host) => hostNode(host, topology, layout, lit.nodes.has(host.id)))}</g>
    </svg>
  </div>`;
}

interface Lit {
  readonly edges: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
}

function litBy(topology: TopologyJson, path: PathJson | null): Lit {
  if (path?.nves == null) return { edges: new Set(), nodes: new Set() };
  const nves = path.nves.flatMap((name) => topology.nves.find((n) => n.name === name)?.dpid ?? []);
  return { edges: new Set(edgesOf(topology, { ...path, nves })), nodes: new Set([...nves, ...path.stateHosts]) };
}

function edges(topology: TopologyJson, { nves, stateHosts }: Layout, lit: Lit): Part {
  const pinned = new Set(pinnedEdges(topology));
  const line = (a: string, b: string, from: Point | undefined, to: Point | undefined, title: string): Part => {
    if (from === undefined || to === undefined) return null;
    const key = edgeKey(a, b);
    const look = pinned.has(key) ? ' pinned' : lit.edges.has(key) ? ' lit' : '';
    return html`<line
      id="${idOf('edge', key)}"
      class="edge${look}"
      x1="${from.x}"
      y1="${from.y}"
      x2="${to.x}"
      y2="${to.y}"
      ><title>${title}${pinned.has(key) && ', pinned flows run here'}</title></line
    >`;
  };
  const links = topology.links.map(({ a, b, latencyMs }) => {
    const latency = latencyMs === null ? '' : `, ${duration(latencyMs)}`;
    return line(a.nve, b.nve, nves.get(a.nve), nves.get(b.nve), `link${latency}`);
  });
  const attachments = topology.stateHosts.flatMap((s) =>
    s.attachments.map((a) => line(s.id, a.nve, stateHosts.get(s.id), nves.get(a.nve), `${a.dataPort} of ${s.id}`)),
  );
  return [...links, ...attachments];
}

function node(id: string, at: Point, look: string, lines: readonly [string, string], title: string): Markup {
  const { width, height } = NODE;
  return html`<g id="${idOf('node', id)}" class="node ${look}" style="transform: translate(${at.x}px, ${at.y}px)"
    ><title>${title}</title
    ><rect x="${-width / 2}" y="${-height / 2}" width="${width}" height="${height}" rx="6" /><text y="-3"
      >${lines[0]}</text
    ><text y="14" class="soft small">${lines[1]}</text></g
  >`;
}

function nveNode({ dpid, name, connected, version }: NveJson, layout: Layout, isLit: boolean): Part {
  const at = layout.nves.get(dpid);
  const below = connected ? `NVE, OpenFlow ${version ?? '?'}` : 'NVE, not connected';
  return (
    at !== undefined &&
    node(dpid, at, `${connected ? '' : 'wrong'}${isLit ? ' lit' : ''}`, [name, below], `${name}, datapath ${dpid}`)
  );
}

function hostNode(host: StateHostJson, { pins }: TopologyJson, layout: Layout, isLit: boolean): Part {
  const at = layout.stateHosts.get(host.id);
  const held = pins.filter((p) => p.holder === host.id && p.phase !== 'lifted').length;
  const below = !host.registered ? 'no agent' : host.drained ? 'drained' : held > 0 ? plural(held, 'pin') : host.role;
  const look = `state-host${host.registered ? '' : ' wrong'}${isLit ? ' lit' : ''}`;
  return at !== undefined && node(host.id, at, look, [host.id, below], `State Host ${host.id}, ${below}`);
}

/** With the line to its NVE, which moves with it. */
function vmNode(vm: TopologyJson['vms'][number], layout: Layout): Part {
  const at = layout.vms.get(vmKey(vm));
  if (at === undefined) return null;
  const nve = vm.nve === null ? undefined : layout.nves.get(vm.nve);
  const { width, height } = VM;
  const title = `VM ${vm.mac} of ${vm.vn}${vm.nve === null ? ', between two places' : ''}: ${vm.addresses.join(', ')}`;
  return html`<g id="${idOf('vm', vmKey(vm))}" class="vm" style="transform: translate(${at.x}px, ${at.y}px)"
    ><title>${title}</title>${
      nve !== undefined && html`<line x1="0" y1="0" x2="${nve.x - at.x}" y2="${nve.y - at.y}" />`
    }<rect x="${-width / 2}" y="${-height / 2}" width="${width}" height="${height}" rx="${height / 2}" /><text
      text-anchor="middle"
      y="-2"
      >${nameOfVm(vm)}</text
    ><text text-anchor="middle" y="13" class="soft small">${vm.vn}</text></g
  >`;
}

/** Its first address; IPv6 and link-local ones are longer than there is room for. */
export const nameOfVm = (vm: TopologyJson['vms'][number]): string => vm.addresses[0] ?? vm.mac;
