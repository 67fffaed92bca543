import { expect } from 'chai';
import { mac } from '../../../src/base/ids.ts';
import { decodeEthernet, encodeEthernet } from '../../../src/packet/ethernet.ts';
import { arp, at, BLUE, figure1, garp, NVE1, NVE2, portDesc, RED, type Network } from './network.ts';

const vm = mac('02:00:00:00:00:01');
const tagged = (frame: Buffer, vid: number): Buffer =>
  encodeEthernet({ ...decodeEthernet(frame), vlan: { vid, priority: 0, dropEligible: false } });

describe('a VAP that carries several VNs by 802.1Q tag', () => {
  let net: Network;

  beforeEach(() => {
    net = figure1({
      vaps: [
        { port: 'red-*', vn: 'red' },
        { port: 'blue-*', vn: 'blue' },
        { port: 'trunk*', tag: 20, vn: 'red' },
        { port: 'trunk1', tag: 30, vn: 'blue' },
        { port: 'trunk*', tag: 40, vn: 'red' }, // the VN has a tag there already
        { port: 'trunk*', tag: 20, vn: 'blue' }, // the tag has a VN there already
      ],
    });
    net.portStatus(NVE1, 'add', portDesc(7, 'trunk1'));
    net.portStatus(NVE2, 'add', portDesc(7, 'trunk2'));
  });

  it('has the VNs its rules give it, none twice', () => {
    const port = net.tde.nves()[0]?.ports.find((p) => p.port === 7);
    expect(port?.role).to.deep.equal({
      kind: 'vap',
      vns: [
        { vnid: RED, tag: 20 },
        { vnid: BLUE, tag: 30 },
      ],
    });
    expect(net.sent.filter(({ place }) => place.port === 7)).to.deep.equal([]); // no LLDP out of a VAP
  });

  it('learns equal MACs and addresses of two VNs side by side, by tag', () => {
    net.packetIn(at(NVE1, 7), tagged(garp(vm, '10.0.0.1'), 20));
    net.packetIn(at(NVE1, 7), tagged(garp(vm, '10.0.0.1'), 30));
    expect([net.where(vm, RED), net.where(vm, BLUE)]).to.deep.equal([`${NVE1}/7`, `${NVE1}/7`]);
    expect([net.addressesOf(vm, RED), net.addressesOf(vm, BLUE)]).to.deep.equal([['10.0.0.1'], ['10.0.0.1']]);
    expect(net.alarms).to.deep.equal([]);
  });

  it('sees a VM move from an untagged VAP to a trunk, and only in its VN', () => {
    net.packetIn(at(NVE1, 1), garp(vm, '10.0.0.1'));
    net.packetIn(at(NVE1, 2), garp(vm, '10.0.0.1'));
    net.packetIn(at(NVE2, 7), tagged(garp(vm, '10.0.0.1'), 20));
    expect(net.notifications.map((n) => [n.vnName, n.oldNve, n.oldPort, n.newNve, n.newPort])).to.deep.equal([
      ['red', NVE1, 1, NVE2, 7],
    ]);
    expect(net.where(vm, BLUE)).to.equal(`${NVE1}/2`);
  });

  it('asks the old place with the tag of the VN there', () => {
    net.packetIn(at(NVE1, 7), tagged(garp(vm, '10.0.0.1'), 20));
    net.sent = [];
    net.packetIn(at(NVE2, 1), garp(vm, '10.0.0.1'));
    const asked = net.sent.filter(({ place }) => place.nve === NVE1 && place.port === 7);
    expect(asked.map(({ frame }) => decodeEthernet(frame).vlan?.vid)).to.deep.equal([20]);
  });

  it('has its VMs of every VN in limbo while it is down, and back when it is up', () => {
    net.packetIn(at(NVE1, 7), tagged(garp(vm, '10.0.0.1'), 20));
    net.packetIn(at(NVE1, 7), tagged(garp(vm, '10.0.0.1'), 30));
    net.portStatus(NVE1, 'modify', portDesc(7, 'trunk1', false));
    expect([net.where(vm, RED), net.where(vm, BLUE)]).to.deep.equal([null, null]);
    net.portStatus(NVE1, 'modify', portDesc(7, 'trunk1'));
    expect([net.where(vm, RED), net.where(vm, BLUE)]).to.deep.equal([`${NVE1}/7`, `${NVE1}/7`]);
  });

  it('quarantines a tag nobody configured: learns nothing, raises an alarm, shows it, forgets it when it is over', () => {
    const shown = (): readonly (number | null)[] =>
      net.tde.nves()[1]?.ports.find((p) => p.port === 7)?.quarantinedTags ?? [];
    for (const tag of [30, 40, 30]) net.packetIn(at(NVE2, 7), tagged(arp(vm, '10.0.0.1'), tag));
    net.packetIn(at(NVE2, 7), arp(vm, '10.0.0.1'));
    expect(net.tde.vms()).to.deep.equal([]);
    expect(net.alarms).to.deep.equal(['tag-quarantined', 'tag-quarantined', 'tag-quarantined']);
    expect(shown()).to.have.members([30, 40, null]);
    net.advance(301_000);
    expect(shown()).to.deep.equal([]);
  });

  it('remembers a bounded number of unknown tags', () => {
    for (let tag = 100; tag < 200; tag += 1) net.packetIn(at(NVE2, 7), tagged(arp(vm, '10.0.0.1'), tag));
    expect(net.tde.nves()[1]?.ports.find((p) => p.port === 7)?.quarantinedTags).to.have.length(16);
  });
});
