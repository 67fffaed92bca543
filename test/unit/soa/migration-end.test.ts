// How a migration between two State Hosts ends: lifted and retired, taken back, returned within the grace, asked for again.

import { expect } from 'chai';
import { STATUS, TCP_FLAG } from '../../../src/netlink/conntrack-entry.ts';
import { Phase, type StateChunk } from '../../../src/protocol/generated/stateferry.ts';
import type { FakeClock } from '../../fakes/fake-clock.ts';
import { type FakeFirewall, Ferry, PEER, tcp, VM, refusedReason as reason } from '../../fakes/fake-firewall.ts';
import { type MigrationBed, migrationBed, tcpStateOf } from './migration-bed.ts';

/** As a SYN-ACK that offers window scaling leaves the entry of its opener. */
const offered = { flags: TCP_FLAG.WINDOW_SCALE | TCP_FLAG.SACK_PERM, mask: 0 };
const answered = { wscaleOriginal: 7, wscaleReply: 9, flagsOriginal: offered, flagsReply: offered };

describe('the end of a migration', () => {
  let clock: FakeClock;
  let one: FakeFirewall;
  let two: FakeFirewall;
  let ferry: Ferry;
  let move: MigrationBed['move'];

  beforeEach(async () => {
    ({ clock, one, two, ferry, move } = await migrationBed());
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
    const drained = await one.host.gate({ migration: 'm-1', boundMs: 0 });
    expect(drained.handshakes).to.deep.equal(['tcp 10.0.0.1:80 > 10.0.0.3:80 SYN_SENT']);
    await two.host.commit({ migration: 'm-1' });
    one.kernel.establish(101, tcp(80));
    one.kernel.flush();
    await ferry.settle();
    expect(two.kernel.find(777, tcp(80))?.protoinfo?.tcp?.state).to.equal(3);
  });

  describe('an opener whose answer crosses the source just before the lift', () => {
    const synRecv = {
      status: STATUS.CONFIRMED | STATUS.SEEN_REPLY,
      timeout: 60,
      protoinfo: { tcp: { ...answered, state: 2 } },
    } as const;
    const drained = async (): Promise<void> => {
      one.kernel.open(101, tcp(80));
      one.kernel.flush();
      await ferry.begin();
      clock.advance(0);
      const atSource = await one.host.gate({ migration: 'm-1', boundMs: 0 });
      expect((await ferry.settle())?.digest).to.deep.equal(atSource.digest);
      await two.host.commit({ migration: 'm-1' });
    };
    const answerAtSource = async (): Promise<void> => {
      one.kernel.change(101, tcp(80), synRecv);
      one.kernel.flush();
      await ferry.settle();
    };

    it('stands in SYN_RECV at the destination: its acknowledgement may be there before word of the answer', async () => {
      await drained();
      expect(tcpStateOf(two, 80, 777).state).to.equal(2);
      expect(two.kernel.find(777, tcp(80))?.status).to.equal(STATUS.CONFIRMED);
      expect(tcpStateOf(one, 80).state).to.equal(1);
    });

    it('learns of the answer what only the source saw', async () => {
      await drained();
      await answerAtSource();
      expect(two.kernel.find(777, tcp(80))?.status).to.equal(STATUS.CONFIRMED | STATUS.SEEN_REPLY);
      expect(tcpStateOf(two, 80, 777)).to.deep.include({ state: 2, wscaleOriginal: 7, wscaleReply: 9 });
    });

    it('learns it also when it has gone on, and is not set back', async () => {
      await drained();
      two.kernel.change(777, tcp(80), { timeout: 300, protoinfo: { tcp: { ...tcpStateOf(two, 80, 777), state: 3 } } });
      await answerAtSource();
      const here = two.kernel.find(777, tcp(80));
      expect([here?.status, here?.timeout]).to.deep.equal([STATUS.CONFIRMED | STATUS.SEEN_REPLY, 300]);
      expect(tcpStateOf(two, 80, 777)).to.deep.include({ state: 3, wscaleReply: 9 });
    });

    it('changes nothing where the answer has been seen since', async () => {
      await drained();
      const seen = { ...tcpStateOf(two, 80, 777), wscaleReply: 5 };
      two.kernel.change(777, tcp(80), { status: STATUS.CONFIRMED | STATUS.SEEN_REPLY, protoinfo: { tcp: seen } });
      await answerAtSource();
      expect(tcpStateOf(two, 80, 777).wscaleReply).to.equal(5);
    });
  });

  it('applies only forward TCP transitions after the drain', async () => {
    await move();
    await two.host.commit({ migration: 'm-1' });
    two.kernel.change(777, tcp(1), { protoinfo: { tcp: { ...tcpStateOf(two, 1, 777), state: 7 } } });
    one.kernel.change(101, tcp(1), { protoinfo: { tcp: { ...tcpStateOf(one, 1), state: 4 } } }); // behind
    one.kernel.change(101, tcp(2), { protoinfo: { tcp: { ...tcpStateOf(one, 2), state: 4 } } }); // ahead
    one.kernel.end(101, tcp(3));
    one.kernel.flush();
    await ferry.settle();
    expect(two.kernel.find(777, tcp(1))?.protoinfo?.tcp?.state).to.equal(7);
    expect(two.kernel.find(777, tcp(2))?.protoinfo?.tcp?.state).to.equal(4);
    expect(two.kernel.find(777, tcp(3))).not.to.equal(null);
    expect(ferry.chunks.at(-1)?.phase).to.equal(Phase.PHASE_LATE);
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
    const drained = await two.host.gate({ migration: 'm-2', boundMs: 0 });
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
    const drained = await one.host.gate({ migration: 'm-1', boundMs: 0 });
    expect(await one.host.gate({ migration: 'm-1', boundMs: 0 })).to.deep.equal(drained);
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
    const drained = await one.host.gate({ migration: 'm-1', boundMs: 0 });
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
    expect(await reason(one.host.gate({ migration: 'm-1', boundMs: 0 }))).to.equal('events-lost');
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
    expect(await reason(one.host.gate({ migration: 'm-1', boundMs: 0 }))).to.equal('not-settled');
    expect(one.gate.closed).to.be.empty;
  });
});
