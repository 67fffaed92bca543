import { expect } from 'chai';
import { dpid, ipAddress, portNo, stateHostId, type Dpid, type StateHostId } from '../../../src/base/ids.ts';
import { reverse, type Route } from '../../../src/base/route.ts';
import { buildGraph, type Graph } from '../../../topology/graph.ts';
import { shortestRoute } from '../../../topology/paths.ts';
import type { Place } from '../../../topology/place.ts';
import { computeTransfers, detourOver, pairByRole, type TransferInput } from '../../../topology/transfers.ts';
import { at, figure1, NVE1, NVE2, NVE3, portDesc, RED } from './network.ts';

const NVE4 = dpid('4');

/** `1.3-2.3` is a link between port 3 of NVE1 and port 3 of NVE2; `fw1: 1.4 3.4` a State Host. */
function graphOf(text: string): Graph {
  const place = (s: string): Place => {
    const [nve = '', port = ''] = s.split('.');
    return { nve: dpid(nve), port: portNo(Number(port)) };
  };
  const links = [...text.matchAll(/(\d+\.\d+)-(\d+\.\d+)/g)].map(([, a = '', b = '']) => ({
    a: place(a),
    b: place(b),
    usable: true,
  }));
  const stateHosts = [...text.matchAll(/(\w+): ((?:\d+\.\d+ ?)+)/g)].map(([, id = '', places = '']) => ({
    id: stateHostId(id),
    at: places.trim().split(' ').map(place),
  }));
  const nves = new Set([
    ...links.flatMap((l) => [l.a.nve, l.b.nve]),
    ...stateHosts.flatMap((s) => s.at.map((p) => p.nve)),
  ]);
  return buildGraph({ nves, links, stateHosts });
}

const short = (route: Route | null): string =>
  route === null
    ? 'none'
    : `${route.hops.map((h) => `${h.inPort ?? ''}(${Number.parseInt(h.nve, 16)})${h.outPort ?? ''}`).join(' ')} ${route.stateHosts.join(' ')}`.trim();

describe('routes', () => {
  it("on the draft's Figure 1 are the ones it draws", () => {
    const { tde } = figure1();
    expect(short(tde.route(NVE1, NVE3))).to.equal('(1)4 4(3) fw1');
    expect(short(tde.route(NVE2, NVE3))).to.equal('(2)4 5(3) fw2');
    expect(short(tde.route(NVE1, NVE2))).to.equal('(1)3 3(2)');
  });

  it('are the same both ways', () => {
    const { tde } = figure1();
    for (const [a, b] of [
      [NVE1, NVE3],
      [NVE3, NVE2],
      [NVE2, NVE1],
    ] as const) {
      const there = tde.route(a, b);
      expect(there).not.to.equal(null);
      expect(tde.route(b, a)).to.deep.equal(there === null ? null : reverse(there));
    }
  });

  it('from an NVE to itself have one hop, and to an unknown NVE there is none', () => {
    const { tde } = figure1();
    expect(tde.route(NVE1, NVE1)?.hops).to.deep.equal([{ nve: NVE1, inPort: null, outPort: null }]);
    expect(tde.route(NVE1, NVE4)).to.equal(null);
  });

  it('follow the other firewall when one is cut off (the path of Use Case 2)', () => {
    const net = figure1();
    net.portStatus(NVE1, 'modify', portDesc(4, 'to-fw1', false));
    expect(short(net.tde.route(NVE1, NVE3))).to.equal('(1)3 3(2)4 5(3) fw2');
  });

  it('count a State Host as the two edges it is', () => {
    // 1-fw-2 is two edges, 1-3-2 too: the name of NVE 3 comes before that of the State Host.
    expect(short(shortestRoute(graphOf('fw: 1.1 2.1, 1.2-3.1 3.2-2.2'), NVE1, NVE2))).to.equal('(1)2 1(3)2 2(2)');
    expect(short(shortestRoute(graphOf('fw: 1.1 2.1, 1.2-3.1 3.2-4.1 4.2-2.2'), NVE1, NVE2))).to.equal('(1)1 1(2) fw');
  });

  it('of equal length are chosen by the names of the nodes met, then by the lowest ports', () => {
    expect(short(shortestRoute(graphOf('1.1-4.1 4.2-2.1 1.2-3.1 3.2-2.2'), NVE1, NVE2))).to.equal('(1)2 1(3)2 2(2)');
    expect(short(shortestRoute(graphOf('fwb: 1.1 2.1, fwa: 1.2 2.2'), NVE1, NVE2))).to.equal('(1)2 2(2) fwa');
    expect(short(shortestRoute(graphOf('1.7-2.7 1.5-2.9 1.6-2.1'), NVE2, NVE1))).to.equal('(2)9 5(1)');
  });

  it('do not depend on the order in which things were learnt', () => {
    const forwards = graphOf('1.1-4.1 4.2-2.1 1.2-3.1 3.2-2.2');
    const backwards = graphOf('3.2-2.2 2.1-4.2 3.1-1.2 4.1-1.1');
    expect(shortestRoute(forwards, NVE1, NVE2)).to.deep.equal(shortestRoute(backwards, NVE1, NVE2));
  });

  it('cross no State Host that hangs at one NVE port only, and no unusable link', () => {
    expect(short(shortestRoute(graphOf('fw: 1.1, 1.2-3.1 3.2-2.2'), NVE1, NVE2))).to.equal('(1)2 1(3)2 2(2)');
    const graph = buildGraph({
      nves: [NVE1, NVE2],
      links: [{ a: at(NVE1, 1), b: at(NVE2, 1), usable: false }],
      stateHosts: [],
    });
    expect(shortestRoute(graph, NVE1, NVE2)).to.equal(null);
  });

  it('through several State Hosts name them in order', () => {
    expect(short(shortestRoute(graphOf('fw: 1.1 2.1, ips: 2.2 3.1'), NVE1, NVE3))).to.equal('(1)1 1(2)2 1(3) fw ips');
    expect(short(shortestRoute(graphOf('fw: 1.1 2.1, ips: 2.2 3.1'), NVE3, NVE1))).to.equal('(3)1 2(2)1 1(1) ips fw');
  });

  it('that are to be bare cross no State Host', () => {
    const graph = graphOf('fw: 1.1 2.1, 1.2-3.1 3.2-4.1 4.2-2.2');
    expect(short(shortestRoute(graph, NVE1, NVE2, 'bare'))).to.equal('(1)2 1(3)2 1(4)2 2(2)');
    expect(shortestRoute(graphOf('fw: 1.1 2.1'), NVE1, NVE2, 'bare')).to.equal(null);
  });
});

describe('State Hosts of two paths', () => {
  const ids = (...names: string[]): StateHostId[] => names.map(stateHostId);
  const role = (id: StateHostId): string => id.replace(/\d+$/, '');

  it('are paired by role in order', () => {
    expect(pairByRole(ids('fw1', 'ips1'), ids('ips2', 'fw2'), role)).to.deep.equal([
      { source: 'fw1', destination: 'fw2' },
      { source: 'ips1', destination: 'ips2' },
    ]);
    expect(pairByRole(ids('fw1', 'fw2'), ids('fw3', 'fw4'), role)).to.deep.equal([
      { source: 'fw1', destination: 'fw3' },
      { source: 'fw2', destination: 'fw4' },
    ]);
  });

  it('on both paths have nothing to move', () => {
    expect(pairByRole(ids('fw1'), ids('fw1'), role)).to.deep.equal([]);
    expect(pairByRole(ids('fw1', 'fw2'), ids('fw2', 'fw3'), role)).to.deep.equal([
      { source: 'fw1', destination: 'fw3' },
    ]);
  });

  it('on one path only have no counterpart (hard case 25)', () => {
    expect(pairByRole(ids('fw1'), [], role)).to.deep.equal([{ source: 'fw1', destination: null }]);
    expect(pairByRole([], ids('fw1'), role)).to.deep.equal([{ source: null, destination: 'fw1' }]);
    expect(pairByRole(ids('fw1'), ids('ips1'), role)).to.deep.equal([
      { source: 'fw1', destination: null },
      { source: null, destination: 'ips1' },
    ]);
  });
});

describe('computeTransfers', () => {
  const vm = [ipAddress('10.0.0.1')];
  const peer = (nve: Dpid, ...addresses: string[]): TransferInput['peers'][number] => ({
    nve,
    addresses: addresses.map(ipAddress),
  });
  const run = (
    graph: Graph,
    oldNve: Dpid,
    newNve: Dpid,
    peers: TransferInput['peers'],
  ): ReturnType<typeof computeTransfers> =>
    computeTransfers({
      vnid: RED,
      vm,
      oldNve,
      newNve,
      peers,
      oldRoute: (p) => shortestRoute(graph, oldNve, p),
      newRoute: (p) => shortestRoute(graph, newNve, p),
      back: shortestRoute(graph, newNve, oldNve, 'bare'),
      role: (id) => id.replace(/\d+$/, ''),
    });
  const fig1 = graphOf('1.3-2.3, fw1: 1.4 3.4, fw2: 2.4 3.5');

  it('gives one transfer for each peer NVE whose paths differ, with all peers there', () => {
    const transfers = run(fig1, NVE1, NVE2, [
      peer(NVE3, '10.0.0.4'),
      peer(NVE3, '10.0.0.3', 'fd00::3'),
      peer(NVE1, '10.0.0.5'),
      peer(NVE2, '10.0.0.6'),
    ]);
    expect(transfers).to.have.length(1);
    expect(transfers[0]).to.deep.include({
      source: 'fw1',
      destination: 'fw2',
      peerNve: NVE3,
      selector: { vnid: RED, vm, peers: ['10.0.0.3', '10.0.0.4', 'fd00::3'] },
    });
    expect(short(transfers[0]?.detour ?? null)).to.equal('(2)3 3(1)4 4(3) fw1');
    expect(short(transfers[0]?.direct ?? null)).to.equal('(2)4 5(3) fw2');
  });

  it('gives none when no peer address, no VM address or no other VM is known', () => {
    expect(run(fig1, NVE1, NVE2, [])).to.deep.equal([]);
    expect(run(fig1, NVE1, NVE2, [peer(NVE3)])).to.deep.equal([]);
    const base = {
      vnid: RED,
      vm: [],
      oldNve: NVE1,
      newNve: NVE2,
      peers: [peer(NVE3, '10.0.0.3')],
      back: null,
      role: () => '',
    };
    expect(computeTransfers({ ...base, oldRoute: () => null, newRoute: () => null })).to.deep.equal([]);
  });

  it('gives none when both places see the peer through the same State Host', () => {
    // fw1 stands between NVE1 and NVE3; VMs move between NVE1 and NVE2, which hangs behind NVE1.
    expect(run(graphOf('1.3-2.3, fw1: 1.4 3.4'), NVE1, NVE2, [peer(NVE3, '10.0.0.3')])).to.deep.equal([]);
  });

  it('has no detour that would meet a State Host on the way back: it knows nothing of these flows', () => {
    // NVE1 and NVE2 are joined through fw3 only.
    const transfers = run(graphOf('fw3: 1.3 2.3, fw1: 1.4 3.4, fw2: 2.4 3.5'), NVE1, NVE2, [peer(NVE3, '10.0.0.3')]);
    expect(transfers.map((t) => [t.source, t.destination, t.detour])).to.deep.equal([['fw1', 'fw2', null]]);
  });

  it('when the VM moves beside its peer, names the State Host on the old path only', () => {
    const transfers = run(fig1, NVE1, NVE3, [peer(NVE3, '10.0.0.3')]);
    expect(transfers.map((t) => [t.source, t.destination, t.detour])).to.deep.equal([['fw1', null, null]]);
  });

  it('when the VM moves away from beside its peer, names the State Host on the new path only', () => {
    const transfers = run(fig1, NVE3, NVE1, [peer(NVE3, '10.0.0.3')]);
    expect(transfers.map((t) => [t.source, t.destination])).to.deep.equal([[null, 'fw1']]);
  });

  it('gives a transfer for each pair of a chain, all with the same detour', () => {
    const graph = graphOf('1.9-2.9, fw1: 1.1 4.1, ips1: 4.2 3.1, fw2: 2.1 5.1, ips2: 5.2 3.2');
    const transfers = run(graph, NVE1, NVE2, [peer(NVE3, '10.0.0.3')]);
    expect(transfers.map((t) => [t.source, t.destination])).to.deep.equal([
      ['fw1', 'fw2'],
      ['ips1', 'ips2'],
    ]);
    expect(short(transfers[1]?.detour ?? null)).to.equal('(2)9 9(1)1 1(4)2 1(3) fw1 ips1');
  });

  it('has no detour that comes to one NVE twice by the same port', () => {
    const back: Route = {
      from: NVE2,
      to: NVE1,
      hops: [
        { nve: NVE2, inPort: null, outPort: portNo(1) },
        { nve: NVE4, inPort: portNo(2), outPort: portNo(1) },
        { nve: NVE1, inPort: portNo(1), outPort: null },
      ],
      stateHosts: [],
    };
    const old: Route = {
      from: NVE1,
      to: NVE3,
      hops: [
        { nve: NVE1, inPort: null, outPort: portNo(1) },
        { nve: NVE4, inPort: portNo(1), outPort: portNo(3) },
        { nve: NVE3, inPort: portNo(1), outPort: null },
      ],
      stateHosts: [],
    };
    expect(short(detourOver(back, old))).to.equal('(2)1 2(4)1 1(1)1 1(4)3 1(3)');
    const viaNew: Route = {
      ...old,
      hops: [
        { nve: NVE1, inPort: null, outPort: portNo(1) },
        { nve: NVE4, inPort: portNo(1), outPort: portNo(2) },
        { nve: NVE2, inPort: portNo(1), outPort: portNo(1) },
        { nve: NVE4, inPort: portNo(2), outPort: portNo(3) },
        { nve: NVE3, inPort: portNo(1), outPort: null },
      ],
    };
    expect(detourOver(back, viaNew)).to.equal(null);
  });
});
