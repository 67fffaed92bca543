// The agent's half of a session, against a SOM that says anything.

import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { FromSoa, ToSoa } from '../../../src/protocol/generated/stateferry.ts';
import { backoffMs } from '../../../src/soa/agent-backoff.ts';
import { runMembership, type MembershipEnd } from '../../../src/soa/agent-membership.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { FakeStateHost, makeChunk } from '../../fakes/fake-state-host.ts';
import { FakeStream } from '../../fakes/fake-stream.ts';

type Body = NonNullable<ToSoa['body']>;

interface Joining {
  readonly stream: FakeStream<FromSoa, ToSoa>;
  readonly host: FakeStateHost;
  readonly end: Promise<MembershipEnd>;
  readonly leave: AbortController;
  readonly nonce: Buffer;
  say(body: Body, request?: bigint): void;
  sent(kind: string): boolean;
}

function begin(clock: Clock = systemClock): Joining {
  const stream = new FakeStream<FromSoa, ToSoa>();
  const host = new FakeStateHost();
  const leave = new AbortController();
  const who = { identity: 'fw1', software: 't', bootId: 'b', versions: [1], networkAddresses: () => ['192.0.2.9'] };
  const end = runMembership(stream, host, who, {
    clock,
    log: silentLog,
    joinMs: 5000,
    signal: leave.signal,
  });
  const first = stream.sent[0]?.body;
  if (first?.$case !== 'aaRequest') throw new Error('the agent must begin with the A&A request');
  return {
    stream,
    host,
    end,
    leave,
    nonce: first.value.nonce,
    say: (body, request = 0n) => stream.say({ request, body }),
    sent: (kind) => stream.sent.some((m) => m.body?.$case === kind),
  };
}

const aaReply = (nonce: Buffer, over: object = {}): Body => ({
  $case: 'aaReply',
  value: { protocolVersion: 1, session: 's', nonce, lldpKey: Buffer.alloc(32, 1), wallMs: Date.now(), ...over },
});
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function join(): Promise<Joining> {
  const agent = begin();
  agent.say(aaReply(agent.nonce));
  await turn();
  agent.say({ $case: 'registrationReply', value: { heartbeatMs: 1000 } });
  return agent;
}

describe("the agent's half of a session", () => {
  it('begins with A&A, registers, announces by the key it was given, and beats', async () => {
    const agent = await join();
    expect(agent.stream.sent.map((m) => m.body?.$case)).to.deep.equal(['aaRequest', 'registration', 'heartbeat']);
    expect(agent.host.announcedKey).to.deep.equal(Buffer.alloc(32, 1));
    agent.leave.abort();
    expect(agent.stream.sent.at(-1)?.body?.$case).to.equal('leaving');
    expect(await agent.end).to.include({ joined: true, refused: false });
  });

  it('announces nothing before it is registered: nobody would believe it', async () => {
    const agent = begin();
    agent.say(aaReply(agent.nonce));
    await turn();
    expect(agent.host.announcedKey).to.equal(null);
    agent.leave.abort();
  });

  it("reads the SOM's clock at the middle of the round trip, which begins when the request is out", async () => {
    const clock = new FakeClock(1_000_000);
    const agent = begin(clock);
    clock.advance(70); // the TLS handshake: no part of the round trip
    await turn();
    const askedAtMs = clock.wallMs();
    clock.advance(40);
    agent.say(aaReply(agent.nonce, { wallMs: askedAtMs + 20 + 1234 }));
    expect(agent.host.clockOffsetMs).to.equal(1234);
    agent.leave.abort();
  });

  const badReplies: [string, (nonce: Buffer) => Body][] = [
    ['another nonce', () => aaReply(randomBytes(16))],
    ['a version that was not offered', (nonce) => aaReply(nonce, { protocolVersion: 2 })],
    ['no LLDP key', (nonce) => aaReply(nonce, { lldpKey: Buffer.alloc(0) })],
    ['something else', () => ({ $case: 'gate', value: { migration: 'm', boundMs: 0 } })],
  ];
  for (const [title, reply] of badReplies) {
    it(`hangs up on an A&A reply with ${title}, before it announces anything`, async () => {
      const agent = begin();
      agent.say(reply(agent.nonce));
      expect(await agent.end).to.include({ joined: false });
      expect(agent.stream.destroyed).to.equal(true);
      expect(agent.host.announcedKey).to.equal(null);
      expect(agent.host.calls).to.deep.equal([]);
    });
  }

  it('takes heartbeat intervals only where they make sense', async () => {
    for (const heartbeatMs of [0, -1, NaN, Infinity, 1e9]) {
      const agent = begin();
      agent.say(aaReply(agent.nonce));
      await turn();
      agent.say({ $case: 'registrationReply', value: { heartbeatMs } });
      expect(await agent.end).to.include({ joined: false });
    }
  });

  it('reports the words of a refusal', async () => {
    const agent = begin();
    agent.say({ $case: 'refused', value: { migration: '', reason: 'not-allowed', detail: 'no', records: [] } });
    agent.stream.finish({ kind: 'lost', detail: 'reset' });
    expect(await agent.end).to.deep.equal({
      joined: false,
      refused: true,
      detail: 'not-allowed: no',
    });
  });

  it('hands requests to the State Host in the order they came, without waiting for one before the next', async () => {
    const agent = await join();
    agent.host.before.download = () => new Promise(() => undefined);
    for (let i = 0; i < 5; i++) agent.say({ $case: 'stateChunk', value: makeChunk('m', i) });
    agent.say({ $case: 'abort', value: { migration: 'm', reason: 'test' } }, 1n);
    expect(agent.host.names().slice(1)).to.deep.equal([
      'download',
      'download',
      'download',
      'download',
      'download',
      'abort',
    ]);
    await turn();
    expect(agent.stream.sent.at(-1)).to.deep.include({ inReplyTo: 1n });
    agent.leave.abort();
  });

  it('stops reading while too much waits to be installed, and reads on when it is', async () => {
    const agent = await join();
    const open: (() => void)[] = [];
    agent.host.before.download = () => new Promise((resolve) => open.push(resolve));
    const records = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 9; i++) agent.say({ $case: 'stateChunk', value: makeChunk('m', i, { records }) });
    expect(agent.stream.paused).to.equal(true);
    for (const install of open.splice(0, 5)) install();
    await turn();
    expect(agent.stream.paused).to.equal(false);
    agent.leave.abort();
  });

  it('tells the SOM when a chunk that asks for no answer cannot be installed', async () => {
    const agent = await join();
    agent.host.before.download = () => Promise.reject(new Error('no memory'));
    agent.say({ $case: 'stateChunk', value: makeChunk('m', 0) });
    await turn();
    const last = agent.stream.sent.at(-1);
    expect(last?.inReplyTo).to.equal(0n);
    expect(last?.body?.$case === 'refused' && last.body.value).to.include({ migration: 'm', detail: 'no memory' });
    agent.leave.abort();
  });

  it('whatever a SOM says, the agent neither throws nor acts before it is registered', async () => {
    const id = fc.constantFrom('m', 'n', '');
    const body: fc.Arbitrary<Body> = fc.oneof(
      id.map((migration): Body => ({ $case: 'gate', value: { migration, boundMs: 0 } })),
      id.map((migration): Body => ({ $case: 'commit', value: { migration } })),
      id.map((migration): Body => ({ $case: 'retire', value: { migration, epoch: 1n } })),
      fc
        .tuple(id, fc.nat(3), fc.boolean())
        .map(([migration, i, final]): Body => ({ $case: 'stateChunk', value: makeChunk(migration, i, { final }) })),
      fc.tuple(id, fc.nat(200), fc.array(id)).map(([migration, vnid, vm]): Body => ({
        $case: 'uploadRequest',
        value: { migration, selector: { vnid, vm, peers: [] }, kinds: [], follow: true, limit: 1n },
      })),
      id.map((migration): Body => ({
        $case: 'getReady',
        value: { migration, selector: undefined, manifest: undefined, epoch: 0n },
      })),
      fc.double().map((heartbeatMs): Body => ({ $case: 'registrationReply', value: { heartbeatMs } })),
      fc.uint8Array({ maxLength: 16 }).map((nonce): Body => aaReply(Buffer.from(nonce))),
    );
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(fc.tuple(body, fc.bigInt(0n, 3n))), async (joined, script) => {
        const agent = joined ? await join() : begin();
        for (const [said, request] of script) agent.say(said, request);
        await turn();
        if (!joined) expect(agent.host.calls).to.deep.equal([]);
        agent.leave.abort();
        agent.stream.finish({ kind: 'lost', detail: 'over' });
        await agent.end;
      }),
      { numRuns: 300 },
    );
  });
});

describe('the wait between two dials', () => {
  it('doubles up to its bound and never falls below half of it', () => {
    const bounds = { minMs: 100, maxMs: 1000 };
    expect([1, 2, 3, 4, 5, 99].map((n) => backoffMs(n, bounds, 0))).to.deep.equal([50, 100, 200, 400, 500, 500]);
    expect([1, 2, 3, 4, 5, 99].map((n) => backoffMs(n, bounds, 1))).to.deep.equal([100, 200, 400, 800, 1000, 1000]);
  });
});
