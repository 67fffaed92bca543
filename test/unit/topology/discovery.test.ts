import { expect } from 'chai';
import { dpid, mac } from '../../../src/base/ids.ts';
import { decodeEthernet, encodeEthernet, ETHER_TYPE } from '../../../src/packet/ethernet.ts';
import { decodeLldp, encodeLldp, LLDP_MULTICAST } from '../../../src/packet/lldp.ts';
import { discoveryOf, encodeDiscovery } from '../../../topology/discovery-frame.ts';
import { LatencyWindow } from '../../../topology/latency.ts';
import { at, Network, NVE1, NVE2, portDesc } from './network.ts';

const lldpOf = (net: Network, nve: string): { port: number; frame: Buffer }[] =>
  net.sent
    .filter(({ place, frame }) => place.nve === nve && decodeEthernet(frame).etherType === ETHER_TYPE.lldp)
    .map(({ place, frame }) => ({ port: place.port, frame }));

/** Two NVEs with one cable between their ports 3; port 1 is a VAP, port 9 goes nowhere. */
function pair(): Network {
  const net = new Network();
  net.cable(at(NVE1, 3), at(NVE2, 3));
  for (const [nve, name] of [
    [NVE1, 'nve1'],
    [NVE2, 'nve2'],
  ] as const) {
    net.up(nve, name, [portDesc(1, 'red-1'), portDesc(3, 'link'), portDesc(9, 'spare'), portDesc(10, 'down', false)]);
  }
  return net;
}

describe('LLDP of the TDE', () => {
  it('goes out of every port that is up and no VAP at once when an NVE connects, and nowhere else', () => {
    const net = new Network();
    net.up(NVE1, 'nve1', [portDesc(1, 'red-1'), portDesc(3, 'link'), portDesc(9, 'spare'), portDesc(10, 'x', false)]);
    expect(lldpOf(net, NVE1).map((s) => s.port)).to.deep.equal([3, 9]);
  });

  it('never goes out of OpenFlow reserved ports', () => {
    const net = new Network();
    net.up(NVE1, 'nve1', [portDesc(0xfffffffe, 'br-int')]);
    expect(net.sent).to.deep.equal([]);
    expect(net.tde.nves()[0]?.ports).to.deep.equal([]);
  });

  it('names dpid and port and carries a nonce that differs every time', () => {
    const net = new Network();
    net.up(NVE1, 'nve1', [portDesc(3, 'link')]);
    net.advance(2000);
    const says = lldpOf(net, NVE1).map((s) => discoveryOf(decodeLldp(decodeEthernet(s.frame).payload)));
    expect(says.length).to.be.greaterThan(2);
    for (const one of says) expect(one?.from).to.deep.equal(at(NVE1, 3));
    expect(new Set(says.map((s) => s?.nonce)).size).to.equal(says.length);
  });

  it('is sent again every period, and at once when a port comes up', () => {
    const net = new Network();
    net.up(NVE1, 'nve1', [portDesc(3, 'link')]);
    net.sent = [];
    net.advance(950);
    expect(lldpOf(net, NVE1)).to.have.length(0);
    net.advance(50);
    expect(lldpOf(net, NVE1)).to.have.length(1);
    net.sent = [];
    net.portStatus(NVE1, 'add', portDesc(4, 'new'));
    expect(lldpOf(net, NVE1).map((s) => s.port)).to.deep.equal([4]);
    net.sent = [];
    net.portStatus(NVE1, 'modify', portDesc(4, 'new', false));
    net.portStatus(NVE1, 'modify', portDesc(4, 'new', true));
    expect(lldpOf(net, NVE1).map((s) => s.port)).to.deep.equal([4]);
  });
});

describe('links', () => {
  it('are found in both directions as soon as the second NVE connects', () => {
    const net = pair();
    expect(net.tde.links()).to.have.length(1);
    expect(net.tde.links()[0]).to.deep.include({ a: at(NVE1, 3), b: at(NVE2, 3), usable: true });
    expect([net.role(at(NVE1, 3)), net.role(at(NVE2, 3))]).to.deep.equal(['fabric', 'fabric']);
    expect(net.changes).to.include('link-up');
  });

  it('carry no route while LLDP was seen in one direction only', () => {
    const net = new Network();
    net.up(NVE1, 'nve1', [portDesc(3, 'link')]);
    net.up(NVE2, 'nve2', [portDesc(3, 'link')]);
    const [one] = lldpOf(net, NVE1);
    net.packetIn(at(NVE2, 3), one?.frame ?? Buffer.alloc(0));
    expect(net.tde.links()[0]?.usable).to.equal(false);
    expect(net.tde.route(NVE1, NVE2)).to.equal(null);
  });

  it('go at once when either port goes down, and come back as soon as it is up', () => {
    const net = pair();
    net.portStatus(NVE1, 'modify', portDesc(3, 'link', false));
    expect(net.tde.links()).to.have.length(0);
    expect(net.tde.route(NVE1, NVE2)).to.equal(null);
    expect(net.changes).to.include('link-down');
    net.advance(100);
    net.portStatus(NVE1, 'modify', portDesc(3, 'link'));
    expect(net.tde.links()[0]?.usable).to.equal(true);
  });

  it('age out after three missed periods without any port-status', () => {
    const net = pair();
    net.advance(1000);
    net.cut(at(NVE1, 3));
    net.advance(2900);
    expect(net.tde.links()).to.have.length(1);
    net.advance(200);
    expect(net.tde.links()).to.have.length(0);
  });

  it('do not age while the control connection of one end is lost, and the NVE is gone only after the hold', () => {
    const net = pair();
    net.input({ kind: 'nveDown', dpid: NVE2 });
    expect(net.tde.nves()[1]?.connected).to.equal(false);
    net.advance(9900);
    expect(net.tde.links()[0]?.usable).to.equal(true);
    net.advance(200);
    expect(net.tde.nves().map((n) => n.dpid)).to.deep.equal([NVE1]);
    expect(net.tde.links()).to.have.length(0);
    expect(net.changes).to.include('nve-gone');
  });

  it('survive a short loss of the control connection', () => {
    const net = pair();
    net.input({ kind: 'nveDown', dpid: NVE2 });
    net.advance(5000);
    net.changes = [];
    net.up(NVE2, 'nve2', [portDesc(1, 'red-1'), portDesc(3, 'link'), portDesc(9, 'spare')]);
    net.advance(5000);
    expect(net.tde.links()[0]?.usable).to.equal(true);
    expect(net.changes).not.to.include('link-down');
  });

  it('of ports that are gone when an NVE connects again are dropped', () => {
    const net = pair();
    net.input({ kind: 'nveDown', dpid: NVE2 });
    net.up(NVE2, 'nve2', [portDesc(1, 'red-1')]);
    expect(net.tde.links()).to.have.length(0);
    expect(net.role(at(NVE2, 3))).to.equal('absent');
  });

  it('have a latency, without the time on the control channels where that is known', () => {
    const net = pair();
    net.cableDelayMs = 7;
    net.input({ kind: 'controlLatency', dpid: NVE1, oneWayMs: 2 });
    net.input({ kind: 'controlLatency', dpid: NVE2, oneWayMs: 1 });
    net.advance(30_000);
    expect(net.tde.links()[0]?.latencyAbMs).to.equal(4);
    expect(net.tde.links()[0]?.latencyBaMs).to.equal(4);
  });

  it('whose latency is suddenly unusual are alarmed', () => {
    const net = pair();
    net.cableDelayMs = 1;
    net.advance(15_000);
    expect(net.alarms).not.to.include('link-latency');
    net.cableDelayMs = 30;
    net.advance(1100);
    expect(net.alarms).to.include('link-latency');
  });
});

describe('LLDP is refused, counted and alarmed', () => {
  const key = Buffer.alloc(32, 0x5a);
  const source = mac('02:00:00:00:00:01');

  it('when its HMAC is wrong', () => {
    const net = pair();
    const from = at(NVE1, 9);
    const frame = encodeDiscovery({ from, nonce: 1n, sentMicros: 1n, key: Buffer.alloc(32), source, ttlSeconds: 4 });
    net.packetIn(at(NVE2, 9), frame);
    expect(net.alarms).to.deep.equal(['lldp-forged']);
    expect(net.tde.snapshot().counters['lldp-forged']).to.equal(1);
    expect(net.tde.links()).to.have.length(1);
  });

  it('when its HMAC is right but its nonce is not what we just sent', () => {
    const net = pair();
    const frame = encodeDiscovery({ from: at(NVE1, 9), nonce: 1n, sentMicros: 1n, key, source, ttlSeconds: 4 });
    net.packetIn(at(NVE2, 9), frame);
    expect(net.alarms).to.deep.equal(['lldp-replayed']);
  });

  it('when a captured one is sent a second time', () => {
    const net = pair();
    const captured = lldpOf(net, NVE1).findLast((s) => s.port === 3);
    net.packetIn(at(NVE2, 9), captured?.frame ?? Buffer.alloc(0));
    expect(net.alarms).to.deep.equal(['lldp-replayed']);
    expect(net.role(at(NVE2, 9))).to.equal('unknown');
  });

  it('when it is older than two periods', () => {
    const net = pair();
    net.cut(at(NVE1, 3));
    net.sent = [];
    net.advance(1000);
    const old = lldpOf(net, NVE1).find((s) => s.port === 9);
    // No tick in between: nothing newer was sent.
    net.now += 2001;
    net.packetIn(at(NVE2, 9), old?.frame ?? Buffer.alloc(0));
    expect(net.alarms).to.include('lldp-replayed');
  });

  it('when it is relayed: the port it says is the end of another link', () => {
    const net = pair();
    net.cut(at(NVE1, 3));
    net.sent = [];
    net.advance(1000);
    const fresh = lldpOf(net, NVE1).find((s) => s.port === 3);
    net.packetIn(at(NVE2, 9), fresh?.frame ?? Buffer.alloc(0));
    expect(net.alarms).to.deep.equal(['lldp-relayed']);
    expect(net.tde.links()).to.have.length(1);
  });

  it('when it comes back to the port it was sent from', () => {
    const net = pair();
    const spare = lldpOf(net, NVE1).find((s) => s.port === 9);
    net.packetIn(at(NVE1, 9), spare?.frame ?? Buffer.alloc(0));
    expect(net.alarms).to.deep.equal(['lldp-relayed']);
  });

  it('when it arrives on a VAP, whatever it says', () => {
    const net = pair();
    const fresh = lldpOf(net, NVE1).find((s) => s.port === 9);
    net.packetIn(at(NVE2, 1), fresh?.frame ?? Buffer.alloc(0));
    expect(net.alarms).to.deep.equal(['lldp-on-vap']);
    expect(net.role(at(NVE2, 1))).to.equal('vap');
    expect(net.tde.vms()).to.deep.equal([]);
  });

  it('when it is malformed, or not ours', () => {
    const net = pair();
    const wrap = (payload: Buffer): Buffer =>
      encodeEthernet({ destination: LLDP_MULTICAST, source, vlan: null, etherType: ETHER_TYPE.lldp, payload });
    net.packetIn(at(NVE2, 9), wrap(Buffer.from('0402', 'hex')));
    expect(net.alarms).to.deep.equal(['lldp-malformed']);
    const id = { subtype: 4, value: Buffer.alloc(6) };
    net.packetIn(at(NVE2, 9), wrap(encodeLldp({ chassisId: id, portId: id, ttlSeconds: 1, optional: [] })));
    expect(net.tde.snapshot().counters['lldp-foreign']).to.equal(1);
    expect(net.role(at(NVE2, 9))).to.equal('unknown');
  });

  it('and the same alarm about the same port is raised once in ten seconds', () => {
    const net = pair();
    const captured = lldpOf(net, NVE1).findLast((s) => s.port === 3);
    for (let i = 0; i < 50; i += 1) net.packetIn(at(NVE2, 9), captured?.frame ?? Buffer.alloc(0));
    expect(net.alarms).to.deep.equal(['lldp-replayed']);
    expect(net.tde.snapshot().counters['lldp-replayed']).to.equal(50);
    net.now += 10_001;
    net.packetIn(at(NVE2, 9), captured?.frame ?? Buffer.alloc(0));
    expect(net.alarms).to.deep.equal(['lldp-replayed', 'lldp-replayed']);
  });
});

describe('port roles', () => {
  it('of a port that is neither VAP nor shows valid LLDP: unknown, then quarantined and listed', () => {
    const net = pair();
    net.advance(4900);
    expect(net.role(at(NVE1, 9))).to.equal('unknown');
    net.advance(200);
    expect(net.role(at(NVE1, 9))).to.equal('quarantined');
    expect(net.alarms).to.include('port-quarantined');
    expect(net.changes).to.include('port-role');
  });

  it('of a quarantined port becomes fabric when valid LLDP shows a link', () => {
    const net = pair();
    net.advance(6000);
    net.cable(at(NVE1, 9), at(NVE2, 9));
    net.advance(1100);
    expect(net.role(at(NVE1, 9))).to.equal('fabric');
  });

  it('is not reset by a flap: a fabric port cannot turn into a State Host before the hold is over', () => {
    const net = pair();
    const fw = net.bump('fw1', 'firewall', at(NVE1, 3));
    net.register(fw);
    net.cut(at(NVE1, 3));
    net.portStatus(NVE1, 'modify', portDesc(3, 'link', false));
    net.portStatus(NVE1, 'modify', portDesc(3, 'link'));
    expect(net.role(at(NVE1, 3))).to.equal('fabric');
    net.announce(fw);
    expect(net.alarms).to.include('role-conflict');
    expect(net.role(at(NVE1, 3))).to.equal('fabric');
    net.advance(11_000);
    expect(net.role(at(NVE1, 3))).to.equal('state-host');
  });

  it('VAP comes from configuration by NVE and port name, the first rule counts', () => {
    const net = new Network({
      vaps: [
        { nve: 'nve1', port: 'tap?', vn: 'red' },
        { nve: dpid('2'), port: 'tap*', vn: 'blue' },
        { port: 'tap10', vn: 'red' },
      ],
    });
    net.up(NVE1, 'nve1', [portDesc(1, 'tap1'), portDesc(2, 'tap10'), portDesc(3, 'tap11')]);
    net.up(NVE2, 'nve2', [portDesc(1, 'tap10')]);
    const roles = net.tde.nves().flatMap((n) => n.ports.map((p) => p.role));
    expect(roles).to.deep.equal([
      { kind: 'vap', vns: [{ vnid: 101, tag: null }] },
      { kind: 'vap', vns: [{ vnid: 101, tag: null }] },
      { kind: 'unknown' },
      { kind: 'vap', vns: [{ vnid: 102, tag: null }] },
    ]);
  });

  it('a configuration that names an unknown VN, or the same VNID twice, is refused', () => {
    expect(() => new Network({ vaps: [{ port: '*', vn: 'green' }] })).to.throw(RangeError, 'green');
    const vn = { name: 'a', vnid: 1 as never, vlan: 1 };
    expect(() => new Network({ vns: [vn, { ...vn, name: 'b', vlan: 2 }], vaps: [] })).to.throw(RangeError, 'vnid');
  });
});

describe('latency statistics', () => {
  it('need eight samples before anything is unusual', () => {
    const window = new LatencyWindow();
    for (let i = 0; i < 8; i += 1) expect(window.add(1, 10)).to.equal(false);
    expect(window.medianMs()).to.equal(1);
    expect(window.add(12, 10)).to.equal(true);
    expect(window.add(10, 10)).to.equal(false);
  });

  it('take a lasting change for usual after a while', () => {
    const window = new LatencyWindow();
    for (let i = 0; i < 16; i += 1) window.add(1, 10);
    for (let i = 0; i < 12; i += 1) window.add(50, 10);
    expect(window.add(50, 10)).to.equal(false);
  });
});
