// The session is lost in the middle of a migration: gates open, nothing is forgotten that a lift may have taken.

import { expect } from 'chai';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeFirewall, Ferry, refusedReason as reason, tcp } from '../../fakes/fake-firewall.ts';

describe('a State Host that lost its SOM', () => {
  let clock: FakeClock;
  let one: FakeFirewall;
  let two: FakeFirewall;
  let ferry: Ferry;

  beforeEach(async () => {
    clock = new FakeClock();
    one = new FakeFirewall('fw1', 101, clock);
    two = new FakeFirewall('fw2', 777, clock);
    for (const port of [1, 2]) one.kernel.open(101, tcp(port));
    one.kernel.flush();
    await one.host.start();
    await two.host.start();
    ferry = new Ferry('m-1', one, two);
    await ferry.begin();
    clock.advance(0);
  });

  it('opens its gates, and still retires what a lift took', async () => {
    await one.host.gate({ migration: 'm-1', boundMs: 0 });
    await ferry.settle();
    await two.host.commit({ migration: 'm-1' });
    one.host.onSomLost();
    await Promise.resolve();
    expect(one.gate.closed).to.be.empty;
    expect((await one.host.retire({ migration: 'm-1', epoch: 2n })).records).to.equal(2n);
  });

  it('before the drain asks for a new upload, which takes the place of the old one', async () => {
    one.host.onSomLost();
    expect(await reason(one.host.gate({ migration: 'm-1', boundMs: 0 }))).to.equal('wrong-phase');
    const sent = ferry.chunks.length;
    const again = new Ferry('m-2', one, two);
    await again.begin();
    clock.advance(0);
    one.kernel.open(101, tcp(3));
    one.kernel.flush();
    const drained = await one.host.gate({ migration: 'm-2', boundMs: 0 });
    expect((await again.settle())?.digest).to.deep.equal(drained.digest);
    expect(ferry.chunks).to.have.length(sent);
    expect(await reason(one.host.retire({ migration: 'm-1', epoch: 1n }))).to.equal('unknown-migration');
  });

  it('mends its shadow although a migration was never ended', async () => {
    one.kernel.hold();
    one.kernel.open(101, tcp(9));
    one.kernel.overrun();
    two.kernel.overrun();
    expect([one.kernel.dumps, two.kernel.dumps]).to.deep.equal([1, 1]);
    one.host.onSomLost();
    two.host.onSomLost();
    await new Promise(setImmediate);
    expect([one.kernel.dumps, two.kernel.dumps]).to.deep.equal([2, 2]);
    expect(one.host.heartbeat().shadowRecords).to.equal(3n);
  });
});
