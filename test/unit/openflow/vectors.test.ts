// Messages and parts of messages made by other implementations: what is read is printed as JSON, parsed and written byte by
// byte; what is wrong is refused by the error's name; what has a text prints as it, and is parsed from it.
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { likelyKinds } from '../../../src/cli/openflow/part-kinds.ts';
import { isExpected, roundTrip, versionOf } from '../../../src/cli/openflow/round-trip.ts';
import type { Vector } from '../../../src/cli/openflow/round-trip.ts';
import { WireError } from '../../../src/base/errors.ts';
import { answerToMalformed } from '../../../src/openflow/malformed.ts';
import { decodeMessage, decodeMessageAt } from '../../../src/openflow/message.ts';
import { formatPart, readPart, writePart } from '../../../src/openflow/parts.ts';
import { parseActions } from '../../../src/openflow/text/parse-actions.ts';
import { formatFrame } from '../../../src/openflow/text/print-message.ts';

/** Lines of each file: equal, refused as they should be, and wrong themselves. */
const FILES: Readonly<Record<string, readonly [equal: number, refused: number, wrong: number]>> = {
  ryu_packet_data: [264, 47, 3],
  ovs_ofp_actions: [85, 82, 0],
  pio_fixtures: [145, 0, 0],
};

/** Vectors that are wrong themselves: the error they raise, and the clause. */
const WRONG: Readonly<Record<string, readonly [error: RegExp, clause: string]>> = {
  'ryu/tests/packet_data/of15/libofproto-OFP15-flow_desc_reply.packet': [
    /^OFPBIC_BAD_LEN: /,
    '1.5.1 section 7.2.5: its goto-table instruction says that it is 0x0808 bytes long, with 8 left',
  ],
  'ryu/tests/packet_data/of15/libofproto-OFP15-meter_features_reply.packet': [
    /^OFPBRC_BAD_/,
    '1.5.1 section 7.1.1: its header says 32 bytes, without the last 8 of the 24 of struct ofp_meter_features (7.3.5.14)',
  ],
  'ryu/tests/packet_data/of13/ovs-ofctl-of13-action_ct.packet': [
    /^OFPBAC_BAD_SET_LEN: /,
    'nicira-ext.h, struct nx_action_conntrack: the zone has 16 bits, it takes it from 28 bits of a register',
  ],
};

/** Lines whose text does not say everything, and parses to the common form of what it says. */
const SAYS_LESS: Readonly<Record<number, string>> = {
  1: 'the max_len of an output that is not to the controller',
  77: 'that it was NXAST_LEARN2 without a limit',
  87: 'the max_len of an output that is not to the controller',
  155: 'the max_len of an output that is not to the controller',
  157: 'that it was ONFACT_COPY_FIELD',
  164: 'the max_len of an output that is not to the controller',
};

/** Texts that are not how ovs-ofctl prints the bytes: what differed when Open vSwitch wrote them again. */
const isText = ({ text }: Vector): boolean => text?.startsWith('actions=') === true;

const linesOf = (file: string): readonly string[] =>
  readFileSync(new URL(`../../fixtures/openflow/vectors/${file}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n');

for (const [file, counts] of Object.entries(FILES)) {
  describe(`vectors of ${file}`, () => {
    const lines = linesOf(file);

    it('are all there, and each is equal, refused as it should be, or listed as wrong', () => {
      const results = lines.map((line, i) => ({ line, result: roundTrip(i + 1, line) }));
      const equal = results.filter(({ result }) => result.equal);
      const expected = results.filter(({ line, result }) => !result.equal && isExpected(result, line));
      const wrong = results.filter(({ line }) => ((JSON.parse(line) as Vector).file ?? '') in WRONG);
      expect([equal.length, expected.length, wrong.length]).to.deep.equal(counts);
      expect(lines).to.have.length(equal.length + expected.length + wrong.length);
    });

    for (const [i, line] of lines.entries()) {
      const vector = JSON.parse(line) as Vector;
      const name = `${i + 1} ${vector.ver ?? ''} ${vector.file ?? ''} ${vector.text ?? vector.bad ?? ''}`;
      const wrong = WRONG[vector.file ?? ''];
      if (wrong !== undefined) {
        it(`${name} is refused. ${wrong[1]}`, () => {
          expect(roundTrip(i + 1, line).error).to.match(wrong[0]);
        });
        continue;
      }
      const refused = vector.ver === '1.1' || vector.ver === '1.2' || typeof vector.bad === 'string';
      it(`${name} ${refused ? 'is refused' : 'comes back'}`, () => {
        const result = roundTrip(i + 1, line);
        expect(isExpected(result, line), `${result.error ?? 'unequal'} ${JSON.stringify(result.decoded)}`).to.equal(
          true,
        );
      });
      if (!refused && isText(vector)) {
        it(`${name} is printed, and parsed to the same bytes`, () => {
          const text = vector.text ?? '';
          const version = versionOf(vector.ver);
          const { kind, value } = readPart(Buffer.from(vector.hex, 'hex'), version, likelyKinds(vector));
          expect(formatPart(kind, version, value)).to.equal(text);
          const parsed = parseActions(text.replace('actions=', ''), { version });
          expect(formatPart(kind, version, parsed)).to.equal(text);
          if (i + 1 in SAYS_LESS) return;
          expect(writePart({ kind, version, value: parsed }).toString('hex')).to.equal(vector.hex);
        });
      }
    }
  });
}

describe('messages of OpenFlow 1.1 and 1.2', () => {
  const early = linesOf('ryu_packet_data')
    .map((line) => JSON.parse(line) as Vector)
    .filter(({ ver }) => ver === '1.2');

  it('are answered with OFPBRC_BAD_VERSION, but for errors', () => {
    expect(early).to.have.length(47);
    for (const { hex } of early) {
      const bytes = Buffer.from(hex, 'hex');
      const answer = answerToMalformed(bytes, new WireError('BAD_VERSION', 'version', 0));
      expect([answer?.errorType, answer?.errorCode]).to.deep.equal(bytes[1] === 1 ? [undefined, undefined] : [1, 0]);
    }
  });
});

/** What a switch refuses for what it has or does, and what is well formed: these instructions come back as they were. */
const REFUSED_BY_SWITCHES = [
  'OFPBIC_BAD_EXPERIMENTER',
  'OFPBIC_BAD_TABLE_ID',
  'OFPBIC_DUP_INST',
  'OFPBIC_UNKNOWN_INST',
];

describe('bad instructions of OpenFlow 1.1, which has the layouts of 1.3', () => {
  const bad = linesOf('ovs_ofp_actions')
    .map((line) => JSON.parse(line) as Vector)
    .filter((vector) => vector.ver === '1.1' && /^bad OpenFlow11 instructions/.test(vector.bad ?? ''));

  it('raise the error that they are there for where they are malformed', () => {
    expect(bad).to.have.length(10);
    for (const { bad: error, ...vector } of bad) {
      const name = error?.replace('bad OpenFlow11 instructions: ', '') ?? '';
      const result = roundTrip(1, JSON.stringify({ ...vector, ver: '1.3' }));
      const raised = result.error?.split(':')[0] ?? (result.equal ? 'kept' : 'changed');
      expect(raised, vector.hex).to.equal(REFUSED_BY_SWITCHES.includes(name) ? 'kept' : name);
    }
  });
});

describe('whole messages of other implementations', () => {
  const whole = [...linesOf('ryu_packet_data'), ...linesOf('pio_fixtures')]
    .map((line) => JSON.parse(line) as Vector)
    .filter(({ whole = true, ver, file = '' }) => whole && ver !== '1.2' && !(file in WRONG));
  const frames = whole.map(({ hex }) => decodeMessage(Buffer.from(hex, 'hex')));

  it('are all of a type and a part that has a row', () => {
    const verbatim = frames.flatMap(({ message }, i) => {
      const part = 'body' in message && 'part' in message.body ? message.body.part : '';
      return message.type === 'unknown' || part === 'unknown' ? [whole[i]?.file] : [];
    });
    expect(verbatim).to.deep.equal([]);
  });

  it('read the same where they lie among others, and are refused at the same places', () => {
    const outcome = (read: () => unknown): unknown => {
      try {
        return read();
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        const { code, field, offset, detail } = error;
        return { code, field, offset, detail };
      }
    };
    for (const { hex } of whole) {
      const bytes = Buffer.from(hex, 'hex');
      // Also with a bit turned every few bytes: other values, reserved bits, lengths that are wrong.
      for (let turned = -1; turned < bytes.length; turned += turned < 0 ? 1 : 53) {
        if (turned >= 0) bytes[turned] = (bytes[turned] ?? 0) ^ 0x10;
        const among = Buffer.concat([Buffer.alloc(13, 0xee), bytes, Buffer.alloc(70, 0xee)]);
        const there = outcome(() => decodeMessageAt(among, 13, 13 + bytes.length));
        const alone = outcome(() => decodeMessage(bytes));
        if (!isDeepStrictEqual(there, alone)) expect(there).to.deep.equal(alone);
        if (turned >= 0) bytes[turned] = (bytes[turned] ?? 0) ^ 0x10;
      }
    }
  });

  it('print as one line each, by name and xid', () => {
    for (const frame of frames) {
      expect(formatFrame(frame)).to.match(
        /^(?:OFPT|OFPST|NXT|NXST|ONFT|ONFST)_[A-Z0-9_]+(?: request| reply)?(?: \(OF1\.\d\))? \(xid=0x[0-9a-f]+\):[^\n]*$/,
      );
    }
  });
});
