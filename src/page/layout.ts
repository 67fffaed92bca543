// Where the topology's parts are drawn: the same topology always looks the same. Pure.

import type { TopologyJson } from '../api/schemas/topology.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly nves: ReadonlyMap<string, Point>;
  readonly stateHosts: ReadonlyMap<string, Point>;
  /** By `vmKey`. */
  readonly vms: ReadonlyMap<string, Point>;
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

/** A node's box; what is drawn keeps to it. */
export const NODE = { width: 116, height: 44 };
export const VM = { width: 132, height: 40 };
const GAP = 14;
/** Between the centres of two neighbouring NVEs. */
const NVE_DISTANCE = 420;
const VM_DISTANCE = 96;
const VMS_IN_A_LINE = 5;
const MARGIN = 30;
const CENTRE: Point = { x: 0, y: 0 };

export const vmKey = (vm: { readonly vnid: number; readonly mac: string }): string => `${vm.vnid} ${vm.mac}`;

export function layOut({ nves, stateHosts, vms }: TopologyJson): Layout {
  const places = placeNves(nves, stateHosts);
  const hosts = placeStateHosts(stateHosts, places);
  const around = placeVms(vms, places);
  const all = [...places.values(), ...hosts.values(), ...around.values()];
  return { nves: places, stateHosts: hosts, vms: around, box: boxOf(all.length === 0 ? [CENTRE] : all) };
}

/** In a circle; the one with the most State Hosts on the right, as NVE3 in the draft's Figure 1. */
function placeNves(nves: TopologyJson['nves'], stateHosts: TopologyJson['stateHosts']): Map<string, Point> {
  const degree = (dpid: string): number => stateHosts.filter((s) => s.attachments.some((a) => a.nve === dpid)).length;
  const byName = [...nves].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const most = Math.max(0, ...byName.map((n) => degree(n.dpid)));
  const hub = byName.findLast((n) => degree(n.dpid) === most);
  const ring = hub === undefined ? [] : [hub, ...byName.filter((n) => n !== hub)];
  const radius = ring.length === 1 ? 0 : NVE_DISTANCE / 2 / Math.sin(Math.PI / ring.length);
  return new Map(
    ring.map(({ dpid }, i) => {
      // The second above, the last below: names run downwards on the left.
      const angle = (2 * Math.PI * i) / ring.length;
      return [dpid, { x: radius * Math.cos(angle), y: -radius * Math.sin(angle) }];
    }),
  );
}

/** Between its NVEs, or beside its only one; those of the same NVEs in a row across. */
function placeStateHosts(stateHosts: TopologyJson['stateHosts'], nves: ReadonlyMap<string, Point>): Map<string, Point> {
  const groups = new Map<string, { ids: string[]; at: Point[] }>();
  for (const { id, attachments } of stateHosts) {
    const neighbours = [...new Set(attachments.map((a) => a.nve))].sort();
    const group = groups.get(neighbours.join()) ?? { ids: [], at: neighbours.flatMap((n) => nves.get(n) ?? []) };
    group.ids.push(id);
    groups.set(neighbours.join(), group);
  }
  const placed = new Map<string, Point>();
  for (const { ids, at } of groups.values()) {
    const middle = at.length === 1 ? towards(at[0] ?? CENTRE, CENTRE, 110) : mean(at);
    const [first = CENTRE, last = CENTRE] = [at[0], at.at(-1)];
    const across = at.length < 2 ? { x: 1, y: 0 } : unit({ x: first.y - last.y, y: last.x - first.x });
    ids.forEach((id, i) => {
      const shift = (i - (ids.length - 1) / 2) * (NODE.width + GAP);
      placed.set(id, { x: middle.x + across.x * shift, y: middle.y + across.y * shift });
    });
  }
  return placed;
}

/** Outside their NVE, in rows above or below it or in columns beside it; those between two places in the middle. */
function placeVms(vms: TopologyJson['vms'], nves: ReadonlyMap<string, Point>): Map<string, Point> {
  const at = Map.groupBy(vms, ({ nve }) => (nve !== null && nves.has(nve) ? nve : ''));
  const placed = new Map<string, Point>();
  for (const [nve, here] of at) {
    const centre = nves.get(nve) ?? CENTRE;
    const place = nves.has(nve) && isBeside(centre) ? besideIt : aboveOrBelow;
    [...here]
      .sort((a, b) => a.vnid - b.vnid || a.mac.localeCompare(b.mac))
      .forEach((vm, i) => {
        const line = Math.floor(i / VMS_IN_A_LINE);
        const inLine = Math.min(VMS_IN_A_LINE, here.length - line * VMS_IN_A_LINE);
        const along = (i % VMS_IN_A_LINE) - (inLine - 1) / 2;
        placed.set(vmKey(vm), place(centre, along, line, nves.has(nve)));
      });
  }
  return placed;
}

const isBeside = ({ x, y }: Point): boolean => Math.abs(x) > 2 * Math.abs(y) && x !== 0;

function besideIt({ x, y }: Point, along: number, line: number): Point {
  const away = NODE.width / 2 + VM.width / 2 + 50 + line * (VM.width + GAP);
  return { x: x + Math.sign(x) * away, y: y + along * (VM.height + GAP) };
}

function aboveOrBelow({ x, y }: Point, along: number, line: number, isOutside: boolean): Point {
  const away = (isOutside ? VM_DISTANCE : 0) + line * (VM.height + GAP);
  return { x: x + along * (VM.width + GAP), y: y + (y > 1 ? 1 : -1) * away };
}

function boxOf(points: readonly Point[]): Layout['box'] {
  const [xs, ys] = [points.map((p) => p.x), points.map((p) => p.y)];
  const [dx, dy] = [VM.width / 2 + MARGIN, VM.height / 2 + MARGIN];
  const [x, y] = [Math.min(...xs) - dx, Math.min(...ys) - dy];
  return { x, y, width: Math.max(...xs) + dx - x, height: Math.max(...ys) + dy - y };
}

function mean(points: readonly Point[]): Point {
  if (points.length === 0) return CENTRE;
  const sum = points.reduce((a, b) => ({ x: a.x + b.x, y: a.y + b.y }), CENTRE);
  return { x: sum.x / points.length, y: sum.y / points.length };
}

function unit({ x, y }: Point): Point {
  const length = Math.hypot(x, y) || 1;
  return { x: x / length, y: y / length };
}

function towards(from: Point, to: Point, distance: number): Point {
  const { x, y } = unit({ x: to.x - from.x || -1, y: to.y - from.y });
  return { x: from.x + x * distance, y: from.y + y * distance };
}
