// The pure machines and tables of the channel, by themselves.
import { expect } from 'chai';
import { WireError } from '../../../src/base/errors.ts';
import { errorName } from '../../../src/openflow/error-names.ts';
import { FrameSplitter } from '../../../src/openflow/frame-splitter.ts';
import { beginHandshake, negotiate, stepHandshake } from '../../../src/openflow/handshake.ts';
import type { HandshakeState } from '../../../src/openflow/handshake.ts';
import { answered, beginLiveness, checkLiveness, heard, spoken } from '../../../src/openflow/liveness.ts';
import { answerToMalformed } from '../../../src/openflow/malformed.ts';
import type { Message } from '../../../src/openflow/message.ts';
import type { Hello } from '../../../src/openflow/messages/session.ts';
import { RequestTable } from '../../../src/openflow/request-table.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { packetIn, port } from './peer.ts';

const bitmap = (...versions: readonly number[]): Hello => ({
  type: 'hello',
  elements: [{ type: 'version_bitmap', bitmaps: [versions.reduce((bits, v) => bits | (1 << v), 0)] }],
});
const BARE: Hello = { type: 'hello', elements: [] };

describe('OpenFlow version negotiation', () => {
  const cases: readonly (readonly [
    what: string,
    ours: readonly (4 | 5 | 6)[],
    version: number,
    hello: Hello,
    agreed: number | null,
  ])[] = [
    ['the highest common bit', [4, 5, 6], 6, bitmap(1, 4, 5, 6), 6],
    ['a gap in the peer’s bits', [4, 5, 6], 6, bitmap(1, 4, 6), 6],
    ['a gap in ours', [4, 6], 5, bitmap(1, 2, 3, 4, 5), 4],
    ['the bitmap before the header’s version', [4, 5, 6], 1, bitmap(4), 4],
    ['no common bit', [4, 5], 6, bitmap(1, 6), null],
    ['without a bitmap the lower version', [4, 5, 6], 5, BARE, 5],
    ['without a bitmap ours, if the peer’s is higher', [4, 5], 9, BARE, 5],
    ['without a bitmap and below ours', [4, 5, 6], 1, BARE, null],
    ['without a bitmap and in a gap of ours', [4, 6], 5, BARE, null],
  ];
  for (const [what, ours, version, hello, agreed] of cases) {
    it(`${what}: ${agreed ?? 'refused'}`, () => {
      expect(negotiate(ours, version, hello)).to.equal(agreed);
    });
  }
});

describe('OpenFlow handshake machine', () => {
  const feed = (state: HandshakeState, xid: number, message: Message): ReturnType<typeof stepHandshake> =>
    stepHandshake(state, { kind: 'message', frame: { version: 4, xid, message } });
  const FEATURES: Message = {
    type: 'features_reply',
    datapathId: 1n,
    buffers: 0,
    tables: 1,
    auxiliaryId: 0,
    capabilities: 0,
    reserved: 0,
  };
  const atPorts = (): HandshakeState => {
    const { state } = stepHandshake(beginHandshake([4]).state, { kind: 'hello', version: 4, hello: bitmap(4) });
    return feed(state, 2, FEATURES).state;
  };

  it('fails when the switch refuses to say its ports, but not when it refuses its configuration', () => {
    const refused: Message = { type: 'error', errorType: 1, errorCode: 1, data: Buffer.alloc(0) };
    expect(feed(atPorts(), 3, refused).state.phase).to.equal('ports');
    expect(feed(atPorts(), 4, refused).effects[0]).to.include({ kind: 'fail' });
  });

  it('asks an auxiliary connection for nothing but its features', () => {
    const { state } = stepHandshake(beginHandshake([4]).state, { kind: 'hello', version: 4, hello: bitmap(4) });
    const { effects } = feed(state, 2, { ...FEATURES, auxiliaryId: 1 });
    expect(effects.map(({ kind }) => kind)).to.deep.equal(['ready']);
    expect(effects[0]).to.have.nested.property('session.features.auxiliaryId', 1);
  });

  it('gives up a switch that says its ports one by one without end', () => {
    const part: Message = { type: 'multipart_reply', more: true, body: { part: 'port_desc', ports: [] } };
    let state = atPorts();
    for (let i = 0; i < 1024; i += 1) state = feed(state, 4, part).state;
    expect(state.phase).to.equal('ports');
    expect(feed(state, 4, part).effects[0]).to.include({ kind: 'fail' });
  });

  it('drops packet-ins rather than port-status when too much comes early', () => {
    let state = atPorts();
    for (let i = 0; i < 1500; i += 1) state = feed(state, 0, packetIn(Buffer.alloc(0))).state;
    for (let i = 0; i < 10; i += 1) {
      state = feed(state, 0, { type: 'port_status', reason: 'modify', port: port(1) }).state;
    }
    const ports: Message = { type: 'multipart_reply', more: false, body: { part: 'port_desc', ports: [] } };
    const [effect] = feed(state, 4, ports).effects;
    if (effect?.kind !== 'ready') throw new Error('not ready');
    expect(effect.session.early).to.have.length(1024);
    expect(effect.session.dropped).to.equal(1500 + 10 - 1024);
    expect(effect.session.early.filter(({ message }) => message.type === 'port_status')).to.have.length(10);
  });
});

describe('OpenFlow liveness machine', () => {
  const limits = { quietMs: 100, answerMs: 50 };
  const begun = beginLiveness(0, limits);

  it('waits while something is heard, asks after a silence, and gives up after another', () => {
    expect(checkLiveness(begun, 99, limits)).to.include({ effect: 'wait', nextAtMs: 100 });
    const asked = checkLiveness(begun, 100, limits);
    expect(asked).to.include({ effect: 'ask', nextAtMs: 150 });
    expect(checkLiveness(asked.state, 149, limits).effect).to.equal('wait');
    expect(checkLiveness(asked.state, 150, limits).effect).to.equal('dead');
  });

  it('counts anything heard as an answer', () => {
    const asked = checkLiveness(begun, 100, limits).state;
    expect(checkLiveness(heard(asked, 120), 150, limits)).to.include({ effect: 'wait', nextAtMs: 220 });
  });

  it('does not count what was heard before it asked', () => {
    const asked = checkLiveness(begun, 100, limits).state;
    expect(checkLiveness(heard(asked, 99), 150, limits).effect).to.equal('dead');
  });

  it('asks a peer that says nothing else less often, up to a bound, and as often as ever when it speaks', () => {
    const idle = { ...limits, idleQuietMs: 300 };
    let state = beginLiveness(0, idle);
    const silences: number[] = [];
    for (let i = 0; i < 5; i += 1) {
      silences.push(state.quietMs);
      state = answered(state, 10, 9, idle);
    }
    expect(silences).to.deep.equal([100, 150, 225, 300, 300]);
    expect(spoken(state, idle).quietMs).to.equal(100);
  });

  it('is patient with a peer whose answers take long, up to a bound', () => {
    const slow = { ...limits, slowAnswerMs: 1000 };
    const patience = (roundTripMs: number): number => {
      const known = answered(beginLiveness(0, slow), roundTripMs, 0, slow);
      const asked = checkLiveness(known, roundTripMs + 100, slow);
      return asked.nextAtMs - roundTripMs - 100;
    };
    expect(patience(1)).to.equal(50);
    expect(patience(60)).to.equal(4 * (60 + 4 * 30));
    expect(patience(600)).to.equal(1000);
  });

  it('smooths the round trip as RFC 6298 does', () => {
    let state = answered(begun, 80, 0, limits);
    expect(state.rtt).to.deep.equal({ smoothedMs: 80, variationMs: 40 });
    state = answered(state, 200, 200 - 160, limits);
    expect(state.rtt).to.deep.equal({ smoothedMs: 90, variationMs: 50 });
  });
});

describe('OpenFlow stream splitter', () => {
  it('gives messages of one chunk as views, without copying', () => {
    const chunk = Buffer.from('04140008000000010414000800000002', 'hex');
    const got: Buffer[] = [];
    new FrameSplitter().push(chunk, (frame) => got.push(frame) > 0);
    expect(got.map((frame) => frame.buffer === chunk.buffer)).to.deep.equal([true, true]);
  });

  it('stops when told to', () => {
    let count = 0;
    new FrameSplitter().push(Buffer.from('04140008000000010414000800000002', 'hex'), () => {
      count += 1;
      return false;
    });
    expect(count).to.equal(1);
  });

  it('refuses a length below a header’s, also when the header comes byte by byte', () => {
    const splitter = new FrameSplitter();
    expect(() => {
      for (const byte of Buffer.from('0414000700000001', 'hex')) splitter.push(Buffer.from([byte]), () => true);
    }).to.throw(WireError);
  });
});

describe('OpenFlow request table', () => {
  it('begins anew before consecutive xids would pass the end', () => {
    const table = new RequestTable({ clock: new FakeClock(), timeoutMs: 1000, firstXid: 0x7ffffff0 });
    expect(table.takeXids(10)).to.equal(0x7ffffff0);
    expect(table.takeXids(10)).to.equal(0x7ffffff0);
  });

  it('lets a long reply take its time as long as it comes', async () => {
    const clock = new FakeClock();
    const table = new RequestTable({ clock, timeoutMs: 1000, firstXid: 1 });
    const answer = table.expect(1, { what: 'flows', replyType: 'multipart_reply' });
    const part = (more: boolean): Message => ({ type: 'multipart_reply', more, body: { part: 'flow', flows: [] } });
    for (let i = 0; i < 5; i += 1) {
      clock.advance(900);
      expect(table.accept(1, part(true))).to.equal(true);
    }
    clock.advance(900);
    table.accept(1, part(false));
    expect((await answer).parts).to.have.length(6);
    expect(clock.pending).to.equal(0);
  });

  it('refuses an answer of another kind', async () => {
    const table = new RequestTable({ clock: new FakeClock(), timeoutMs: 1000, firstXid: 1 });
    const answer = table
      .expect(1, { what: 'barrier_request', replyType: 'barrier_reply' })
      .catch((error: unknown) => error);
    expect(table.accept(1, { type: 'echo_reply', data: Buffer.alloc(0) })).to.equal(true);
    expect(await answer).to.have.property('code', 'UNEXPECTED_REPLY');
    expect(table.size).to.equal(0);
  });
});

describe('OpenFlow errors', () => {
  it('have the names of the specification, also of the bundle extension of 1.3', () => {
    expect(errorName(0, 0)).to.equal('OFPHFC_INCOMPATIBLE');
    expect(errorName(1, 9)).to.equal('OFPBRC_BAD_TABLE_ID');
    expect(errorName(17, 13, { version: 5 })).to.equal('OFPBFC_MSG_FAILED');
    expect(errorName(0xffff, 2313)).to.equal('OFPBFC_MSG_FAILED');
    expect(errorName(4, 99)).to.equal('OFPET_BAD_MATCH/99');
    expect(errorName(99, 1)).to.equal('99/1');
  });

  it('answer a malformed message by where its fault lies', () => {
    const frame = Buffer.from('050e000800000001', 'hex');
    const code = (fault: WireError): string => {
      const answer = answerToMalformed(frame, fault);
      return answer === null ? 'none' : errorName(answer.errorType, answer.errorCode, { version: 5 });
    };
    expect(code(new WireError('TRUNCATED', 'flow_mod.cookie', 0))).to.equal('OFPBRC_BAD_LEN');
    expect(code(new WireError('BAD_LENGTH', 'flow_mod.match.length', 0))).to.equal('OFPBMC_BAD_LEN');
    expect(code(new WireError('BAD_TYPE', 'flow_mod.match.type', 0))).to.equal('OFPBMC_BAD_TYPE');
    expect(code(new WireError('BAD_LENGTH', 'flow_mod.instructions.length', 0))).to.equal('OFPBIC_BAD_LEN');
    expect(code(new WireError('BAD_LENGTH', 'flow_mod.instructions.apply_actions.actions.length', 0))).to.equal(
      'OFPBAC_BAD_LEN',
    );
    expect(code(new WireError('BAD_LENGTH', 'port_status.port.properties.length', 0))).to.equal('OFPBPC_BAD_LEN');
    expect(code(new WireError('BAD_VALUE', 'flow_mod.cookie', 0))).to.equal('none');
  });
});
