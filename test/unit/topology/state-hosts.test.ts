import { expect } from 'chai';
import { mac, stateHostId } from '../../../src/base/ids.ts';
import { decodeEthernet, ETHER_TYPE } from '../../../src/packet/ethernet.ts';
import { encodeProbeFrame } from '../../../src/packet/probe.ts';
import { at, figure1, Network, NVE1, NVE2, NVE3, portDesc } from './network.ts';

describe('State Hosts', () => {
  const fw1 = stateHostId('fw1');

  it('are attached where their announcements arrive', () => {
    const net = figure1();
    const view = net.tde.stateHosts().find((s) => s.id === fw1);
    expect(view?.attachments.map((a) => [a.nve, a.port, a.portName])).to.deep.equal([
      [NVE1, 4, 'p0'],
      [NVE3, 4, 'p1'],
    ]);
    expect(view).to.include({ registered: true, role: 'firewall' });
    expect(net.role(at(NVE1, 4))).to.equal('state-host');
    expect(net.alarms).to.deep.equal([]);
  });

  it('that are not registered are refused and alarmed', () => {
    const net = new Network();
    const fw = net.bump('fw9', 'firewall', at(NVE1, 4));
    net.up(NVE1, 'nve1', [portDesc(4, 'to-fw')]);
    net.announce(fw);
    expect(net.alarms).to.deep.equal(['state-host-unregistered']);
    expect(net.role(at(NVE1, 4))).to.equal('unknown');
  });

  it('with a wrong HMAC, a foreign MAC, an old time, or a second time are refused and alarmed', () => {
    const net = figure1();
    const [fw] = net.bumps;
    if (fw === undefined) throw new Error('no fw1');
    net.packetIn(at(NVE1, 4), net.announcement(fw, 0, { key: Buffer.alloc(32) }));
    net.packetIn(at(NVE1, 4), net.announcement(fw, 0, { portMac: mac('02:00:00:00:00:77') }));
    const twice = net.announcement(fw, 0);
    net.packetIn(at(NVE1, 4), twice);
    net.packetIn(at(NVE1, 4), twice);
    net.packetIn(at(NVE3, 4), net.announcement(fw, 1, { wallMs: 1_790_000_000_000 + 20_000 }));
    const { counters } = net.tde.snapshot();
    expect(counters['state-host-forged']).to.equal(2);
    expect(counters['state-host-replayed']).to.equal(1);
    expect(counters['state-host-stale']).to.equal(1);
    expect(net.alarms).to.deep.equal(['state-host-forged', 'state-host-replayed', 'state-host-stale']);
  });

  it('seen at a second place while they are seen at the first are refused there', () => {
    const net = figure1();
    net.portStatus(NVE2, 'add', portDesc(9, 'rogue'));
    const [fw] = net.bumps;
    if (fw === undefined) throw new Error('no fw1');
    net.packetIn(at(NVE2, 9), net.announcement(fw, 0));
    expect(net.alarms).to.deep.equal(['state-host-elsewhere']);
    expect(net.role(at(NVE2, 9))).to.equal('unknown');
  });

  it('are never believed on a VAP', () => {
    const net = figure1();
    const [fw] = net.bumps;
    if (fw === undefined) throw new Error('no fw1');
    net.packetIn(at(NVE1, 1), net.announcement(fw, 0));
    expect(net.alarms).to.deep.equal(['lldp-on-vap']);
  });

  it('stay on the path when only their agent is silent or gone', () => {
    const net = figure1();
    for (const bump of net.bumps) bump.agentAlive = false;
    net.input({ kind: 'stateHostGone', id: fw1 });
    net.advance(60_000);
    expect(net.tde.route(NVE1, NVE3)?.stateHosts).to.deep.equal(['fw1']);
    expect(net.tde.stateHosts().find((s) => s.id === fw1)?.registered).to.equal(false);
  });

  it('leave the path when a port they are attached to goes down, and return with their next announcement', () => {
    const net = figure1();
    net.portStatus(NVE3, 'modify', portDesc(4, 'to-fw1', false));
    expect(net.tde.route(NVE1, NVE3)?.stateHosts).to.deep.equal(['fw2']);
    expect(net.changes).to.include('state-host-detached');
    net.portStatus(NVE3, 'modify', portDesc(4, 'to-fw1'));
    net.advance(1100);
    expect(net.tde.route(NVE1, NVE3)?.stateHosts).to.deep.equal(['fw1']);
  });

  it('that are gone and attached nowhere are forgotten', () => {
    const net = figure1();
    net.input({ kind: 'stateHostGone', id: fw1 });
    net.portStatus(NVE1, 'delete', portDesc(4, 'to-fw1'));
    net.portStatus(NVE3, 'delete', portDesc(4, 'to-fw1'));
    expect(net.tde.stateHosts().map((s) => s.id)).to.deep.equal(['fw2']);
  });

  it('may set their clock back with a new session, not within one', () => {
    const net = figure1();
    const [fw] = net.bumps;
    if (fw === undefined) throw new Error('no fw1');
    const wallMs = net.now + 1_790_000_000_000 - 2000;
    net.packetIn(at(NVE1, 4), net.announcement(fw, 0, { wallMs }));
    expect(net.alarms).to.deep.equal(['state-host-replayed']);
    const key = Buffer.alloc(32, 0x77);
    net.input({
      kind: 'stateHostRegistered',
      id: fw1,
      role: 'firewall',
      macs: fw.sides.map((s) => s.mac),
      lldpKey: key,
      zones: [],
    });
    net.packetIn(at(NVE1, 4), net.announcement(fw, 0, { wallMs, key }));
    expect(net.alarms).to.have.length(1);
  });

  it('are proven to forward by probes that come out on the far side, and alarmed when they stop', () => {
    const net = figure1();
    expect(net.tde.stateHosts()[0]?.forwarding).to.equal(null);
    net.advance(2100);
    expect(net.tde.stateHosts()[0]).to.include({ forwarding: true, latencyMs: 0 });
    const [fw] = net.bumps;
    if (fw !== undefined) fw.forwards = false;
    net.advance(5000);
    expect(net.tde.stateHosts()[0]?.forwarding).to.equal(false);
    expect(net.tde.stateHosts()[1]?.forwarding).to.equal(true);
    expect(net.alarms).to.include('state-host-not-forwarding');
    // Only loss on the data path says so.
    expect(net.tde.route(NVE1, NVE3)?.stateHosts).to.deep.equal(['fw2']);
  });

  it('are probed with one source MAC for each side', () => {
    const net = figure1();
    net.sent = [];
    net.advance(3000);
    const sides = new Map<string, Set<string>>();
    for (const { place, frame } of net.sent) {
      const eth = decodeEthernet(frame);
      if (eth.etherType !== ETHER_TYPE.probe) continue;
      const key = `${place.nve}/${place.port}`;
      sides.set(key, (sides.get(key) ?? new Set()).add(eth.source));
    }
    expect(sides.size).to.equal(4);
    const all = [...sides.values()].flatMap((s) => [...s]);
    expect(new Set(all).size).to.equal(4);
    expect(all).to.have.length(4);
  });

  it('are not proven by a probe of somebody else', () => {
    const net = figure1();
    const source = mac('06:00:00:00:00:01');
    net.packetIn(
      at(NVE3, 4),
      encodeProbeFrame({ probe: 'path-probe', nonce: 5n, key: Buffer.alloc(32), source, destination: source }),
    );
    expect(net.alarms).to.deep.equal(['probe-forged']);
    expect(net.tde.stateHosts()[0]?.forwarding).to.equal(null);
  });
});
