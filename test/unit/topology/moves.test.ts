import { expect } from 'chai';
import { ipAddress, mac } from '../../../src/base/ids.ts';
import { ETHER_TYPE, TDE_MAC, decodeEthernet } from '../../../src/packet/ethernet.ts';
import { arp, at, figure1, garp, ipv4, nd, NVE1, NVE2, NVE3, portDesc, rarp, RED, WALL_OFFSET_MS } from './network.ts';
import type { Network } from './network.ts';

const vm1 = mac('02:00:00:00:01:01');
const vm3 = mac('02:00:00:00:01:03');
const [home, away] = [at(NVE1, 1), at(NVE2, 1)];
const HOME = `${NVE1}/1`;
const AWAY = `${NVE2}/1`;

/** VM1 at NVE1 and VM3 at NVE3, known by IPv4 and IPv6. */
function running(config: Parameters<typeof figure1>[0] = {}): Network {
  const net = figure1(config);
  net.packetIn(home, garp(vm1, '10.0.0.1'));
  net.packetIn(home, nd(vm1, 'fd00::1', { type: 'router-solicitation', options: [] }));
  net.packetIn(at(NVE3, 1), garp(vm3, '10.0.0.3'));
  net.advance(2000);
  net.sent = [];
  net.changes = [];
  return net;
}

const leave = (net: Network): void => {
  net.plugged.delete(HOME);
  net.portStatus(NVE1, 'delete', portDesc(1, 'red-s1'));
};
/** ARP and ND questions the TDE put, by the place they were put at. */
const asked = (net: Network): string[] =>
  net.sent
    .filter(({ frame }) => decodeEthernet(frame).source === TDE_MAC)
    .map(
      ({ place, frame }) =>
        `${place.nve}/${place.port} ${decodeEthernet(frame).etherType === ETHER_TYPE.arp ? 'arp' : 'nd'}`,
    );

describe('a move is believed at once', () => {
  it('when the old VAP was deleted or is down: evidence port-status', () => {
    const net = running();
    leave(net);
    net.packetIn(away, ipv4(vm1, '10.0.0.1'));
    expect(net.where(vm1)).to.equal(AWAY);
    expect(net.notifications.map((n) => n.evidence)).to.deep.equal([['port-status', 'mac-relocation']]);
    expect(asked(net)).to.deep.equal([]);
    expect(net.changes).to.include('vm-moved');
  });

  it('when the old NVE has lost its control connection, under either policy', () => {
    for (const verify of ['parallel', 'first'] as const) {
      const net = running({ verify });
      net.input({ kind: 'nveDown', dpid: NVE1 });
      net.packetIn(away, rarp(vm1));
      expect(net.where(vm1)).to.equal(AWAY);
      expect(net.notifications[0]?.evidence).to.deep.equal(['port-status', 'rarp']);
    }
  });

  it('under verify: parallel, while the old place is asked by ARP and ND', () => {
    const net = running();
    net.packetIn(away, garp(vm1, '10.0.0.1'));
    expect(net.where(vm1)).to.equal(AWAY);
    expect(net.notifications.map((n) => n.evidence)).to.deep.equal([['garp']]);
    expect(asked(net)).to.deep.equal([`${HOME} arp`, `${HOME} nd`]);
  });

  it('with the announcement that showed it as evidence: rarp, garp, na, or a mere frame', () => {
    const frames = {
      rarp: rarp(vm1),
      garp: garp(vm1, '10.0.0.1'),
      na: nd(vm1, 'fd00::1', {
        type: 'neighbor-advertisement',
        router: false,
        solicited: false,
        override: true,
        target: ipAddress('fd00::1'),
        options: [],
      }),
      'mac-relocation': ipv4(vm1, '10.0.0.1'),
    };
    for (const [evidence, frame] of Object.entries(frames)) {
      const net = running();
      net.packetIn(away, frame);
      expect(net.notifications[0]?.evidence).to.deep.equal([evidence]);
    }
  });

  it('and notified once with everything the SOM needs', () => {
    const net = running();
    leave(net);
    net.packetIn(away, rarp(vm1));
    net.packetIn(away, rarp(vm1));
    net.packetIn(away, garp(vm1, '10.0.0.1'));
    expect(net.notifications).to.have.length(1);
    expect(net.notifications[0]).to.deep.include({
      id: 1,
      wallMs: net.now + WALL_OFFSET_MS,
      cause: 'vm-move',
      vnid: RED,
      vnName: 'red',
      vm: { mac: vm1, addresses: ['10.0.0.1', 'fd00::1'] },
      oldNve: NVE1,
      oldPort: 1,
      newNve: NVE2,
      newPort: 1,
    });
    expect(net.notifications[0]?.transfers).to.deep.equal([
      {
        source: 'fw1',
        destination: 'fw2',
        peerNve: NVE3,
        selector: { vnid: RED, vm: ['10.0.0.1', 'fd00::1'], peers: ['10.0.0.3'] },
        detour: {
          from: NVE2,
          to: NVE3,
          hops: [
            { nve: NVE2, inPort: null, outPort: 3 },
            { nve: NVE1, inPort: 3, outPort: 4 },
            { nve: NVE3, inPort: 4, outPort: null },
          ],
          stateHosts: ['fw1'],
        },
        direct: {
          from: NVE2,
          to: NVE3,
          hops: [
            { nve: NVE2, inPort: null, outPort: 4 },
            { nve: NVE3, inPort: 5, outPort: null },
          ],
          stateHosts: ['fw2'],
        },
      },
    ]);
  });

  it('and notified without transfers between two VAPs of one NVE', () => {
    const net = running();
    net.portStatus(NVE1, 'add', portDesc(7, 'red-second'));
    net.packetIn(at(NVE1, 7), garp(vm1, '10.0.0.1'));
    expect(net.notifications[0]).to.deep.include({ oldPort: 1, newPort: 7, transfers: [] });
  });

  it('and the change is told before the notification', () => {
    const net = running();
    leave(net);
    const kinds = net.packetIn(away, rarp(vm1)).map((e) => e.kind);
    expect(kinds.indexOf('changed')).to.be.lessThan(kinds.indexOf('notify'));
  });

  it('with the detour missing when the old NVE is gone, and its State Host still named', () => {
    const net = running();
    expect(net.tde.route(NVE1, NVE3)?.stateHosts).to.deep.equal(['fw1']);
    net.input({ kind: 'nveDown', dpid: NVE1 });
    net.advance(11_000);
    net.packetIn(away, rarp(vm1));
    const [transfer] = net.notifications[0]?.transfers ?? [];
    expect(transfer).to.include({ source: 'fw1', destination: 'fw2', detour: null });
  });

  it('but not more often than the bound', () => {
    const net = running({ bounds: { moves: 3, moveWindowMs: 10_000 } });
    for (let i = 0; i < 6; i += 1) net.packetIn(i % 2 === 0 ? away : home, rarp(vm1));
    expect(net.notifications).to.have.length(3);
    expect(net.alarms).to.include('move-rate');
    net.advance(10_000);
    net.packetIn(home, rarp(vm1));
    expect(net.notifications).to.have.length(4);
  });
});

describe('verify: parallel', () => {
  it('takes the move back with an alarm when the old place answers, by ARP or by ND', () => {
    for (const addresses of [['10.0.0.1'], ['fd00::1']]) {
      const net = running();
      net.plugged.set(HOME, { mac: vm1, addresses });
      net.packetIn(away, ipv4(vm1, '10.0.0.1'));
      expect(net.where(vm1)).to.equal(HOME);
      expect(net.alarms).to.deep.equal(['move-contradicted']);
      expect(net.notifications.map((n) => [n.newNve, ...n.evidence])).to.deep.equal([
        [NVE2, 'mac-relocation'],
        [NVE1, 'probe-answer'],
      ]);
    }
  });

  it('lets the move stand when the answer comes too late', () => {
    const net = running();
    net.packetIn(away, garp(vm1, '10.0.0.1'));
    net.advance(600);
    net.packetIn(home, arp(vm1, '10.0.0.1', { op: 2, to: TDE_MAC, target: '0.0.0.0' }));
    expect(net.where(vm1)).to.equal(AWAY);
    expect(net.alarms).to.deep.equal([]);
  });

  it('takes no frame but an answer for a contradiction', () => {
    const net = running();
    net.packetIn(away, garp(vm1, '10.0.0.1'));
    net.packetIn(home, ipv4(vm1, '10.0.0.1'));
    net.packetIn(home, arp(vm1, '10.0.0.1'));
    expect(net.where(vm1)).to.equal(AWAY);
    expect(net.alarms).to.deep.equal([]);
    expect(net.tde.snapshot().counters['late-frame']).to.equal(2);
  });

  it('quarantines a VAP whose moves are contradicted three times, for a while', () => {
    const net = running({ timing: { quarantineMs: 20_000 } });
    net.plugged.set(HOME, { mac: vm1, addresses: ['10.0.0.1'] });
    for (let i = 0; i < 3; i += 1) net.packetIn(away, rarp(vm1));
    expect(net.role(away)).to.equal('quarantined');
    expect(net.alarms).to.include('port-quarantined');
    net.notifications.length = 0;
    net.packetIn(away, rarp(vm1));
    expect(net.notifications).to.deep.equal([]);
    expect(net.where(vm1)).to.equal(HOME);
    net.portStatus(NVE2, 'modify', portDesc(1, 'red-s2', false));
    net.portStatus(NVE2, 'modify', portDesc(1, 'red-s2'));
    expect(net.role(away)).to.equal('quarantined');
    net.advance(20_100);
    expect(net.role(away)).to.equal('vap');
  });
});

describe('verify: first', () => {
  it('holds the move until the old place has been silent for 200 ms', () => {
    const net = running({ verify: 'first' });
    net.packetIn(away, garp(vm1, '10.0.0.1'));
    net.packetIn(away, ipv4(vm1, '10.0.0.1'));
    expect(net.where(vm1)).to.equal(HOME);
    expect(asked(net)).to.deep.equal([`${HOME} arp`, `${HOME} nd`]);
    net.advance(150);
    expect(net.notifications).to.deep.equal([]);
    net.advance(100);
    expect(net.where(vm1)).to.equal(AWAY);
    expect(net.notifications.map((n) => n.evidence)).to.deep.equal([['garp']]);
  });

  it('never moves when the old place answers', () => {
    const net = running({ verify: 'first' });
    net.plugged.set(HOME, { mac: vm1, addresses: ['10.0.0.1'] });
    net.packetIn(away, garp(vm1, '10.0.0.1'));
    net.advance(500);
    expect(net.where(vm1)).to.equal(HOME);
    expect(net.notifications).to.deep.equal([]);
    expect(net.alarms).to.deep.equal(['move-contradicted']);
  });

  it('moves at once when the old VAP goes down meanwhile', () => {
    const net = running({ verify: 'first' });
    net.packetIn(away, garp(vm1, '10.0.0.1'));
    leave(net);
    expect(net.where(vm1)).to.equal(AWAY);
    expect(net.notifications.map((n) => n.evidence)).to.deep.equal([['port-status', 'garp']]);
  });

  it('does not move to a VAP that went down while it waited', () => {
    const net = running({ verify: 'first' });
    net.packetIn(away, garp(vm1, '10.0.0.1'));
    net.portStatus(NVE2, 'modify', portDesc(1, 'red-s2', false));
    net.advance(500);
    expect(net.where(vm1)).to.equal(HOME);
    expect(net.notifications).to.deep.equal([]);
  });
});

describe('frames from the VAP a VM has just left (hard case 7)', () => {
  it('are no move back within one second, and one after it', () => {
    const net = running();
    net.packetIn(away, garp(vm1, '10.0.0.1'));
    net.advance(900);
    net.packetIn(home, ipv4(vm1, '10.0.0.1'));
    expect(net.where(vm1)).to.equal(AWAY);
    net.advance(200);
    net.packetIn(home, ipv4(vm1, '10.0.0.1'));
    expect(net.where(vm1)).to.equal(HOME);
  });

  it('are a move back when they are RARP or GARP', () => {
    for (const frame of [rarp(vm1), garp(vm1, '10.0.0.1')]) {
      const net = running();
      net.packetIn(away, garp(vm1, '10.0.0.1'));
      net.packetIn(home, frame);
      expect(net.where(vm1)).to.equal(HOME);
    }
  });

  it('are a move back when the port there came up after the move', () => {
    const net = running();
    net.packetIn(away, garp(vm1, '10.0.0.1'));
    net.advance(100);
    leave(net);
    net.portStatus(NVE1, 'add', portDesc(1, 'red-s1'));
    net.packetIn(home, ipv4(vm1, '10.0.0.1'));
    expect(net.where(vm1)).to.equal(HOME);
  });

  it('teach no addresses', () => {
    const net = running();
    net.packetIn(away, garp(vm1, '10.0.0.1'));
    net.packetIn(home, ipv4(vm1, '10.0.0.77'));
    expect(net.addressesOf(vm1)).not.to.include('10.0.0.77');
  });
});

describe('a VM that comes back to where it was last, from limbo', () => {
  it('is back without a notification', () => {
    const net = running();
    leave(net);
    net.portStatus(NVE1, 'add', portDesc(1, 'red-again'));
    net.packetIn(home, ipv4(vm1, '10.0.0.1'));
    expect(net.where(vm1)).to.equal(HOME);
    expect(net.notifications).to.deep.equal([]);
    expect(net.changes).to.include('vm-back');
  });
});

describe('both VMs of one flow move at once (hard case 22)', () => {
  it('and the second notification starts from where the first has put the path', () => {
    const net = running();
    leave(net);
    net.portStatus(NVE3, 'delete', portDesc(1, 'red-s3'));
    net.packetIn(away, rarp(vm1));
    // VM3 in limbo still stands at NVE3 for VM1's move: its flows' state goes to FW2.
    expect(net.notifications[0]?.transfers.map((t) => [t.source, t.destination])).to.deep.equal([['fw1', 'fw2']]);
    net.portStatus(NVE1, 'add', portDesc(8, 'red-vm3'));
    net.packetIn(at(NVE1, 8), rarp(vm3));
    expect(net.notifications[1]?.transfers.map((t) => [t.source, t.destination, t.peerNve])).to.deep.equal([
      ['fw2', null, NVE2],
    ]);
  });
});
