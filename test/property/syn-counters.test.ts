// Wherever a VM moves, however its SYNs are split over the moves, and whatever becomes of the migrations: what a State Host has counted
// of it is the number of different SYNs that were counted at it and at those whose counts have reached it.

import { expect } from 'chai';
import fc from 'fast-check';
import { parseAddress } from '../../src/netlink/tuple.ts';
import { readSynRecords, writeSynRecord } from '../../src/soa/syn-record.ts';
import { vnid } from '../../src/base/ids.ts';
import { covers, type Origin, type SynRecord, total, union } from '../../src/soa/syn-counts.ts';
import { Writer } from '../../src/wire/writer.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeCounters } from '../fakes/fake-counters.ts';
import { FakeFirewall, Ferry, PEER, selector, tcp, VM } from '../fakes/fake-firewall.ts';

const STAYING_PEER = '10.0.0.9';

interface Move {
  readonly to: number;
  /** SYNs before it, while the snapshot is under way, between it and the gate, and between lift and retire. */
  readonly syns: readonly [number, number, number, number];
  /** With one peer only, while the source goes on serving another. */
  readonly partial: boolean;
  readonly aborted: boolean;
}

const syns = fc.nat(3);
const move = (partial: fc.Arbitrary<boolean>): fc.Arbitrary<Move> =>
  fc.record({
    to: fc.nat(2),
    syns: fc.tuple(syns, syns, syns, syns),
    partial,
    aborted: fc.boolean(),
  });

class Run {
  readonly clock = new FakeClock();
  readonly firewalls: FakeFirewall[];
  /** By firewall: which SYNs it knows of. */
  readonly known = [new Set<number>(), new Set<number>(), new Set<number>()];
  passed = 0;
  #serial = 0;
  #moves = 0;

  constructor(threshold: number) {
    this.firewalls = ['fw1', 'fw2', 'fw3'].map(
      (name, i) => new FakeFirewall(name, 100 + i, this.clock, {}, new FakeCounters(this.clock, { threshold })),
    );
  }

  async start(): Promise<void> {
    for (const { host } of this.firewalls) await host.start();
  }

  send(at: number, count: number): void {
    const { counters, zone } = this.firewalls[at]!;
    for (let i = 0; i < count; i += 1) {
      this.known[at]!.add((this.#serial += 1));
      if (counters!.syn(zone, VM)) this.passed += 1;
    }
  }

  counted(at: number): number {
    const { counters, zone } = this.firewalls[at]!;
    return counters!.packets(zone, VM);
  }

  /** Where the VM is served afterwards. */
  async move(from: number, { to, syns, partial, aborted }: Move): Promise<number> {
    this.send(from, syns[0]);
    if (to === from) return from;
    const [source, destination] = [this.firewalls[from]!, this.firewalls[to]!];
    if (partial && source.kernel.find(source.zone, tcp(9, VM, STAYING_PEER)) === null) {
      source.kernel.open(source.zone, tcp(9, VM, STAYING_PEER));
      source.kernel.flush();
    }
    const of = selector([VM], partial ? [PEER] : []);
    const migration = `m-${(this.#moves += 1)}`;
    const ferry = new Ferry(migration, source, destination, of);
    const begun = ferry.begin();
    this.send(from, syns[1]);
    await begun;
    this.clock.advance(0);
    this.send(from, syns[2]);
    if (partial) this.send(to, 1); // the destination serves another of its peers
    const drained = await source.host.gate({ migration, boundMs: 0 });
    const installed = await ferry.settle();
    expect(installed!.digest).to.deep.equal(drained.digest);
    for (const syn of this.known[from]!) this.known[to]!.add(syn);
    if (aborted) {
      await destination.host.abort({ migration, reason: 'test' });
      await source.host.abort({ migration, reason: 'test' });
      return from;
    }
    await destination.host.commit({ migration });
    this.send(to, syns[3]);
    await source.host.retire({ migration, epoch: 1n, selector: of });
    if (this.counted(from) === 0) this.known[from]!.clear();
    return to;
  }
}

describe('SYN counts that move', () => {
  it('let the VM send as many SYNs as one that stays, for any split over any moves', async () => {
    const plan = fc.array(move(fc.constant(false)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(plan, fc.integer({ min: 1, max: 40 }), async (moves, threshold) => {
        const run = new Run(threshold);
        await run.start();
        let at = 0;
        for (const one of moves) at = await run.move(at, one);
        run.send(at, threshold + 1);
        expect(run.passed).to.equal(threshold);
      }),
      { numRuns: 150 },
    );
  });

  it('are the number of different SYNs, however they part and come together', async () => {
    const plan = fc.array(move(fc.boolean()), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(plan, async (moves) => {
        const run = new Run(1_000_000);
        await run.start();
        let at = 0;
        for (const one of moves) {
          at = await run.move(at, one);
          expect([0, 1, 2].map((i) => run.counted(i))).to.deep.equal(run.known.map((k) => k.size));
        }
      }),
      { numRuns: 150 },
    );
  });
});

const tally = fc.record({ packets: fc.bigInt(1n, 1n << 40n), bytes: fc.bigInt(0n, 1n << 50n) });
const origin = fc
  .uint8Array({ minLength: 8, maxLength: 8 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as Origin);
const shares = fc.array(fc.tuple(origin, tally), { maxLength: 6 }).map((list) => new Map(list));

const plain = (record: SynRecord): object => ({
  ...record,
  shares: [...record.shares].map(([of, { packets, bytes }]) => [of, packets, bytes]),
});

describe('records of SYN counts', () => {
  const record: fc.Arbitrary<SynRecord> = fc.record({
    operation: fc.constantFrom('count', 'gone'),
    vnid: fc.integer({ min: 1, max: 0xffffff }).map((n) => vnid(n)),
    set: fc.constantFrom('inet firewall syn4', 'ip6 t s'),
    address: fc.constantFrom('10.0.0.1', 'fd00::1').map(parseAddress),
    capturedWallMs: fc.integer({ min: 0, max: 2 ** 41 }),
    expiresMs: fc.nat(1_000_000),
    thresholdBytes: fc.bigInt(0n, 1n << 60n),
    windowMs: fc.nat(1_000_000),
    shares,
  });

  it('read as they were written', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 4 }), (records) => {
        const w = new Writer(64);
        for (const one of records) writeSynRecord(w, one);
        expect(readSynRecords(w.finish()).map(plain)).to.deep.equal(records.map(plain));
      }),
    );
  });

  it('unite in any order, any number of times, to the same', () => {
    fc.assert(
      fc.property(shares, shares, (a, b) => {
        // Of one State Host, packets and bytes grow together.
        const both = union(union(a, b), a);
        expect(total(both)).to.deep.equal(total(union(b, a)));
        expect(covers(both, a) && covers(both, b)).to.equal(true);
      }),
    );
  });
});
