import { expect } from 'chai';
import { vnid } from '../../../src/base/ids.ts';
import { silentLog } from '../../../src/base/log.ts';
import { parseAddress } from '../../../src/netlink/tuple.ts';
import type { ConntrackEntry } from '../../../src/netlink/conntrack-entry.ts';
import { entryInScope, type Scope, scopeOf, scopesOverlap } from '../../../src/soa/scope.ts';
import { Shadow } from '../../../src/soa/shadow.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { PEER, selector, tcp, VM, VNID } from '../../fakes/fake-firewall.ts';
import { FakeKernel } from '../../fakes/fake-kernel.ts';

const ZONES = new Map([
  [vnid(VNID), 101],
  [vnid(9), 0],
]);
const scope = (vm: string[], peers: string[] = []): Scope => scopeOf(selector(vm, peers), ZONES, 'm');

describe('the shadow', () => {
  let kernel: FakeKernel;
  let shadow: Shadow;
  const ports = (of: Scope): (number | undefined)[] => shadow.select(of).map((s) => s.orig.proto?.srcPort);

  beforeEach(() => {
    kernel = new FakeKernel(new FakeClock());
    shadow = new Shadow(kernel, silentLog);
    kernel.listen({
      onEvents: (events) => {
        shadow.apply(events);
      },
      onOverrun: () => {
        shadow.overrun();
      },
    });
  });

  it('is filled once, then lives on events', async () => {
    kernel.open(101, tcp(1));
    await shadow.fill();
    kernel.open(101, tcp(2));
    kernel.end(101, tcp(1));
    kernel.flush();
    await shadow.fill();
    expect(ports(scope([VM]))).to.deep.equal([2]);
    expect(kernel.dumps).to.equal(1);
    expect(shadow.size).to.equal(1);
  });

  it('finds a VM at either end, and with a peer only where that is at the other', async () => {
    kernel.open(101, tcp(1));
    kernel.open(101, tcp(2, PEER, VM));
    kernel.open(101, tcp(3, VM, '10.0.0.9'));
    kernel.open(101, tcp(4, PEER, '10.0.0.9'));
    await shadow.fill();
    expect(ports(scope([VM])).sort()).to.deep.equal([1, 2, 3]);
    expect(ports(scope([VM], [PEER])).sort()).to.deep.equal([1, 2]);
    expect(ports(scope(['10.0.0.77']))).to.be.empty;
  });

  it('finds a VM that only the reply tuple names, because its packets are translated', async () => {
    kernel.open(101, tcp(1, '198.51.100.9', '192.0.2.1'), { tupleReply: tcp(80, VM, '198.51.100.9', 1) });
    await shadow.fill();
    expect(ports(scope([VM]))).to.deep.equal([1]);
  });

  it('keeps tenants with equal addresses apart', async () => {
    kernel.open(101, tcp(1));
    kernel.open(102, tcp(2));
    kernel.open(0, tcp(3));
    await shadow.fill();
    expect(ports(scope([VM]))).to.deep.equal([1]);
    expect(ports(scopeOf({ ...selector([VM]), vnid: 9 }, ZONES, 'm'))).to.deep.equal([3]);
  });

  it('after lost events dumps again, drops what is gone and keeps what came meanwhile', async () => {
    kernel.open(101, tcp(1));
    kernel.open(101, tcp(2));
    await shadow.fill();
    kernel.flush();
    kernel.hold();
    kernel.end(101, tcp(1));
    kernel.overrun();
    expect(shadow.stale).to.equal(true);
    const filling = shadow.fill();
    kernel.open(101, tcp(3));
    kernel.end(101, tcp(2));
    kernel.flush();
    await filling;
    expect(ports(scope([VM]))).to.deep.equal([3]);
    expect(shadow.overruns).to.equal(1);
  });

  it('does not take back from a dump what an event has just ended', async () => {
    kernel.open(101, tcp(1));
    const dump = kernel.dump.bind(kernel);
    kernel.dump = async (each) => {
      const seen: ConntrackEntry[] = [];
      await dump((entries) => seen.push(...entries));
      kernel.end(101, tcp(1));
      kernel.flush();
      each(seen);
    };
    await shadow.fill();
    expect(shadow.size).to.equal(0);
  });

  it('is left as it was, and stale, by a dump that failed', async () => {
    kernel.dump = () => Promise.reject(new Error('no'));
    let failed = false;
    await shadow.fill().catch(() => {
      failed = true;
    });
    expect([failed, shadow.stale]).to.deep.equal([true, true]);
  });

  it('leaves nothing behind when entries end', async () => {
    await shadow.fill();
    for (let i = 0; i < 50; i += 1) kernel.open(101, tcp(i));
    for (let i = 0; i < 50; i += 1) kernel.end(101, tcp(i));
    kernel.flush();
    expect([shadow.size, shadow.select(scope([VM])).length]).to.deep.equal([0, 0]);
  });
});

describe('two selectors', () => {
  const a = parseAddress(VM);
  it('overlap when one flow can be in both, whoever is called the VM', () => {
    const cases: [Scope, Scope, boolean][] = [
      [scope([VM]), scope([VM]), true],
      [scope([VM], [PEER]), scope([PEER], [VM]), true],
      [scope([VM]), scope([PEER], [VM]), true],
      [scope([VM]), scope([PEER]), true], // VM to PEER is in both
      [scope([VM], [PEER]), scope([VM], ['10.0.0.9']), false],
      [scope([VM], [PEER]), scope([PEER], ['10.0.0.9']), false],
      [scope([VM]), scopeOf({ ...selector([VM]), vnid: 9 }, ZONES, 'm'), false],
    ];
    for (const [one, two, expected] of cases) {
      expect(scopesOverlap(one, two)).to.equal(expected);
      expect(scopesOverlap(two, one)).to.equal(expected);
    }
  });

  it('take an entry of their own zone only', () => {
    const entry = { tupleOrig: tcp(1), zone: 101 };
    expect(entryInScope(scope([VM]), entry)).to.equal(true);
    expect(entryInScope(scope([VM]), { ...entry, zone: 102 })).to.equal(false);
    expect(entryInScope(scope([VM]), { zone: 101 })).to.equal(false);
    expect(scope([VM]).vm.has(a)).to.equal(true);
  });
});
