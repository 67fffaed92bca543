// Gate and pins: the path of a frame at each step of Use Case 1 (VM1 moves from NVE1 to NVE2), and between the steps.

import { expect } from 'chai';
import { compile } from '../../../flows/compile.ts';
import { decodeCookie } from '../../../flows/cookies.ts';
import { GATE_TIMEOUT_S, TABLE } from '../../../flows/tables.ts';
import type { World } from '../../../flows/world.ts';
import { dpid } from '../../../src/base/ids.ts';
import { TCP_FLAGS, arp, neighborSolicitation, tcp, udp } from '../../fakes/fake-switch-frames.ts';
import {
  Lab,
  P,
  at,
  closed,
  detour,
  figure1,
  gate,
  gated,
  hosts,
  lifted,
  moved,
  nve1,
  nve2,
  nve3,
  pin,
  pinned,
  places,
  r13,
  r21,
  r23,
  retired,
  segment,
  segment6,
  v4,
  v6,
  vm1,
  vm2,
  vm3,
} from './figure1.ts';

const { syn, ack, fin, rst } = TCP_FLAGS;
const datagram = (a: typeof vm1, b: typeof vm1): Buffer => udp({ dst: b.mac, src: a.mac }, v4(a), v4(b));

describe('pin', () => {
  const lab = new Lab(pinned);

  it('keeps both directions of the pair on the old State Host, over the detour', () => {
    for (const make of [segment, segment6]) {
      const there = lab.from(vm1, make(vm1, vm3));
      expect(hosts(there)).to.deep.equal(['fw1']);
      expect(places(there)).to.deep.equal(['3:1']);
      expect(there.passed.map((p) => Number(p.from.nve))).to.deep.equal([2, 1]);
      const back = lab.from(vm3, make(vm3, vm1));
      expect(hosts(back)).to.deep.equal(['fw1']);
      expect(places(back)).to.deep.equal(['2:2']);
    }
  });

  it('leaves the frame as it was sent', () => {
    expect(lab.from(vm1, segment(vm1, vm3)).delivered[0]?.frame).to.deep.equal(segment(vm1, vm3));
  });

  it('does not concern peers at other NVEs', () => {
    expect(lab.from(vm1, segment(vm1, vm2)).passed).to.deep.equal([]);
    expect(hosts(lab.from(vm2, segment(vm2, vm3)))).to.deep.equal(['fw2']);
  });

  it('holds for a peer whose port is gone too: frames for it wait behind the old State Host', () => {
    const limbo = new Lab({
      ...pinned,
      vms: pinned.vms.map((v) => (v.serial === 3 ? { ...v, at: null, lastAt: vm3.at } : v)),
    });
    const journey = limbo.from(vm1, segment(vm1, vm3));
    expect(hosts(journey)).to.deep.equal(['fw1']);
    expect(decodeCookie(journey.punted[0]?.packetIn.cookie ?? 0n)?.kind).to.equal('limbo');
  });

  it('goes out of the port it came in by where the route turns round', () => {
    // NVE2 - NVE1 - NVE2 - FW2 - NVE3: nobody would choose it, but NVE1 must send it back.
    const turn = {
      from: nve2,
      to: nve3,
      hops: [
        { nve: nve2, inPort: null, outPort: P.right },
        { nve: nve1, inPort: P.right, outPort: P.right },
        { nve: nve2, inPort: P.right, outPort: P.left },
        { nve: nve3, inPort: P.right, outPort: null },
      ],
      stateHosts: r23.stateHosts,
    };
    const turned = new Lab({ ...pinned, pins: [{ ...pin('pinned'), route: turn }] });
    const there = turned.from(vm1, segment(vm1, vm3));
    expect(there.passed.map((p) => Number(p.from.nve))).to.deep.equal([2, 1, 2]);
    expect(places(there)).to.deep.equal(['3:1']);
    expect(places(turned.from(vm3, segment(vm3, vm1)))).to.deep.equal(['2:2']);
  });

  it('turns round what is still on its way when the VM has returned', () => {
    const frame = tcp({ dst: vm1.mac, src: vm3.mac, vlan: 101 }, '10.0.0.3', '10.0.0.1', TCP_FLAGS.ack);
    const returned = (detours: World['trails'][number]['detours'] = []): Lab =>
      new Lab({ ...figure1, trails: [{ vnid: pin('pinned').vnid, vm: vm1.mac, from: nve2, detours }] });
    const late = { nve: nve2, port: P.right };
    expect(places(returned([{ peerNve: nve3, inPort: P.right }]).inject(late, frame))).to.deep.equal(['1:1']);
    expect(places(returned().inject(late, frame))).to.deep.equal([]);
  });

  it('of one pair: a pinned one wins over a lifted one, the later over the earlier', () => {
    const direct = { ...pin('pinned'), route: r23 };
    for (const pins of [
      [pin('pinned'), direct],
      [direct, { ...pin('lifted'), route: detour }],
    ]) {
      expect(hosts(new Lab({ ...pinned, pins }).from(vm1, segment(vm1, vm3)))).to.deep.equal(['fw2']);
    }
  });

  it('serves a VM that moved to the NVE of its peer, through the State Host and back', () => {
    const world: World = {
      ...moved(figure1, new Map([[vm1, at(nve3, P.red2)]])),
      pins: [
        {
          ...pin('pinned'),
          route: {
            from: nve3,
            to: nve3,
            hops: [
              { nve: nve3, inPort: null, outPort: P.right },
              { nve: nve2, inPort: P.left, outPort: P.right },
              { nve: nve1, inPort: P.right, outPort: P.left },
              { nve: nve3, inPort: P.left, outPort: null },
            ],
            stateHosts: [],
          },
        },
      ],
    };
    const round = new Lab(world);
    expect(hosts(round.from(vm1, segment(vm1, vm3)))).to.deep.equal(['fw2', 'fw1']);
    expect(places(round.from(vm1, segment(vm1, vm3)))).to.deep.equal(['3:1']);
    expect(hosts(round.from(vm3, segment(vm3, vm1)))).to.deep.equal(['fw1', 'fw2']);
    expect(places(round.from(vm3, segment(vm3, vm1)))).to.deep.equal(['3:2']);
  });
});

describe('the change to the pin', () => {
  const order = [
    [nve1, nve2, nve3],
    [nve2, nve1, nve3],
    [nve1, nve3, nve2],
    [nve3, nve1, nve2],
    [nve2, nve3, nve1],
    [nve3, nve2, nve1],
  ];

  it('never sends an established packet through the new State Host, whatever switch changes first', () => {
    for (const switches of order) {
      const lab = new Lab(figure1);
      for (const id of switches) {
        lab.becomeAt(id, pinned);
        for (const journey of [
          lab.inject(at(nve2, P.red2), segment(vm1, vm3)),
          lab.inject(at(nve3, P.red), segment(vm3, vm1)),
        ]) {
          expect(hosts(journey)).to.not.include('fw2');
        }
      }
    }
  });
});

describe('gate', () => {
  const lab = new Lab(gated);
  const held = (l: Lab, v: typeof vm1, frame: Buffer): { kind: string; id: number } | null => {
    const journey = l.from(v, frame);
    expect(journey.delivered.length + journey.punted.length, 'goes one way').to.equal(1);
    return decodeCookie(journey.punted[0]?.packetIn.cookie ?? 0n);
  };

  it('holds openers of the pair at both ends and says which gate', () => {
    for (const make of [segment, segment6]) {
      for (const [a, b] of [[vm1, vm3] as const, [vm3, vm1] as const]) {
        expect(held(lab, a, make(a, b, syn))).to.deep.equal({ kind: 'gate', id: 77 });
      }
    }
  });

  it('holds them before any link is crossed, as they were sent', () => {
    const journey = lab.from(vm1, segment(vm1, vm3, syn));
    expect(journey.passed).to.deep.equal([]);
    expect(journey.punted[0]?.nve).to.equal(nve2);
    expect(journey.punted[0]?.packetIn.data).to.deep.equal(segment(vm1, vm3, syn));
  });

  it('never holds established TCP, nor the answer to an opener', () => {
    for (const l of [lab, new Lab(closed)]) {
      for (const flags of [ack, syn | ack, fin | ack, rst, ack | TCP_FLAGS.psh]) {
        expect(held(l, vm1, segment(vm1, vm3, flags))).to.equal(null);
        expect(held(l, vm3, segment6(vm3, vm1, flags))).to.equal(null);
      }
    }
  });

  it('with `openers` lets other protocols pass, with `all` holds them in both directions', () => {
    const ping6 = tcp({ dst: vm3.mac, src: vm1.mac }, v6(vm1), v6(vm3), 0).fill(58, 20, 21);
    expect(held(lab, vm1, datagram(vm1, vm3))).to.equal(null);
    const all = new Lab(closed);
    for (const frame of [datagram(vm1, vm3), ping6]) {
      expect(held(all, vm1, frame)).to.deep.equal({ kind: 'gate', id: 78 });
    }
    expect(held(all, vm3, datagram(vm3, vm1))).to.deep.equal({ kind: 'gate', id: 78 });
    expect(held(all, vm1, segment(vm1, vm3, syn))).to.deep.equal({ kind: 'gate', id: 78 });
  });

  it('with `all` still lets ARP and neighbor discovery pass', () => {
    const all = new Lab(closed);
    const reply = arp(
      { dst: vm3.mac, src: vm1.mac },
      { op: 2, sha: vm1.mac, spa: v4(vm1), tha: vm3.mac, tpa: v4(vm3) },
    );
    expect(held(all, vm1, reply)).to.equal(null);
    const nud = neighborSolicitation({ dst: vm3.mac, src: vm1.mac }, v6(vm1), v6(vm3), v6(vm3), vm1.mac);
    expect(held(all, vm1, nud)).to.equal(null);
  });

  it('leaves other pairs alone', () => {
    const all = new Lab(closed);
    expect(held(all, vm1, segment(vm1, vm2, syn))).to.equal(null);
    expect(held(all, vm2, datagram(vm2, vm3))).to.equal(null);
  });

  it('does not stop what comes over the fabric: it was let in before', () => {
    const late = tcp({ dst: vm1.mac, src: vm3.mac, vlan: 101 }, v4(vm3), v4(vm1), syn);
    expect(places(lab.inject(at(nve2, P.right), late))).to.deep.equal(['2:2']);
  });

  it('opens by itself: only its rules have a timeout', () => {
    const timed = [...compile(closed).values()].flat().filter((rule) => rule.hardTimeout !== undefined);
    expect(timed).to.not.be.empty;
    for (const rule of timed) expect(rule).to.include({ table: TABLE.gate, hardTimeout: GATE_TIMEOUT_S });
    let now = 0;
    const clocked = new Lab(gated, { now: () => now });
    expect(held(clocked, vm1, segment(vm1, vm3, syn))?.kind).to.equal('gate');
    now = 2000;
    expect(hosts(clocked.from(vm1, segment(vm1, vm3, syn)))).to.deep.equal(['fw1']);
  });

  it('works where both ends are one NVE', () => {
    const one = {
      ...moved(figure1, new Map([[vm1, at(nve3, P.red2)]])),
      gates: [{ ...gate('openers'), nves: [nve3, nve3] }],
    };
    const both = new Lab(one);
    expect(held(both, vm1, segment(vm1, vm3, syn))?.kind).to.equal('gate');
    expect(held(both, vm3, segment(vm3, vm1, syn))?.kind).to.equal('gate');
  });
});

describe('halt', () => {
  const halted = (holds: 'everything' | 'nothing'): Lab => new Lab({ ...pinned, pins: [], gates: [gate(holds)] });

  it('gives the controller every IP packet of the pair, from both ends, and lets none through', () => {
    const lab = halted('everything');
    for (const [from, to] of [
      [vm1, vm3],
      [vm3, vm1],
    ] as const) {
      for (const frame of [segment(from, to), segment6(from, to), segment(from, to, syn), datagram(from, to)]) {
        const journey = lab.from(from, frame);
        expect(journey.delivered).to.deep.equal([]);
        expect(journey.punted.map((p) => decodeCookie(p.packetIn.cookie))).to.deep.equal([{ kind: 'gate', id: 77 }]);
      }
    }
  });

  it('by policy drops them all', () => {
    const lab = halted('nothing');
    for (const frame of [segment(vm1, vm3), segment(vm1, vm3, syn), datagram(vm1, vm3)]) {
      const journey = lab.from(vm1, frame);
      expect(journey.delivered).to.deep.equal([]);
      expect(journey.punted).to.deep.equal([]);
    }
  });

  it('leaves neighbor discovery and other pairs alone, and has no timeout', () => {
    const lab = halted('everything');
    expect(lab.from(vm2, segment(vm2, vm3)).delivered).to.have.length(1);
    expect(lab.from(vm1, segment(vm1, vm2)).delivered).to.have.length(1);
    const world: World = { ...pinned, pins: [], gates: [gate('everything')] };
    const rules = [...compile(world).values()].flat().filter((r) => r.table === TABLE.gate);
    expect(rules.filter((r) => r.hardTimeout !== undefined)).to.deep.equal([]);
  });
});

describe('lift', () => {
  const lab = new Lab(lifted);

  it('sends both directions through the new State Host', () => {
    expect(hosts(lab.from(vm1, segment(vm1, vm3)))).to.deep.equal(['fw2']);
    expect(hosts(lab.from(vm3, segment(vm3, vm1)))).to.deep.equal(['fw2']);
    expect(places(lab.from(vm3, segment6(vm3, vm1)))).to.deep.equal(['2:2']);
  });

  it('still carries what was on the detour, in both directions', () => {
    const there = tcp({ dst: vm3.mac, src: vm1.mac, vlan: 101 }, v4(vm1), v4(vm3), ack);
    const back = tcp({ dst: vm1.mac, src: vm3.mac, vlan: 101 }, v4(vm3), v4(vm1), ack);
    const on = lab.inject(at(nve1, P.right), there);
    expect([hosts(on), places(on)]).to.deep.equal([['fw1'], ['3:1']]);
    expect(places(lab.inject(at(nve1, P.left), back))).to.deep.equal(['2:2']);
  });

  it('needs only changes of what lets frames in', () => {
    const keys = (w: World): Set<unknown> =>
      new Set(
        [...compile(w)].flatMap(([id, rules]) =>
          rules.filter((r) => r.stage !== 'ingress').map((r) => `${id}${JSON.stringify(r, bigints)}`),
        ),
      );
    expect(keys(closed)).to.deep.equal(keys(lifted));
  });

  it('leaves nothing of the pin once it is forgotten', () => {
    const late = tcp({ dst: vm3.mac, src: vm1.mac, vlan: 101 }, v4(vm1), v4(vm3), ack);
    const after = new Lab(lifted);
    after.become(retired);
    expect(after.inject(at(nve1, P.right), late).passed).to.deep.equal([]);
    const cookies = [...compile(retired).values()].flat().map((r) => decodeCookie(r.cookie)?.kind);
    expect(cookies).to.not.include('pin').and.not.include('gate').and.not.include('trail');
  });

  it('does not keep new frames on the old State Host where both ways begin alike', () => {
    // The new base route NVE2 - NVE1 - NVE3 enters NVE1 by the port the pin did, but leaves it by another link.
    const second = dpid('3');
    const over = {
      ...detour,
      hops: detour.hops.map((h) =>
        h.nve === nve1 ? { ...h, outPort: P.closed } : h.nve === second ? { ...h, inPort: P.closed } : h,
      ),
      stateHosts: r23.stateHosts,
    };
    const open = (n: World['nves'][number]): World['nves'][number] => ({
      ...n,
      ports: n.ports.map((p) => (p.no === P.closed ? { ...p, role: { kind: 'fabric' } as const } : p)),
    });
    const links = [
      { a: { nve: nve1, port: P.left }, b: { nve: nve3, port: P.left }, through: r13.stateHosts[0] as never },
      { a: { nve: nve1, port: P.closed }, b: { nve: nve3, port: P.closed }, through: r23.stateHosts[0] as never },
      { a: { nve: nve1, port: P.right }, b: { nve: nve2, port: P.right } },
    ];
    const nves = pinned.nves.map(open);
    const routes = [r13, r21, over];
    const parallel = new Lab({ ...pinned, nves, routes }, {}, links);
    expect(hosts(parallel.from(vm1, segment(vm1, vm3)))).to.deep.equal(['fw1']);
    parallel.become({ ...lifted, nves, routes });
    expect(hosts(parallel.from(vm1, segment(vm1, vm3)))).to.deep.equal(['fw2']);
    expect(hosts(parallel.from(vm3, segment(vm3, vm1)))).to.deep.equal(['fw2']);
  });
});

const bigints = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
