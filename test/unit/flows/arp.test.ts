import { expect } from 'chai';
import { BROADCAST, arp } from '../../fakes/fake-switch-frames.ts';
import { Lab, figure1, hosts, moved, places, v4, vm1, vm1blue, vm3, vm3blue } from './figure1.ts';
import type { VmView } from '../../../flows/world.ts';

const ask = (from: VmView, tpa: string, dst: string = BROADCAST): Buffer =>
  arp({ dst, src: from.mac }, { op: 1, sha: from.mac, spa: v4(from), tpa });

describe('ARP table', () => {
  const lab = new Lab(figure1);

  it('answers for a known address at the port that asked, and crosses no link', () => {
    const journey = lab.from(vm1, ask(vm1, v4(vm3)));
    expect(places(journey)).to.deep.equal(['1:1']);
    expect(journey.passed).to.deep.equal([]);
    expect(journey.delivered[0]?.frame).to.deep.equal(
      arp({ dst: vm1.mac, src: vm3.mac }, { op: 2, sha: vm3.mac, spa: v4(vm3), tha: vm1.mac, tpa: v4(vm1) }),
    );
  });

  it('answers a unicast request as well', () => {
    expect(places(lab.from(vm1, ask(vm1, v4(vm3), vm3.mac)))).to.deep.equal(['1:1']);
  });

  it('answers each tenant with its own VM', () => {
    const answer = lab.from(vm1blue, ask(vm1blue, v4(vm3blue))).delivered[0];
    expect(answer?.frame.subarray(6, 12).toString('hex')).to.equal(vm3blue.mac.replaceAll(':', ''));
  });

  it('answers for a VM whose port is gone: its MAC has not changed', () => {
    const limbo = new Lab(moved(figure1, new Map([[vm3, null]])));
    expect(places(limbo.from(vm1, ask(vm1, v4(vm3))))).to.deep.equal(['1:1']);
  });

  it('floods a request for an unknown address inside the VN', () => {
    const journey = lab.from(vm1, ask(vm1, '10.0.0.77'));
    expect(places(journey)).to.deep.equal(['1:2', '2:1', '2:2', '3:1', '3:2']);
    expect(hosts(journey)).to.deep.equal(['fw1']);
  });

  it('does not tell a VM that its own address is in use', () => {
    const probe = arp({ dst: BROADCAST, src: vm1.mac }, { op: 1, sha: vm1.mac, spa: '0.0.0.0', tpa: v4(vm1) });
    expect(places(lab.from(vm1, probe))).to.deep.equal([]);
  });

  it('forwards a reply to who asked', () => {
    const reply = arp(
      { dst: vm3.mac, src: vm1.mac },
      { op: 2, sha: vm1.mac, spa: v4(vm1), tha: vm3.mac, tpa: v4(vm3) },
    );
    expect(places(lab.from(vm1, reply))).to.deep.equal(['3:1']);
  });

  it('answers with the VM known first where two claim an address', () => {
    const claim = { ...vm3, serial: 33, mac: '02:00:00:01:00:33' as typeof vm3.mac };
    const both = new Lab({ ...figure1, vms: [...figure1.vms, claim] });
    const answer = both.from(vm1, ask(vm1, v4(vm3))).delivered[0];
    expect(answer?.frame.subarray(6, 12).toString('hex')).to.equal(vm3.mac.replaceAll(':', ''));
  });
});
