// The SYN counts of a VM go with it: exactly as many as were counted, wherever, and no count twice.

import { expect } from 'chai';
import { vnid } from '../../../src/base/ids.ts';
import { parseAddress } from '../../../src/netlink/tuple.ts';
import { SynCounters } from '../../../src/soa/syn-counters.ts';
import { writeSynRecord } from '../../../src/soa/syn-record.ts';
import { type Origin, type SynRecord, total } from '../../../src/soa/syn-counts.ts';
import { CounterError } from '../../../src/soa/counter-change.ts';
import { hash } from 'node:crypto';
import { Writer } from '../../../src/wire/writer.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeCounters, SYN4_NAME, SYN_BYTES } from '../../fakes/fake-counters.ts';
import { FakeFirewall, Ferry, PEER, refusedReason, selector, tcp, VM, VNID } from '../../fakes/fake-firewall.ts';

const address = parseAddress(VM);

describe('SYN counts', () => {
  let clock: FakeClock;
  let one: FakeFirewall;
  let two: FakeFirewall;
  let moves = 0;
  const counting = (name: string, zone: number, more: object = {}): FakeFirewall =>
    new FakeFirewall(name, zone, clock, more, new FakeCounters(clock));

  beforeEach(async () => {
    clock = new FakeClock();
    one = counting('fw1', 101);
    two = counting('fw2', 777);
    await one.host.start();
    await two.host.start();
  });

  const flood = (at: FakeFirewall, syns: number): number =>
    Array.from({ length: syns }, () => at.counters!.syn(at.zone, VM)).filter(Boolean).length;
  async function drained(from: FakeFirewall, to: FakeFirewall, of = selector()): Promise<Ferry & { id: string }> {
    const id = `m-${(moves += 1)}`;
    const ferry = new Ferry(id, from, to, of);
    await ferry.begin();
    clock.advance(0);
    await from.host.gate({ migration: id, boundMs: 0 });
    await ferry.settle();
    return Object.assign(ferry, { id });
  }
  async function move(from: FakeFirewall, to: FakeFirewall, of = selector()): Promise<void> {
    const { id } = await drained(from, to, of);
    await to.host.commit({ migration: id });
    await from.host.retire({ migration: id, epoch: 1n, selector: of });
  }

  it('let a VM that moves send as many SYNs as one that stays, and set the source to zero', async () => {
    expect(flood(one, 4)).to.equal(4);
    await move(one, two);
    expect(one.counters!.packets(101, VM)).to.equal(0);
    expect(two.counters!.packets(777, VM)).to.equal(4);
    expect(flood(two, 20)).to.equal(6);
  });

  it('go on counting at the source until its gate: those are in the drain', async () => {
    flood(one, 2);
    const ferry = new Ferry('m-d', one, two);
    await ferry.begin();
    expect(two.counters!.packets(777, VM)).to.equal(2);
    clock.advance(0);
    flood(one, 3);
    const drain = await one.host.gate({ migration: 'm-d', boundMs: 0 });
    const installed = await ferry.settle();
    expect(two.counters!.packets(777, VM)).to.equal(5);
    expect(installed!.digest).to.deep.equal(drain.digest);
    expect(drain.records).to.equal(1n);
  });

  it('are added to what the destination has counted itself', async () => {
    flood(one, 4);
    flood(two, 3);
    await move(one, two);
    expect(two.counters!.packets(777, VM)).to.equal(7);
  });

  it('are not counted twice when they come back within the grace', async () => {
    flood(one, 4);
    const { id } = await drained(one, two);
    await two.host.commit({ migration: id });
    flood(two, 2);
    await move(two, one);
    expect(one.counters!.packets(101, VM)).to.equal(6);
    await one.host.retire({ migration: id, epoch: 1n });
    expect(one.counters!.packets(101, VM)).to.equal(6);
  });

  it('stay at the source where it still serves the VM, and are not counted twice when all comes together again', async () => {
    one.kernel.open(101, tcp(5, VM, '10.0.0.9'));
    one.kernel.flush();
    flood(one, 4);
    await move(one, two, selector([VM], [PEER]));
    expect(one.counters!.packets(101, VM)).to.equal(4);
    expect(two.counters!.packets(777, VM)).to.equal(4);
    flood(one, 1);
    flood(two, 2);
    await move(two, one, selector([VM], [PEER]));
    expect(one.counters!.packets(101, VM)).to.equal(7);
  });

  it('end when the later of both windows ends, and a window is not begun anew by moving', async () => {
    flood(two, 1);
    clock.advance(20_000);
    flood(one, 1);
    clock.advance(10_000);
    await move(one, two);
    expect(two.counters!.endsInMs(777, VM)).to.equal(50_000);
    clock.advance(50_000);
    expect(two.counters!.packets(777, VM)).to.equal(0);
  });

  it('of another tenant with the same address are not touched', async () => {
    flood(one, 4);
    one.counters!.syn(102, VM);
    two.counters!.syn(778, VM);
    await move(one, two);
    expect(one.counters!.packets(102, VM)).to.equal(1);
    expect(two.counters!.packets(778, VM)).to.equal(1);
  });

  it('lose no SYN that is counted while they are changed, whenever it comes', async () => {
    flood(two, 1);
    const meeting = [3, 1, 0, 1, 0, 0, 0];
    let met = 0;
    two.counters!.beforeChange = () => {
      met += flood(two, meeting.shift() ?? 0);
    };
    flood(one, 2);
    const { id } = await drained(one, two);
    expect(met).to.be.greaterThan(3);
    expect(two.counters!.packets(777, VM)).to.equal(3 + met);
    await two.host.commit({ migration: id });
    expect(flood(two, 20)).to.equal(7 - met);
  });

  it('are not set to zero where one more was counted in that moment', async () => {
    flood(one, 2);
    const { id } = await drained(one, two);
    await two.host.commit({ migration: id });
    one.counters!.beforeChange = () => {
      one.counters!.beforeChange = () => undefined;
      flood(one, 1);
    };
    await one.host.retire({ migration: id, epoch: 1n });
    expect(one.counters!.packets(101, VM)).to.equal(3);
  });

  it('of a window that ended and began anew are other counts', async () => {
    flood(one, 4);
    await move(one, two);
    clock.advance(60_000);
    flood(two, 3);
    await move(two, one);
    expect(one.counters!.packets(101, VM)).to.equal(3);
  });

  it('that are missing at the destination make the digests differ', async () => {
    flood(one, 4);
    const ferry = new Ferry('m-x', one, two);
    await ferry.begin();
    clock.advance(0);
    two.counters!.description = { ...two.counters!.description!, quotaBytes: 400n };
    const own = new SynCounters('fw2', two.counters!, { now: () => clock.now(), onlyVn: false });
    await own.clear({ set: SYN4_NAME, address, zone: 777 }, 4n);
    const drain = await one.host.gate({ migration: 'm-x', boundMs: 0 });
    const installed = await ferry.settle();
    expect(installed!.digest).not.to.deep.equal(drain.digest);
  });

  it('are refused by a destination that has not the set, counts under another limit, or has no room', async () => {
    flood(one, 4);
    const refusals = async (): Promise<readonly string[]> => {
      const { id, installed } = await drained(one, two);
      await two.host.abort({ migration: id, reason: 'test' });
      await one.host.abort({ migration: id, reason: 'test' });
      return installed.flatMap((i) => i.refused).map((r) => `${r.reason} ${r.record}`);
    };
    const { description } = two.counters!;
    two.counters!.description = { ...description!, quotaBytes: 4000n };
    expect(await refusals()).to.deep.equal([`limit-differs ${VM} in ${SYN4_NAME}`]);
    two.counters!.description = description;
    two.counters!.room = 0;
    expect(await refusals()).to.deep.equal([`table-full ${VM} in ${SYN4_NAME}`]);
  });

  it('that a peer lies about are refused', async () => {
    await two.host.getReady({
      migration: 'm-f',
      selector: selector(),
      epoch: 1n,
      manifest: {
        records: 1n,
        digest: Buffer.alloc(0),
        rulesetDigest: 'same',
        kinds: ['conntrack', 'syn-counters'],
        counts: {},
      },
    });
    let sequence = 0n;
    const sent = async (change: Partial<SynRecord>, count = 1): Promise<string> => {
      const w = new Writer(256);
      const shares = new Map([['00112233aabbccdd' as Origin, { packets: 5n, bytes: 200n }]]);
      const record: SynRecord = {
        operation: 'count',
        vnid: vnid(VNID),
        set: SYN4_NAME,
        address,
        capturedWallMs: clock.wallMs(),
        expiresMs: 1000,
        thresholdBytes: 400n,
        windowMs: 60_000,
        shares,
        ...change,
      };
      writeSynRecord(w, record);
      const records = w.finish();
      const chunk = {
        migration: 'm-f',
        sequence,
        phase: 1,
        final: true,
        count,
        records,
        kind: 'syn-counters',
      } as const;
      const answer = await two.host.download({ ...chunk, digest: hash('sha256', records, 'buffer') });
      sequence += 1n;
      return answer?.refused[0]?.reason ?? `${two.counters!.packets(777, VM)} counted`;
    };
    expect(await sent({ address: parseAddress(PEER) })).to.equal('out-of-scope');
    expect(await sent({ vnid: vnid(VNID + 1) })).to.equal('out-of-scope');
    expect(await sent({ expiresMs: 60_001 })).to.equal('bad-value');
    expect(
      await sent({ shares: new Map([['00112233aabbccdd' as Origin, { packets: 1n << 60n, bytes: 1n }]]) }),
    ).to.equal('bad-value');
    expect(await sent({ set: 'inet firewall other' })).to.equal('no-counter-set');
    expect(two.counters!.packets(777, VM)).to.equal(0);
    expect(await sent({})).to.equal('5 counted');
    expect(await refusedReason(sent({}, 2))).to.equal('bad-chunk');
  });

  it('are not asked of a State Host that has none, which registers no such kind', async () => {
    const none = new FakeFirewall('fw3', 5, clock);
    await none.host.start();
    expect((await none.host.registration()).kindsOfState.map((k) => k.name)).to.deep.equal(['conntrack']);
    expect((await one.host.registration()).kindsOfState.map((k) => k.name)).to.deep.equal([
      'conntrack',
      'syn-counters',
    ]);
    flood(one, 2);
    await move(one, none);
    expect(one.counters!.packets(101, VM)).to.equal(2);
  });
});

describe('a set of SYN counters', () => {
  const clock = new FakeClock();
  const problem = async (change: object | null, onlyVn = false): Promise<string> => {
    const table = new FakeCounters(clock);
    table.description = change === null ? null : { ...table.description!, ...change };
    const counters = new SynCounters('fw1', table, { now: () => clock.now(), onlyVn });
    try {
      await counters.limits();
      return 'fit';
    } catch (error) {
      if (error instanceof CounterError) return error.message;
      throw error;
    }
  };

  it('has a counter, a quota, an end, and a key that tells VNs apart; what is wrong is said', async () => {
    expect(await problem({})).to.equal('fit');
    expect(await problem(null)).to.match(/inet firewall syn4 is not there/);
    expect(await problem({ expressions: ['counter'], quotaBytes: null })).to.match(
      /no line "counter quota over N bytes"/,
    );
    expect(await problem({ timeoutMs: 0 })).to.match(/has no timeout/);
    expect(await problem({ keyLength: 4 })).to.match(/equal addresses together/);
    expect(await problem({ keyLength: 4 }, true)).to.equal('fit');
    expect(await problem({ keyLength: 12 })).to.match(/another key/);
  });

  it('by address alone serves a State Host of one VN', async () => {
    const table = new FakeCounters(clock);
    table.description = { ...table.description!, keyLength: 4 };
    const counters = new SynCounters('fw1', table, { now: () => clock.now(), onlyVn: true });
    await counters.add(
      { set: SYN4_NAME, address, zone: 9 },
      new Map([['0011223344556677' as Origin, { packets: 3n, bytes: BigInt(3 * SYN_BYTES) }]]),
      500,
    );
    const found = await counters.select({ vm: new Set([address, parseAddress('fd00::1')]), zone: 9 });
    expect(found.map((c) => total(c.shares).packets)).to.deep.equal([3n]);
  });
});
