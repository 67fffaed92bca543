// Use Case 2 as the TDE tells it: which path changes are notified, with which transfers, and which routes stay in use.

import { expect } from 'chai';
import fc from 'fast-check';
import { dpid, mac, portNo, stateHostId } from '../../../src/base/ids.ts';
import type { Notification } from '../../../topology/notification.ts';
import { buildGraph } from '../../../topology/graph.ts';
import { shortestRoute, stillLeads } from '../../../topology/paths.ts';
import type { Place } from '../../../topology/place.ts';
import { arp, at, figure1, NVE1, NVE2, NVE3, portDesc, RED, type Network } from './network.ts';

const VM1 = mac('02:00:00:00:00:01');
const VM2 = mac('02:00:00:00:00:02');
const VM3 = mac('02:00:00:00:00:03');
const [TO_FW1, VAP] = [4, 1];

/** VM1 at NVE1 and VM3 at NVE3, both red; the probes through both firewalls have come through. */
function withVms(config: Parameters<typeof figure1>[0] = {}): Network {
  const net = figure1(config);
  net.packetIn(at(NVE1, VAP), arp(VM1, '10.0.0.1'));
  net.packetIn(at(NVE3, VAP), arp(VM3, '10.0.0.3'));
  net.advance(2100);
  net.notifications.length = 0;
  return net;
}

const cut = (net: Network): void => {
  net.portStatus(NVE1, 'modify', portDesc(TO_FW1, 'to-fw1', false));
};
const heal = (net: Network): void => {
  net.portStatus(NVE1, 'modify', portDesc(TO_FW1, 'to-fw1', true));
  net.advance(2100);
};
const over = (net: Network): readonly string[] => net.tde.route(NVE1, NVE3)?.stateHosts ?? [];
const brief = (n: Notification) => ({
  cause: n.cause,
  evidence: n.evidence,
  vm: n.vm.mac,
  transfers: n.transfers.map((t) => `${t.source}->${t.destination} ${t.detour === null ? 'halted' : 'pinned'}`),
});

describe('a path change', () => {
  it('is notified when a link of the path goes down, without a detour', () => {
    const net = withVms();
    cut(net);
    expect(net.notifications.map(brief)).to.deep.equal([
      { cause: 'path-change', evidence: ['path-loss'], vm: VM1, transfers: ['fw1->fw2 halted'] },
    ]);
    const [n] = net.notifications;
    expect(n).to.include({ oldNve: NVE1, newNve: NVE1 });
    expect(n?.transfers[0]?.selector).to.deep.equal({ vnid: RED, vm: ['10.0.0.1'], peers: ['10.0.0.3'] });
  });

  it('is notified when the firewall hangs with its links up', () => {
    const net = withVms();
    const [fw] = net.bumps;
    if (fw !== undefined) fw.forwards = false;
    net.advance(5000);
    expect(net.notifications.map(brief)).to.deep.equal([
      { cause: 'path-change', evidence: ['probe-loss'], vm: VM1, transfers: ['fw1->fw2 halted'] },
    ]);
  });

  it('is notified once for a pair of VMs, for those of the end that has fewer', () => {
    const net = withVms();
    net.packetIn(at(NVE1, VAP), arp(VM2, '10.0.0.2'));
    cut(net);
    expect(net.notifications.map((n) => n.vm.mac)).to.deep.equal([VM3]);
    expect(net.notifications[0]?.transfers[0]?.selector.peers).to.deep.equal(['10.0.0.1', '10.0.0.2']);
  });

  it('is none where the pair has no VMs, or where its State Hosts stay the same', () => {
    const idle = figure1();
    cut(idle);
    expect(idle.notifications).to.deep.equal([]);
    const net = withVms();
    net.portStatus(NVE2, 'modify', portDesc(3, 'to-nve1', false));
    expect(net.notifications).to.deep.equal([]);
  });

  it('waits until there is another path', () => {
    const net = withVms();
    net.portStatus(NVE2, 'modify', portDesc(3, 'to-nve1', false));
    cut(net);
    expect(net.notifications).to.deep.equal([]);
    net.portStatus(NVE2, 'modify', portDesc(3, 'to-nve1', true));
    net.advance(2100);
    expect(net.notifications.map(brief).map((n) => n.transfers)).to.deep.equal([['fw1->fw2 halted']]);
  });

  it('without another path leaves flows on a firewall that hangs', () => {
    const net = withVms();
    net.portStatus(NVE2, 'modify', portDesc(3, 'to-nve1', false));
    const [fw] = net.bumps;
    if (fw !== undefined) fw.forwards = false;
    net.advance(5000);
    expect(over(net)).to.deep.equal(['fw1']);
    expect(net.notifications).to.deep.equal([]);
  });
});

describe('a path that has healed', () => {
  it('is not taken again by itself', () => {
    const net = withVms();
    cut(net);
    heal(net);
    net.advance(60_000);
    expect(over(net)).to.deep.equal(['fw2']);
    expect(net.notifications).to.have.length(1);
  });

  it('is taken again after the time of the policy, with the state, and undisturbed', () => {
    const net = withVms({ revertMs: 5000 });
    cut(net);
    heal(net);
    net.advance(2000);
    expect(over(net)).to.deep.equal(['fw2']);
    net.advance(5000);
    expect(over(net)).to.deep.equal(['fw1']);
    expect(net.notifications.slice(1).map(brief)).to.deep.equal([
      { cause: 'path-change', evidence: ['path-healed'], vm: VM1, transfers: ['fw2->fw1 pinned'] },
    ]);
  });

  it('is taken again when the one in use breaks', () => {
    const net = withVms();
    cut(net);
    heal(net);
    net.portStatus(NVE2, 'modify', portDesc(4, 'to-fw2', false));
    expect(
      net.notifications
        .slice(1)
        .map(brief)
        .map((n) => n.transfers),
    ).to.deep.equal([['fw2->fw1 halted']]);
  });
});

describe('a State Host that is drained', () => {
  it('is left by all flows that have another way, undisturbed, and not entered again by itself', () => {
    const net = withVms();
    net.input({ kind: 'drain', id: stateHostId('fw1'), drained: true });
    expect(net.notifications.map(brief)).to.deep.equal([
      { cause: 'path-change', evidence: ['drained'], vm: VM1, transfers: ['fw1->fw2 pinned'] },
    ]);
    expect(net.tde.stateHosts()[0]).to.include({ id: 'fw1', drained: true });
    net.input({ kind: 'drain', id: stateHostId('fw1'), drained: false });
    expect(over(net)).to.deep.equal(['fw2']);
  });
});

describe('a route in use', () => {
  it('leads exactly while each of its steps is an edge', () => {
    const place = fc.record({ nve: fc.integer({ min: 1, max: 4 }), port: fc.integer({ min: 1, max: 3 }) });
    const toPlace = (p: { nve: number; port: number }): Place => ({ nve: dpid(`${p.nve}`), port: portNo(p.port) });
    const link = fc.tuple(place, place).filter(([a, b]) => a.nve !== b.nve);
    const nves = ['1', '2', '3', '4'].map(dpid);
    fc.assert(
      fc.property(
        fc.array(link, { maxLength: 6 }),
        fc.array(link, { maxLength: 3 }),
        fc.nat(),
        (links, bumps, drop) => {
          const edges = links.map(([a, b]) => ({ a: toPlace(a), b: toPlace(b), usable: true }));
          const stateHosts = bumps.map((ends, i) => ({ id: stateHostId(`fw${i}`), at: ends.map(toPlace) }));
          const graph = buildGraph({ nves, links: edges, stateHosts });
          const route = shortestRoute(graph, nves[0] ?? dpid('1'), nves[3] ?? dpid('4'));
          if (route === null) return;
          expect(stillLeads(graph, route)).to.equal(true);
          const without = buildGraph({
            nves,
            links: edges,
            stateHosts: stateHosts.filter((s) => !route.stateHosts.includes(s.id)),
          });
          expect(stillLeads(without, route)).to.equal(route.stateHosts.length === 0);
          const at = drop % Math.max(1, edges.length);
          const fewer = buildGraph({ nves, links: edges.filter((_, i) => i !== at), stateHosts });
          // A route of which nothing was taken still is the shortest: nothing shorter appears by taking edges away.
          if (stillLeads(fewer, route)) {
            expect(shortestRoute(fewer, route.from, route.to)?.hops.length).to.equal(route.hops.length);
          }
        },
      ),
    );
  });
});
