// Checkpoints of a State Host on a fake kernel, and what stands in for it when it is dead.

import { expect } from 'chai';
import { type StateHostId, stateHostId } from '../../../src/base/ids.ts';
import { silentLog } from '../../../src/base/log.ts';
import { STATUS } from '../../../src/netlink/conntrack-entry.ts';
import type { StateChunk } from '../../../src/protocol/generated/stateferry.ts';
import { ETHER_TYPE, encodeEthernet } from '../../../src/packet/ethernet.ts';
import { encodeIpv4, IP_PROTOCOL } from '../../../src/packet/ipv4.ts';
import { encodeTcp, TCP_FLAG } from '../../../src/packet/tcp.ts';
import type { IpAddress, Mac } from '../../../src/base/ids.ts';
import { Standby, type StandbySession } from '../../../src/standby/standby.ts';
import type { StandIn } from '../../../src/standby/stand-in.ts';
import type { FakeClock } from '../../fakes/fake-clock.ts';
import { type FakeFirewall, PEER, refusedReason, selector, tcp, udp, VM } from '../../fakes/fake-firewall.ts';
import { passTime, settle } from '../../fakes/pass-time.ts';
import { migrationBed, tcpStateOf } from '../soa/migration-bed.ts';

const FW1 = stateHostId('fw1');
const EVERY_MS = 500;
const KEEP_MS = 120_000;

describe('a standby checkpoint', () => {
  let clock: FakeClock;
  let one: FakeFirewall;
  let two: FakeFirewall;
  let standby: Standby;
  let session: StandbySession;
  let closed: AbortController;

  beforeEach(async () => {
    ({ clock, one, two } = await migrationBed());
    standby = standbyOf({});
    [session, closed] = await sessionOf(one);
  });

  function standbyOf(over: { limit?: number; stateHosts?: StateHostId[] }): Standby {
    const { limit = 1000, stateHosts = [FW1] } = over;
    return new Standby({
      stateHosts: new Set(stateHosts),
      everyMs: EVERY_MS,
      limit,
      keepMs: KEEP_MS,
      clock,
      log: silentLog,
    });
  }

  async function sessionOf(firewall: FakeFirewall): Promise<[StandbySession, AbortController]> {
    const ends = new AbortController();
    const profile = await firewall.host.registration();
    const { host } = firewall;
    return [
      {
        id: FW1,
        profile,
        closed: ends.signal,
        upload: (r, onChunk, onBegun) => host.upload(r, (c) => void onChunk(c), onBegun),
        abort: (r) => host.abort(r),
      },
      ends,
    ];
  }

  async function join(): Promise<void> {
    standby.joined(session);
    await settle();
  }

  function die(): StandIn {
    closed.abort();
    one.host.onSomLost();
    standby.gone(session);
    const standIn = standby.standIn(FW1);
    if (standIn === undefined) throw new Error('nobody stands in');
    return standIn;
  }

  /** As a saga moves the VM's flows from it to the other State Host; both digests. */
  async function moveFrom(standIn: StandIn, migration = 'm-9'): Promise<string[]> {
    const chunks: StateChunk[] = [];
    const request = { migration, selector: selector(), kinds: ['conntrack'], follow: true, limit: 0n };
    const { manifest } = await standIn.upload(request, (chunk) => {
      chunks.push(chunk);
    });
    await two.host.getReady({ migration, selector: selector(), manifest, epoch: 1n });
    const drained = await standIn.gate({ migration, boundMs: 0 });
    const installed = await Promise.all(chunks.map((chunk) => two.host.download(chunk)));
    return [drained.digest, installed.at(-1)?.digest].map((digest) => Buffer.from(digest ?? []).toString('hex'));
  }

  it('has all flows of every VN of the State Host, and says how old it is', async () => {
    await join();
    expect(standby.status()).to.have.length(1);
    expect(standby.status()[0]).to.include({ state: 'following', records: 6, ageMs: 0, reason: null });
    await passTime(clock, EVERY_MS - 50);
    expect(standby.status()[0]?.ageMs).to.equal(EVERY_MS - 50);
    await passTime(clock, EVERY_MS);
    expect(standby.status()[0]?.ageMs).to.be.below(EVERY_MS);
  });

  it('follows what is born, changes and ends', async () => {
    await join();
    one.kernel.open(101, tcp(4));
    one.kernel.establish(101, tcp(4));
    one.kernel.change(101, tcp(1), { mark: 77 });
    one.kernel.end(101, tcp(2));
    one.kernel.flush();
    await passTime(clock, 2 * EVERY_MS);
    const [source, destination] = await moveFrom(die());
    expect(source).to.equal(destination);
    expect(two.kernel.find(777, tcp(4))?.protoinfo?.tcp?.state).to.equal(3);
    expect(two.kernel.find(777, tcp(1))?.mark).to.equal(77);
    expect(two.kernel.find(777, tcp(2))).to.equal(null);
    expect(two.kernel.find(777, udp(9))).not.to.equal(null);
  });

  it('moves what a live State Host would have moved: established flows with their window scales, flags, marks and labels', async () => {
    await join();
    const standIn = die();
    expect(await moveFrom(standIn)).to.satisfy(([a, b]: string[]) => a === b);
    for (const port of [1, 2, 3]) {
      expect(tcpStateOf(two, port, 777)).to.deep.include({ state: 3, wscaleOriginal: 7, wscaleReply: 9 });
      expect(two.kernel.find(777, tcp(port))).to.deep.include({ mark: 42, labels: Buffer.from([0x20, 0, 0, 0]) });
      expect((two.kernel.find(777, tcp(port))?.status ?? 0) & STATUS.ASSURED).not.to.equal(0);
    }
  });

  it('leaves the flows of the State Host as they are', async () => {
    const before = one.kernel.entries();
    await join();
    await passTime(clock, 0);
    expect(one.kernel.entries()).to.deep.equal(before);
  });

  it('takes only what the selector names, of its own VN', async () => {
    await join();
    await moveFrom(die());
    expect(two.kernel.entries()).to.have.length(4);
    expect(two.kernel.entries().every((e) => e.zone === 777)).to.equal(true);
  });

  it('counts timeouts on, and leaves out what has run out', async () => {
    await join();
    const standIn = die();
    await passTime(clock, 40_000);
    await moveFrom(standIn);
    expect(two.kernel.find(777, udp(9)), 'ended after 30 s').to.equal(null);
    expect(two.kernel.find(777, tcp(1))?.timeout).to.be.within(432_000 - 42, 432_000 - 38);
  });

  it('hears of timeouts that traffic refreshes without an event', async () => {
    await join();
    for (let i = 0; i < 5; i += 1) {
      await passTime(clock, 10_000);
      one.kernel.refresh(101, udp(9), 30);
    }
    await passTime(clock, 15_000 + EVERY_MS);
    await moveFrom(die());
    expect(two.kernel.find(777, udp(9))).not.to.equal(null);
  });

  it('is right again after the kernel has dropped events', async () => {
    await join();
    one.kernel.hold();
    one.kernel.open(101, tcp(5));
    one.kernel.end(101, tcp(3));
    one.kernel.overrun();
    await passTime(clock, 2 * EVERY_MS);
    await moveFrom(die());
    expect(two.kernel.find(777, tcp(5))).not.to.equal(null);
    expect(two.kernel.find(777, tcp(3))).to.equal(null);
  });

  it('stands in for nobody who is there, nor for one it knows nothing of', async () => {
    expect(standby.standIn(FW1)).to.equal(undefined);
    await join();
    expect(standby.standIn(FW1)).to.equal(undefined);
    expect(standby.standIn(stateHostId('fw2'))).to.equal(undefined);
  });

  it('is kept until a new one is whole, and an earlier session that ends late changes nothing', async () => {
    await join();
    die();
    const [again] = await sessionOf(one);
    standby.joined(again);
    standby.gone(session);
    await settle();
    expect(standby.status()[0]).to.include({ state: 'following', records: 6 });
    standby.gone(again);
    expect(standby.status()[0]).to.include({ state: 'kept', records: 6 });
  });

  it('is forgotten when it is too old to be of use', async () => {
    await join();
    die();
    await passTime(clock, KEEP_MS - 1000);
    expect(standby.status()[0]).to.include({ state: 'kept', records: 6 });
    await passTime(clock, 2000);
    expect(standby.status()[0]).to.include({ state: 'none', records: 0, bytes: 0 });
    expect(standby.standIn(FW1)).to.equal(undefined);
  });

  it('is kept anew by a State Host that has been there meanwhile', async () => {
    await join();
    die();
    await passTime(clock, KEEP_MS / 2);
    const [again, ends] = await sessionOf(one);
    standby.joined(again);
    await settle();
    ends.abort();
    one.host.onSomLost();
    standby.gone(again);
    await passTime(clock, KEEP_MS - 1000);
    expect(standby.status()[0]?.state).to.equal('kept');
    await passTime(clock, 2000);
    expect(standby.status()[0]?.state).to.equal('none');
  });

  it('that grows old although its State Host is there is none', async () => {
    await join();
    one.host.onSomLost(); // it tells nothing any more
    await passTime(clock, KEEP_MS + 1000);
    expect(standby.status()[0]).to.include({ state: 'none', reason: 'it is too old' });
    standby.gone(session);
    expect(standby.standIn(FW1)).to.equal(undefined);
  });

  it('is none, and says why, where there are more records than may be kept', async () => {
    standby = standbyOf({ limit: 5 });
    one.kernel.open(101, tcp(4));
    one.kernel.flush();
    await join();
    const [only] = standby.status();
    expect(only?.reason).to.match(/VNID 5001: over-limit: 6 records, limit 5/);
    one.kernel.end(101, tcp(4));
    one.kernel.end(101, tcp(1));
    one.kernel.flush();
    await passTime(clock, 6000);
    expect(standby.status()[0], 'tried again').to.include({ state: 'following', records: 5 });
    for (const port of [20, 21, 22]) one.kernel.open(101, tcp(port));
    one.kernel.flush();
    await passTime(clock, 2 * EVERY_MS);
    expect(standby.status()[0]?.reason, 'grown too large').to.match(/VNID 5001: more than 5 records/);
  });

  it('is none of a State Host that cannot do it', async () => {
    session = { ...session, profile: { ...session.profile, functions: ['upload'] } };
    await join();
    expect(standby.status()[0]).to.include({ state: 'none', reason: 'fw1 has not registered the function standby' });
  });

  it('names the flows that it lacks and that have spoken since, each once; openers are not among them', async () => {
    await join();
    one.kernel.open(101, tcp(4));
    one.kernel.flush();
    const standIn = die();
    await moveFrom(standIn);
    const frames = [
      frame(tcpPorts(4), TCP_FLAG.ack),
      frame(tcpPorts(4), TCP_FLAG.ack | TCP_FLAG.psh),
      reply(tcpPorts(4)),
      frame(tcpPorts(1), TCP_FLAG.ack),
      reply(tcpPorts(2)),
      frame(tcpPorts(6), TCP_FLAG.syn),
      Buffer.from('rubbish'),
    ];
    expect(standIn.missing('m-9', frames)).to.deep.equal(['tcp 10.0.0.1:4 > 10.0.0.3:80']);
  });

  it('takes no state, and knows only what was asked of it', async () => {
    await join();
    const standIn = die();
    expect(await refusedReason(standIn.gate({ migration: 'm-0', boundMs: 0 }))).to.equal('unknown-migration');
    const ready = standIn.getReady({ migration: 'm-0', selector: selector(), manifest: undefined, epoch: 1n });
    expect(await refusedReason(ready)).to.equal('wrong-phase');
  });
});

interface Ports {
  readonly sourcePort: number;
  readonly destinationPort: number;
}

const tcpPorts = (sourcePort: number): Ports => ({ sourcePort, destinationPort: 80 });

const reply = ({ sourcePort, destinationPort }: Ports): Buffer =>
  frame({ sourcePort: destinationPort, destinationPort: sourcePort }, TCP_FLAG.ack, [PEER, VM]);

function frame(ports: Ports, flags: number, [from, to]: readonly [string, string] = [VM, PEER]): Buffer {
  const [source, destination] = [from as IpAddress, to as IpAddress];
  const segment = {
    ...ports,
    sequence: 1,
    acknowledgment: 1,
    flags,
    window: 100,
    urgentPointer: 0,
    options: Buffer.alloc(0),
    payload: Buffer.alloc(0),
  };
  const payload = encodeTcp(segment, { source, destination });
  const ip = {
    typeOfService: 0,
    identification: 0,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 64,
    protocol: IP_PROTOCOL.tcp,
    source,
    destination,
    options: Buffer.alloc(0),
    payload,
  };
  const mac = '02:00:00:00:00:01' as Mac;
  return encodeEthernet({
    source: mac,
    destination: mac,
    vlan: null,
    etherType: ETHER_TYPE.ipv4,
    payload: encodeIpv4(ip),
  });
}
