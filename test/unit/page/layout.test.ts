import { expect } from 'chai';
import fc from 'fast-check';
import type { TopologyJson } from '../../../src/api/schemas/topology.ts';
import { edgesOf, pinnedEdges } from '../../../src/page/edges.ts';
import { layOut, NODE, type Point, VM, vmKey } from '../../../src/page/layout.ts';
import { dpidOf, FIGURE_1, stateHost, vm } from './fixtures.ts';

const overlap = (a: Point, b: Point, size: { width: number; height: number }): boolean =>
  Math.abs(a.x - b.x) < size.width && Math.abs(a.y - b.y) < size.height;

describe('the layout of a topology', () => {
  it('is that of the Figure 1 of the draft: the NVE with both firewalls on the right, each firewall between its NVEs', () => {
    const { nves, stateHosts } = layOut(FIGURE_1);
    const [nve1, nve2, nve3] = [1, 2, 3].map((n) => nves.get(dpidOf(n))!) as [Point, Point, Point];
    expect(nve3.x).to.be.greaterThan(nve1.x).and.greaterThan(nve2.x);
    expect(nve1.y, 'NVE1 is above NVE2').to.be.lessThan(nve2.y);
    const fw1 = stateHosts.get('fw1')!;
    expect(fw1.x).to.be.closeTo((nve1.x + nve3.x) / 2, 1e-9);
    expect(fw1.y).to.be.closeTo((nve1.y + nve3.y) / 2, 1e-9);
  });

  it('puts a VM beside its NVE, and one between two places into the middle', () => {
    const topology = { ...FIGURE_1, vms: [vm(1, 2), vm(3, null)] };
    const { vms, nves } = layOut(topology);
    const at = vms.get(vmKey(vm(1, 2)))!;
    const distances = [1, 2, 3].map((n) => Math.hypot(nves.get(dpidOf(n))!.x - at.x, nves.get(dpidOf(n))!.y - at.y));
    expect(Math.min(...distances)).to.equal(distances[1]);
    expect(vms.get(vmKey(vm(3, null)))).to.deep.equal({ x: 0, y: 0 });
  });

  it('of a network that is not there yet is empty, not broken', () => {
    const { box } = layOut({ nves: [], links: [], stateHosts: [], vms: [], routes: [], pins: [] });
    expect(box.width).to.be.greaterThan(0);
  });

  it('never puts one NVE or VM of an NVE upon another, and keeps all in its box', () => {
    const topologies = fc
      .record({
        nves: fc.integer({ min: 1, max: 12 }),
        vms: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 40 }),
      })
      .map(({ nves, vms }): TopologyJson => {
        const all = Array.from({ length: nves }, (_, i) => ({
          ...FIGURE_1.nves[0]!,
          dpid: dpidOf(i + 1),
          name: `NVE${i + 1}`,
        }));
        return {
          ...FIGURE_1,
          nves: all,
          stateHosts: [],
          vms: vms.map((at, i) => ({ ...vm(1, Math.min(at, nves)), mac: `m${i}` })),
        };
      });
    fc.assert(
      fc.property(topologies, (topology) => {
        const { nves, vms, box } = layOut(topology);
        const inBox = ({ x, y }: Point, { width, height }: typeof VM): boolean =>
          x - width / 2 >= box.x &&
          x + width / 2 <= box.x + box.width &&
          y - height / 2 >= box.y &&
          y + height / 2 <= box.y + box.height;
        const places = [...nves.values()];
        expect(places.every((a, i) => places.every((b, j) => i === j || !overlap(a, b, NODE)))).to.equal(true);
        for (const { dpid } of topology.nves) {
          const mine = topology.vms.filter((v) => v.nve === dpid).map((v) => vms.get(vmKey(v))!);
          expect(mine.every((a, i) => mine.every((b, j) => i === j || !overlap(a, b, VM)))).to.equal(true);
          expect(mine.every((a) => !overlap(a, nves.get(dpid)!, VM))).to.equal(true);
        }
        expect([...vms.values()].every((at) => inBox(at, VM))).to.equal(true);
      }),
    );
  });
});

describe('the edges of a way', () => {
  it('lead through the State Hosts on it', () => {
    const way = { nves: [1, 2, 3].map(dpidOf), stateHosts: ['fw2'] };
    expect(edgesOf(FIGURE_1, way)).to.deep.equal([`${dpidOf(1)} ${dpidOf(2)}`, `${dpidOf(2)} fw2`, `${dpidOf(3)} fw2`]);
  });

  it('of pinned flows are those of the detour, until the lift', () => {
    const pin = { migration: 'm', vnid: 10101, vm: vm(1, 2).mac, peerNve: dpidOf(3), anchor: dpidOf(1), holder: 'fw1' };
    const moved = { ...FIGURE_1, vms: [vm(1, 2), vm(3, 3)] };
    expect(pinnedEdges({ ...moved, pins: [{ ...pin, phase: 'pinned' }] })).to.deep.equal([
      `${dpidOf(1)} ${dpidOf(2)}`,
      `${dpidOf(1)} fw1`,
      `${dpidOf(3)} fw1`,
    ]);
    expect(pinnedEdges({ ...moved, pins: [{ ...pin, phase: 'lifted' }] })).to.deep.equal([]);
  });

  it('of a State Host beside one NVE are none of a way between two', () => {
    const topology = { ...FIGURE_1, stateHosts: [stateHost('fw9', [1])] };
    expect(edgesOf(topology, { nves: [dpidOf(1), dpidOf(2)], stateHosts: ['fw9'] })).to.have.length(1);
  });
});
