import { expect } from 'chai';
import { decodeCookie } from '../../../flows/cookies.ts';
import { TDE_MAC } from '../../../src/packet/ethernet.ts';
import { arp, BROADCAST, rarp, tcp, udp } from '../../fakes/fake-switch-frames.ts';
import { at, BLUE, Lab, moved, nve1, nve3, P, places, RED, segment, v4, vm3 } from './figure1.ts';
import { blue1, blue3, red1, TAG, TRUNK, trunks } from './trunk.ts';

/** A frame as it looks on a trunk. */
const tagged = (frame: Buffer, vid: number): Buffer => {
  const tag = Buffer.from([0x81, 0x00, vid >> 8, vid & 0xff]);
  return Buffer.concat([frame.subarray(0, 12), tag, frame.subarray(12)]);
};

describe('a VAP that carries several VNs by 802.1Q tag', () => {
  const lab = new Lab(trunks);
  const inject = (frame: Buffer, nve = nve1): ReturnType<Lab['inject']> => lab.inject(at(nve, TRUNK), frame);

  it('takes each frame into the VN of its tag, and the tag off', () => {
    const red = inject(tagged(segment(red1, vm3), TAG.red));
    expect(places(red)).to.deep.equal(['3:1']);
    expect(red.delivered[0]?.frame).to.deep.equal(segment(red1, vm3));
    expect(red.passed.map((p) => p.frame.readUInt16BE(14) & 0xfff)).to.deep.equal([101]);
  });

  it('delivers with the tag of the VN at that port', () => {
    const blue = inject(tagged(segment(blue1, blue3), TAG.blue));
    expect(blue.passed.map((p) => p.frame.readUInt16BE(14) & 0xfff)).to.deep.equal([102]);
    expect(blue.delivered).to.deep.equal([
      { at: { nve: nve3, port: TRUNK }, frame: tagged(segment(blue1, blue3), TAG.blue) },
    ]);
    const red = lab.inject(at(nve3, P.red), segment(vm3, red1));
    expect(red.delivered).to.deep.equal([
      { at: { nve: nve1, port: TRUNK }, frame: tagged(segment(vm3, red1), TAG.red) },
    ]);
  });

  it('keeps VMs of two VNs with equal MAC and addresses behind one port apart', () => {
    expect(inject(tagged(segment(red1, blue3), TAG.red)).passed).to.deep.equal([]);
    expect(inject(tagged(segment(blue1, vm3), TAG.blue)).passed).to.deep.equal([]);
    const stranger = inject(tagged(segment(blue3, vm3), TAG.red)); // known in the other VN only
    expect(stranger.punted.map((p) => decodeCookie(p.packetIn.cookie)?.kind)).to.deep.equal(['punt']);
  });

  it('binds addresses in the VN of the tag', () => {
    const forged = tcp({ dst: vm3.mac, src: red1.mac }, '10.0.0.77', v4(vm3), 0x10);
    const { punted, passed } = inject(tagged(forged, TAG.red));
    expect(passed).to.deep.equal([]);
    expect(punted.map((p) => decodeCookie(p.packetIn.cookie))).to.deep.equal([{ kind: 'punt', id: red1.serial }]);
  });

  it('tells the controller the VN of what it gives it: strangers, announcements, answers to it', () => {
    const vnid = (frame: Buffer, tag: number): number[] =>
      inject(tagged(frame, tag)).punted.map((p) => Number((p.packetIn.metadata ?? 0n) & 0xff_ffffn));
    expect(vnid(rarp('02:00:00:99:00:01'), TAG.red)).to.deep.equal([RED]);
    expect(vnid(rarp('02:00:00:99:00:01'), TAG.blue)).to.deep.equal([BLUE]);
    const answer = arp({ dst: TDE_MAC, src: blue1.mac }, { op: 2, sha: blue1.mac, spa: v4(blue1), tpa: '0.0.0.0' });
    expect(vnid(answer, TAG.blue)).to.deep.equal([BLUE]);
  });

  it('answers ARP with the tag it was asked with, and an untagged question without', () => {
    const ask = arp({ dst: BROADCAST, src: blue1.mac }, { op: 1, sha: blue1.mac, spa: v4(blue1), tpa: v4(blue3) });
    const reply = { op: 2, sha: blue3.mac, spa: v4(blue3), tha: blue1.mac, tpa: v4(blue1) };
    expect(inject(tagged(ask, TAG.blue)).delivered).to.deep.equal([
      { at: { nve: nve1, port: TRUNK }, frame: tagged(arp({ dst: blue1.mac, src: blue3.mac }, reply), TAG.blue) },
    ]);
    const plain = arp({ dst: BROADCAST, src: vm3.mac }, { op: 1, sha: vm3.mac, spa: v4(vm3), tpa: v4(red1) });
    expect(lab.inject(at(nve3, P.red), plain).delivered.map((d) => d.frame.readUInt16BE(12))).to.deep.equal([0x0806]);
  });

  it('floods inside the VN, each copy with the tag of its port', () => {
    const call = udp({ dst: BROADCAST, src: red1.mac }, v4(red1), '10.0.0.255');
    const { delivered } = inject(tagged(call, TAG.red));
    const seen = delivered
      .map((d) => `${Number.parseInt(d.at.nve, 16)}:${d.at.port} ${d.frame.toString('hex')}`)
      .sort();
    const bare = call.toString('hex');
    expect(seen).to.deep.equal([
      `1:1 ${bare}`,
      `1:2 ${bare}`,
      `2:1 ${bare}`,
      `2:2 ${bare}`,
      `3:1 ${bare}`,
      `3:2 ${bare}`,
      `3:5 ${tagged(call, TAG.red).toString('hex')}`,
    ]);
  });

  it('shows what has another tag, or none, to the controller and to nobody else', () => {
    for (const frame of [tagged(segment(red1, vm3), 101), tagged(segment(red1, vm3), 4000), segment(red1, vm3)]) {
      const { punted, delivered, passed } = inject(frame);
      expect([delivered, passed]).to.deep.equal([[], []]);
      expect(punted.map((p) => [decodeCookie(p.packetIn.cookie)?.kind, p.packetIn.data])).to.deep.equal([
        ['stray', frame],
      ]);
    }
  });

  it('lets no second tag choose another VN', () => {
    const double = tagged(tagged(segment(red1, vm3), TAG.blue), TAG.red);
    const { delivered, passed, punted } = inject(double);
    expect([delivered, passed, punted]).to.deep.equal([[], [], []]);
  });

  it('catches what comes for a VM behind it that is gone', () => {
    const limbo = new Lab(moved(trunks, new Map([[red1, null]])));
    const { punted } = limbo.inject(at(nve3, P.red), segment(vm3, red1));
    expect(punted.map((p) => decodeCookie(p.packetIn.cookie))).to.deep.equal([{ kind: 'limbo', id: red1.serial }]);
  });
});
