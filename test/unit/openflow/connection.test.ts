// A connection from the first byte to the last, over a stream in memory.
import { expect } from 'chai';
import { encodeMessage } from '../../../src/openflow/message.ts';
import { OpenFlowError } from '../../../src/openflow/openflow-error.ts';
import { WIRE_VERSIONS } from '../../../src/openflow/wire-version.ts';
import { flowMod, packetIn, Peer, port, refusal, settle } from './peer.ts';

const NONE = Buffer.alloc(0);
describe('OpenFlow handshake on a connection', () => {
  for (const version of WIRE_VERSIONS) {
    it(`agrees on wire version ${version} and asks for features, whole packets and ports`, async () => {
      const peer = new Peer();
      await settle();
      expect(peer.take().map(({ message }) => message)).to.deep.equal([
        { type: 'hello', elements: [{ type: 'version_bitmap', bitmaps: [0x70] }] },
      ]);
      await peer.hello(version);
      expect(peer.take().map(({ message }) => message.type)).to.deep.equal(['features_request']);
      await peer.features(version);
      expect(peer.take().map(({ version: v, message }) => [v, message.type])).to.deep.equal([
        [version, 'set_config'],
        [version, 'multipart_request'],
      ]);
      await peer.ports(version, [port(1)], true);
      expect(peer.ready).to.equal(null);
      await peer.ports(version, [port(2, true)]);
      expect(peer.channel.version).to.equal(version);
      expect(peer.channel.dpid).to.equal('0000000000000abc');
      expect((await peer.channel.ports()).map(({ name, linkDown }) => [name, linkDown])).to.deep.equal([
        ['p1', false],
        ['p2', true],
      ]);
    });
  }

  it('refuses a switch of OpenFlow 1.0 in its own version, with OFPHFC_INCOMPATIBLE', async () => {
    const peer = new Peer();
    await settle();
    peer.take();
    peer.write(Buffer.from('0100000800000001', 'hex'));
    await settle();
    const [{ version, message } = { version: 0, message: null }] = peer.take();
    expect(version).to.equal(1);
    expect(message).to.include({ type: 'error', errorType: 0, errorCode: 0 });
    expect(peer.ended).to.equal(true);
    expect(peer.closings.map(({ channel, reason }) => [channel, reason.code])).to.deep.equal([[null, 'INCOMPATIBLE']]);
  });

  it('takes the lower version when a hello has no bitmap, as from OpenFlow 1.3.0', async () => {
    const peer = new Peer();
    peer.write(Buffer.from('0400000800000001', 'hex'));
    await settle();
    expect(peer.take().at(-1)).to.deep.include({ version: 4, message: { type: 'features_request' } });
  });

  it('refuses whoever does not begin with a hello', async () => {
    const peer = new Peer();
    await peer.say(4, { type: 'barrier_reply' });
    expect(peer.closings[0]?.reason.code).to.equal('INCOMPATIBLE');
  });

  it('gives up on a silent peer', async () => {
    const peer = new Peer();
    await peer.hello(4);
    peer.clock.advance(1000);
    expect(peer.closings[0]?.reason.code).to.equal('TIMEOUT');
  });

  it('hands out what arrived before the ports were known, in order and after the switch', async () => {
    const peer = new Peer();
    await peer.hello(5);
    await peer.features(5);
    await peer.say(5, packetIn(Buffer.from('a')), { type: 'port_status', reason: 'add', port: port(2) });
    expect(peer.events).to.deep.equal([]);
    await peer.ports(5, [port(1), port(2)]);
    expect(peer.events.map(({ type }) => type)).to.deep.equal(['packet_in', 'port_status']);
  });
});

describe('OpenFlow peer that nobody knows yet', () => {
  const LONG = Buffer.alloc(60_000);

  it('loses packet-ins beyond a bound, counted, and is served all the same', async () => {
    const peer = new Peer();
    await peer.hello(4);
    await peer.features(4);
    for (let i = 0; i < 10; i += 1) await peer.say(4, packetIn(LONG));
    await peer.ports(4, [port(1)]);
    expect(peer.events).to.have.length(4);
    expect(peer.channel.stats().droppedEarly).to.equal(6);
  });

  it('is closed when it goes on saying what is no part of a handshake', async () => {
    const peer = new Peer();
    await peer.hello(4);
    for (let i = 0; i < 150; i += 1)
      await peer.say(4, { type: 'experimenter', experimenter: 1, expType: 1, data: LONG });
    expect(peer.closings[0]?.reason.code).to.equal('INCOMPATIBLE');
  });

  it('is closed when it is wrong again and again', async () => {
    const peer = new Peer();
    await peer.hello(4);
    for (let i = 0; i < 17; i += 1) peer.write(Buffer.from('0406000c000000020badbeef', 'hex'));
    await settle();
    expect(peer.closings[0]?.reason.code).to.equal('INCOMPATIBLE');
  });
});

describe('OpenFlow channel', () => {
  it('answers echo requests with their data', async () => {
    const peer = new Peer();
    await peer.connect();
    await peer.say(4, [77, { type: 'echo_request', data: Buffer.from('abc') }]);
    expect(peer.take()).to.deep.equal([
      { version: 4, xid: 77, message: { type: 'echo_reply', data: Buffer.from('abc') } },
    ]);
  });

  it('asks a quiet switch by echo, and closes when it does not answer', async () => {
    const peer = new Peer();
    await peer.connect();
    peer.clock.advance(1000);
    await settle();
    const asked = peer.take();
    expect(asked.map(({ message }) => message.type)).to.deep.equal(['echo_request']);
    await peer.say(4, [asked[0]?.xid ?? 0, { type: 'echo_reply', data: NONE }]);
    peer.clock.advance(1000);
    await settle();
    expect(peer.closings).to.deep.equal([]);
    peer.clock.advance(1000);
    expect(peer.closings[0]?.reason.code).to.equal('TIMEOUT');
    expect(peer.channel.closed.aborted).to.equal(true);
  });

  it('delivers packet-ins as views of what was received', async () => {
    const peer = new Peer();
    await peer.connect();
    await peer.say(4, packetIn(Buffer.from('frame'), 9));
    expect(peer.events).to.have.length(1);
    expect(peer.events[0]).to.include({ type: 'packet_in', inPort: 9, metadata: null });
    expect(peer.events[0]).to.have.deep.property('data', Buffer.from('frame'));
  });

  it('keeps its ports as port-status changes them', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    await peer.say(4, { type: 'port_status', reason: 'add', port: port(2) });
    await peer.say(4, { type: 'port_status', reason: 'modify', port: port(2, true) });
    await peer.say(4, { type: 'port_status', reason: 'delete', port: port(1) });
    expect(await channel.ports()).to.deep.equal([port(2, true)]);
    expect(peer.events.map((event) => event.type === 'port_status' && event.reason)).to.deep.equal([
      'add',
      'modify',
      'delete',
    ]);
  });

  it('resolves a barrier at its reply and not before', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    let done = false;
    const barrier = channel.barrier().then(() => (done = true));
    await settle();
    const [asked] = peer.take();
    expect(asked?.message).to.deep.equal({ type: 'barrier_request' });
    await peer.say(4, [9999, { type: 'barrier_reply' }]);
    expect(done).to.equal(false);
    await peer.say(4, [asked?.xid ?? 0, { type: 'barrier_reply' }]);
    await barrier;
  });

  it('puts the parts of flow statistics together', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    const flows = channel.flows();
    await settle();
    const xid = peer.take()[0]?.xid ?? 0;
    const row = (priority: number): Parameters<Peer['say']>[1] => [
      xid,
      {
        type: 'multipart_reply',
        more: priority < 3,
        body: {
          part: 'flow',
          flows: [
            {
              table: 0,
              durationSec: 0,
              durationNsec: 0,
              priority,
              idleTimeout: 0,
              hardTimeout: 0,
              flags: 0,
              cookie: 0n,
              packetCount: 0n,
              byteCount: 0n,
              match: [],
              instructions: [],
            },
          ],
        },
      },
    ];
    await peer.say(4, row(1), row(2), row(3));
    expect((await flows).map(({ priority }) => priority)).to.deep.equal([1, 2, 3]);
  });

  it('rejects a request that the switch answers with an error, naming type and code', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    const barrier = refusal(channel.barrier());
    await settle();
    await peer.say(4, [peer.take()[0]?.xid ?? 0, { type: 'error', errorType: 1, errorCode: 5, data: NONE }]);
    const error = await barrier;
    expect(error).to.include({ code: 'REJECTED', errorType: 1, errorCode: 5, errorName: 'OFPBRC_EPERM' });
    expect(peer.events).to.deep.equal([]);
  });

  it('hands an error of a command out as an event with its xid', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    channel.send(flowMod(1));
    await settle();
    const xid = peer.take()[0]?.xid ?? 0;
    await peer.say(4, [xid, { type: 'error', errorType: 5, errorCode: 1, data: NONE }]);
    expect(peer.events).to.deep.equal([{ type: 'error', xid, errorType: 5, errorCode: 1, data: NONE }]);
  });

  it('rejects what waits when no answer comes in time, and when the switch hangs up', async () => {
    const peer = new Peer({ liveness: { quietMs: 60_000, answerMs: 60_000 } });
    const channel = await peer.connect();
    const late = refusal(channel.barrier());
    await settle();
    peer.clock.advance(1000);
    expect((await late).code).to.equal('TIMEOUT');
    const waiting = refusal(channel.barrier());
    await settle();
    peer.hangUp();
    await settle();
    expect((await waiting).code).to.equal('CLOSED');
    expect((await refusal(channel.barrier())).code).to.equal('CLOSED');
    channel.send(flowMod(1));
    expect(peer.closings).to.have.length(1);
  });

  it('sends what one tick says in one write, in order', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    for (let i = 1; i <= 100; i += 1) channel.send(flowMod(i));
    const barrier = channel.barrier();
    await settle();
    const heard = peer.take();
    expect(heard.map(({ message }) => (message.type === 'flow_mod' ? message.priority : message.type))).to.deep.equal([
      ...Array.from({ length: 100 }, (_, i) => i + 1),
      'barrier_request',
    ]);
    await peer.say(4, [heard.at(-1)?.xid ?? 0, { type: 'barrier_reply' }]);
    await barrier;
  });

  it('answers from the handler before the next chunk is read', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    peer.onEvent = () => {
      channel.send({ type: 'packet_out', inPort: 1, actions: [], data: NONE });
    };
    await peer.say(4, packetIn(Buffer.from('x')));
    expect(peer.take().map(({ message }) => message.type)).to.deep.equal(['packet_out']);
  });

  it('goes on when the event handler throws, and counts it', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    peer.onEvent = () => {
      throw new Error('handler');
    };
    await peer.say(4, packetIn(NONE), packetIn(NONE));
    expect(peer.events).to.have.length(2);
    expect(channel.stats().handlerErrors).to.equal(2);
    expect(peer.closings).to.deep.equal([]);
  });
});

describe('OpenFlow channel to a switch that does not read', () => {
  it('bounds what waits: packet-outs are dropped and counted, anything else is refused', async () => {
    const peer = new Peer({ maxQueuedBytes: 100_000 });
    const channel = await peer.connect();
    peer.stopReading();
    const frame = { type: 'packet_out', inPort: 1, actions: [], data: Buffer.alloc(1400) } as const;
    for (let i = 0; i < 500; i += 1) channel.send(frame);
    const { queuedBytes, droppedPacketOuts } = channel.stats();
    expect(queuedBytes).to.be.greaterThan(90_000).and.lessThan(102_000);
    expect(droppedPacketOuts).to.be.greaterThan(400);
    expect(() => {
      channel.send(flowMod(1));
    })
      .to.throw(OpenFlowError)
      .with.property('code', 'QUEUE_FULL');
    expect((await refusal(channel.barrier())).code).to.equal('QUEUE_FULL');
  });
});

describe('OpenFlow channel and malformed messages', () => {
  it('answers a message too short for its type with OFPBRC_BAD_LEN, counts it and goes on', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    peer.write(Buffer.from('040a000c000000070badbeef', 'hex'));
    await peer.say(4, packetIn(Buffer.from('ok')));
    const answers = peer.take();
    expect(answers).to.have.length(1);
    expect(answers[0]?.xid).to.equal(7);
    expect(answers[0]?.message).to.include({ type: 'error', errorType: 1, errorCode: 6 });
    expect(peer.events).to.have.length(1);
    expect(channel.stats().malformed).to.equal(1);
  });

  it('answers a match whose field is longer than the match with OFPBMC_BAD_LEN', async () => {
    const peer = new Peer();
    await peer.connect();
    const bytes = encodeMessage(4, 5, packetIn(NONE));
    bytes.writeUInt8(0x60, bytes.indexOf(Buffer.from('80000004', 'hex')) + 3);
    peer.write(bytes);
    await settle();
    expect(peer.take()[0]?.message).to.include({ type: 'error', errorType: 4, errorCode: 1 });
  });

  it('answers another version with OFPBRC_BAD_VERSION', async () => {
    const peer = new Peer();
    await peer.connect(4);
    await peer.say(5, { type: 'barrier_reply' });
    expect(peer.take()[0]?.message).to.include({ type: 'error', errorType: 1, errorCode: 0 });
  });

  it('answers a type without a meaning with OFPBRC_BAD_TYPE, and ignores one of a later version', async () => {
    const peer = new Peer();
    const channel = await peer.connect(4);
    await peer.say(4, { type: 'unknown', messageType: 99, body: NONE });
    await peer.say(4, { type: 'unknown', messageType: 31, body: NONE });
    expect(peer.take().map(({ message }) => message)).to.have.length(1);
    expect(channel.stats().ignored).to.equal(2);
  });

  it('never answers an error, so that two peers cannot go on for ever', async () => {
    const peer = new Peer();
    await peer.connect();
    peer.write(Buffer.from('0401000900000007ff', 'hex'));
    await settle();
    expect(peer.take()).to.deep.equal([]);
  });

  it('closes when a header says a length below its own: the stream cannot be followed', async () => {
    const peer = new Peer();
    await peer.connect();
    peer.write(Buffer.from('040a000700000007', 'hex'));
    await settle();
    expect(peer.closings[0]?.reason.code).to.equal('CLOSED');
  });
});
