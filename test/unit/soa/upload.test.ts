// An upload of more than the kernel is asked for at once: what is said beforehand, what goes out while the rest is read, and
// what becomes of it when it is ended in the middle.

import { expect } from 'chai';
import type { ConntrackRequest } from '../../../src/netlink/conntrack-message.ts';
import type { Manifest, StateChunk } from '../../../src/protocol/generated/stateferry.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeFirewall, Ferry, refusedReason, selector, tcp } from '../../fakes/fake-firewall.ts';

const CONNECTIONS = 900;

describe('an upload of many connections', () => {
  let clock: FakeClock;
  let one: FakeFirewall;

  beforeEach(async () => {
    clock = new FakeClock();
    one = new FakeFirewall('fw1', 101, clock);
    for (let port = 1; port <= CONNECTIONS; port += 1) {
      one.kernel.open(101, tcp(port));
      one.kernel.establish(101, tcp(port));
    }
    one.kernel.flush();
    await one.host.start();
  });

  /** Calls `at` when the kernel is asked for the n-th time from now. */
  const onAsk = (n: number, at: () => void): void => {
    const ask = one.kernel.ask.bind(one.kernel);
    let asked = 0;
    one.kernel.ask = (requests: readonly ConntrackRequest[]) => {
      asked += 1;
      if (asked === n) at();
      return ask(requests);
    };
  };

  const upload = (migration: string, chunks: StateChunk[] = [], begun: Manifest[] = []): ReturnType<Ferry['upload']> =>
    one.host.upload(
      { migration, selector: selector(), kinds: ['conntrack'], follow: true, limit: 0n },
      (chunk) => void chunks.push(chunk),
      (manifest) => void begun.push(manifest),
    );

  it('says how much is to come, and by which rules it was let through, before it asks the kernel', async () => {
    const begun: Manifest[] = [];
    let known = 0;
    onAsk(1, () => (known = begun.length));
    const { manifest } = await upload('m-1', [], begun);
    expect(known).to.equal(1);
    const { digest, ...rest } = begun[0]!;
    expect(digest).to.have.length(0);
    expect({ ...rest, digest: manifest?.digest }).to.deep.equal(manifest);
    expect(rest.counts).to.deep.equal({ tcp: BigInt(CONNECTIONS) });
  });

  it('sends what was read while the kernel is asked for the rest', async () => {
    const chunks: StateChunk[] = [];
    let sent = 0;
    onAsk(4, () => (sent = chunks.length));
    await upload('m-1', chunks);
    expect(sent).to.be.above(0);
    expect(chunks.length).to.be.above(sent);
    expect(chunks.map(({ final }) => final)).to.deep.equal(chunks.map((_, i) => i === chunks.length - 1));
    expect(chunks.reduce((sum, { count }) => sum + count, 0)).to.equal(CONNECTIONS);
  });

  it('arrives whole, with what changed while it was read', async () => {
    const two = new FakeFirewall('fw2', 777, clock);
    await two.host.start();
    const ferry = new Ferry('m-1', one, two);
    onAsk(3, () => {
      one.kernel.end(101, tcp(1)); // read already
      one.kernel.end(101, tcp(CONNECTIONS)); // not read yet
      one.kernel.open(101, tcp(CONNECTIONS + 1));
    });
    await ferry.begin();
    clock.advance(0);
    await one.host.quiesce({ migration: 'm-1', boundMs: 0, markers: [] });
    const drained = await one.host.gate({ migration: 'm-1', boundMs: 0 });
    const installed = await ferry.settle();
    expect(drained.records).to.equal(BigInt(CONNECTIONS - 1));
    expect(installed?.digest).to.deep.equal(drained.digest);
    expect(two.kernel.find(777, tcp(CONNECTIONS + 1))).not.to.equal(null);
  });

  it('ended in the middle says so, and sends nothing more', async () => {
    const chunks: StateChunk[] = [];
    let aborted: Promise<number> | undefined;
    onAsk(2, () => {
      aborted = one.host.abort({ migration: 'm-1', reason: 'test' }).then(() => chunks.length);
    });
    expect(await refusedReason(upload('m-1', chunks))).to.equal('wrong-phase');
    expect(chunks).to.have.length((await aborted) ?? Infinity);
    expect(chunks.some(({ final }) => final)).to.equal(false);
    expect(await refusedReason(one.host.gate({ migration: 'm-1', boundMs: 0 }))).to.equal('unknown-migration');
  });

  it('asked for anew in the middle begins anew, and only that one counts', async () => {
    const again: StateChunk[] = [];
    let second: ReturnType<typeof upload> | undefined;
    onAsk(2, () => {
      second = upload('m-1', again);
    });
    expect(await refusedReason(upload('m-1'))).to.equal('wrong-phase');
    expect((await second)?.manifest?.records).to.equal(BigInt(CONNECTIONS));
    expect(again.map(({ sequence }) => sequence)).to.deep.equal(again.map((_, i) => BigInt(i)));
    clock.advance(0);
    expect((await one.host.gate({ migration: 'm-1', boundMs: 0 })).records).to.equal(BigInt(CONNECTIONS));
  });
});
