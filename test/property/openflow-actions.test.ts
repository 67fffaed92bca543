// What must hold for every action of every version, and for every byte string that is none.
import { expect } from 'chai';
import fc from 'fast-check';
import { WireError } from '../../src/base/errors.ts';
import { actions, flowActions } from '../../src/openflow/actions.ts';
import type { Action } from '../../src/openflow/model.ts';
import type { WireVersion } from '../../src/openflow/wire-version.ts';
import { decode, encode } from '../../src/wire/codec.ts';
import { Reader } from '../../src/wire/reader.ts';
import { action } from './openflow-action-arbitraries.ts';

const RUNS = { numRuns: 1000 };

/** What can be read is written again byte by byte; what cannot raises WireError. */
function exactOrRefused(version: WireVersion, bytes: Buffer): void {
  const codec = flowActions(version);
  const reader = new Reader(bytes);
  let read: readonly Action[];
  try {
    read = codec.read(reader, 'actions');
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return;
  }
  expect(encode(codec, read, 'actions', reader.reserved).toString('hex')).to.equal(bytes.toString('hex'));
}

for (const version of [1, 4, 5, 6] as const) {
  const list = fc.array(action(version), { maxLength: 5 });

  describe(`actions of wire version ${version}`, () => {
    it('come back as they were', () => {
      fc.assert(
        fc.property(list, (sent) => {
          const bytes = encode(actions(version), sent);
          expect(decode(actions(version), bytes)).to.deep.equal(sent);
          exactOrRefused(version, bytes);
        }),
        RUNS,
      );
    });

    it('truncated are refused, or are others', () => {
      fc.assert(
        fc.property(list, fc.nat(), (sent, at) => {
          const whole = encode(actions(version), sent);
          exactOrRefused(version, Buffer.from(whole.subarray(0, at % (whole.length + 1))));
        }),
        RUNS,
      );
    });

    it('with noise in them are refused, or are written again as they were', () => {
      const noise = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 0xff })), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(list, noise, (sent, changed) => {
          const bytes = encode(actions(version), sent);
          for (const [at, byte] of changed) if (bytes.length > 0) bytes[at % bytes.length] = byte;
          exactOrRefused(version, bytes);
        }),
        RUNS,
      );
    });
  });
}

describe('actions in actions', () => {
  const nested = (depth: number): readonly Action[] => {
    let inside: readonly Action[] = [];
    for (let i = 0; i < depth; i += 1) inside = [{ type: 'clone', actions: inside }];
    return inside;
  };
  /** Clones in clones, as deep as 64 KiB allow. */
  const deepest = (): Buffer => {
    const bytes = Buffer.alloc(0xfff0);
    for (let at = 0; at < bytes.length; at += 16) {
      bytes.writeUInt16BE(0xffff, at);
      bytes.writeUInt16BE(bytes.length - at, at + 2);
      bytes.writeUInt32BE(0x2320, at + 4);
      bytes.writeUInt16BE(42, at + 8);
    }
    return bytes;
  };

  it('are read and written to a depth of 64', () => {
    expect(decode(actions(4), encode(actions(4), nested(64)))).to.deep.equal(nested(64));
  });

  it('deeper are refused', () => {
    expect(() => encode(actions(4), [{ type: 'clone', actions: nested(66) }])).to.throw(WireError);
    expect(() => decode(actions(4), deepest()))
      .to.throw(WireError)
      .with.property('fault', 'OFPBAC_TOO_MANY');
  });
});
