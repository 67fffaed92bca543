// Which version a connection gets, with 1.0 among those offered, and what is said when there is none.
import { expect } from 'chai';
import { portNo } from '../../../src/base/ids.ts';
import type { Mac } from '../../../src/base/ids.ts';
import { WireError } from '../../../src/base/errors.ts';
import { beginHandshake, negotiate, stepHandshake } from '../../../src/openflow/handshake.ts';
import { answerToMalformed } from '../../../src/openflow/malformed.ts';
import type { Hello } from '../../../src/openflow/messages/session.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';

const ALL: readonly WireVersion[] = [1, 4, 5, 6];
const plain: Hello = { type: 'hello', elements: [] };
const bitmap = (...versions: readonly number[]): Hello => ({
  type: 'hello',
  elements: [{ type: 'version_bitmap', bitmaps: [versions.reduce((bits, version) => bits | (1 << version), 0)] }],
});

describe('negotiation of the OpenFlow version', () => {
  const rows: readonly (readonly [string, number, Hello, WireVersion | null])[] = [
    ['a switch of 1.0 alone', 1, plain, 1],
    ['a switch of 1.3 without a bitmap', 4, plain, 4],
    ['a switch of a version to come, without a bitmap', 9, plain, 6],
    ['a switch of 1.1 without a bitmap, which may not know 1.0', 2, plain, null],
    ['a switch of 1.2 without a bitmap', 3, plain, null],
    ['a switch of 1.0 to 1.2', 3, bitmap(1, 2, 3), 1],
    ['a switch of 1.1 and 1.2', 3, bitmap(2, 3), null],
    ['a switch of 1.0 and 1.4', 5, bitmap(1, 5), 5],
    ['a switch whose bitmap says less than its header', 6, bitmap(1), 1],
  ];
  for (const [who, version, hello, expected] of rows) {
    it(`${who}: ${expected === null ? 'none' : `0x0${expected}`}`, () => {
      expect(negotiate(ALL, version, hello)).to.equal(expected);
    });
  }

  it('offers all versions in the bitmap', () => {
    const [effect] = beginHandshake(ALL).effects;
    expect(effect).to.deep.include({ kind: 'send', version: 6, message: bitmap(1, 4, 5, 6) });
  });

  it('refuses 1.2 with OFPHFC_INCOMPATIBLE in that version, and says what would do', () => {
    const { effects } = stepHandshake(beginHandshake(ALL).state, { kind: 'hello', version: 3, hello: plain });
    expect(effects).to.deep.equal([
      {
        kind: 'fail',
        reason:
          'no common version: the switch says OpenFlow 1.2, we speak OpenFlow 1.0, OpenFlow 1.3, OpenFlow 1.4, OpenFlow 1.5',
        tell: { version: 3, errorCode: 0 },
      },
    ]);
  });
});

describe('handshake in OpenFlow 1.0', () => {
  it('has the ports from the features and asks no further', () => {
    const { state } = stepHandshake(beginHandshake(ALL).state, { kind: 'hello', version: 1, hello: plain });
    const port = {
      portNo: portNo(1),
      hwAddr: '00:00:00:00:00:01' as Mac,
      name: 'p1',
      adminDown: false,
      linkDown: false,
      config: 0,
      state: 0,
      properties: [],
    };
    const { effects } = stepHandshake(state, {
      kind: 'message',
      frame: {
        version: 1,
        xid: 2,
        message: {
          type: 'features_reply',
          datapathId: 7n,
          buffers: 0,
          tables: 1,
          auxiliaryId: 0,
          capabilities: 0,
          reserved: 0,
          actions: 0xfff,
          ports: [port],
        },
      },
    });
    expect(effects.map((effect) => (effect.kind === 'send' ? effect.message.type : effect.kind))).to.deep.equal([
      'set_config',
      'ready',
    ]);
    expect(effects[1]).to.have.nested.property('session.ports').that.deep.equals([port]);
  });
});

describe('answer to a malformed message of OpenFlow 1.0', () => {
  const frame = Buffer.from('010e000c0000000100000000', 'hex');

  it('is OFPBRC_BAD_LEN for a match, which has no error type there', () => {
    const answer = answerToMalformed(frame, new WireError('TRUNCATED', 'flow_mod.match', 8));
    expect(answer).to.include({ errorType: 1, errorCode: 6 });
  });

  it('is OFPBAC_BAD_LEN for an action', () => {
    const answer = answerToMalformed(frame, new WireError('BAD_LENGTH', 'flow_mod.actions.output', 8));
    expect(answer).to.include({ errorType: 2, errorCode: 1 });
  });
});
