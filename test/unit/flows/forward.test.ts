import { expect } from 'chai';
import { decodeCookie } from '../../../flows/cookies.ts';
import { dpid, portNo } from '../../../src/base/ids.ts';
import type { Dpid } from '../../../src/base/ids.ts';
import { reverse } from '../../../src/base/route.ts';
import type { Route } from '../../../src/base/route.ts';
import type { World } from '../../../flows/world.ts';
import { TCP_FLAGS } from '../../fakes/fake-switch-frames.ts';
import {
  FW1,
  Lab,
  P,
  RED,
  at,
  figure1,
  hosts,
  moved,
  nve1,
  nve2,
  places,
  r21,
  segment,
  v4,
  vm1,
  vm2,
  vm3,
} from './figure1.ts';
import { tcp } from '../../fakes/fake-switch-frames.ts';

describe('forwarding table', () => {
  it('delivers along the base route, through its State Host, in both directions', () => {
    const lab = new Lab(figure1);
    expect(hosts(lab.from(vm1, segment(vm1, vm3)))).to.deep.equal(['fw1']);
    expect(hosts(lab.from(vm3, segment(vm3, vm1)))).to.deep.equal(['fw1']);
    expect(hosts(lab.from(vm2, segment(vm2, vm3)))).to.deep.equal(['fw2']);
    expect(places(lab.from(vm3, segment(vm3, vm2)))).to.deep.equal(['2:1']);
    expect(hosts(lab.from(vm1, segment(vm1, vm2)))).to.deep.equal([]);
  });

  it('delivers between VMs of one NVE without leaving it', () => {
    const lab = new Lab(moved(figure1, new Map([[vm2, at(nve1, P.red2)]])));
    const journey = lab.from(vm1, segment(vm1, vm2));
    expect(places(journey)).to.deep.equal(['1:2']);
    expect(journey.passed).to.deep.equal([]);
  });

  it('drops unknown unicast and counts it, without asking the controller', () => {
    const lab = new Lab(figure1);
    const unknown = tcp({ dst: '02:00:00:01:00:77', src: vm1.mac }, v4(vm1), '10.0.0.77', TCP_FLAGS.syn);
    expect(lab.from(vm1, unknown)).to.deep.equal({ delivered: [], punted: [], passed: [] });
    const miss = lab
      .sw(nve1)
      .dump()
      .find((f) => f.table === 5 && f.priority === 0);
    expect(miss?.packetCount).to.equal(1n);
  });

  it('sends what comes for a VM whose port is gone to the controller at its last NVE, from VAP and fabric', () => {
    const lab = new Lab(
      moved(
        figure1,
        new Map([
          [vm1, null],
          [vm2, at(nve1, P.red2)],
        ]),
      ),
    );
    for (const from of [vm2, vm3]) {
      for (const flags of [TCP_FLAGS.ack, TCP_FLAGS.syn]) {
        const { punted, delivered } = lab.from(from, segment(from, vm1, flags));
        expect(delivered).to.deep.equal([]);
        expect(punted.map((p) => p.nve)).to.deep.equal([nve1]);
        expect(decodeCookie(punted[0]?.packetIn.cookie ?? 0n)).to.deep.equal({ kind: 'limbo', id: vm1.serial });
        expect(punted[0]?.packetIn.data).to.deep.equal(segment(from, vm1, flags));
        expect((punted[0]?.packetIn.metadata ?? 0n) & 0xff_ffffn).to.equal(BigInt(RED));
      }
    }
  });

  it('still delivers to peers what a VM had sent before its port went', () => {
    const lab = new Lab(moved(figure1, new Map([[vm1, null]])));
    const late = tcp({ dst: vm3.mac, src: vm1.mac, vlan: 101 }, v4(vm1), v4(vm3), TCP_FLAGS.ack);
    expect(places(lab.inject(at(lab.world.nves[2]?.dpid ?? nve1, P.left), late))).to.deep.equal(['3:1']);
  });

  it('does not deliver to a port that is no VAP of the VN', () => {
    const lab = new Lab(moved(figure1, new Map([[vm1, at(nve1, P.closed)]])));
    expect(places(lab.from(vm3, segment(vm3, vm1)))).to.deep.equal([]);
  });
});

describe('trail: a VM that has left', () => {
  const gone: World = {
    ...moved(figure1, new Map([[vm1, at(nve2, P.red2)]])),
    trails: [{ vnid: RED, vm: vm1.mac, from: nve1 }],
  };

  it('what still arrives at the old NVE from any peer goes after it', () => {
    const lab = new Lab(figure1);
    lab.becomeAt(nve1, gone);
    lab.becomeAt(nve2, gone); // NVE3 has not heard yet
    const journey = lab.from(vm3, segment(vm3, vm1));
    expect(hosts(journey)).to.deep.equal(['fw1']);
    expect(places(journey)).to.deep.equal(['2:2']);
  });

  it('what is under way from a VM at the new NVE turns round, once', () => {
    const lab = new Lab(figure1);
    lab.becomeAt(nve1, gone); // NVE2 has not heard yet and still sends to NVE1
    const early = lab.from(vm2, segment(vm2, vm1));
    expect(early.delivered).to.deep.equal([]);
    expect(early.passed).to.have.length(2);
    lab.becomeAt(nve2, gone);
    const late = tcp({ dst: vm1.mac, src: vm2.mac, vlan: 101 }, v4(vm2), v4(vm1), TCP_FLAGS.ack);
    expect(places(lab.inject(at(nve1, P.right), late))).to.deep.equal(['2:2']);
  });

  it('does not turn round what comes from elsewhere, nor through a State Host', () => {
    const lab = new Lab(gone);
    const astray = tcp({ dst: vm1.mac, src: vm3.mac, vlan: 101 }, v4(vm3), v4(vm1), TCP_FLAGS.ack);
    expect(lab.inject(at(nve1, P.right), astray).passed).to.deep.equal([]);
    const hosted = new Lab({ ...gone, routes: gone.routes.map((r) => (r === r21 ? { ...r, stateHosts: [FW1] } : r)) });
    const late = tcp({ dst: vm1.mac, src: vm2.mac, vlan: 101 }, v4(vm2), v4(vm1), TCP_FLAGS.ack);
    expect(hosted.inject(at(nve1, P.right), late).passed).to.deep.equal([]);
  });

  it('ends when the world forgets it', () => {
    const lab = new Lab(gone);
    lab.become({ ...gone, trails: [] });
    const late = tcp({ dst: vm1.mac, src: vm3.mac, vlan: 101 }, v4(vm3), v4(vm1), TCP_FLAGS.ack);
    expect(lab.inject(at(nve1, P.left), late)).to.deep.equal({ delivered: [], punted: [], passed: [] });
  });

  it('gives way when the VM is back', () => {
    const lab = new Lab({ ...figure1, trails: [{ vnid: RED, vm: vm1.mac, from: nve1 }] });
    expect(places(lab.from(vm3, segment(vm3, vm1)))).to.deep.equal(['1:1']);
  });

  it('there and back within a grace makes no loop, whichever switch hears first', () => {
    const back: World = { ...figure1, trails: [...gone.trails, { vnid: RED, vm: vm1.mac, from: nve2 }] };
    const order = [nve1, nve2];
    for (const first of order) {
      const lab = new Lab(gone);
      lab.becomeAt(first, back);
      for (const from of [vm2, vm3]) expect(lab.from(from, segment(from, vm1)).passed.length).to.be.lessThan(4);
    }
  });
});

describe('transit over an NVE between', () => {
  /** A - T - B in a row, and C - T: T has no VAP in the way of anyone. */
  const chain = (ids: readonly (readonly [Dpid, number | null, number | null])[]): Route => ({
    from: ids[0]?.[0] ?? nve1,
    to: ids.at(-1)?.[0] ?? nve1,
    hops: ids.map(([nve, i, o]) => ({
      nve,
      inPort: i === null ? null : portNo(i),
      outPort: o === null ? null : portNo(o),
    })),
    stateHosts: [],
  });

  it('carries frames on by in_port, and nothing that comes from elsewhere', () => {
    // NVE2 and NVE3 meet only over NVE1.
    const row = chain([
      [nve2, null, P.right],
      [nve1, P.right, P.left],
      [dpid('3'), P.left, null],
    ]);
    const r13 = chain([
      [nve1, null, P.left],
      [dpid('3'), P.left, null],
    ]);
    const lab = new Lab({ ...figure1, routes: [row, r13, r21] });
    const journey = lab.from(vm2, segment(vm2, vm3));
    expect(places(journey)).to.deep.equal(['3:1']);
    expect(journey.passed).to.have.length(2);
    expect(places(lab.from(vm3, segment(vm3, vm2)))).to.deep.equal(['2:1']);
    const astray = tcp({ dst: vm3.mac, src: vm2.mac, vlan: 101 }, v4(vm2), v4(vm3), TCP_FLAGS.ack);
    expect(lab.inject(at(nve1, P.left), astray).passed).to.deep.equal([]);
  });

  it('tells sources apart where routes come in together and part', () => {
    // Both from A (over S) and from S itself to B: A's frames leave T by 2, S's by 3; both reach B.
    const [a, s, t, b] = [dpid('a'), dpid('b'), dpid('c'), dpid('d')];
    const fabric = (...numbers: number[]): World['nves'][number]['ports'] => [
      { no: P.red, name: 'vap', role: { kind: 'vap', vns: [{ vnid: RED, tag: null }] } },
      ...numbers.map((n) => ({ no: portNo(n), name: `f${n}`, role: { kind: 'fabric' } as const })),
    ];
    const nves = [
      { dpid: a, ports: fabric(11) },
      { dpid: s, ports: fabric(11, 12) },
      { dpid: t, ports: fabric(11, 12, 13) },
      { dpid: b, ports: fabric(12, 13) },
    ];
    const links = [
      { a: { nve: a, port: 11 }, b: { nve: s, port: 11 } },
      { a: { nve: s, port: 12 }, b: { nve: t, port: 11 } },
      { a: { nve: t, port: 12 }, b: { nve: b, port: 12 } },
      { a: { nve: t, port: 13 }, b: { nve: b, port: 13 } },
    ];
    const routes = [
      chain([
        [a, null, 11],
        [s, 11, 12],
        [t, 11, 12],
        [b, 12, null],
      ]),
      chain([
        [s, null, 12],
        [t, 11, 13],
        [b, 13, null],
      ]),
      chain([
        [a, null, 11],
        [s, 11, null],
      ]),
    ];
    const vms = [
      { ...vm1, at: at(a, P.red) },
      { ...vm2, at: at(s, P.red) },
      { ...vm3, at: at(b, P.red) },
    ];
    const lab = new Lab({ ...figure1, nves, routes, vms }, {}, links);
    const way = (v: typeof vm1, w: typeof vm1): number[] => lab.from(v, segment(v, w)).passed.map((p) => p.from.port);
    expect(way(vm1, vm3)).to.deep.equal([11, 12, 12]);
    expect(way(vm2, vm3)).to.deep.equal([12, 13]);
    expect(way(vm3, vm1)).to.deep.equal([12, 11, 11]);
    expect(way(vm3, vm2)).to.deep.equal([13, 11]);
    expect(reverse(routes[0] as Route).hops.map((h) => h.outPort)).to.deep.equal([12, 11, 11, null]);
  });
});
