// The events of a channel as an async iteration: in order, bounded, and over when they should be.
import { expect } from 'chai';
import { EventStream } from '../../../src/openflow/event-stream.ts';
import type { Lane } from '../../../src/openflow/lanes.ts';
import { packetIn, Peer, port, refusal, settle } from './peer.ts';

const LLDP = Buffer.concat([Buffer.alloc(12), Buffer.from('88cc', 'hex'), Buffer.alloc(46)]);

describe('OpenFlow event stream', () => {
  const open = (capacity: Partial<Record<Lane, number>> = {}, signal?: AbortSignal): EventStream<string> =>
    new EventStream<string>({ capacity, signal }, () => undefined);
  const same = (event: string): string => event;
  const all = async (stream: EventStream<string>): Promise<string[]> => {
    const got: string[] = [];
    for await (const event of stream) got.push(event);
    return got;
  };

  it('hands out what waits by lane, and in order within one', async () => {
    const stream = open();
    for (const [lane, event] of [
      ['packet', 'p1'],
      ['discovery', 'd'],
      ['packet', 'p2'],
      ['control', 'c'],
    ] as const) {
      stream.push(lane, event, same);
    }
    stream.end();
    expect(await all(stream)).to.deep.equal(['c', 'd', 'p1', 'p2']);
  });

  it('loses what a lane cannot hold, and counts it there', async () => {
    const stream = open({ packet: 2 });
    for (const event of ['a', 'b', 'c', 'd']) stream.push('packet', event, same);
    stream.push('control', 'e', same);
    expect(stream.dropped).to.deep.equal({ control: 0, discovery: 0, packet: 2 });
    expect(stream.waiting).to.equal(3);
    stream.end();
    expect(await all(stream)).to.deep.equal(['e', 'a', 'b']);
  });

  it('hands an event straight to a reader that waits, without keeping it', async () => {
    const stream = open();
    const [first, second] = [stream.next(), stream.next()];
    const keep = (): never => {
      throw new Error('kept');
    };
    stream.push('packet', 'a', keep);
    stream.push('packet', 'b', keep);
    expect([(await first).value, (await second).value]).to.deep.equal(['a', 'b']);
  });

  it('keeps order over many thousands', async () => {
    const stream = open({ control: Infinity });
    const events = Array.from({ length: 10_000 }, (_, i) => String(i));
    const got: string[] = [];
    for (const event of events) {
      stream.push('control', event, same);
      if (Number(event) % 3 === 0) got.push((await stream.next()).value ?? '');
    }
    stream.end();
    expect([...got, ...(await all(stream))]).to.deep.equal(events);
  });

  it('raises the reason of its signal, also to whoever waits, and forgets the rest', async () => {
    const giveUp = new AbortController();
    const stream = open({}, giveUp.signal);
    stream.push('control', 'a', same);
    expect((await stream.next()).value).to.equal('a');
    const waiting = stream.next().catch((error: unknown) => error);
    giveUp.abort(new Error('enough'));
    stream.push('control', 'b', same);
    expect(await waiting).to.have.property('message', 'enough');
    expect(await stream.next().catch((error: unknown) => error)).to.have.property('message', 'enough');
  });

  it('is over for whoever opens it with a signal that has been raised', async () => {
    const stream = open({}, AbortSignal.abort(new Error('before')));
    expect(await stream.next().catch((error: unknown) => error)).to.have.property('message', 'before');
  });
});

describe('OpenFlow channel events', () => {
  it('are iterated whole, with what the handler is not told of', async () => {
    const peer = new Peer();
    const channel = await peer.connect(5);
    const events = channel.events();
    const got: string[] = [];
    const reading = (async () => {
      for await (const event of events) got.push(event.type);
    })();
    await peer.say(5, packetIn(LLDP), {
      type: 'role_status',
      role: 'slave',
      reason: 'master_request',
      generationId: 3n,
      properties: [],
    });
    await peer.say(5, { type: 'port_status', reason: 'add', port: port(2) });
    peer.hangUp();
    await reading;
    expect(got).to.deep.equal(['packet_in', 'role_status', 'port_status']);
    expect(peer.events.map(({ type }) => type)).to.deep.equal(['packet_in', 'port_status']);
    expect(channel.stats().ignored).to.equal(0);
  });

  it('that wait have bytes of their own', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    const events = channel.events();
    let seen = Buffer.alloc(0) as Buffer;
    peer.onEvent = (event) => {
      if (event.type === 'packet_in') seen = event.data;
    };
    await peer.say(4, packetIn(Buffer.from('first')));
    seen.fill(0);
    const { value } = await events.next();
    expect(value).to.have.deep.property('data', Buffer.from('first'));
  });

  it('end with a break, and cost nothing afterwards', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    const reading = (async () => {
      for await (const event of channel.events()) if (event.type === 'packet_in') break;
    })();
    await peer.say(4, packetIn(LLDP));
    await reading;
    await peer.say(4, { type: 'experimenter', experimenter: 1, expType: 2, data: Buffer.alloc(0) });
    expect(channel.stats()).to.include({ ignored: 1, droppedEvents: 0 });
  });

  it('that a slow reader loses are counted by the channel', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    const events = channel.events({ capacity: { packet: 3 } });
    await peer.say(4, ...Array.from({ length: 10 }, () => packetIn(Buffer.from('x'))));
    await peer.say(4, { type: 'port_status', reason: 'add', port: port(2) });
    expect(events.dropped).to.deep.equal({ control: 0, discovery: 0, packet: 7 });
    expect(channel.stats().droppedEvents).to.equal(7);
    await events.return();
    expect(channel.stats().droppedEvents).to.equal(7);
  });

  it('of a closed channel are over', async () => {
    const peer = new Peer();
    const channel = await peer.connect();
    peer.hangUp();
    await settle();
    expect((await channel.events().next()).done).to.equal(true);
    expect((await refusal(channel.barrier())).code).to.equal('CLOSED');
  });
});
