// What must hold for every message of OpenFlow 1.0 and of Nicira's extensions, and for every byte string that is none.
import { expect } from 'chai';
import fc from 'fast-check';
import { WireError } from '../../src/base/errors.ts';
import { frameFromJson, frameToJson } from '../../src/openflow/json.ts';
import type { Json } from '../../src/openflow/json.ts';
import { decodeMessage, encodeFrame, encodeMessage } from '../../src/openflow/message.ts';
import type { Message } from '../../src/openflow/message.ts';
import { match10 as matchCodec } from '../../src/openflow/v10/match.ts';
import type { WireVersion } from '../../src/openflow/wire-version.ts';
import { Reader } from '../../src/wire/reader.ts';
import { Writer } from '../../src/wire/writer.ts';
import { message10, niciraMessage } from './openflow-v10-arbitraries.ts';

const RUNS = { numRuns: 1000 };

/** Whatever can be read is written again byte by byte, also by way of JSON; whatever cannot raises WireError. */
function exactOrRefused(bytes: Buffer): void {
  try {
    const frame = decodeMessage(bytes);
    expect(encodeFrame(frame).toString('hex')).to.equal(bytes.toString('hex'));
    const json = JSON.parse(JSON.stringify(frameToJson(frame))) as Json;
    expect(encodeFrame(frameFromJson(json)).toString('hex')).to.equal(bytes.toString('hex'));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

const kinds: readonly (readonly [string, WireVersion, fc.Arbitrary<Message>])[] = [
  ['messages of OpenFlow 1.0', 1, message10],
  ["Nicira's messages in 1.0", 1, niciraMessage],
  ["Nicira's messages in 1.3", 4, niciraMessage],
  ["Nicira's messages in 1.5", 6, niciraMessage],
];

for (const [what, version, arbitrary] of kinds) {
  describe(what, () => {
    it('come back as they were', () => {
      fc.assert(
        fc.property(arbitrary, (sent) => {
          const bytes = encodeMessage(version, 9, sent);
          expect(decodeMessage(bytes)).to.deep.equal({ version, xid: 9, message: sent });
          exactOrRefused(bytes);
        }),
        RUNS,
      );
    });

    it('truncated are refused, or are another message', () => {
      fc.assert(
        fc.property(arbitrary, fc.nat(), (sent, at) => {
          const whole = encodeMessage(version, 1, sent);
          const cut = Buffer.from(whole.subarray(0, at % (whole.length + 1)));
          if (cut.length >= 4) cut.writeUInt16BE(cut.length, 2);
          exactOrRefused(cut);
        }),
        RUNS,
      );
    });

    it('with noise in them are exact, or refused', () => {
      const hits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
      fc.assert(
        fc.property(arbitrary, hits, (sent, noise) => {
          const bytes = encodeMessage(version, 1, sent);
          for (const [at, byte] of noise) if (bytes.length > 8) bytes[8 + (at % (bytes.length - 8))] = byte;
          exactOrRefused(bytes);
        }),
        RUNS,
      );
    });
  });
}

describe('bodies of noise in OpenFlow 1.0', () => {
  it('are exact, or refused, whatever the type', () => {
    fc.assert(
      fc.property(fc.nat(24), fc.uint8Array({ maxLength: 200 }), (type, body) => {
        exactOrRefused(Buffer.concat([Buffer.from([1, type, 0, 8 + body.length, 0, 0, 0, 1]), body]));
      }),
      RUNS,
    );
  });

  it("are exact, or refused, whatever Nicira's type", () => {
    fc.assert(
      fc.property(fc.nat(35), fc.uint8Array({ maxLength: 120 }), (type, body) => {
        const head = Buffer.from([1, 4, 0, 16 + body.length, 0, 0, 0, 1, 0, 0, 0x23, 0x20, 0, 0, 0, type]);
        exactOrRefused(Buffer.concat([head, body]));
      }),
      RUNS,
    );
  });
});

describe('any 40 bytes', () => {
  it('are a match of OpenFlow 1.0', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 40, maxLength: 40 }),
        fc.constantFrom(0, 0x800, 0x806, 0x86dd),
        (raw, type) => {
          const bytes = Buffer.from(raw);
          if (type !== 0) {
            bytes.writeUInt16BE(type, 22);
            bytes[3] = (bytes[3] ?? 0) & ~0x10;
          }
          const r = new Reader(bytes);
          const match = matchCodec.read(r, 'match');
          const w = new Writer();
          matchCodec.write(w, match, 'match');
          w.restore(r.reserved ?? []);
          expect(w.finish().toString('hex')).to.equal(bytes.toString('hex'));
        },
      ),
      RUNS,
    );
  });
});
