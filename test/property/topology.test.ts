import { expect } from 'chai';
import fc from 'fast-check';
import { dpid, mac, portNo, stateHostId, type Dpid } from '../../src/base/ids.ts';
import { reverse, type Route } from '../../src/base/route.ts';
import { buildGraph } from '../../topology/graph.ts';
import { shortestRoute } from '../../topology/paths.ts';
import { placeKey, type Place } from '../../topology/place.ts';
import { arp, figure1, garp, ipv4, NVE1, NVE2, NVE3, portDesc, rarp } from '../unit/topology/network.ts';
import type { Network } from '../unit/topology/network.ts';

const nves = [1, 2, 3, 4, 5].map((n) => dpid(String(n)));
const nveOf = fc.constantFrom(...nves);

/** Links and State Hosts between random ports; a port is used once. */
const topology = fc
  .record({
    links: fc.array(fc.tuple(nveOf, nveOf), { maxLength: 8 }),
    bumps: fc.array(fc.array(nveOf, { minLength: 1, maxLength: 3 }), { maxLength: 4 }),
  })
  .map(({ links, bumps }) => {
    let next = 0;
    const place = (nve: Dpid): Place => ({ nve, port: portNo((next += 1)) });
    return {
      nves,
      links: links.map(([a, b]) => ({ a: place(a), b: place(b), usable: true })),
      stateHosts: bumps.map((at, i) => ({ id: stateHostId(`fw${i}`), at: at.map(place) })),
    };
  });

const visits = (route: Route): string[] => [...route.hops.map((h) => h.nve), ...route.stateHosts];

describe('routes on any topology', () => {
  it('visit nothing twice, start and end at NVEs, and are the same both ways', () => {
    fc.assert(
      fc.property(topology, nveOf, nveOf, (input, a, b) => {
        const graph = buildGraph(input);
        const route = shortestRoute(graph, a, b);
        expect(shortestRoute(graph, b, a)).to.deep.equal(route === null ? null : reverse(route));
        if (route === null) return;
        expect(new Set(visits(route)).size).to.equal(visits(route).length);
        expect([route.hops[0]?.nve, route.hops.at(-1)?.nve]).to.deep.equal([a, b]);
        expect([route.hops[0]?.inPort, route.hops.at(-1)?.outPort]).to.deep.equal([null, null]);
        const inner = route.hops.flatMap((h, i) => [
          ...(i === 0 ? [] : [h.inPort]),
          ...(i === route.hops.length - 1 ? [] : [h.outPort]),
        ]);
        expect(inner).not.to.include(null);
      }),
    );
  });

  it('leave by a port and arrive at a port that belong together', () => {
    fc.assert(
      fc.property(topology, nveOf, nveOf, (input, a, b) => {
        const route = shortestRoute(buildGraph(input), a, b);
        if (route === null) return;
        const joined = new Set<string>();
        for (const l of input.links)
          joined.add(`${placeKey(l.a)} ${placeKey(l.b)}`).add(`${placeKey(l.b)} ${placeKey(l.a)}`);
        for (const s of input.stateHosts)
          for (const x of s.at) for (const y of s.at) joined.add(`${placeKey(x)} ${placeKey(y)}`);
        for (let i = 1; i < route.hops.length; i += 1) {
          const [from, to] = [route.hops[i - 1], route.hops[i]];
          expect(joined.has(`${from?.nve ?? ''}/${from?.outPort ?? ''} ${to?.nve ?? ''}/${to?.inPort ?? ''}`)).to.equal(
            true,
          );
        }
      }),
    );
  });

  it('do not depend on the order of links and State Hosts', () => {
    fc.assert(
      fc.property(topology, nveOf, nveOf, (input, a, b) => {
        const other = buildGraph({
          nves: input.nves.toReversed(),
          links: input.links.map((l) => ({ a: l.b, b: l.a, usable: true })).reverse(),
          stateHosts: input.stateHosts.map((s) => ({ ...s, at: s.at.toReversed() })).reverse(),
        });
        expect(shortestRoute(other, a, b)).to.deep.equal(shortestRoute(buildGraph(input), a, b));
      }),
    );
  });
});

/** Whatever a network, its tenants and an attacker may do to a TDE. */
const macs = [1, 2, 3].map((n) => mac(`02:00:00:00:01:0${n}`));
const vaps: Place[] = [NVE1, NVE2, NVE3].flatMap((nve) => [1, 2].map((p) => ({ nve, port: portNo(p) })));
const anywhere: Place[] = [
  ...vaps,
  ...[NVE1, NVE2].map((nve) => ({ nve, port: portNo(3) })),
  { nve: NVE1, port: portNo(4) },
];
const vapName = (place: Place): string => `${place.port === 1 ? 'red' : 'blue'}-${place.nve.slice(-1)}`;

const act = fc.oneof(
  fc.record({
    kind: fc.constant('frame' as const),
    at: fc.constantFrom(...vaps),
    vm: fc.constantFrom(...macs),
    what: fc.constantFrom('rarp', 'garp', 'arp', 'ip'),
    ip: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'),
  }),
  fc.record({ kind: fc.constant('port' as const), at: fc.constantFrom(...vaps), up: fc.boolean() }),
  fc.record({ kind: fc.constant('delete' as const), at: fc.constantFrom(...vaps) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(10, 150, 600, 1200) }),
  fc.record({
    kind: fc.constant('noise' as const),
    at: fc.constantFrom(...anywhere),
    bytes: fc.uint8Array({ maxLength: 90 }),
  }),
  fc.record({ kind: fc.constant('down' as const), nve: fc.constantFrom(NVE1, NVE2, NVE3) }),
  fc.record({ kind: fc.constant('replug' as const), at: fc.constantFrom(...vaps), vm: fc.constantFrom(...macs) }),
);

function perform(net: Network, step: typeof act extends fc.Arbitrary<infer T> ? T : never): void {
  switch (step.kind) {
    case 'frame': {
      const { vm, ip } = step;
      const frames = { rarp: rarp(vm), garp: garp(vm, ip), arp: arp(vm, ip), ip: ipv4(vm, ip) };
      net.packetIn(step.at, frames[step.what]);
      return;
    }
    case 'port':
      net.portStatus(step.at.nve, 'modify', portDesc(step.at.port, vapName(step.at), step.up));
      return;
    case 'delete':
      net.portStatus(step.at.nve, 'delete', portDesc(step.at.port, vapName(step.at)));
      return;
    case 'wait':
      net.advance(step.ms);
      return;
    case 'noise':
      net.packetIn(step.at, Buffer.from(step.bytes));
      return;
    case 'down':
      net.input({ kind: 'nveDown', dpid: step.nve });
      return;
    case 'replug':
      net.plugged.set(placeKey(step.at), { mac: step.vm, addresses: ['10.0.0.1'] });
  }
}

function expectSound(net: Network): void {
  const { vms, nves: views } = net.tde.snapshot();
  const holders = vms.flatMap((vm) => vm.addresses.map((a) => `${vm.vnid} ${a}`));
  expect(new Set(holders).size, 'an address has one holder in its VN').to.equal(holders.length);
  expect(new Set(vms.map((vm) => `${vm.vnid} ${vm.mac}`)).size, 'a VM is listed once').to.equal(vms.length);
  for (const vm of vms) {
    if (vm.at === null) continue;
    const { at } = vm;
    expect(vm.lastAt).to.deep.equal(at);
    const port = views.find((n) => n.dpid === at.nve)?.ports.find((p) => p.port === at.port);
    expect(port?.up, 'a VM is at a port that is up').to.equal(true);
    expect(port?.role).to.deep.equal({ kind: 'vap', vns: [{ vnid: vm.vnid, tag: null }] });
  }
}

describe('the TDE, whatever happens to it', () => {
  for (const verify of ['parallel', 'first'] as const) {
    it(`keeps each VM at one VAP of its VN and each address with one VM (verify: ${verify})`, () => {
      fc.assert(
        fc.property(fc.array(act, { maxLength: 40 }), (steps) => {
          const net = figure1({ verify });
          for (const step of steps) {
            perform(net, step);
            expectSound(net);
          }
          const ids = net.notifications.map((n) => n.id);
          expect(ids).to.deep.equal(ids.map((_, i) => i + 1));
          expect(JSON.parse(JSON.stringify(net.tde.snapshot()))).to.be.an('object');
        }),
        { numRuns: 60 },
      );
    });
  }

  it('throws at no noise, and counts every frame', () => {
    const net = figure1();
    const before = net.tde.snapshot().counters['packet-in'] ?? 0;
    let frames = 0;
    const etherType = fc.constantFrom('0806', '8035', '0800', '86dd', '88cc', '88b5', '8100', '0000');
    fc.assert(
      fc.property(fc.constantFrom(...anywhere), etherType, fc.uint8Array({ maxLength: 200 }), (place, type, tail) => {
        const frame = Buffer.concat([Buffer.from(`ffffffffffff020000000001${type}`, 'hex'), tail]);
        net.packetIn(place, frame);
        frames += 1;
      }),
      { numRuns: 2000 },
    );
    expect((net.tde.snapshot().counters['packet-in'] ?? 0) - before).to.equal(frames);
  });
});
