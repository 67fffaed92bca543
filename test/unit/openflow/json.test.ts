// Frames as JSON: what is tagged, what is refused, and that padding comes along.
import { expect } from 'chai';
import { WireError } from '../../../src/base/errors.ts';
import { frameFromJson, frameToJson, fromJson, toJson } from '../../../src/openflow/json.ts';
import type { Json } from '../../../src/openflow/json.ts';
import { decodeMessage, encodeFrame } from '../../../src/openflow/message.ts';

/** Set-config of 1.3, then a role request whose padding is not zero. */
const ROLE = Buffer.from('04180018000000070000000211223344' + '0000000000000005', 'hex');

describe('a frame as JSON', () => {
  it('tags integers above 32 bits and bytes, and nothing else', () => {
    const frame = decodeMessage(ROLE);
    expect(frameToJson(frame)).to.deep.equal({
      version: 4,
      xid: 7,
      message: { type: 'role_request', role: 'master', generationId: { $int: '5' } },
      reserved: [{ offset: 12, bytes: { $hex: '11223344' } }],
    });
  });

  it('comes back with padding that was not zero', () => {
    const text = JSON.stringify(frameToJson(decodeMessage(ROLE)));
    expect(encodeFrame(frameFromJson(JSON.parse(text) as Json)).toString('hex')).to.equal(ROLE.toString('hex'));
  });

  it('has no trace of padding that was zero', () => {
    const zero = Buffer.from(ROLE);
    zero.fill(0, 12, 16);
    expect(decodeMessage(zero)).not.to.have.property('reserved');
  });

  it('leaves out what is undefined', () => {
    expect(toJson({ a: undefined, b: [1n] })).to.deep.equal({ b: [{ $int: '1' }] });
  });

  for (const json of [{ $int: 5 }, { $int: '0x5' }, { $int: '-5' }, { $hex: '123' }, { $hex: 'zz' }, { $hex: null }]) {
    it(`refuses ${JSON.stringify(json)}`, () => {
      expect(() => fromJson(json))
        .to.throw(WireError)
        .with.property('code', 'BAD_VALUE');
    });
  }

  const WRONG: readonly unknown[] = [
    null,
    5,
    {},
    { version: 4, xid: 1 },
    { version: 3, xid: 1, message: { type: 'barrier_request' } },
    { version: 4, xid: 1, message: { type: 'no_such_message' } },
    { version: 4, xid: -1, message: { type: 'barrier_request' } },
    { version: 4, xid: 1, message: { type: 'flow_mod' } },
    { version: 4, xid: 1, message: { type: 'echo_request', data: 'text' } },
    { version: 4, xid: 1, message: { type: 'hello', elements: 7 } },
    { version: 4, xid: 1, message: { type: 'barrier_request' }, reserved: [{ offset: 9, bytes: { $hex: '00' } }] },
  ];
  for (const json of WRONG) {
    it(`refuses ${JSON.stringify(json)}`, () => {
      expect(() => frameFromJson(json as Json)).to.throw(WireError);
    });
  }
});
