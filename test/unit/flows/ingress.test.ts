import { expect } from 'chai';
import { metersOf, PHASES, planOf } from '../../../flows/apply-plan.ts';
import { compile } from '../../../flows/compile.ts';
import { decodeCookie } from '../../../flows/cookies.ts';
import { diff } from '../../../flows/diff.ts';
import { ethernet, tcp } from '../../fakes/fake-switch-frames.ts';
import type { EthernetPart } from '../../fakes/fake-switch-frames.ts';
import { BLUE, Lab, P, RED, at, figure1, nve1, places, segment, v4, vm1, vm1blue, vm3, vm3blue } from './figure1.ts';

const lldp = (extra: Partial<EthernetPart> = {}): Buffer =>
  ethernet({ dst: '01:80:c2:00:00:0e', src: '02:00:00:00:00:01', ...extra }, 0x88cc, Buffer.alloc(46));
const probe = (extra: Partial<EthernetPart> = {}): Buffer =>
  ethernet({ dst: '02:5f:e7:00:00:00', src: vm1.mac, ...extra }, 0x88b5, Buffer.alloc(46));

describe('ingress table', () => {
  const lab = new Lab(figure1);
  const kinds = (port: number, frame: Buffer): (string | undefined)[] =>
    lab.inject({ nve: nve1, port }, frame).punted.map((p) => decodeCookie(p.packetIn.cookie)?.kind);

  it('sends LLDP from fabric ports to the controller, whole and with its port', () => {
    const { punted } = lab.inject(at(nve1, P.left), lldp());
    expect(punted).to.have.length(1);
    expect(punted[0]?.packetIn).to.include({ inPort: P.left });
    expect(punted[0]?.packetIn.data).to.deep.equal(lldp());
  });

  it('sends LLDP from ports that are not yet known to the controller', () => {
    expect(kinds(P.closed, lldp())).to.deep.equal(['lldp']);
    expect(kinds(99, lldp())).to.deep.equal(['lldp']);
  });

  it('never believes LLDP or probes from a VAP', () => {
    for (const frame of [lldp(), probe(), lldp({ vlan: 101 }), probe({ vlan: 101 })]) {
      const journey = lab.inject(at(nve1, P.red), frame);
      expect(journey).to.deep.equal({ delivered: [], punted: [], passed: [] });
    }
  });

  it('sends probes from fabric ports to the controller, untagged and inside a VN', () => {
    expect(kinds(P.left, probe())).to.deep.equal(['probe']);
    expect(kinds(P.left, probe({ vlan: 101 }))).to.deep.equal(['probe']);
    expect(kinds(P.closed, probe())).to.deep.equal([]);
  });

  it('takes fabric frames into the VN of their VLAN and untags them for the VAP', () => {
    const tagged = tcp({ dst: vm1.mac, src: vm3.mac, vlan: 101 }, v4(vm3), v4(vm1), 0x10, undefined, 'data');
    const journey = lab.inject(at(nve1, P.left), tagged);
    expect(places(journey)).to.deep.equal(['1:1']);
    expect(journey.delivered[0]?.frame).to.deep.equal(segment(vm3, vm1));
  });

  it('drops fabric frames that are untagged, of an unknown VLAN or of another VN', () => {
    for (const vlan of [undefined, 999, 102]) {
      const eth = { dst: vm1.mac, src: vm3.mac, ...(vlan === undefined ? {} : { vlan }) };
      expect(places(lab.inject(at(nve1, P.left), tcp(eth, v4(vm3), v4(vm1), 0x10)))).to.deep.equal([]);
    }
  });

  it('gives untagged frames of a port that has no rules yet to the controller, tagged ones to nobody', () => {
    expect(kinds(99, segment(vm1, vm3))).to.deep.equal(['punt']);
    expect(kinds(99, tcp({ dst: vm3.mac, src: vm1.mac, vlan: 101 }, v4(vm1), v4(vm3), 0x10))).to.deep.equal([]);
  });

  it('keeps the frames of a port that becomes a VAP coming to the controller in every phase of it', () => {
    const nves = figure1.nves.map((nve) => ({ ...nve, ports: nve.ports.filter((p) => p.no !== P.red2) }));
    const before = new Lab({ ...figure1, nves });
    const sw = before.sw(nve1);
    const rules = compile(figure1).get(nve1) ?? [];
    for (const meterId of metersOf(rules)) sw.send({ type: 'meter_mod', command: 'add', meterId, flags: 2, bands: [] });
    const plan = planOf(diff(sw.dump(), rules));
    for (const phase of PHASES) {
      sw.send(...plan[phase].mods);
      const { punted } = before.inject(at(nve1, P.red2), segment(vm1, vm3));
      expect(
        punted.map((p) => decodeCookie(p.packetIn.cookie)?.kind),
        phase,
      ).to.deep.equal(['punt']);
    }
  });

  it('shows tagged frames from a VAP to the controller alone, and drops everything from a closed port', () => {
    const tagged = tcp({ dst: vm3.mac, src: vm1.mac, vlan: 101 }, v4(vm1), v4(vm3), 0x10);
    const nothing = { delivered: [], punted: [], passed: [] };
    const journey = lab.inject(at(nve1, P.red), tagged);
    expect([places(journey), journey.passed]).to.deep.equal([[], []]);
    expect(journey.punted.map((p) => [decodeCookie(p.packetIn.cookie)?.kind, p.packetIn.data])).to.deep.equal([
      ['stray', tagged],
    ]);
    expect(lab.inject(at(nve1, P.closed), segment(vm1, vm3))).to.deep.equal(nothing);
  });

  it('keeps two VNs with equal addresses apart on the wire', () => {
    expect(places(lab.from(vm1, segment(vm1, vm3)))).to.deep.equal(['3:1']);
    const blue = lab.from(vm1blue, segment(vm1blue, vm3blue));
    expect(places(blue)).to.deep.equal(['3:3']);
    expect(blue.passed.map((p) => p.frame.readUInt16BE(14) & 0xfff)).to.deep.equal([102]);
    expect(lab.from(vm1blue, segment(vm1blue, vm3)).passed).to.deep.equal([]);
  });

  it('shuts a VAP whose VN is not configured', () => {
    const without = new Lab({ ...figure1, vns: figure1.vns.filter((vn) => vn.vnid !== BLUE) });
    expect(without.inject(at(nve1, P.blue), segment(vm1blue, vm3blue))).to.deep.equal({
      delivered: [],
      punted: [],
      passed: [],
    });
  });

  it('tells the controller the VNID in the metadata', () => {
    const { punted } = lab.inject(at(nve1, P.red2), segment(vm1, vm3));
    expect((punted[0]?.packetIn.metadata ?? 0n) & 0xff_ffffn).to.equal(BigInt(RED));
  });
});
