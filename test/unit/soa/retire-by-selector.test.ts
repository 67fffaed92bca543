// An agent that was started again between lift and retire knows the migration no more; the retire's selector says it all.

import { expect } from 'chai';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeFirewall, Ferry, refusedReason as reason, selector, tcp, VNID } from '../../fakes/fake-firewall.ts';

describe('a State Host asked to retire a migration it does not know', () => {
  const retire = { migration: 'm-1', epoch: 1n, selector: selector() };
  let clock: FakeClock;
  let one: FakeFirewall;

  beforeEach(async () => {
    clock = new FakeClock();
    one = new FakeFirewall('fw1', 101, clock);
    for (const port of [1, 2]) one.kernel.open(101, tcp(port));
    one.kernel.open(101, tcp(3, '10.0.0.2'));
    one.kernel.open(102, tcp(1));
    one.kernel.flush();
    await one.host.start();
  });

  it("deletes what it has of the selector's flows, in their VN only, and answers the same when asked again", async () => {
    expect((await one.host.retire(retire)).records).to.equal(2n);
    one.kernel.flush();
    expect(
      (await one.host.upload({ ...retire, kinds: [], follow: false, limit: 0n, migration: 'm-2' }, () => undefined))
        .manifest?.records,
    ).to.equal(0n);
    expect(one.host.heartbeat().shadowRecords).to.equal(2n);
    expect((await one.host.retire(retire)).records).to.equal(2n);
  });

  it('keeps what the VM has in common with those that stay behind it', async () => {
    one.kernel.open(101, tcp(5, '10.0.0.1', '10.0.0.9'));
    one.kernel.flush();
    const neighbours = { addresses: ['10.0.0.9'] };
    const mine = { ...selector(), peers: [], neighbours };
    expect((await one.host.retire({ ...retire, selector: mine })).records).to.equal(2n);
    one.kernel.flush();
    expect(one.kernel.find(101, tcp(5, '10.0.0.1', '10.0.0.9'))).not.to.equal(undefined);
  });

  it('refuses without a selector, and for a VN it does not serve', async () => {
    expect(await reason(one.host.retire({ migration: 'm-1', epoch: 1n }))).to.equal('unknown-migration');
    const other = { ...selector(), vnid: VNID + 9 };
    expect(await reason(one.host.retire({ ...retire, selector: other }))).to.equal('unknown-vn');
    expect(one.host.heartbeat().shadowRecords).to.equal(4n);
  });

  it('refuses when the flows have come back since', async () => {
    const two = new FakeFirewall('fw2', 777, clock);
    two.kernel.open(777, tcp(8));
    two.kernel.flush();
    await two.host.start();
    await new Ferry('m-2', two, one).begin();
    expect(await reason(one.host.retire(retire))).to.equal('unknown-migration');
    one.kernel.flush();
    expect(one.host.heartbeat().shadowRecords).to.equal(5n);
  });
});
