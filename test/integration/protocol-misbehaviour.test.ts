// Peers that break IF(M,A), stop, or are slow: each is dealt with alone, and what waits for it is told.

import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { stateHostId } from '../../src/base/ids.ts';
import { FromSoa, Phase, type StateChunk } from '../../src/protocol/generated/stateferry.ts';
import { MAX_MESSAGE_BYTES, MAX_FRAME_BYTES } from '../../src/protocol/limits.ts';
import type { AgentSession } from '../../src/som/agents/agent-session.ts';
import { AgentError } from '../../src/som/agents/agent-error.ts';
import { makeChunk } from '../fakes/fake-state-host.ts';
import { ProtocolBed, until, type RunningAgent } from '../fakes/protocol-bed.ts';
import { aaRequest, RawAgent, registration, type Body } from '../fakes/raw-agent.ts';

const FW1 = stateHostId('fw1');
const FW2 = stateHostId('fw2');
const selector = { vnid: 101, vm: ['10.0.0.1'], peers: [] };
const uploadRequest = { migration: 'm-1', selector, kinds: ['conntrack'], follow: true, limit: 1000n };
const failure = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

describe('an agent that breaks IF(M,A) is cut off, counted, and alone', () => {
  let bed: ProtocolBed;
  let bystander: RunningAgent;
  let raw: RawAgent;
  const refused = (reason: string): number => bed.server.directory.stats().refused[reason] ?? 0;

  beforeEach(async () => {
    bed = await ProtocolBed.open({ joinMs: 300 });
    await bed.issue('fw1');
    await bed.issue('fw2');
    bystander = await bed.agent('fw2');
    await until(() => bed.server.directory.get(FW2) !== undefined);
    raw = new RawAgent(bed.port, bed.files('fw1'));
  });
  afterEach(async () => {
    raw.kill();
    expect(bystander.host.somLost, 'the other agent noticed').to.equal(0);
    expect(await bed.server.directory.get(FW2)!.commit({ migration: 'm' })).to.deep.include({ migration: 'm' });
    await bed.close();
  });

  /** Joins as fw1 and returns its session. */
  const join = async (): Promise<AgentSession> => {
    raw.say(aaRequest('fw1'));
    raw.say(registration());
    await until(() => bed.server.directory.get(FW1) !== undefined);
    return bed.server.directory.get(FW1)!;
  };
  const cutOff = async (reason: string): Promise<void> => {
    await until(() => raw.status !== null);
    expect(raw.refusal).to.equal(reason);
    expect(refused(reason)).to.equal(1);
    expect(bed.server.directory.get(FW1)).to.equal(undefined);
  };

  it('for bytes that are no message', async () => {
    raw.sayBytes(Buffer.from([0x0a, 0xff, 0xff]));
    await cutOff('malformed');
  });

  it('for a message whose body a later version may know', async () => {
    raw.sayBytes(Buffer.from([0xfa, 0x01, 0x00]));
    await cutOff('malformed');
  });

  it('for a nonce of the wrong length', async () => {
    raw.say(aaRequest('fw1', { nonce: randomBytes(8) }));
    await cutOff('malformed');
  });

  it('for registering before A&A', async () => {
    raw.say(registration());
    await cutOff('out-of-order');
  });

  it('for a heartbeat before registration', async () => {
    raw.say(aaRequest('fw1'));
    raw.say({
      $case: 'heartbeat',
      value: { wallMs: 0, tableUsed: 0n, rulesetDigest: '', shadowRecords: 0n, eventsLost: 0n },
    });
    await cutOff('out-of-order');
  });

  it('for registering twice', async () => {
    await join();
    raw.say(registration());
    await cutOff('out-of-order');
  });

  it('for an answer to nothing', async () => {
    await join();
    raw.say({ $case: 'done', value: { migration: 'm', records: 0n } }, 77n);
    await cutOff('out-of-order');
  });

  it('for an answer of another kind, and the request that waited fails as protocol', async () => {
    const session = await join();
    const pending = failure(session.gate({ migration: 'm', boundMs: 0 }));
    await until(() => raw.received.some((m) => m.body?.$case === 'gate'));
    raw.say({ $case: 'done', value: { migration: 'm', records: 0n } }, 1n);
    await cutOff('out-of-order');
    expect(await pending)
      .to.be.instanceOf(AgentError)
      .and.include({ code: 'protocol' });
  });

  it('for a message above the limit', async () => {
    await join();
    const records = Buffer.alloc(MAX_MESSAGE_BYTES);
    raw.say({ $case: 'stateChunk', value: makeChunk('m-1', 0, { records }) });
    await cutOff('oversized');
  });

  it('for a message so long that gRPC does not collect it', async () => {
    await join();
    raw.sayBytes(Buffer.alloc(MAX_FRAME_BYTES + 1));
    await until(() => raw.status !== null);
    expect(raw.status?.details).to.match(/larger than max/);
    await until(() => bed.server.directory.get(FW1) === undefined);
  });

  it('for saying nothing after connecting', async () => {
    await cutOff('silent');
  });

  it('for not registering in time', async () => {
    raw.say(aaRequest('fw1'));
    await cutOff('silent');
  });

  it('for missing heartbeats', async () => {
    const session = await join();
    const pending = failure(session.commit({ migration: 'm' }));
    await cutOff('silent');
    expect(bed.somLines.has(/cut an agent off: nothing was heard for \d+ ms/)).to.equal(true);
    expect(await pending).to.include({ code: 'gone' });
  });

  const begun = {
    migration: 'm-1',
    manifest: { records: 1n, digest: Buffer.alloc(0), rulesetDigest: '', kinds: [], counts: {} },
  };
  const beginnings: [string, Body[]][] = [
    [
      'the beginning of an upload without a manifest',
      [{ $case: 'uploadBegun', value: { ...begun, manifest: undefined } }],
    ],
    [
      'a beginning after the first chunk',
      [
        { $case: 'stateChunk', value: makeChunk('m-1', 0) },
        { $case: 'uploadBegun', value: begun },
      ],
    ],
  ];
  for (const [title, said] of beginnings) {
    it(`for ${title}`, async () => {
      const session = await join();
      const pending = failure(session.upload(uploadRequest, () => undefined));
      await until(() => raw.received.some((m) => m.body?.$case === 'uploadRequest'));
      for (const body of said) raw.say(body);
      await cutOff('out-of-order');
      expect(await pending).to.include({ code: 'protocol' });
    });
  }

  const chunkFaults: [string, (chunk: StateChunk) => StateChunk][] = [
    ['a chunk with a gap before it', (c) => ({ ...c, sequence: 1n })],
    ['a chunk whose digest is not that of its records', (c) => ({ ...c, digest: Buffer.alloc(32) })],
    ['a chunk of no phase', (c) => ({ ...c, phase: Phase.PHASE_UNSPECIFIED })],
    ['a delta before the snapshot is closed', (c) => ({ ...c, phase: Phase.PHASE_DELTA })],
  ];
  for (const [title, spoil] of chunkFaults) {
    it(`for ${title}; the upload rejects and the taker gets nothing of it`, async () => {
      const session = await join();
      const taken: StateChunk[] = [];
      const pending = failure(session.upload(uploadRequest, (chunk) => void taken.push(chunk)));
      await until(() => raw.received.some((m) => m.body?.$case === 'uploadRequest'));
      raw.say({ $case: 'stateChunk', value: spoil(makeChunk('m-1', 0)) });
      await cutOff('out-of-order');
      expect(await pending).to.include({ code: 'protocol' });
      expect(taken).to.deep.equal([]);
    });
  }
});

describe('an agent that does not break IF(M,A)', () => {
  let bed: ProtocolBed;
  let raw: RawAgent;
  beforeEach(async () => {
    bed = await ProtocolBed.open({ heartbeatMs: 10_000, timeouts: { gateMs: 50 } });
    await bed.issue('fw1');
    raw = new RawAgent(bed.port, bed.files('fw1'));
    raw.say(aaRequest('fw1'));
    raw.say(registration());
    await until(() => bed.server.directory.get(FW1) !== undefined);
  });
  afterEach(async () => {
    raw.kill();
    await bed.close();
  });
  const session = (): AgentSession => bed.server.directory.get(FW1)!;
  const asked = (kind: string): boolean => raw.received.some((m) => m.body?.$case === kind);
  const done: Body = { $case: 'done', value: { migration: 'm', records: 0n } };

  it('may answer too late: the request timed out, the session stays', async () => {
    expect(await failure(session().gate({ migration: 'm', boundMs: 0 }))).to.include({
      code: 'timeout',
      retriable: true,
    });
    const late = { migration: 'm', sequence: 0n, records: 0n, digest: Buffer.alloc(32), handshakes: [] };
    raw.say({ $case: 'drained', value: late }, 1n);
    const pending = session().commit({ migration: 'm' });
    await until(() => asked('commit'));
    raw.say(done, 2n);
    expect(await pending).to.deep.include({ migration: 'm' });
  });

  it('may send chunks that crossed our abort: dropped and counted', async () => {
    raw.say({ $case: 'stateChunk', value: makeChunk('m-9', 4) });
    await until(() => bed.server.directory.stats().strayChunks === 1);
    expect(session().closed.aborted).to.equal(false);
  });

  it('may give a migration up between requests: the next request learns why, abort clears it', async () => {
    const pending = session().upload(uploadRequest, () => undefined);
    await until(() => asked('uploadRequest'));
    raw.say({ $case: 'uploadState', value: { migration: 'm-1', manifest: undefined } }, 1n);
    await pending;
    raw.say({
      $case: 'refused',
      value: { migration: 'm-1', reason: 'events-lost', detail: 'the kernel dropped events', records: [] },
    });
    await until(() => bed.somLines.has(/fw1 refused: the kernel dropped events/));
    expect(await failure(session().gate({ migration: 'm-1', boundMs: 0 }))).to.include({
      code: 'refused',
      reason: 'events-lost',
    });
    const aborted = session().abort({ migration: 'm-1', reason: 'test' });
    await until(() => asked('abort'));
    raw.say({ $case: 'done', value: { migration: 'm-1', records: 0n } }, 2n);
    await aborted;
    expect(await failure(session().gate({ migration: 'm-1', boundMs: 0 }))).to.include({ code: 'timeout' });
  });

  it('is gone the moment its process is killed, and everything that waits is told', async () => {
    const closed = session().closed;
    const waiting = [
      session().commit({ migration: 'm' }),
      session().getReady({ migration: 'n', selector, manifest: undefined, epoch: 1n }),
    ];
    await until(() => asked('getReady'));
    const dead = session();
    raw.kill();
    for (const pending of waiting) expect(await failure(pending)).to.include({ code: 'gone', retriable: true });
    expect(closed.aborted).to.equal(true);
    expect(await failure(dead.retire({ migration: 'm', epoch: 1n }))).to.include({ code: 'gone' });
  });

  it('is replaced when the same State Host connects again', async () => {
    const old = session();
    const again = new RawAgent(bed.port, bed.files('fw1'));
    again.say(aaRequest('fw1'));
    again.say(registration());
    await until(() => session() !== old);
    await until(() => raw.status !== null);
    expect(raw.refusal).to.equal('replaced');
    expect(session().closed.aborted).to.equal(false);
    again.kill();
  });

  it('that reads slowly holds the sender back, and gets everything in order when it reads on', async () => {
    raw.call.pause();
    const records = Buffer.alloc(256 * 1024, 7);
    const count = 100; // 25 MiB: more than windows and socket buffers take
    let sent = 0;
    const all = [...Array(count).keys()].map((i) =>
      session()
        .download(makeChunk('m-1', i, { records }))
        .then(() => (sent += 1)),
    );
    // As far as flow control lets it: some are out, and then nothing moves for a while.
    await until(() => sent > 0);
    const settled = async (): Promise<number> => {
      for (let last = -1; last !== sent;) {
        last = sent;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return sent;
    };
    expect(await settled()).to.be.lessThan(count);
    raw.call.resume();
    await Promise.all(all);
    await until(() => raw.received.filter((m) => m.body?.$case === 'stateChunk').length === count);
    const order = raw.received.flatMap((m) => (m.body?.$case === 'stateChunk' ? [Number(m.body.value.sequence)] : []));
    expect(order).to.deep.equal([...Array(count).keys()]);
  });
});

describe('a SOM whose taker of chunks is slow', () => {
  it('stops reading, so that the source is held back, and loses nothing', async () => {
    const bed = await ProtocolBed.open();
    await bed.issue('fw1');
    const agent = await bed.agent('fw1');
    agent.host.chunkBytes = 256 * 1024;
    agent.host.snapshotChunks = 100;
    await until(() => bed.server.directory.get(FW1) !== undefined);
    const session = bed.server.directory.get(FW1)!;
    const open: (() => void)[] = [];
    let taken = 0;
    let released = false;
    const upload = session.upload(uploadRequest, () => {
      taken += 1;
      return released ? Promise.resolve() : new Promise<void>((resolve) => open.push(resolve));
    });
    await until(() => taken > 8);
    for (let last = -1; last !== taken;) {
      last = taken;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(taken).to.be.lessThan(60);
    // Ten heartbeats are missed while nothing is read: that is not silence.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(session.closed.aborted).to.equal(false);
    released = true;
    for (const release of open) release();
    await upload;
    expect(taken).to.equal(100);
    await bed.close();
  });
});

describe('an agent whose SOM goes away', () => {
  it('opens its gates at once and joins again when the SOM is back', async () => {
    const bed = await ProtocolBed.open();
    await bed.issue('fw1');
    const agent = await bed.agent('fw1');
    await until(() => bed.server.directory.get(FW1) !== undefined);
    const { port } = bed;
    await until(() => agent.host.announcedKey !== null);
    const firstKey = agent.host.announcedKey;
    await bed.server.close();
    await until(() => agent.host.somLost === 1);
    expect(agent.lines.has(/shutting-down/)).to.equal(true);
    await bed.startServer({ listen: { host: '127.0.0.1', port } });
    await until(() => bed.server.directory.get(FW1) !== undefined);
    await until(() => !agent.host.announcedKey!.equals(firstKey!));
    await bed.close();
  });

  it('survives a State Host that throws: that request is refused, the next one is served', async () => {
    const bed = await ProtocolBed.open();
    await bed.issue('fw1');
    const agent = await bed.agent('fw1');
    await until(() => bed.server.directory.get(FW1) !== undefined);
    const session = bed.server.directory.get(FW1)!;
    agent.host.before.commit = () => Promise.reject(new Error('socket is dead'));
    expect(await failure(session.commit({ migration: 'm' }))).to.include({ code: 'refused', reason: 'internal' });
    expect(agent.lines.has(/a request failed: socket is dead/)).to.equal(true);
    expect(await session.retire({ migration: 'm', epoch: 1n })).to.deep.include({ migration: 'm' });
    await bed.close();
  });
});

describe('an agent server under garbage', () => {
  it('never falls over, registers nobody without A&A, and goes on serving', async () => {
    const bed = await ProtocolBed.open();
    await bed.issue('fw1');
    await bed.issue('fw2');
    const bystander = await bed.agent('fw2');
    await until(() => bed.server.directory.get(FW2) !== undefined);
    const valid = fc.constantFrom<Body>(
      registration(),
      { $case: 'leaving', value: { reason: 'x' } },
      { $case: 'stateChunk', value: makeChunk('m', 0) },
      { $case: 'aaRequest', value: (aaRequest('fw2') as Extract<Body, { $case: 'aaRequest' }>).value },
    );
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((b) => Buffer.from(b)),
      valid.map((body) => Buffer.from(FromSoa.encode({ inReplyTo: 0n, body }).finish())),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 6 }), async (messages) => {
        const raw = new RawAgent(bed.port, bed.files('fw1'));
        for (const message of messages) raw.sayBytes(message);
        await until(() => raw.status !== null);
        expect(raw.received.every((m) => m.body?.$case === 'refused')).to.equal(true);
      }),
      { numRuns: 60 },
    );
    expect(bed.server.directory.all().map((s) => s.id)).to.deep.equal(['fw2']);
    expect(bystander.host.somLost).to.equal(0);
    await bed.close();
  });
});
