// A copy between two State Hosts on fake kernels, and what follows it: what is in which kernel, and whether both say so.

import { expect } from 'chai';
import { mac } from '../../../src/base/ids.ts';
import { STATUS, TCP_FLAG } from '../../../src/netlink/conntrack-entry.ts';
import { encodeProbeFrame } from '../../../src/packet/probe.ts';
import { Phase } from '../../../src/protocol/generated/stateferry.ts';
import type { FakeClock } from '../../fakes/fake-clock.ts';
import { type FakeFirewall, type Ferry, tcp, udp } from '../../fakes/fake-firewall.ts';
import { migrationBed, tcpStateOf } from './migration-bed.ts';

describe('a migration between two State Hosts', () => {
  let clock: FakeClock;
  let one: FakeFirewall;
  let two: FakeFirewall;
  let ferry: Ferry;

  beforeEach(async () => {
    ({ clock, one, two, ferry } = await migrationBed());
  });

  it('installs what the selector names, in the zone of this host, and nothing else', async () => {
    const { manifest } = await ferry.begin();
    expect(manifest?.counts).to.deep.equal({ tcp: 3n, udp: 1n });
    expect(two.kernel.entries().map((e) => [e.zone, e.tupleOrig?.proto?.srcPort])).to.have.deep.members([
      [777, 1],
      [777, 2],
      [777, 3],
      [777, 9],
    ]);
  });

  it('says the same digest at both ends, each from its own kernel', async () => {
    const { manifest } = await ferry.begin();
    const installed = await ferry.settle();
    expect(installed?.records).to.equal(4n);
    expect(installed?.refused).to.be.empty;
    expect(installed?.digest).to.deep.equal(manifest?.digest);
    expect(manifest?.digest).not.to.deep.equal(Buffer.alloc(32));
  });

  it('keeps state, window scales, flags, mark, labels and remaining timeout', async () => {
    clock.advance(10_000);
    await ferry.begin();
    const moved = two.kernel.find(777, tcp(2));
    expect(moved).to.deep.include({ mark: 42, status: STATUS.CONFIRMED | STATUS.SEEN_REPLY | STATUS.ASSURED });
    expect(moved?.labels).to.deep.equal(Buffer.from([0x20, 0, 0, 0]));
    expect(moved?.timeout).to.be.closeTo(431_990, 1);
    const flags = TCP_FLAG.WINDOW_SCALE | TCP_FLAG.SACK_PERM | TCP_FLAG.BE_LIBERAL;
    expect(moved?.protoinfo?.tcp).to.deep.equal({
      state: 3,
      wscaleOriginal: 7,
      wscaleReply: 9,
      flagsOriginal: { flags, mask: 0 },
      flagsReply: { flags, mask: 0 },
    });
  });

  it('makes the source entries liberal without touching anything else of them', async () => {
    const before = one.kernel.find(101, tcp(1));
    await ferry.upload();
    const after = one.kernel.find(101, tcp(1));
    expect(after?.protoinfo?.tcp?.flagsOriginal?.flags).to.equal(0x0b);
    expect({ ...after, protoinfo: null }).to.deep.equal({ ...before, protoinfo: null });
    expect(one.kernel.find(102, tcp(1))?.protoinfo?.tcp?.flagsOriginal?.flags).to.equal(0x03);
  });

  it('keeps the opener’s window scale while the answer is outstanding', async () => {
    one.kernel.open(101, tcp(50));
    one.kernel.flush();
    const { manifest } = await ferry.begin();
    expect(two.kernel.find(777, tcp(50))?.protoinfo?.tcp?.wscaleOriginal).to.equal(7);
    expect((await ferry.settle())?.digest).to.deep.equal(manifest?.digest);
  });

  it('follows new, changed and ended connections until the drain, in the order they happened', async () => {
    await ferry.begin();
    clock.advance(0);
    one.kernel.open(101, tcp(60));
    one.kernel.establish(101, tcp(60));
    one.kernel.change(101, tcp(1), { protoinfo: { tcp: { ...tcpStateOf(one, 1), state: 4 } } });
    one.kernel.end(101, tcp(2));
    one.kernel.open(102, tcp(61));
    one.kernel.flush();
    await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    const drained = await one.host.gate({ migration: 'm-1', boundMs: 0 });
    const installed = await ferry.settle();
    expect(installed?.digest).to.deep.equal(drained.digest);
    expect(installed?.records).to.equal(4n);
    expect(installed?.sequence).to.equal(drained.sequence);
    expect(two.kernel.find(777, tcp(60))?.protoinfo?.tcp?.state).to.equal(3);
    expect(two.kernel.find(777, tcp(1))?.protoinfo?.tcp?.state).to.equal(4);
    expect(two.kernel.find(777, tcp(2))).to.equal(null);
    expect(ferry.chunks.map((c) => c.sequence)).to.deep.equal(ferry.chunks.map((_, i) => BigInt(i)));
  });

  it('takes an event that waited while the snapshot was read after it, not before', async () => {
    one.kernel.hold();
    one.kernel.change(101, tcp(1), { protoinfo: { tcp: { ...tcpStateOf(one, 1), state: 4 } } });
    one.kernel.end(101, tcp(3));
    const uploading = ferry.begin();
    one.kernel.release();
    await uploading;
    clock.advance(0);
    await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    const drained = await one.host.gate({ migration: 'm-1', boundMs: 0 });
    expect((await ferry.settle())?.digest).to.deep.equal(drained.digest);
    expect(drained.records).to.equal(3n);
  });

  it('takes the place of what was born at the destination before the lift', async () => {
    two.kernel.open(777, tcp(1));
    two.kernel.flush();
    const { manifest } = await ferry.begin();
    const installed = await ferry.settle();
    expect(installed?.refused).to.be.empty;
    expect(installed?.digest).to.deep.equal(manifest?.digest);
    expect(two.kernel.find(777, tcp(1))?.protoinfo?.tcp?.state).to.equal(3);
  });

  it('creates anew what died at the destination while the migration waited', async () => {
    await ferry.begin();
    clock.advance(0);
    two.kernel.end(777, udp(9));
    two.kernel.flush();
    clock.advance(20_000);
    one.kernel.refresh(101, udp(9), 30);
    await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    await one.host.gate({ migration: 'm-1', boundMs: 0 });
    await ferry.settle();
    expect(two.kernel.find(777, udp(9))).not.to.equal(null);
  });

  it('refreshes at quiesce the timeouts that live on at the source', async () => {
    await ferry.begin();
    clock.advance(0);
    clock.advance(25_000);
    one.kernel.refresh(101, udp(9), 30);
    await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    await one.host.gate({ migration: 'm-1', boundMs: 0 });
    await ferry.settle();
    expect(two.kernel.find(777, udp(9))?.timeout).to.be.closeTo(30, 1);
    const delta = ferry.chunks.filter((c) => c.phase === Phase.PHASE_DELTA);
    expect(delta.map((c) => c.count)).to.deep.equal([1]); // the idle ones age alike at both ends
  });

  it('waits for the markers and tells how many did not come', async () => {
    await ferry.begin();
    clock.advance(0);
    const frame = (nonce: bigint): Buffer =>
      encodeProbeFrame({
        probe: 'marker',
        nonce,
        source: mac('02:00:00:00:00:01'),
        destination: mac('02:00:00:00:00:02'),
        vlan: null,
      });
    one.markers.take(frame(1n));
    const quiescing = one.host.quiesce({ migration: 'm-1', boundMs: 100, markers: [1n, 2n, 3n] });
    await new Promise(setImmediate);
    one.markers.take(frame(2n));
    one.markers.take(Buffer.from('not a frame'));
    await new Promise(setImmediate);
    clock.advance(100);
    expect(await quiescing).to.deep.equal({ migration: 'm-1', handshakes: 0n, markersMissing: 1n });
    expect(one.markers.malformed).to.equal(1);
  });
});
