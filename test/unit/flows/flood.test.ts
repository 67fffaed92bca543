import { expect } from 'chai';
import { dpid, portNo } from '../../../src/base/ids.ts';
import type { World } from '../../../flows/world.ts';
import { BROADCAST, ethernet, rarp, udp } from '../../fakes/fake-switch-frames.ts';
import { Lab, P, RED, at, figure1, nve1, nve3, places, v4, vm1, vm1blue, vm2, vm3 } from './figure1.ts';
import type { VmView } from '../../../flows/world.ts';

const call = (from: VmView): Buffer => udp({ dst: BROADCAST, src: from.mac }, v4(from), '10.0.0.255');

describe('flood table', () => {
  const lab = new Lab(figure1);

  it('gives every VAP of the VN one copy, untagged, and the sender none', () => {
    const journey = lab.from(vm1, call(vm1));
    expect(places(journey)).to.deep.equal(['1:2', '2:1', '2:2', '3:1', '3:2']);
    for (const { frame } of journey.delivered) expect(frame).to.deep.equal(call(vm1));
  });

  it('stays inside the VN', () => {
    expect(places(lab.from(vm1blue, call(vm1blue)))).to.deep.equal(['2:3', '3:3']);
  });

  it('sends one copy over each link of the way, tagged', () => {
    const { passed } = lab.from(vm1, call(vm1));
    expect(passed).to.have.length(2);
    for (const { frame } of passed) expect(frame.readUInt32BE(12)).to.equal(0x8100_0065);
  });

  it('frames from the fabric go to VAPs only', () => {
    const copy = udp({ dst: BROADCAST, src: vm1.mac, vlan: 101 }, v4(vm1), '10.0.0.255');
    const journey = lab.inject(at(nve3, P.left), copy);
    expect(journey.passed).to.deep.equal([]);
    expect(places(journey)).to.deep.equal(['3:1', '3:2']);
  });

  it('never lets announcements or link-local groups through, wherever they come from', () => {
    const nothing = { delivered: [], punted: [], passed: [] };
    const tagged = rarp(vm1.mac);
    const carried = Buffer.concat([tagged.subarray(0, 12), Buffer.from('81000065', 'hex'), tagged.subarray(12)]);
    expect(lab.inject(at(nve3, P.left), carried)).to.deep.equal(nothing);
    const bpdu = ethernet({ dst: '01:80:c2:00:00:00', src: vm1.mac, vlan: 101 }, 0x0800, Buffer.alloc(46));
    expect(lab.inject(at(nve3, P.left), bpdu)).to.deep.equal(nothing);
  });

  it('follows one tree where routes lead over other NVEs: one copy each', () => {
    // A ring of four: A-B, B-C, C-D, D-A; A reaches C over B, B reaches D over C.
    const [a, b, c, d] = [dpid('a'), dpid('b'), dpid('c'), dpid('d')];
    const ports: World['nves'][number]['ports'] = [
      { no: P.red, name: 'vap', role: { kind: 'vap', vns: [{ vnid: RED, tag: null }] } },
      { no: P.left, name: 'l', role: { kind: 'fabric' } },
      { no: P.right, name: 'r', role: { kind: 'fabric' } },
    ];
    const ring = [a, b, c, d];
    const links = ring.map((nve, i) => ({
      a: { nve, port: P.right },
      b: { nve: ring[(i + 1) % 4] ?? a, port: P.left },
    }));
    const hop = (nve: typeof a, i: number | null, o: number | null): World['routes'][number]['hops'][number] => ({
      nve,
      inPort: i === null ? null : portNo(i),
      outPort: o === null ? null : portNo(o),
    });
    const route = (...hops: World['routes'][number]['hops']): World['routes'][number] => ({
      from: hops[0]?.nve ?? a,
      to: hops.at(-1)?.nve ?? a,
      hops,
      stateHosts: [],
    });
    const next = (x: typeof a, y: typeof a): World['routes'][number] =>
      route(hop(x, null, P.right), hop(y, P.left, null));
    const over = (x: typeof a, y: typeof a, z: typeof a): World['routes'][number] =>
      route(hop(x, null, P.right), hop(y, P.left, P.right), hop(z, P.left, null));
    const world: World = {
      ...figure1,
      nves: ring.map((id) => ({ dpid: id, ports })),
      routes: [next(a, b), next(b, c), next(c, d), next(d, a), over(a, b, c), over(b, c, d)],
      vms: [vm1, vm2, vm3].map((v, i) => ({ ...v, at: at(ring[i] ?? a, P.red) })),
    };
    const around = new Lab(world, {}, links);
    expect(places(around.from(vm1, call(vm1)))).to.deep.equal(['11:1', '12:1', '13:1']);
    expect(places(around.from(vm2, call(vm2)))).to.deep.equal(['10:1', '12:1', '13:1']);
    expect(places(around.from(vm3, call(vm3)))).to.deep.equal(['10:1', '11:1', '13:1']);
  });

  it('reaches nobody when the sender is alone in its VN', () => {
    const alone = new Lab({ ...figure1, nves: figure1.nves.slice(0, 1), routes: [] });
    expect(places(alone.inject(at(nve1, P.red), call(vm1)))).to.deep.equal(['1:2']);
  });
});
