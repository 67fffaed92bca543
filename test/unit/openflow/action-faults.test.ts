// What a switch is told of an action that cannot be: the error that names the fault, in the numbers of its version.
import { expect } from 'chai';
import { WireError } from '../../../src/base/errors.ts';
import { errorName, errorNumbers } from '../../../src/openflow/error-names.ts';
import { answerToMalformed } from '../../../src/openflow/malformed.ts';
import { decodeMessage } from '../../../src/openflow/message.ts';
import type { WireVersion } from '../../../src/openflow/wire-version.ts';

/** A packet-out without data and with this list of actions. */
function packetOut(version: 1 | 4, actions: string): Buffer {
  const list = Buffer.from(actions, 'hex');
  const head = Buffer.alloc(version === 1 ? 16 : 24);
  head.writeUInt8(version, 0);
  head.writeUInt8(13, 1);
  head.writeUInt16BE(head.length + list.length, 2);
  head.writeUInt32BE(0xffffffff, 8);
  head.writeUInt16BE(list.length, version === 1 ? 14 : 16);
  return Buffer.concat([head, list]);
}

function answered(version: 1 | 4, actions: string): string {
  const frame = packetOut(version, actions);
  try {
    decodeMessage(frame);
  } catch (error) {
    const answer = error instanceof WireError ? answerToMalformed(frame, error) : null;
    if (answer === null) throw error;
    expect(answer.data.includes(frame.subarray(0, 64))).to.equal(true);
    return errorName(answer.errorType, answer.errorCode, { version, data: answer.data });
  }
  return 'nothing';
}

describe('an action that cannot be', () => {
  const cases: readonly (readonly [what: string, v10: string, v13: string, fault: string])[] = [
    ['output to OFPP_ANY', '00000008ffff0000', '00000010ffffffffffff000000000000', 'OFPBAC_BAD_OUT_PORT'],
    ['longer than it says', '000000f000000000', '000000f00000000100000000000000ff', 'OFPBAC_BAD_LEN'],
    [
      'ct by force without commit',
      'ffff00180000232000230002000000000000ff0000000000',
      'ffff00180000232000230002000000000000ff0000000000',
      'OFPBAC_BAD_ARGUMENT',
    ],
    [
      'a zone of 8 bits',
      'ffff00180000232000230000000100040007ff0000000000',
      'ffff00180000232000230000000100040007ff0000000000',
      'OFPBAC_BAD_SET_LEN',
    ],
    [
      'controller2 with something in its padding',
      'ffff00180000232000250000000500001122334455000005',
      'ffff00180000232000250000000500001122334455000005',
      'NXBRC_MUST_BE_ZERO',
    ],
    [
      'write_metadata outside of a flow',
      'ffff0020000023200016000000000000fedcba9876543210ffffffffffffffff',
      'ffff0020000023200016000000000000fedcba9876543210ffffffffffffffff',
      'OFPBIC_UNSUP_INST',
    ],
  ];

  for (const [what, v10, v13, fault] of cases) {
    it(`${what} is answered with ${fault} in 1.0 and 1.3`, () => {
      expect(answered(1, v10)).to.equal(fault);
      expect(answered(4, v13)).to.equal(fault);
    });
  }

  it('has an error that reads back by its name in every version', () => {
    const names = ['OFPBAC_BAD_SET_TYPE', 'OFPBAC_BAD_SET_ARGUMENT', 'OFPBAC_TOO_MANY', 'NXBAC_BAD_CONJUNCTION'];
    for (const version of [1, 4, 5, 6] as const satisfies readonly WireVersion[]) {
      for (const name of names) {
        const numbers = errorNumbers(name, version);
        expect(numbers, name).not.to.equal(null);
        if (numbers === null) continue;
        expect(errorName(numbers.errorType, numbers.errorCode, { version, data: numbers.head })).to.equal(name);
      }
    }
  });
});
