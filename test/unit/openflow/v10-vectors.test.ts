// Messages of OpenFlow 1.0 and 1.2 made by other implementations: the former come back byte by byte, the latter are refused.
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { WireError } from '../../../src/base/errors.ts';
import { formatMessage } from '../../../src/openflow/text/print-message.ts';
import { frameFromJson, frameToJson } from '../../../src/openflow/json.ts';
import type { Json } from '../../../src/openflow/json.ts';
import { answerToMalformed } from '../../../src/openflow/malformed.ts';
import { decodeMessage, encodeFrame } from '../../../src/openflow/message.ts';
import type { MultipartReply } from '../../../src/openflow/messages/multipart.ts';

interface Vector {
  readonly src: string;
  readonly file: string;
  readonly ver: string;
  readonly hex: string;
}

const VECTORS = readFileSync(new URL('../../fixtures/openflow/early-messages.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Vector);

const of = (version: string): readonly Vector[] => VECTORS.filter(({ ver }) => ver === version);

describe('messages of OpenFlow 1.0 made by Ryu and pio', () => {
  it('are all there', () => {
    expect(of('1.0')).to.have.length(73);
  });

  for (const { src, file, hex } of of('1.0')) {
    it(`${src} ${file} comes back byte by byte, also by way of JSON`, () => {
      const frame = decodeMessage(Buffer.from(hex, 'hex'));
      expect(encodeFrame(frame).toString('hex')).to.equal(hex);
      const json = JSON.parse(JSON.stringify(frameToJson(frame))) as Json;
      expect(encodeFrame(frameFromJson(json)).toString('hex')).to.equal(hex);
      expect(formatMessage(frame.message)).not.to.include('\n');
    });
  }

  it('need no verbatim copy', () => {
    const verbatim = of('1.0').flatMap(({ file, hex }) => {
      const { message } = decodeMessage(Buffer.from(hex, 'hex'));
      const part = message.type.startsWith('multipart') ? (message as MultipartReply).body.part : '';
      return message.type === 'unknown' || part === 'unknown' ? [file] : [];
    });
    expect(verbatim).to.deep.equal([]);
  });
});

describe('messages of OpenFlow 1.2 made by Ryu', () => {
  it('are all there', () => {
    expect(of('1.2')).to.have.length(47);
  });

  for (const { file, hex } of of('1.2')) {
    it(`${file} is refused with OFPBRC_BAD_VERSION`, () => {
      const bytes = Buffer.from(hex, 'hex');
      expect(() => decodeMessage(bytes))
        .to.throw(WireError, 'OpenFlow 1.2')
        .with.property('code', 'BAD_VERSION');
      const answer = answerToMalformed(bytes, new WireError('BAD_VERSION', 'version', 0));
      expect(answer).to.include(bytes[1] === 1 ? {} : { errorType: 1, errorCode: 0 });
    });
  }
});
