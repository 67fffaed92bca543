import { expect } from 'chai';
import { decodeCookie } from '../../../flows/cookies.ts';
import { linkLocalOf } from '../../../flows/terms.ts';
import type { Mac } from '../../../src/base/ids.ts';
import { TDE_MAC } from '../../../src/packet/ethernet.ts';
import {
  BROADCAST,
  arp,
  ethernet,
  icmpv6,
  ip,
  neighborAdvertisement,
  neighborSolicitation,
  rarp,
  tcp,
  udp,
} from '../../fakes/fake-switch-frames.ts';
import { Lab, P, at, figure1, nve1, places, segment, segment6, v4, v6, vm1, vm2, vm3 } from './figure1.ts';

const STRANGER = '02:00:00:99:00:01';
const to3 = { dst: vm3.mac, src: vm1.mac };
const group6 = { dst: '33:33:00:00:00:01', src: vm1.mac };

describe('VAP table', () => {
  const lab = new Lab(figure1);
  /** Why the controller was asked, and where the frame went. */
  const fate = (frame: Buffer, port = P.red): { told: string[]; went: string[] } => {
    const journey = lab.inject(at(nve1, port), frame);
    const told = journey.punted.map((p) => {
      const cookie = decodeCookie(p.packetIn.cookie);
      return `${cookie?.kind ?? 'foreign'} ${cookie?.id ?? ''}`;
    });
    return { told, went: places(journey) };
  };

  it('lets a VM send from each of its addresses', () => {
    expect(fate(segment(vm1, vm3))).to.deep.equal({ told: [], went: ['3:1'] });
    expect(fate(segment6(vm1, vm3))).to.deep.equal({ told: [], went: ['3:1'] });
  });

  it('punts a known VM that uses an address nobody knows, naming the VM, and does not forward', () => {
    const expected = { told: ['punt 1'], went: [] };
    expect(fate(tcp(to3, '10.0.0.99', v4(vm3), 0x10))).to.deep.equal(expected);
    expect(fate(tcp(to3, 'fd00::99', v6(vm3), 0x10))).to.deep.equal(expected);
    expect(
      fate(arp({ dst: BROADCAST, src: vm1.mac }, { op: 1, sha: vm1.mac, spa: '10.0.0.99', tpa: v4(vm3) })),
    ).to.deep.equal(expected);
  });

  it('punts a source it does not know on this port, also one that is known elsewhere', () => {
    const expected = { told: ['punt 0'], went: [] };
    expect(fate(tcp({ ...to3, src: STRANGER }, '10.0.0.99', v4(vm3), 0x02))).to.deep.equal(expected);
    expect(fate(segment(vm2, vm3))).to.deep.equal(expected);
    expect(fate(segment(vm1, vm3), P.red2)).to.deep.equal(expected);
  });

  it("gives answers to the controller's own questions to the controller, from known VMs and from unknown", () => {
    for (const src of [vm1.mac, STRANGER]) {
      const answer = arp({ dst: TDE_MAC, src }, { op: 2, sha: src, spa: v4(vm1), tha: TDE_MAC, tpa: '0.0.0.0' });
      expect(fate(answer)).to.deep.equal({ told: ['announce 0'], went: [] });
    }
  });

  it("refuses another VM's address with one's own MAC", () => {
    expect(fate(tcp(to3, v4(vm2), v4(vm3), 0x10)).went).to.deep.equal([]);
    const claims = { op: 2, sha: vm1.mac, spa: v4(vm2), tha: vm3.mac, tpa: v4(vm3) };
    expect(fate(arp(to3, claims)).went).to.deep.equal([]);
  });

  it("refuses ARP with another's hardware address inside", () => {
    const claims = { op: 2, sha: STRANGER, spa: v4(vm1), tha: vm3.mac, tpa: v4(vm3) };
    expect(fate(arp(to3, claims)).went).to.deep.equal([]);
  });

  it('drops a group address as source and protocols that have no addresses', () => {
    const nothing = { told: [], went: [] };
    expect(fate(tcp({ ...to3, src: '03:00:00:00:00:01' }, v4(vm1), v4(vm3), 0x10))).to.deep.equal(nothing);
    expect(fate(ethernet(to3, 0x88a2, Buffer.alloc(46)))).to.deep.equal(nothing);
  });

  it('consumes RARP, from known and unknown sources', () => {
    expect(fate(rarp(vm1.mac))).to.deep.equal({ told: ['announce 0'], went: [] });
    expect(fate(rarp(STRANGER))).to.deep.equal({ told: ['announce 0'], went: [] });
  });

  it('consumes gratuitous ARP, request and reply, naming the VM', () => {
    for (const op of [1, 2]) {
      const gratuitous = arp({ dst: BROADCAST, src: vm1.mac }, { op, sha: vm1.mac, spa: v4(vm1), tpa: v4(vm1) });
      expect(fate(gratuitous)).to.deep.equal({ told: ['announce 1'], went: [] });
    }
  });

  it('passes an ARP probe and DAD on and tells the controller', () => {
    const probe = arp({ dst: BROADCAST, src: vm1.mac }, { op: 1, sha: vm1.mac, spa: '0.0.0.0', tpa: '10.0.0.50' });
    expect(fate(probe)).to.deep.equal({ told: ['learn 1'], went: ['1:2', '2:1', '2:2', '3:1', '3:2'] });
    const dad = neighborSolicitation({ ...group6, dst: '33:33:ff:00:00:50' }, '::', 'ff02::1:ff00:50', 'fd00::50');
    expect(fate(dad)).to.deep.equal({ told: ['learn 1'], went: ['1:2', '2:1', '2:2', '3:1', '3:2'] });
  });

  it('passes DHCP from the unspecified address on and tells the controller; nothing else from there passes', () => {
    const eth = { dst: BROADCAST, src: vm1.mac };
    const dhcp = udp(eth, '0.0.0.0', '255.255.255.255', { from: 68, to: 67 });
    expect(fate(dhcp).told).to.deep.equal(['learn 1']);
    expect(fate(dhcp).went).to.include('3:1');
    expect(fate(udp(eth, '0.0.0.0', '255.255.255.255'))).to.deep.equal({ told: [], went: [] });
    expect(fate(icmpv6(group6, '::', 'ff02::16', 143, Buffer.alloc(8)))).to.deep.equal({ told: [], went: [] });
  });

  it('passes neighbor discovery whose addresses are all the sender’s', () => {
    const eth = { dst: '33:33:ff:00:00:03', src: vm1.mac };
    const all = ['1:2', '2:1', '2:2', '3:1', '3:2'];
    const asks = neighborSolicitation(eth, v6(vm1), 'ff02::1:ff00:3', v6(vm3), vm1.mac);
    expect(fate(asks)).to.deep.equal({ told: [], went: all });
    const tells = neighborAdvertisement(to3, v6(vm1), v6(vm3), v6(vm1), vm1.mac);
    expect(fate(tells)).to.deep.equal({ told: [], went: ['3:1'] });
    expect(fate(neighborAdvertisement(to3, v6(vm1), v6(vm3), v6(vm1)))).to.deep.equal({ told: [], went: ['3:1'] });
  });

  it('refuses neighbor discovery that speaks for others', () => {
    const poison = neighborAdvertisement(to3, v6(vm1), v6(vm3), v6(vm2), vm1.mac);
    expect(fate(poison)).to.deep.equal({ told: ['punt 1'], went: [] });
    const other = neighborAdvertisement(to3, v6(vm1), v6(vm3), v6(vm1), STRANGER);
    expect(fate(other).went).to.deep.equal([]);
    const asks = neighborSolicitation(to3, v6(vm1), v6(vm3), v6(vm3), STRANGER);
    expect(fate(asks).went).to.deep.equal([]);
  });

  it('passes an unsolicited advertisement on (it may answer DAD) and tells the controller', () => {
    const tells = neighborAdvertisement(group6, v6(vm1), 'ff02::1', v6(vm1), vm1.mac);
    expect(fate(tells)).to.deep.equal({ told: ['announce 1'], went: ['1:2', '2:1', '2:2', '3:1', '3:2'] });
  });

  it('lets the link-local address of the MAC do neighbor discovery, but carry no flows', () => {
    const own = linkLocalOf(vm1.mac);
    expect(own).to.equal('fe80::ff:fe01:1');
    const asks = neighborSolicitation({ ...group6, dst: '33:33:ff:00:00:03' }, own, 'ff02::1:ff00:3', v6(vm3), vm1.mac);
    expect(fate(asks).went).to.include('3:1');
    expect(fate(icmpv6(group6, own, 'ff02::2', 133, Buffer.alloc(4))).told).to.deep.equal([]);
    expect(fate(tcp(to3, own, v6(vm3), 0x02))).to.deep.equal({ told: ['punt 1'], went: [] });
  });

  it('leaves nothing of a VM bound where its port is gone', () => {
    const limbo = new Lab({ ...figure1, vms: [{ ...vm1, at: null, lastAt: vm1.at }, vm3] });
    const journey = limbo.inject(at(nve1, P.red), segment(vm1, vm3));
    expect(places(journey)).to.deep.equal([]);
    expect(decodeCookie(journey.punted[0]?.packetIn.cookie ?? 0n)).to.deep.equal({ kind: 'punt', id: 0 });
  });

  it('names link-local addresses as RFC 5952 does', () => {
    expect(linkLocalOf('02:00:00:00:00:01' as Mac)).to.equal('fe80::ff:fe00:1');
    expect(linkLocalOf('52:54:00:12:34:56' as Mac)).to.equal('fe80::5054:ff:fe12:3456');
    expect(ip(to3, linkLocalOf(vm1.mac), v6(vm3), 6, Buffer.alloc(20)).length).to.equal(74);
  });
});
