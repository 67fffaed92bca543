// The fake switch must be a switch by the book, or what the other tests say is worth nothing.

import { expect } from 'chai';
import { dpid } from '../../../src/base/ids.ts';
import type { FlowMod, Match, SwitchEvent } from '../../../src/openflow/model.ts';
import { apply, encap, field, output } from '../../../flows/terms.ts';
import { FakeSwitch } from '../../fakes/fake-switch.ts';
import type { FakeSwitchOptions } from '../../fakes/fake-switch.ts';
import { BROADCAST, arp, tcp, udp } from '../../fakes/fake-switch-frames.ts';

const eth = { dst: '02:00:00:00:00:02', src: '02:00:00:00:00:01' };
const frame = tcp(eth, '10.0.0.1', '10.0.0.2', 0x02);
const ports = [1, 2, 3].map((no) => ({ no, name: `p${no}` }));
const make = (options: FakeSwitchOptions = {}): FakeSwitch => new FakeSwitch(dpid('1'), ports, options);
const mod = (change: Partial<FlowMod> = {}): FlowMod => ({
  type: 'flow_mod',
  command: 'add',
  table: 0,
  priority: 10,
  cookie: 1n,
  match: [],
  instructions: [apply(output(2))],
  ...change,
});
const outOf = (sw: FakeSwitch, f = frame, port = 1): number[] => sw.process(port, f).outputs.map((o) => o.port);

describe('fake switch: tables', () => {
  it('drops what nothing matches', () => {
    expect(make().process(1, frame)).to.deep.equal({ outputs: [], packetIns: [] });
  });

  it('lets the higher priority win and counts packets', () => {
    const sw = make();
    sw.send(mod(), mod({ priority: 20, match: [field('in_port', 1)], instructions: [apply(output(3))] }));
    expect(outOf(sw)).to.deep.equal([3]);
    expect(outOf(sw, frame, 3)).to.deep.equal([2]);
    expect(sw.dump().map((f) => f.packetCount)).to.deep.equal([1n, 1n]);
  });

  it('replaces an entry of the same match and priority, timeouts and cookie included', () => {
    const sw = make();
    sw.send(mod({ hardTimeout: 2 }), mod({ cookie: 7n }));
    expect(sw.dump()).to.have.length(1);
    expect(sw.dump()[0]).to.include({ cookie: 7n, hardTimeout: 0 });
  });

  it('modifies and deletes strictly by match and priority, loosely by what is at least as specific', () => {
    const sw = make();
    const match: Match = [field('in_port', 1)];
    sw.send(mod(), mod({ match }), mod({ priority: 11, match }));
    sw.send(mod({ command: 'modify_strict', match, instructions: [], cookie: 9n }));
    expect(sw.dump().map((f) => f.instructions.length)).to.deep.equal([1, 0, 1]);
    expect(sw.dump().map((f) => f.cookie)).to.deep.equal([1n, 1n, 1n]);
    sw.send(mod({ command: 'delete_strict', priority: 11, match }));
    expect(sw.dump()).to.have.length(2);
    sw.send(mod({ command: 'delete', match, cookie: 2n, cookieMask: 0xffn }));
    expect(sw.dump()).to.have.length(2);
    sw.send(mod({ command: 'delete', match }));
    expect(sw.dump()).to.have.length(1);
  });

  it('matches by mask, also above 32 bits', () => {
    const sw = make();
    const group = '01:00:00:00:00:00';
    sw.send(mod({ match: [field('eth_dst', group, group)] }));
    expect(outOf(sw)).to.deep.equal([]);
    expect(outOf(sw, udp({ ...eth, dst: BROADCAST }, '10.0.0.1', '10.0.0.2'))).to.deep.equal([2]);
  });

  it('forgets an entry when its hard timeout is over', () => {
    let now = 0;
    const sw = make({ now: () => now });
    sw.send(mod({ hardTimeout: 2 }));
    now = 1999;
    expect(outOf(sw)).to.deep.equal([2]);
    now = 2000;
    expect(outOf(sw)).to.deep.equal([]);
    expect(sw.dump()).to.deep.equal([]);
  });

  it('never sends out of the port a frame came in by, unless told so', () => {
    const sw = make();
    sw.send(mod({ instructions: [apply(output(1), output(2), output(0xffff_fff8))] }));
    expect(outOf(sw)).to.deep.equal([2, 1]);
  });

  it('applies actions in order: a copy sent before a change is without it', () => {
    const sw = make();
    sw.send(mod({ instructions: [apply(output(2), ...encap(101, 3))] }));
    const { outputs } = sw.process(1, frame);
    expect(outputs[0]?.frame).to.deep.equal(frame);
    expect(outputs[1]?.frame).to.deep.equal(tcp({ ...eth, vlan: 101 }, '10.0.0.1', '10.0.0.2', 0x02));
  });

  it('leaves the frame it was given untouched', () => {
    const sw = make();
    const before = Buffer.from(frame);
    sw.send(mod({ instructions: [apply({ type: 'set_field', field: field('eth_dst', BROADCAST) }, output(2))] }));
    expect(sw.process(1, frame).outputs[0]?.frame.subarray(0, 6).toString('hex')).to.equal('ffffffffffff');
    expect(frame).to.deep.equal(before);
  });
});

describe('fake switch: refusals', () => {
  const refused: readonly (readonly [string, Partial<FlowMod>])[] = [
    ['a field without its prerequisite', { match: [field('ipv4_src', '10.0.0.1')] }],
    ['a prerequisite that comes too late', { match: [field('arp_op', 1), field('eth_type', 0x0806)] }],
    ['a field twice', { match: [field('in_port', 1), field('in_port', 2)] }],
    ['going back to a table', { table: 3, instructions: [{ type: 'goto_table', table: 3 }] }],
    ['a meter that is not there', { instructions: [{ type: 'meter', meterId: 5 }] }],
    ['setting an ARP field of any frame', { instructions: [apply({ type: 'set_field', field: field('arp_op', 2) })] }],
  ];
  for (const [what, change] of refused) {
    it(`${what}: by an error, or by refusing the whole bundle`, async () => {
      const sw = make();
      const events: SwitchEvent[] = [];
      sw.onEvent = (event) => events.push(event);
      sw.send(mod(change));
      expect(events.map((e) => e.type)).to.deep.equal(['error']);
      const error = await sw.prepareBundle([mod(), mod(change)]).then(
        () => null,
        (e: unknown) => e,
      );
      expect(error).to.be.an('error').with.property('code', 'REFUSED');
      expect(sw.dump()).to.deep.equal([]);
    });
  }
});

describe('fake switch: bundles, channel, cache', () => {
  it('takes a bundle into effect at its commit, all of it, once', async () => {
    const sw = make();
    const bundle = await sw.prepareBundle([mod(), mod({ priority: 11 })]);
    expect(sw.dump()).to.deep.equal([]);
    await bundle.commit();
    expect(sw.dump()).to.have.length(2);
    const again = await bundle.commit().catch((e: unknown) => e);
    expect(again).to.be.an('error');
  });

  it('forgets a discarded bundle', async () => {
    const sw = make();
    const bundle = await sw.prepareBundle([mod()]);
    await bundle.discard();
    await bundle.commit().catch(() => undefined);
    expect(sw.dump()).to.deep.equal([]);
  });

  it('can lose a reply after it has done what was asked', async () => {
    const sw = make();
    sw.pace = (operation, leg) => {
      if (operation === 'commit' && leg === 'reply') sw.close();
    };
    const bundle = await sw.prepareBundle([mod()]);
    const error = await bundle.commit().catch((e: unknown) => e);
    expect(error).to.be.an('error').with.property('code', 'CLOSED');
    expect(sw.dump()).to.have.length(1);
    expect(sw.closed.aborted).to.equal(true);
  });

  it('answers frames by its cache until it revalidates, packet-outs by its tables', () => {
    const sw = make({ cache: 'manual' });
    const sent: number[] = [];
    sw.onTransmit = (out) => sent.push(out.port);
    sw.send(mod());
    expect(outOf(sw)).to.deep.equal([]);
    const toTable = { type: 'packet_out', inPort: 1, actions: [output(0xffff_fff9)], data: frame } as const;
    sw.send(toTable);
    expect(sent).to.deep.equal([2]);
    sw.revalidate();
    expect(outOf(sw)).to.deep.equal([2]);
  });

  it('sends packet-outs with their actions, and what they punt to the controller', () => {
    const sw = make();
    const seen: unknown[] = [];
    sw.onTransmit = (out) => seen.push([out.port, out.frame.length]);
    sw.onEvent = (event) => seen.push(event.type);
    sw.send({ type: 'packet_out', inPort: 0xffff_fffd, actions: [output(0xffff_fffd), ...encap(7, 1)], data: frame });
    expect(seen).to.deep.equal(['packet_in', [1, frame.length + 4]]);
  });

  it('tells of ports that come and go, and does not send out of those that are gone', () => {
    const sw = make();
    const events: string[] = [];
    sw.onEvent = (event) => {
      if (event.type === 'port_status') events.push(`${event.reason} ${event.port.portNo}`);
    };
    sw.send(mod());
    sw.unplug(2);
    expect(outOf(sw)).to.deep.equal([]);
    sw.plug(2, 'p2');
    expect(outOf(sw)).to.deep.equal([2]);
    expect(events).to.deep.equal(['delete 2', 'add 2']);
  });

  it('deletes the entries of a meter with it', () => {
    const sw = make();
    sw.send({ type: 'meter_mod', command: 'add', meterId: 5, flags: 2, bands: [] });
    sw.send(mod({ instructions: [{ type: 'meter', meterId: 5 }, apply(output(2))] }), mod({ priority: 1 }));
    sw.send({ type: 'meter_mod', command: 'delete', meterId: 5, flags: 0, bands: [] });
    expect(sw.dump().map((f) => f.priority)).to.deep.equal([1]);
  });

  it('reads ARP fields and answers with them moved', () => {
    const sw = make();
    const match = [field('eth_type', 0x0806), field('arp_tpa', '10.0.0.2')];
    const swap = { type: 'move', src: 'arp_sha', srcBit: 0, dst: 'arp_tha', dstBit: 0, bits: 48 } as const;
    sw.send(mod({ match, instructions: [apply(swap, output(2))] }));
    const ask = arp(eth, { op: 1, sha: eth.src, spa: '10.0.0.1', tpa: '10.0.0.2' });
    expect(sw.process(1, ask).outputs[0]?.frame).to.deep.equal(
      arp(eth, { op: 1, sha: eth.src, spa: '10.0.0.1', tha: eth.src, tpa: '10.0.0.2' }),
    );
  });
});
