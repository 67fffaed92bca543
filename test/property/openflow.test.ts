// What must hold for every OpenFlow message and for every byte string that is none.
import { expect } from 'chai';
import fc from 'fast-check';
import { WireError } from '../../src/base/errors.ts';
import { frameFromJson, frameToJson } from '../../src/openflow/json.ts';
import type { Json } from '../../src/openflow/json.ts';
import { decodeHello, decodeMessage, encodeFrame, encodeMessage, messageRows } from '../../src/openflow/message.ts';
import { formatMessage } from '../../src/openflow/text/print-message.ts';
import { FrameSplitter } from '../../src/openflow/frame-splitter.ts';
import { foldMeter, unfoldMeter } from '../../src/openflow/meter-as-action.ts';
import { WIRE_VERSIONS } from '../../src/openflow/wire-version.ts';
import { message, xid } from './openflow-arbitraries.ts';
import { instruction } from './openflow-instruction-arbitraries.ts';

const RUNS = { numRuns: 1000 };

/** Decodes, or says that the bytes are malformed; any other exception is a failure. */
function decodeOrRefuse(bytes: Buffer): boolean {
  try {
    decodeMessage(bytes);
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}

/** What can be read is written again byte by byte; what cannot raises WireError. */
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

for (const version of WIRE_VERSIONS) {
  describe(`OpenFlow codec, wire version ${version}`, () => {
    it('is asked about every message that has a row', () => {
      const asked = new Set(fc.sample(message(version), 4000).map(({ type }) => type));
      const own = messageRows(version).filter(({ name }) => !name.startsWith('nx_'));
      expect(own.map(({ name }) => name).filter((name) => !asked.has(name))).to.deep.equal([]);
    });

    it('decodes what it encodes', () => {
      fc.assert(
        fc.property(message(version), xid, (sent, id) => {
          const bytes = encodeMessage(version, id, sent);
          const got = decodeMessage(bytes);
          expect(got).to.deep.equal({ version, xid: id, message: sent });
          expect(encodeMessage(version, id, got.message).equals(bytes)).to.equal(true);
        }),
        RUNS,
      );
    });

    it('prints any message in one line', () => {
      fc.assert(
        fc.property(message(version), (sent) => {
          expect(formatMessage(sent)).not.to.include('\n');
        }),
        RUNS,
      );
    });

    it('refuses every truncated message whose header still agrees, or reads a shorter one', () => {
      fc.assert(
        fc.property(message(version), fc.nat(), (sent, at) => {
          const whole = encodeMessage(version, 1, sent);
          const cut = Buffer.from(whole.subarray(0, at % (whole.length + 1)));
          if (cut.length >= 4) cut.writeUInt16BE(cut.length, 2);
          decodeOrRefuse(cut);
        }),
        RUNS,
      );
    });

    it('raises nothing but WireError on noise inside a message', () => {
      fc.assert(
        fc.property(
          message(version),
          fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
          (sent, hits) => {
            const bytes = encodeMessage(version, 1, sent);
            for (const [at, byte] of hits) if (bytes.length > 8) bytes[8 + (at % (bytes.length - 8))] = byte;
            decodeOrRefuse(bytes);
          },
        ),
        RUNS,
      );
    });

    it('raises nothing but WireError on a body of noise, whatever the type', () => {
      fc.assert(
        fc.property(fc.nat(40), fc.uint8Array({ maxLength: 200 }), (type, body) => {
          const bytes = Buffer.concat([Buffer.from([version, type, 0, 8 + body.length, 0, 0, 0, 1]), body]);
          decodeOrRefuse(bytes);
          decodeHello(bytes);
        }),
        RUNS,
      );
    });

    it('encodes to the very same bytes whatever of noise it can read, also by way of JSON', () => {
      const hits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
      fc.assert(
        fc.property(message(version), hits, (sent, noise) => {
          const bytes = encodeMessage(version, 1, sent);
          for (const [at, byte] of noise) if (bytes.length > 8) bytes[8 + (at % (bytes.length - 8))] = byte;
          exactOrRefused(bytes);
        }),
        RUNS,
      );
    });
  });
}

describe('OpenFlow stream splitter', () => {
  it('gives the same messages whatever the chunks', () => {
    const messages = fc.array(message(4), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (all, sizes) => {
        const frames = all.map((each, i) => encodeMessage(4, i, each));
        const stream = Buffer.concat(frames);
        const got: Buffer[] = [];
        const splitter = new FrameSplitter();
        for (let at = 0, i = 0; at < stream.length; i += 1) {
          const size = sizes[i % sizes.length] ?? 1;
          splitter.push(Buffer.from(stream.subarray(at, at + size)), (frame) => got.push(frame) > 0);
          at += size;
        }
        expect(got.map((frame) => frame.toString('hex'))).to.deep.equal(frames.map((frame) => frame.toString('hex')));
        expect(splitter.held).to.equal(0);
      }),
      { numRuns: 300 },
    );
  });

  it('raises nothing but WireError on a stream of noise', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
        const splitter = new FrameSplitter();
        try {
          for (const chunk of chunks) splitter.push(Buffer.from(chunk), () => true);
        } catch (error) {
          expect(error).to.be.instanceOf(WireError);
        }
        expect(splitter.held).to.be.lessThan(0x10000);
      }),
      RUNS,
    );
  });
});

describe('meters in OpenFlow 1.5', () => {
  it('come back as the instruction they were', () => {
    const others = fc.uniqueArray(instruction(6), { maxLength: 4, selector: (each) => each.type });
    fc.assert(
      fc.property(others, fc.nat(0xffffffff), (rest, meterId) => {
        const given = [
          { type: 'meter' as const, meterId },
          ...rest.filter((each) => each.type !== 'apply_actions' || each.actions.length > 0),
        ];
        const back = unfoldMeter(foldMeter(given));
        expect(back.toSorted(byType)).to.deep.equal(given.toSorted(byType));
      }),
      RUNS,
    );
  });
});

const byType = (a: { type: string }, b: { type: string }): number => a.type.localeCompare(b.type);
