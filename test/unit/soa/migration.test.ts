// One migration between two State Hosts on fake kernels: what is in which kernel, and whether both say so.

import { expect } from 'chai';
import { type ConntrackEntry, STATUS, TCP_FLAG } from '../../../src/netlink/conntrack-entry.ts';
import { encodeProbeFrame } from '../../../src/packet/probe.ts';
import { mac } from '../../../src/base/ids.ts';
import { Phase, type StateChunk } from '../../../src/protocol/generated/stateferry.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeFirewall, Ferry, PEER, refusedReason as reason, tcp, udp, VM, VNID } from '../../fakes/fake-firewall.ts';

describe('a migration between two State Hosts', () => {
  let clock: FakeClock;
  let one: FakeFirewall;
  let two: FakeFirewall;
  let ferry: Ferry;

  beforeEach(async () => {
    clock = new FakeClock();
    one = new FakeFirewall('fw1', 101, clock);
    two = new FakeFirewall('fw2', 777, clock);
    for (const port of [1, 2, 3]) {
      one.kernel.open(101, tcp(port), { mark: 42, labels: Buffer.from([0x20, 0, 0, 0]) });
      one.kernel.establish(101, tcp(port));
    }
    one.kernel.open(101, udp(9));
    one.kernel.open(102, tcp(1)); // the other tenant's, with the same addresses and ports
    one.kernel.open(101, tcp(7, '10.0.0.8', '10.0.0.9')); // other VMs
    one.kernel.flush();
    await one.host.start();
    await two.host.start();
    ferry = new Ferry('m-1', one, two);
  });

  /** Upload until drained and installed. */
  const move = async (): Promise<void> => {
    await ferry.begin();
    clock.advance(0);
    await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    await one.host.gate({ migration: 'm-1' });
    await ferry.settle();
  };

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
    one.kernel.change(101, tcp(1), { protoinfo: { tcp: { ...established(one, 1), state: 4 } } });
    one.kernel.end(101, tcp(2));
    one.kernel.open(102, tcp(61));
    one.kernel.flush();
    await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    const drained = await one.host.gate({ migration: 'm-1' });
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
    one.kernel.change(101, tcp(1), { protoinfo: { tcp: { ...established(one, 1), state: 4 } } });
    one.kernel.end(101, tcp(3));
    const uploading = ferry.begin();
    one.kernel.release();
    await uploading;
    clock.advance(0);
    await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    const drained = await one.host.gate({ migration: 'm-1' });
    expect((await ferry.settle())?.digest).to.deep.equal(drained.digest);
    expect(drained.records).to.equal(3n);
  });

  it('refuses openers at the source from the gate until retire, and lets what is established live', async () => {
    await move();
    expect(one.kernel.open(101, tcp(70))).to.equal(false);
    expect(one.kernel.open(101, tcp(71, PEER, VM))).to.equal(false);
    expect(one.kernel.open(102, tcp(70))).to.equal(true);
    await two.host.commit({ migration: 'm-1' });
    const done = await one.host.retire({ migration: 'm-1', epoch: 2n });
    expect(done.records).to.equal(4n);
    expect(one.kernel.open(101, tcp(70))).to.equal(true);
    expect(one.kernel.find(101, tcp(1))).to.equal(null);
    expect(one.kernel.find(102, tcp(1))).not.to.equal(null);
    expect(one.kernel.find(101, tcp(7, '10.0.0.8', '10.0.0.9'))).not.to.equal(null);
  });

  it('does not delete at retire an entry that took the tuple since', async () => {
    await move();
    await two.host.commit({ migration: 'm-1' });
    one.gate.closed.clear(); // a packet that had passed the gate already
    one.kernel.end(101, tcp(1));
    one.kernel.open(101, tcp(1));
    await one.host.retire({ migration: 'm-1', epoch: 2n });
    expect(one.kernel.find(101, tcp(1))).not.to.equal(null);
    expect(one.kernel.find(101, tcp(2))).to.equal(null);
  });

  it('names the handshakes that were still under way at the drain, and follows them afterwards', async () => {
    one.kernel.open(101, tcp(80));
    one.kernel.flush();
    await ferry.begin();
    clock.advance(0);
    const quiesced = await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    expect(quiesced.handshakes).to.equal(1n);
    const drained = await one.host.gate({ migration: 'm-1' });
    expect(drained.handshakes).to.deep.equal(['tcp 10.0.0.1:80 > 10.0.0.3:80 SYN_SENT']);
    await two.host.commit({ migration: 'm-1' });
    one.kernel.establish(101, tcp(80));
    one.kernel.flush();
    await ferry.settle();
    expect(two.kernel.find(777, tcp(80))?.protoinfo?.tcp?.state).to.equal(3);
  });

  it('applies only forward TCP transitions after the drain', async () => {
    await move();
    await two.host.commit({ migration: 'm-1' });
    two.kernel.change(777, tcp(1), { protoinfo: { tcp: { ...established(two, 1, 777), state: 7 } } });
    one.kernel.change(101, tcp(1), { protoinfo: { tcp: { ...established(one, 1), state: 4 } } }); // behind
    one.kernel.change(101, tcp(2), { protoinfo: { tcp: { ...established(one, 2), state: 4 } } }); // ahead
    one.kernel.end(101, tcp(3));
    one.kernel.flush();
    await ferry.settle();
    expect(two.kernel.find(777, tcp(1))?.protoinfo?.tcp?.state).to.equal(7);
    expect(two.kernel.find(777, tcp(2))?.protoinfo?.tcp?.state).to.equal(4);
    expect(two.kernel.find(777, tcp(3))).not.to.equal(null);
    expect(ferry.chunks.at(-1)?.phase).to.equal(Phase.PHASE_LATE);
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
    await one.host.gate({ migration: 'm-1' });
    await ferry.settle();
    expect(two.kernel.find(777, udp(9))).not.to.equal(null);
  });

  it('refreshes at quiesce the timeouts that live on at the source', async () => {
    await ferry.begin();
    clock.advance(0);
    clock.advance(25_000);
    one.kernel.refresh(101, udp(9), 30);
    await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    await one.host.gate({ migration: 'm-1' });
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

  it('an abort deletes what was installed and opens the gate; the source keeps its own', async () => {
    await move();
    expect((await two.host.abort({ migration: 'm-1', reason: 'test' })).records).to.equal(4n);
    await one.host.abort({ migration: 'm-1', reason: 'test' });
    expect(two.kernel.entries()).to.be.empty;
    expect(one.kernel.open(101, tcp(90))).to.equal(true);
    expect(one.kernel.find(101, tcp(1))).not.to.equal(null);
    expect((await one.host.abort({ migration: 'm-1', reason: 'again' })).records).to.equal(0n);
  });

  it('refuses to abort what has been lifted', async () => {
    await move();
    await two.host.commit({ migration: 'm-1' });
    expect(await reason(two.host.abort({ migration: 'm-1', reason: 'late' }))).to.equal('wrong-phase');
  });

  it('a return within the grace cancels the retire and leaves no ghosts', async () => {
    await move();
    await two.host.commit({ migration: 'm-1' });
    two.kernel.end(777, tcp(3)); // closed while it was away
    two.kernel.flush();
    const back = new Ferry('m-2', two, one);
    await back.begin();
    clock.advance(0);
    expect((await one.host.retire({ migration: 'm-1', epoch: 1n })).records).to.equal(0n);
    await two.host.quiesce({ migration: 'm-2', boundMs: 0, markers: [] });
    const drained = await two.host.gate({ migration: 'm-2' });
    expect((await back.settle())?.digest).to.deep.equal(drained.digest);
    expect(one.kernel.find(101, tcp(1))).not.to.equal(null);
    await one.host.commit({ migration: 'm-2' });
    expect(one.kernel.find(101, tcp(3))).to.equal(null);
    expect(one.kernel.open(101, tcp(95))).to.equal(true); // its gate is open again
    await two.host.retire({ migration: 'm-2', epoch: 3n });
    expect(two.kernel.entries()).to.be.empty;
  });

  it('repeats its answers when the SOM asks again', async () => {
    await move();
    const drained = await one.host.gate({ migration: 'm-1' });
    expect(await one.host.gate({ migration: 'm-1' })).to.deep.equal(drained);
    const last = ferry.chunks.at(-1) as StateChunk;
    expect((await two.host.download(last))?.digest).to.deep.equal(drained.digest);
    await two.host.commit({ migration: 'm-1' });
    const done = await one.host.retire({ migration: 'm-1', epoch: 2n });
    expect(await one.host.retire({ migration: 'm-1', epoch: 2n })).to.deep.equal(done);
  });

  it('an upload asked for again begins again, and the destination keeps nothing of the first', async () => {
    await ferry.begin();
    clock.advance(0);
    one.kernel.end(101, tcp(2));
    one.kernel.flush();
    await ferry.settle();
    const again = new Ferry('m-1', one, two);
    await again.begin();
    clock.advance(0);
    await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    const drained = await one.host.gate({ migration: 'm-1' });
    expect((await again.settle())?.digest).to.deep.equal(drained.digest);
    await two.host.commit({ migration: 'm-1' });
    expect(two.kernel.entries()).to.have.length(3);
  });

  it('does not vouch for a stream with a hole, and mends its shadow once the migration is over', async () => {
    await ferry.begin();
    clock.advance(0);
    one.kernel.hold();
    one.kernel.open(101, tcp(99));
    one.kernel.overrun();
    const dumps = one.kernel.dumps;
    expect(await reason(one.host.gate({ migration: 'm-1' }))).to.equal('events-lost');
    expect(one.kernel.dumps).to.equal(dumps);
    expect(one.host.heartbeat().eventsLost).to.equal(1n);
    await one.host.abort({ migration: 'm-1', reason: 'events lost' });
    await two.host.abort({ migration: 'm-1', reason: 'events lost' });
    const { manifest } = await new Ferry('m-2', one, two).begin();
    expect(manifest?.counts).to.deep.equal({ tcp: 4n, udp: 1n });
  });

  it('says not-settled and opens the gate when the sentinel cannot be made', async () => {
    await ferry.begin();
    clock.advance(0);
    one.kernel.failures.push(12);
    expect(await reason(one.host.gate({ migration: 'm-1' }))).to.equal('not-settled');
    expect(one.gate.closed).to.be.empty;
  });

  describe('with NAT', () => {
    const translated = tcp(80, PEER, '192.0.2.1', 5000); // the reply tuple of 10.0.0.1:40 > 10.0.0.3:80 behind 192.0.2.1:5000
    let nat: FakeFirewall;

    beforeEach(async () => {
      one.kernel.open(101, tcp(40), { tupleReply: translated, status: STATUS.CONFIRMED | STATUS.SRC_NAT });
      one.kernel.flush();
      nat = new FakeFirewall('fw3', 50, clock, { natPools: ['192.0.2.0/24'] });
      await nat.host.start();
    });

    it('installs the binding, and the digest covers it', async () => {
      const natted = new Ferry('m-3', one, nat);
      const { manifest } = await natted.begin();
      expect(nat.kernel.find(50, tcp(40))?.tupleReply).to.deep.equal(translated);
      expect((await natted.settle())?.digest).to.deep.equal(manifest?.digest);
    });

    it('names a binding that is in use here as a clash, and installs the rest', async () => {
      nat.kernel.open(50, tcp(41), { tupleReply: translated });
      nat.kernel.flush();
      const natted = new Ferry('m-3', one, nat);
      await natted.begin();
      const installed = await natted.settle();
      expect(installed?.refused).to.deep.equal([
        { reason: 'clash', record: 'tcp 10.0.0.1:40 > 10.0.0.3:80', detail: 'EEXIST' },
      ]);
      expect(installed?.records).to.equal(4n);
      expect(nat.kernel.find(50, tcp(41))).not.to.equal(null);
    });

    it('refuses to translate to an address that is not its own', async () => {
      await ferry.begin();
      const installed = await ferry.settle();
      expect(installed?.refused.map((r) => r.reason)).to.deep.equal(['nat-not-owned']);
    });
  });

  it('registers what it is and has', async () => {
    const registration = await one.host.registration();
    expect(registration).to.deep.include({
      kind: 'netfilter',
      role: 'firewall',
      tableSize: 1000n,
      tableUsed: 6n,
      rulesetDigest: 'same',
      zones: [
        { vnid: VNID, zone: 101 },
        { vnid: VNID + 1, zone: 102 },
      ],
      dataPorts: [{ name: 'left', mac: '02:00:00:00:00:01' }],
    });
  });

  it('announces itself once a second from the moment it has a key', () => {
    one.host.startAnnouncing(Buffer.alloc(32, 1));
    clock.advance(2000);
    expect(one.sent.map((s) => s.port)).to.deep.equal(['left', 'left', 'left']);
  });
});

function established(
  firewall: FakeFirewall,
  port: number,
  zone = firewall.zone,
): NonNullable<NonNullable<ConntrackEntry['protoinfo']>['tcp']> {
  const info = firewall.kernel.find(zone, tcp(port))?.protoinfo?.tcp;
  if (info === undefined) throw new Error('no such connection');
  return info;
}
