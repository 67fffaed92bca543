// What a State Host refuses, with which reason, and that nothing of it reaches the kernel.

import { expect } from 'chai';
import type { StateChunk } from '../../../src/protocol/generated/stateferry.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import {
  FakeFirewall,
  Ferry,
  PEER,
  refusedReason as reason,
  selector,
  tcp,
  udp,
  VM,
  VNID,
} from '../../fakes/fake-firewall.ts';

describe('a State Host refuses', () => {
  let clock: FakeClock;
  let one: FakeFirewall;
  let two: FakeFirewall;
  let ferry: Ferry;

  beforeEach(async () => {
    clock = new FakeClock();
    one = new FakeFirewall('fw1', 101, clock);
    two = new FakeFirewall('fw2', 777, clock);
    for (const port of [1, 2, 3]) one.kernel.open(101, tcp(port));
    one.kernel.open(101, udp(9));
    one.kernel.flush();
    await one.host.start();
    await two.host.start();
    ferry = new Ferry('m-1', one, two);
  });

  const upload = (of: object, limit = 0n, kinds = ['conntrack']): Promise<unknown> =>
    one.host.upload(
      { migration: 'm-9', selector: { ...selector(), ...of }, kinds, follow: true, limit },
      () => undefined,
    );

  it('a VNID it has no zone for', async () => {
    expect(await reason(upload({ vnid: 9 }))).to.equal('unknown-vn');
  });
  it('a selector without a VM, and one with an address that is none', async () => {
    expect(await reason(upload({ vm: [] }))).to.equal('bad-selector');
    expect(await reason(upload({ peers: ['ten'] }))).to.equal('bad-selector');
  });
  it('a kind of state it does not have', async () => {
    expect(await reason(upload({}, 0n, ['routes']))).to.equal('unsupported-kind');
  });
  it('a chunk of a kind of state it did not register', async () => {
    await ferry.begin();
    const [chunk] = ferry.chunks as [StateChunk];
    expect(await reason(two.host.download({ ...chunk, sequence: 1n, kind: 'routes' }))).to.equal('unsupported-kind');
  });
  it('more records than allowed, as a whole', async () => {
    expect(await reason(upload({}, 3n))).to.equal('over-limit');
  });
  it('a manifest made under other rules', async () => {
    one.ruleset = 'other';
    expect(await reason(ferry.begin())).to.equal('ruleset-differs');
  });
  it('what does not fit its table', async () => {
    two.kernel.room = 3;
    expect(await reason(ferry.begin())).to.equal('no-room');
  });
  it('what does not fit beside what it has promised to others', async () => {
    two.kernel.room = 7;
    const other = new Ferry('m-2', one, two, { ...selector(['10.0.0.2']), vnid: VNID + 1 });
    const announced = { records: 4n, digest: Buffer.alloc(32), rulesetDigest: 'same', kinds: [], counts: {} };
    await other.ready({ migration: 'm-2', manifest: announced });
    expect(await reason(ferry.begin())).to.equal('no-room');
    await two.host.abort({ migration: 'm-2', reason: 'no more' });
    await new Ferry('m-3', one, two).begin();
    expect(two.kernel.entries()).to.have.length(4);
  });
  it('more records than it takes of one migration, announced or not', async () => {
    const small = new FakeFirewall('fw3', 50, new FakeClock(), { maxRecords: 4 });
    await small.host.start();
    const fits = new Ferry('m-2', one, small);
    await fits.begin();
    clock.advance(0);
    one.kernel.open(101, tcp(4));
    one.kernel.flush();
    await one.host.gate({ migration: 'm-2', boundMs: 0 });
    expect((await fits.settle())?.refused).to.deep.equal([
      { reason: 'over-limit', record: 'tcp 10.0.0.1:4 > 10.0.0.3:80', detail: 'more than 4 records' },
    ]);
    expect(small.kernel.entries()).to.have.length(4);
    expect(await reason(new Ferry('m-3', one, small).begin())).to.equal('over-limit');
  });
  it('to send more than the limit while it follows, and says so at its gate', async () => {
    const sent: StateChunk[] = [];
    await one.host.upload(
      { migration: 'm-9', selector: selector(), kinds: ['conntrack'], follow: true, limit: 4n },
      (c) => sent.push(c),
    );
    clock.advance(0);
    one.kernel.end(101, tcp(1));
    one.kernel.open(101, tcp(4));
    one.kernel.flush();
    const before = sent.length;
    one.kernel.open(101, tcp(5));
    one.kernel.open(101, tcp(6));
    one.kernel.flush();
    expect(sent, 'nothing above it is sent').to.have.length(before);
    const refused = await one.host.gate({ migration: 'm-9', boundMs: 0 }).catch((e: unknown) => e);
    expect(refused).to.include({ code: 'over-limit', detail: '5 records while they were followed, limit 4' });
  });
  it('to take over flows that are being taken from it', async () => {
    await ferry.upload();
    const uploaded = {
      migration: 'm-2',
      manifest: { records: 0n, digest: Buffer.alloc(32), rulesetDigest: 'same', kinds: [], counts: {} },
    };
    expect(await reason(one.host.getReady({ ...uploaded, selector: selector([PEER], [VM]), epoch: 1n }))).to.equal(
      'wrong-phase',
    );
  });
  it('what comes for a migration whose place a newer one of the same flows took', async () => {
    await ferry.begin();
    const [chunk] = ferry.chunks as [StateChunk];
    await new Ferry('m-2', one, two).begin();
    expect(await reason(two.host.download({ ...chunk, sequence: 1n }))).to.equal('superseded');
    expect(await reason(two.host.commit({ migration: 'm-1' }))).to.equal('superseded');
    await two.host.commit({ migration: 'm-2' });
    expect(two.kernel.entries()).to.have.length(4);
  });
  it('migrations it does not know', async () => {
    for (const work of [
      one.host.gate({ migration: 'x', boundMs: 0 }),
      one.host.quiesce({ migration: 'x', boundMs: 1, markers: [] }),
      one.host.commit({ migration: 'x' }),
      one.host.retire({ migration: 'x', epoch: 1n }),
    ]) {
      expect(await reason(work)).to.equal('unknown-migration');
    }
  });
  it('chunks that are not what their digest, number or count says', async () => {
    const uploaded = await ferry.upload();
    await two.host.getReady({ migration: 'm-1', selector: selector(), manifest: uploaded.manifest, epoch: 1n });
    const [chunk] = ferry.chunks as [StateChunk];
    expect(await reason(two.host.download({ ...chunk, sequence: 1n }))).to.equal('bad-chunk');
    expect(await reason(two.host.download({ ...chunk, digest: Buffer.alloc(32) }))).to.equal('bad-chunk');
    expect(await reason(two.host.download({ ...chunk, count: 9 }))).to.equal('bad-chunk');
    expect(two.kernel.entries()).to.be.empty;
  });

  it('refuses single records outside the selector, and installs the rest', async () => {
    const uploaded = await ferry.upload();
    await two.host.getReady({
      migration: 'm-1',
      selector: selector([VM], ['10.0.0.77']),
      manifest: uploaded.manifest,
      epoch: 1n,
    });
    const installed = await two.host.download(ferry.chunks[0] as StateChunk);
    expect(installed?.records).to.equal(0n);
    expect(installed?.refused.map((r) => r.reason)).to.deep.equal(Array(4).fill('out-of-scope'));
    expect(two.kernel.entries()).to.be.empty;
  });
});
