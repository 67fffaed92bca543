// Whatever packets do, and whenever events are late or lost: a checkpoint that is level is what the kernel has.

import { expect } from 'chai';
import fc from 'fast-check';
import { vnid } from '../../src/base/ids.ts';
import { parseAddress } from '../../src/netlink/tuple.ts';
import { recordHash, StateDigest } from '../../src/soa/state-digest.ts';
import { Checkpoint } from '../../src/standby/checkpoint.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeFirewall, PEER, tcp, udp, VM, VNID } from '../fakes/fake-firewall.ts';
import { passTime } from '../fakes/pass-time.ts';

const ZONE = 101;
const EVERY_MS = 200;

const port = fc.integer({ min: 1, max: 6 });
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom('open', 'establish', 'mark', 'end', 'udp'), port }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('hold', 'release', 'deliver', 'overrun'), port }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('round'), port }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

async function act({ kernel }: FakeFirewall, clock: FakeClock, { kind, port: of }: Step): Promise<void> {
  const there = kernel.find(ZONE, tcp(of)) !== null;
  if (kind === 'open' && !there) kernel.open(ZONE, tcp(of));
  else if (kind === 'establish' && there) kernel.establish(ZONE, tcp(of));
  else if (kind === 'mark' && there) kernel.change(ZONE, tcp(of), { mark: of * 7 });
  else if (kind === 'end' && there) kernel.end(ZONE, tcp(of));
  else if (kind === 'udp' && kernel.find(ZONE, udp(of)) === null) kernel.open(ZONE, udp(of));
  else if (kind === 'hold') kernel.hold();
  else if (kind === 'release') kernel.release();
  else if (kind === 'deliver') kernel.flush();
  else if (kind === 'overrun') kernel.overrun();
  else if (kind === 'round') await passTime(clock, EVERY_MS);
}

describe('property: a standby checkpoint', () => {
  it('that is level is what the kernel has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(5), async (steps, before) => {
        const clock = new FakeClock();
        const firewall = new FakeFirewall('fw1', ZONE, clock);
        await firewall.host.start();
        for (const one of steps.slice(0, before)) await act(firewall, clock, one);
        firewall.kernel.release();
        const checkpoint = new Checkpoint(vnid(VNID), 1000, clock);
        const request = {
          migration: 'standby-1',
          selector: { vnid: VNID, vm: [], peers: [] },
          kinds: ['conntrack'],
          follow: true,
          limit: 0n,
          standby: { everyMs: EVERY_MS },
        };
        await firewall.host.upload(request, (chunk) => {
          checkpoint.take(chunk);
        });
        for (const one of steps.slice(before)) await act(firewall, clock, one);
        firewall.kernel.release();
        await passTime(clock, 3 * EVERY_MS);
        expect(checkpoint.levelWallMs).to.be.above(clock.wallMs() - 2 * EVERY_MS);
        const [kept, there] = [new StateDigest(), new StateDigest()];
        const scope = {
          vnid: vnid(VNID),
          zone: 0,
          vm: new Set([parseAddress(VM)]),
          peers: new Set([parseAddress(PEER)]),
        };
        for (const { entry } of checkpoint.select(scope)) kept.add(recordHash(vnid(VNID), entry));
        for (const entry of firewall.kernel.entries()) {
          if (entry.zone === ZONE) there.add(recordHash(vnid(VNID), entry));
        }
        expect([kept.records, kept.value().toString('hex')]).to.deep.equal([
          there.records,
          there.value().toString('hex'),
        ]);
        expect(checkpoint.records).to.equal(there.records);
        await firewall.host.close();
      }),
      { numRuns: 200 },
    );
  });
});
