// Any connected fabric, any placing of VMs: no frame ever loops, each VM gets at most one copy; and what the diff says makes
// one table into the other.

import { expect } from 'chai';
import fc from 'fast-check';
import { dpid, ipAddress, mac, migrationId, portNo, vnid } from '../../src/base/ids.ts';
import type { Dpid } from '../../src/base/ids.ts';
import { join, reverse } from '../../src/base/route.ts';
import type { Hop, Route } from '../../src/base/route.ts';
import { compile } from '../../flows/compile.ts';
import { diff, indexRules } from '../../flows/diff.ts';
import { ruleKey } from '../../flows/rule.ts';
import type { InstalledRule, Rule } from '../../flows/rule.ts';
import type { NveView, Pin, PortView, Trail, VmView, World } from '../../flows/world.ts';
import type { FakeLink } from '../fakes/fake-network.ts';
import { BROADCAST, tcp } from '../fakes/fake-switch-frames.ts';
import { Lab } from '../unit/flows/figure1.ts';

const RED = vnid(7);
const FABRIC = 100;

interface Network {
  readonly world: World;
  readonly links: readonly FakeLink[];
}

interface Shape {
  readonly nves: number;
  /** NVE i > 0 is linked to an earlier one. */
  readonly tree: readonly number[];
  readonly extra: readonly (readonly [number, number])[];
  /** NVE of each VM, where it was before, whether its port is there. */
  readonly vms: readonly { readonly at: number; readonly before: number; readonly up: boolean }[];
  readonly bare: number;
  readonly detours: readonly (readonly [vm: number, peer: number, via: number, lifted: boolean])[];
}

const shape: fc.Arbitrary<Shape> = fc.integer({ min: 2, max: 7 }).chain((nves) => {
  const one = fc.nat(nves - 1);
  return fc.record({
    nves: fc.constant(nves),
    tree: fc.array(fc.nat(), { minLength: nves, maxLength: nves }),
    extra: fc.array(fc.tuple(one, one), { maxLength: 5 }),
    vms: fc.array(fc.record({ at: one, before: one, up: fc.boolean() }), { minLength: 2, maxLength: 5 }),
    bare: one,
    detours: fc.array(fc.tuple(fc.nat(4), one, one, fc.boolean()), { maxLength: 3 }),
  });
});

const id = (n: number): Dpid => dpid((n + 1).toString(16));

function networkOf(s: Shape): Network {
  const edges = new Map<string, readonly [number, number]>();
  const connect = (a: number, b: number): void => {
    if (a !== b) edges.set([a, b].sort().join('-'), [a, b]);
  };
  for (let n = 1; n < s.nves; n += 1) connect(n, (s.tree[n] ?? 0) % n);
  for (const [a, b] of s.extra) connect(a, b);
  const neighbours = new Map<number, { to: number; out: number; into: number }[]>();
  const links: FakeLink[] = [];
  let port = FABRIC;
  for (const [a, b] of edges.values()) {
    const [pa, pb] = [port++, port++];
    links.push({ a: { nve: id(a), port: pa }, b: { nve: id(b), port: pb } });
    neighbours.set(a, [...(neighbours.get(a) ?? []), { to: b, out: pa, into: pb }]);
    neighbours.set(b, [...(neighbours.get(b) ?? []), { to: a, out: pb, into: pa }]);
  }
  const routes: Route[] = [];
  for (let a = 0; a < s.nves; a += 1) {
    const found = shortest(a, neighbours);
    for (let b = a + 1; b < s.nves; b += 1) routes.push(found.get(b) as Route);
  }
  const vms = s.vms.map((v, i): VmView => {
    const place = { nve: id(v.at), port: portNo(i + 1) };
    return {
      serial: i + 1,
      vnid: RED,
      mac: mac(`02:00:00:00:00:0${i + 1}`),
      addresses: [ipAddress(`10.0.0.${i + 1}`)],
      at: v.up ? place : null,
      lastAt: place,
    };
  });
  const views = Array.from({ length: s.nves }, (_, n): NveView => {
    const vaps = vms.filter((_vm, i) => s.vms[i]?.at === n || (s.vms[i]?.before === n && n !== s.bare));
    return {
      dpid: id(n),
      ports: [
        ...vaps.map((vm): PortView => ({
          no: portNo(vm.serial),
          name: 'vap',
          role: { kind: 'vap', vns: [{ vnid: RED, tag: null }] },
        })),
        ...(neighbours.get(n) ?? []).map((e): PortView => ({ no: portNo(e.out), name: 'f', role: { kind: 'fabric' } })),
      ],
    };
  });
  const trails = s.vms.flatMap((v, i): Trail[] => {
    const vm = vms[i];
    return vm === undefined || v.before === v.at ? [] : [{ vnid: RED, vm: vm.mac, from: id(v.before) }];
  });
  const vns = [{ vnid: RED, name: 'red', vlan: 7 }];
  const pins = pinsOf(s, vms, routes);
  return { world: { nves: views, vns, vms, routes, pins, gates: [], trails }, links };
}

/** Detours over a third NVE, as a migration makes them: those that pass no NVE twice by the same port. */
function pinsOf(s: Shape, vms: readonly VmView[], routes: readonly Route[]): Pin[] {
  const way = (a: number, b: number): Route | undefined => {
    const route = routes.find((r) => (r.from === id(a) && r.to === id(b)) || (r.from === id(b) && r.to === id(a)));
    return route === undefined || route.from === id(a) ? route : reverse(route);
  };
  return s.detours.flatMap(([v, peer, via, lifted], i): Pin[] => {
    const vm = vms[v % vms.length];
    const from = s.vms[v % vms.length]?.at ?? 0;
    const [first, second] = [way(from, via), way(via, peer)];
    if (vm === undefined || first === undefined || second === undefined || from === peer) return [];
    const route = join(first, second);
    const doors = route.hops.flatMap((h) => [`${h.nve} in ${h.inPort ?? ''}`, `${h.nve} out ${h.outPort ?? ''}`]);
    if (new Set(doors).size < doors.length) return [];
    const phase = lifted ? 'lifted' : 'pinned';
    return [{ id: migrationId(`m-${i}`), vnid: RED, vm: vm.mac, peerNve: id(peer), route, phase }];
  });
}

/** Breadth first from one NVE, neighbours in the order of their ports. */
function shortest(
  from: number,
  neighbours: ReadonlyMap<number, readonly { to: number; out: number; into: number }[]>,
): Map<number, Route> {
  const routes = new Map<number, Route>();
  const start: Hop = { nve: id(from), inPort: null, outPort: null };
  routes.set(from, { from: id(from), to: id(from), hops: [start], stateHosts: [] });
  const queue = [from];
  for (let n = queue.shift(); n !== undefined; n = queue.shift()) {
    const here = routes.get(n) as Route;
    for (const { to, out, into } of neighbours.get(n) ?? []) {
      if (routes.has(to)) continue;
      const last = here.hops.at(-1) as Hop;
      const hops = [
        ...here.hops.slice(0, -1),
        { ...last, outPort: portNo(out) },
        { nve: id(to), inPort: portNo(into), outPort: null },
      ];
      routes.set(to, { from: id(from), to: id(to), hops, stateHosts: [] });
      queue.push(to);
    }
  }
  return routes;
}

const frame = (vm: VmView, dst: string, toIp: string, vlan?: number): Buffer =>
  tcp({ dst, src: vm.mac, ...(vlan === undefined ? {} : { vlan }) }, vm.addresses[0] ?? '', toIp, 0x10);

const placeOf = (vm: VmView): { nve: Dpid; port: number } => (vm.at ?? vm.lastAt) as { nve: Dpid; port: number };

describe('any fabric', () => {
  it('delivers unicast between any two attached VMs exactly once, and to nobody else', () => {
    fc.assert(
      fc.property(shape, (s) => {
        const { world, links } = networkOf(s);
        const lab = new Lab(world, {}, links);
        for (const a of world.vms) {
          for (const b of world.vms) {
            if (a === b || a.at === null) continue;
            const journey = lab.inject(a.at, frame(a, b.mac, b.addresses[0] ?? ''));
            const where = journey.delivered.map((d) => `${d.at.nve}/${d.at.port}`);
            expect(where).to.deep.equal(b.at === null ? [] : [`${b.at.nve}/${b.at.port}`]);
            expect(journey.punted).to.have.length(b.at === null ? 1 : 0);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('gives every VAP of the VN one copy of a broadcast, but the sender’s', () => {
    fc.assert(
      fc.property(shape, (s) => {
        const { world, links } = networkOf(s);
        const lab = new Lab(world, {}, links);
        const vaps = world.nves.flatMap((n) =>
          n.ports.filter((p) => p.role.kind === 'vap').map((p) => `${n.dpid}/${p.no}`),
        );
        for (const vm of world.vms) {
          if (vm.at === null) continue;
          const journey = lab.inject(vm.at, frame(vm, BROADCAST, '10.0.0.255'));
          const own = `${vm.at.nve}/${vm.at.port}`;
          const where = journey.delivered.map((d) => `${d.at.nve}/${d.at.port}`);
          expect(where.sort()).to.deep.equal(vaps.filter((v) => v !== own).sort());
        }
      }),
      { numRuns: 150 },
    );
  });

  it('makes no loop of a frame injected anywhere, also while some switches still hold an earlier world', () => {
    fc.assert(
      fc.property(shape, fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }), (s, changed) => {
        const { world, links } = networkOf(s);
        const before: World = {
          ...world,
          pins: [],
          trails: [],
          vms: world.vms.map((vm, i) => {
            const place = { nve: id(s.vms[i]?.before ?? 0), port: placeOf(vm).port as never };
            return { ...vm, at: place, lastAt: place };
          }),
        };
        const lab = new Lab(before, {}, links);
        world.nves.forEach((n, i) => {
          if (changed[i] === true) lab.becomeAt(n.dpid, world);
        });
        for (const nve of world.nves) {
          for (const port of nve.ports) {
            for (const a of world.vms) {
              for (const dst of [BROADCAST, ...world.vms.map((vm) => vm.mac)]) {
                const vlan = port.role.kind === 'fabric' ? 7 : undefined;
                const journey = lab.inject({ nve: nve.dpid, port: port.no }, frame(a, dst, '10.0.0.1', vlan));
                expect(journey.passed.length).to.be.lessThan(60);
              }
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('compiles to rules whose keys differ, twice alike', () => {
    fc.assert(
      fc.property(shape, (s) => {
        const { world } = networkOf(s);
        const [first, second] = [compile(world), compile(structuredClone(world))];
        for (const [nve, rules] of first) {
          const keys = rules.map(ruleKey);
          expect(new Set(keys).size).to.equal(keys.length);
          const change = diff(rules, second.get(nve) ?? []);
          expect(change).to.deep.equal({ add: [], modify: [], delete: [] });
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('diff of any two tables', () => {
  const rule: fc.Arbitrary<Rule> = fc.record({
    table: fc.nat(2),
    priority: fc.nat(2),
    match: fc.uniqueArray(fc.record({ name: fc.constantFrom('in_port', 'eth_type'), value: fc.nat(2) }), {
      selector: (f) => f.name,
    }),
    instructions: fc.array(fc.record({ type: fc.constant('goto_table' as const), table: fc.nat(2) }), { maxLength: 1 }),
    cookie: fc.bigInt(0n, 2n),
    stage: fc.constantFrom('deliver', 'transit', 'ingress'),
  });
  const table = fc.array(rule, { maxLength: 12 }).map((rules) => [...indexRules(rules).values()]);

  it('makes the one into the other, and takes nothing away that stays', () => {
    fc.assert(
      fc.property(table, table, (a, b) => {
        const change = diff(a, b);
        const result = new Map<string, InstalledRule>(indexRules(a));
        for (const r of change.delete) expect(result.delete(ruleKey(r))).to.equal(true);
        for (const r of change.add) {
          expect(result.has(ruleKey(r))).to.equal(false);
          result.set(ruleKey(r), r);
        }
        for (const { from, to } of change.modify) {
          expect(result.get(ruleKey(to))).to.equal(from);
          result.set(ruleKey(to), to);
        }
        const essence = (index: ReadonlyMap<string, InstalledRule>): unknown[] =>
          [...index].sort(([x], [y]) => (x < y ? -1 : 1)).map(([key, r]) => [key, r.cookie, r.instructions]);
        expect(essence(result)).to.deep.equal(essence(indexRules(b)));
      }),
    );
  });
});
