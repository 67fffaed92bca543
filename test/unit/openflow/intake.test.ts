// What of a stream may not wait does not, however much else comes: lanes, queues, turns of the loop.
import { expect } from 'chai';
import { PassThrough } from 'node:stream';
import { portNo } from '../../../src/base/ids.ts';
import { encodeMessage } from '../../../src/openflow/message.ts';
import type { Message } from '../../../src/openflow/message.ts';
import { Intake } from '../../../src/openflow/intake.ts';
import { etherTypeTable, laneOf } from '../../../src/openflow/lanes.ts';
import { SpanQueue } from '../../../src/openflow/span-queue.ts';
import { Turns } from '../../../src/openflow/turns.ts';
import type { TurnMember } from '../../../src/openflow/turns.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { packetIn, Peer, port, settle } from './peer.ts';

const ethernet = (types: string, length = 60): Buffer =>
  Buffer.concat([Buffer.alloc(12, 2), Buffer.from(types, 'hex'), Buffer.alloc(length - 12 - types.length / 2)]);
const TABLE = etherTypeTable();
const LLDP = ethernet('88cc');
const IPV4 = ethernet('0800');

describe('OpenFlow lanes', () => {
  const lane = (version: WireVersion, message: Message): string => {
    const bytes = Buffer.concat([Buffer.alloc(3), encodeMessage(version, 1, message), Buffer.alloc(2)]);
    return laneOf(bytes, 3, bytes.length - 2, TABLE);
  };

  for (const version of [1, 4, 5, 6] as const) {
    it(`know a packet-in by its Ethernet type, behind VLAN tags too, wire version ${version}`, () => {
      expect(lane(version, packetIn(LLDP))).to.equal('discovery');
      expect(lane(version, packetIn(ethernet('8942')))).to.equal('discovery');
      expect(lane(version, packetIn(ethernet('8100006588cc')))).to.equal('discovery');
      expect(lane(version, packetIn(ethernet('88a800018100006588cc')))).to.equal('discovery');
      expect(lane(version, packetIn(IPV4))).to.equal('packet');
      expect(lane(version, packetIn(ethernet('810000650800')))).to.equal('packet');
      expect(lane(version, packetIn(Buffer.alloc(0)))).to.equal('packet');
      expect(lane(version, packetIn(LLDP.subarray(0, 13)))).to.equal('packet');
      expect(lane(version, { type: 'echo_request', data: LLDP })).to.equal('control');
      expect(lane(version, { type: 'barrier_reply' })).to.equal('control');
    });
  }

  it('know Nicira’s packet-ins, and no other experimenter’s messages', () => {
    const nx: Message = {
      type: 'nx_packet_in',
      bufferId: 0xffffffff,
      totalLen: 60,
      reason: 0,
      table: 0,
      cookie: 0n,
      inPort: portNo(1),
      metadata: null,
      match: [{ name: 'in_port', value: 1 }],
      data: LLDP,
    };
    expect(lane(4, nx)).to.equal('discovery');
    expect(lane(1, { ...nx, data: IPV4 })).to.equal('packet');
    expect(lane(4, { type: 'experimenter', experimenter: 0x2320, expType: 10, data: LLDP })).to.equal('control');
    expect(lane(4, { type: 'experimenter', experimenter: 0x748771, expType: 17, data: LLDP })).to.equal('control');
  });

  it('are those that are asked for', () => {
    const bytes = encodeMessage(4, 1, packetIn(ethernet('88b5')));
    expect(laneOf(bytes, 0, bytes.length, etherTypeTable([0x88b5]))).to.equal('discovery');
    expect(laneOf(bytes, 0, bytes.length, TABLE)).to.equal('packet');
  });

  it('read nothing behind the end of a message that is cut short', () => {
    const bytes = Buffer.concat([encodeMessage(4, 1, packetIn(LLDP)), LLDP, LLDP]);
    for (let end = 8; end < 100; end += 1) expect(() => laneOf(bytes, 0, end, TABLE)).not.to.throw();
    expect(laneOf(bytes, 0, 30, TABLE)).to.equal('packet');
  });
});

describe('OpenFlow span queue', () => {
  const chunk = Buffer.from('aabbccddee');

  it('hands out in order what it was given, as views', () => {
    const queue = new SpanQueue({ messages: 10, bytes: 100 });
    queue.push(chunk, 0, 2);
    queue.push(chunk, 2, 4);
    queue.push(Buffer.from('xyz'), 1, 3);
    expect([queue.length, queue.bytes]).to.deep.equal([3, 13]);
    const got: Buffer[] = [];
    const shift = (): boolean => queue.shift((bytes, start, end) => got.push(bytes.subarray(start, end)) > 0);
    expect([shift(), shift()]).to.deep.equal([true, true]);
    expect(got[0]?.buffer).to.equal(chunk.buffer);
    expect(queue.bytes).to.equal(3);
    expect([shift(), shift()]).to.deep.equal([true, false]);
    expect(got.map(String)).to.deep.equal(['aa', 'bb', 'yz']);
    expect([queue.length, queue.bytes]).to.deep.equal([0, 0]);
  });

  it('is bounded by messages and by the bytes it keeps alive', () => {
    const few = new SpanQueue({ messages: 2, bytes: 100 });
    expect([few.push(chunk, 0, 2), few.push(chunk, 2, 4), few.push(chunk, 4, 6)]).to.deep.equal([true, true, false]);
    const small = new SpanQueue({ messages: 10, bytes: 15 });
    expect(small.push(chunk, 0, 2)).to.equal(true);
    expect(small.push(Buffer.alloc(10), 0, 2)).to.equal(false);
    expect(small.push(chunk, 2, 4)).to.equal(true);
  });
});

describe('OpenFlow turns', () => {
  it('give each member a little, in turn, until the time is up', async () => {
    const clock = new FakeClock();
    const turns = new Turns(clock, { serveMs: 4, readMs: 8 });
    const served: string[] = [];
    const left = { a: 40, b: 40 };
    const member = (name: 'a' | 'b'): TurnMember => ({
      read: () => undefined,
      serve: (_lane, mayGoOn) => {
        do {
          left[name] -= 1;
          served.push(name);
          clock.advance(0.5);
        } while (left[name] > 0 && mayGoOn());
        return left[name] > 0;
      },
    });
    turns.waitToServe('packet', member('a'));
    turns.waitToServe('packet', member('b'));
    await new Promise((resolve) => setImmediate(resolve));
    // A quantum of 1 ms, looked at after every fourth: 2 ms each, and so 4 ms in all.
    expect(served.join('')).to.equal('aaaabbbb');
    await settle();
    expect(served.join('').slice(0, 24)).to.equal('aaaabbbbaaaabbbbaaaabbbb');
  });

  it('have no time for packet-ins when it is used up, and again in the next turn', async () => {
    const clock = new FakeClock();
    const turns = new Turns(clock, { serveMs: 4, readMs: 8 });
    const ask = (): boolean[] => Array.from({ length: 4 }, () => turns.mayServe());
    const first = turns.enter();
    expect(ask()).to.deep.equal([true, true, true, true]);
    clock.advance(4);
    expect(ask().at(-1)).to.equal(false);
    expect(turns.mayRead()).to.equal(true);
    clock.advance(4);
    expect(turns.mayRead()).to.equal(false);
    await settle();
    expect(turns.enter()).to.equal(first + 1);
    expect(ask()).to.deep.equal([true, true, true, true]);
  });
});

describe('OpenFlow intake', () => {
  const frames = (count: number, data = IPV4): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_, i) => encodeMessage(4, i, packetIn(data))));
  const echo = encodeMessage(4, 0xffff, { type: 'echo_request', data: Buffer.alloc(0) });

  const open = (costMs: number): { source: PassThrough; clock: FakeClock; got: Buffer[]; intake: Intake } => {
    const clock = new FakeClock();
    const source = new PassThrough({ highWaterMark: 1 << 24 });
    const got: Buffer[] = [];
    const intake = new Intake(
      source,
      { turns: new Turns(clock), etherTypes: TABLE },
      {
        onRead: () => undefined,
        onFrame: (bytes, start, end) => {
          const frame = bytes.subarray(start, end);
          clock.advance(frame[1] === 10 ? costMs : 0);
          got.push(frame);
          return true;
        },
        onBroken: (error) => {
          throw error;
        },
        onPause: () => undefined,
      },
    );
    return { source, clock, got, intake };
  };

  it('hands out everything in order while there is time', async () => {
    const { source, got } = open(0);
    source.write(Buffer.concat([frames(1000), echo, frames(1000)]));
    await settle();
    expect(got.map((frame) => frame.readUInt32BE(4))).to.deep.equal([
      ...Array.from({ length: 1000 }, (_, i) => i),
      0xffff,
      ...Array.from({ length: 1000 }, (_, i) => i),
    ]);
  });

  it('lets echo and LLDP pass packet-ins that wait, keeps those in order, and drops and counts what is too much', async () => {
    const { source, got, intake } = open(1);
    source.write(Buffer.concat([frames(10_000), frames(1, LLDP), echo]));
    await new Promise((resolve) => setImmediate(resolve));
    const order = got.map((frame) => (frame.equals(echo) ? 'echo' : frame.includes(LLDP) ? 'lldp' : 'packet'));
    expect(order.indexOf('echo')).to.be.lessThan(10);
    expect(order.indexOf('lldp')).to.be.greaterThan(-1).and.lessThan(10);
    const { waiting, dropped } = intake.stats();
    expect(dropped.discovery).to.equal(0);
    expect(dropped.packet).to.be.greaterThan(5000);
    expect(got.length - 2 + waiting.packet + dropped.packet).to.equal(10_000);
    while (intake.stats().waiting.packet > 0) await settle();
    const xids = got.filter((frame) => frame[1] === 10 && !frame.includes(LLDP)).map((frame) => frame.readUInt32BE(4));
    expect(xids).to.deep.equal([...xids].sort((a, b) => a - b));
    expect(xids.length + dropped.packet).to.equal(10_000);
  });

  it('bounds what waits for discovery too', async () => {
    const { source, intake } = open(1);
    source.write(frames(20_000, LLDP));
    await new Promise((resolve) => setImmediate(resolve));
    const { waiting, dropped } = intake.stats();
    expect(waiting.discovery).to.be.lessThan(1025);
    expect(dropped.discovery).to.be.greaterThan(18_000);
  });

  it('pauses a connection that has had its share of the turn, and goes on in the next', async () => {
    const { source, got } = open(0);
    for (let i = 0; i < 20; i += 1) source.write(frames(500));
    await settle();
    await settle();
    expect(got).to.have.length(10_000);
    expect(source.readableLength).to.equal(0);
  });

  it('reads no large chunk when the time of the turn is up, and then the small one of another connection', async () => {
    const clock = new FakeClock();
    const turns = new Turns(clock);
    const told: string[] = [];
    const connect = (name: string): PassThrough => {
      const source = new PassThrough({ highWaterMark: 1 << 24 });
      const onFrame = (): boolean => told.push(name) > 0;
      new Intake(
        source,
        { turns, etherTypes: TABLE },
        { onRead: () => undefined, onFrame, onBroken: () => undefined, onPause: () => undefined },
      );
      return source;
    };
    const [busy, quiet] = [connect('busy'), connect('quiet')];
    turns.enter();
    clock.advance(100);
    busy.emit('data', Buffer.concat(Array.from({ length: 1000 }, () => echo)));
    quiet.emit('data', echo);
    expect(told).to.deep.equal(['quiet']);
    await settle();
    expect(told).to.have.length(1001);
  });
});

describe('OpenFlow channel under ten times the packet-ins that it can serve', () => {
  it('answers echo and tells of ports and LLDP within 50 ms, and counts what it drops', async () => {
    // A handler of 0.2 ms serves 5,000 packet-ins a second: here 50,000 a second come, for a second, on a clock of our own.
    const COST_MS = 0.2;
    const SPAN_MS = 10;
    const peer = new Peer({ liveness: { quietMs: 60_000, answerMs: 60_000 } });
    const channel = await peer.connect();
    const told: { what: string; atMs: number }[] = [];
    const seen: Record<string, number> = {};
    let served = 0;
    peer.onEvent = (event) => {
      if (event.type === 'packet_in' && !event.data.equals(LLDP)) {
        served += 1;
        peer.clock.advance(COST_MS);
      } else {
        seen[event.type] = (seen[event.type] ?? 0) + 1;
        told.push({ what: event.type, atMs: peer.clock.now() });
      }
    };
    const burst = Buffer.concat(
      Array.from({ length: 500 }, () => encodeMessage(4, 0, packetIn(IPV4))).concat(
        encodeMessage(4, 7, { type: 'echo_request', data: Buffer.alloc(0) }),
        encodeMessage(4, 0, { type: 'port_status', reason: 'modify', port: port(1) }),
        encodeMessage(4, 0, packetIn(LLDP)),
      ),
    );
    const waits: number[] = [];
    for (let due = peer.clock.now(), sent = 0; sent < 100; sent += 1, due += SPAN_MS) {
      // What should have come by now is there at once, as from a socket.
      if (peer.clock.now() < due) peer.clock.advance(due - peer.clock.now());
      const before = told.length;
      peer.write(burst);
      while (told.length < before + 2 || peer.heard.length === 0) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      waits.push(peer.clock.now() - due);
      expect(peer.take().filter(({ message }) => message.type === 'echo_reply').length).to.equal(1);
    }
    expect(Math.max(...waits.slice(-10)) - Math.max(...waits.slice(0, 10))).to.be.lessThan(50);
    expect(Math.max(...waits)).to.be.lessThan(50);
    expect(seen).to.deep.equal({ port_status: 100, packet_in: 100 });
    const { droppedPacketIns, droppedDiscovery, waitingPacketIns } = channel.stats();
    expect(droppedDiscovery).to.equal(0);
    expect(served + droppedPacketIns + waitingPacketIns).to.equal(50_000);
    expect(droppedPacketIns).to.be.greaterThan(30_000);
  });
});
