// A VM's place as another TDE tells it: the same checks as for what the VM shows itself.

import { expect } from 'chai';
import { dpid, ipAddress, mac, stateHostId, vnid } from '../../../src/base/ids.ts';
import { TDE_MAC } from '../../../src/packet/ethernet.ts';
import type { Announcement, AnnouncementRefusal } from '../../../topology/announcement.ts';
import { at, BLUE, figure1, garp, ipv4, NVE1, NVE2, NVE3, portDesc, RED, type Network } from './network.ts';

const vm1 = mac('02:00:00:00:01:01');
const vm3 = mac('02:00:00:00:01:03');
const [FW1, FW2] = [stateHostId('fw1'), stateHostId('fw2')];
const AWAY: Announcement = {
  vnid: RED,
  mac: vm1,
  addresses: [ipAddress('10.0.0.1')],
  nve: NVE2,
  portName: 'red-s2',
};

/** VM1 at NVE1 and VM3 at NVE3. */
function running(config: Parameters<typeof figure1>[0] = {}): Network {
  const net = figure1(config);
  net.packetIn(at(NVE1, 1), garp(vm1, '10.0.0.1'));
  net.packetIn(at(NVE3, 1), garp(vm3, '10.0.0.3'));
  net.advance(2000);
  net.sent = [];
  return net;
}

/** What the TDE answers. */
function say(net: Network, over: Partial<Announcement> = {}): AnnouncementRefusal | null | undefined {
  const effects = net.input({ kind: 'announced', announcement: { ...AWAY, ...over } });
  return effects.find((e) => e.kind === 'answer')?.refusal;
}

describe('an announcement of another TDE', () => {
  for (const verify of ['parallel', 'first'] as const) {
    it(`is a trusted hint: the move is believed at once, and the old place not asked (verify: ${verify})`, () => {
      const net = running({ verify });
      expect(say(net)).to.equal(null);
      expect(net.where(vm1)).to.equal(`${NVE2}/1`);
      expect(net.notifications).to.have.length(1);
      expect(net.notifications[0]).to.deep.include({
        cause: 'vm-move',
        evidence: ['notified'],
        oldNve: NVE1,
        newNve: NVE2,
      });
      const moved = net.notifications[0]?.transfers.map((t) => `${t.source}>${t.destination}`);
      expect(moved).to.deep.equal(['fw1>fw2']);
      expect(net.sent.filter(({ place }) => place.nve === NVE1)).to.deep.equal([]);
    });
  }

  it('has port-status as evidence too, where the old VAP is gone', () => {
    const net = running();
    net.portStatus(NVE1, 'delete', portDesc(1, 'red-s1'));
    expect(say(net)).to.equal(null);
    expect(net.notifications[0]?.evidence).to.deep.equal(['port-status', 'notified']);
  });

  it('of where the VM is already changes nothing', () => {
    const net = running();
    net.packetIn(at(NVE2, 1), ipv4(vm1, '10.0.0.1'));
    net.advance(3000);
    const before = net.notifications.length;
    expect(say(net)).to.equal(null);
    expect(net.notifications).to.have.length(before);
  });

  it('of a VM that nobody has seen makes it known, with its addresses', () => {
    const net = running();
    const unseen = mac('02:00:00:00:01:09');
    expect(say(net, { mac: unseen, addresses: [ipAddress('10.0.0.9')] })).to.equal(null);
    expect(net.where(unseen)).to.equal(`${NVE2}/1`);
    expect(net.notifications).to.deep.equal([]);
    expect(net.tde.vms().find((vm) => vm.mac === unseen)?.addresses).to.deep.equal(['10.0.0.9']);
  });

  const refused: [string, Partial<Announcement>, AnnouncementRefusal][] = [
    ['of a VN there is not', { vnid: vnid(999) }, 'unknown-vn'],
    ['of an NVE there is not', { nve: dpid('9') }, 'unknown-nve'],
    ['of a port there is not', { portName: 'red-s9' }, 'unknown-port'],
    ['of a port of another VN', { portName: 'blue-s2' }, 'not-a-vap'],
    ['of a VM of another VN at the port', { vnid: BLUE }, 'not-a-vap'],
    ['of a fabric port', { portName: 'to-nve1' }, 'not-a-vap'],
    ['of the port of a State Host', { portName: 'to-fw2' }, 'not-a-vap'],
    ['of a group address', { mac: mac('01:00:5e:00:00:01') }, 'bad-mac'],
    ['of the TDE itself', { mac: TDE_MAC }, 'bad-mac'],
    ['of nobody', { mac: mac('00:00:00:00:00:00') }, 'bad-mac'],
    ['from where the VM was not', { oldNve: NVE3 }, 'vm-elsewhere'],
    ['with other State Hosts than the paths have', { stateHosts: [[FW2, FW1]] }, 'other-state-hosts'],
    ['with more State Hosts than the paths have', { stateHosts: [[FW1, FW2], [FW2, FW1]] }, 'other-state-hosts'], // prettier-ignore
  ];
  for (const [what, over, reason] of refused) {
    it(`${what} is refused: ${reason}`, () => {
      const net = running();
      expect(say(net, over)).to.equal(reason);
      expect(net.where(vm1)).to.equal(`${NVE1}/1`);
      expect(net.notifications).to.deep.equal([]);
      expect(net.tde.snapshot().counters['announcement-refused']).to.equal(1);
    });
  }

  it('that names the State Hosts of our own paths, and where the VM was, is taken', () => {
    expect(say(running(), { stateHosts: [[FW1, FW2]], oldNve: NVE1 })).to.equal(null);
  });

  it('of a port that is down is refused', () => {
    const net = running();
    net.portStatus(NVE2, 'modify', portDesc(1, 'red-s2', false));
    expect(say(net)).to.equal('unknown-port');
  });

  it('is held to the rate of moves, as what a VM shows itself', () => {
    const net = running();
    const answers: unknown[] = [];
    for (let i = 0; i < 40; i += 1) {
      answers.push(say(net, i % 2 === 0 ? {} : { nve: NVE1, portName: 'red-s1' }));
      net.advance(10);
    }
    expect(answers).to.include('move-rate');
    expect(net.alarms).to.include('move-rate');
  });
});
