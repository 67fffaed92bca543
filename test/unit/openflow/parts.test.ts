// Actions, instructions and matches made by other implementations: what is decoded encodes to the same bytes; what is wrong is
// refused by the error's name; what has a text prints as it, and parses from it.
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { WireError } from '../../../src/base/errors.ts';
import { actions, flowActions } from '../../../src/openflow/actions.ts';
import { instructions } from '../../../src/openflow/instructions.ts';
import { faultName } from '../../../src/openflow/malformed.ts';
import type { Action } from '../../../src/openflow/model.ts';
import { match } from '../../../src/openflow/oxm.ts';
import { formatActions } from '../../../src/openflow/text/print-actions.ts';
import { encode } from '../../../src/wire/codec.ts';
import type { Codec } from '../../../src/wire/codec.ts';
import { Reader } from '../../../src/wire/reader.ts';

interface Part {
  readonly src: string;
  readonly test: string;
  readonly ver: '1.0' | '1.3' | '1.5';
  readonly kind: 'actions' | 'flow actions' | 'instructions' | 'match';
  readonly hex: string;
  readonly text?: string;
  readonly bad?: string;
}

const PARTS = readFileSync(new URL('../../fixtures/openflow/parts.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Part);

const VERSION = { '1.0': 1, '1.3': 4, '1.5': 6 } as const;

/** Instructions are of 1.3 in all of them. */
function codecOf({ kind, ver }: Part): Codec<unknown> {
  if (kind === 'instructions') return instructions(4);
  if (kind === 'match') return match(VERSION[ver]);
  return (kind === 'actions' ? actions(VERSION[ver]) : flowActions(VERSION[ver]));
}

describe('parts of messages made by Open vSwitch and pio', () => {
  it('are all there', () => {
    expect(PARTS).to.have.length(171);
  });

  for (const part of PARTS.filter(({ bad }) => bad === undefined)) {
    const { src, test, kind, hex, text } = part;
    it(`${src} ${test}: ${text ?? hex} comes back byte by byte`, () => {
      const codec = codecOf(part);
      const reader = new Reader(Buffer.from(hex, 'hex'));
      const value = codec.read(reader, kind);
      expect(reader.remaining).to.equal(0);
      expect(encode(codec, value, kind, reader.reserved).toString('hex')).to.equal(hex);
      if (text !== undefined) expect(formatActions(value as readonly Action[])).to.equal(text);
    });
  }

  for (const part of PARTS.filter(({ bad }) => bad !== undefined)) {
    const { src, test, ver, hex, bad } = part;
    it(`${src} ${test}: ${hex} is refused, ${bad ?? ''}`, () => {
      let fault: unknown = null;
      try {
        codecOf(part).read(new Reader(Buffer.from(hex, 'hex')), 'actions');
      } catch (error) {
        fault = error;
      }
      expect(fault).to.be.instanceOf(WireError);
      expect(faultName(fault as WireError, VERSION[ver])).to.equal(bad);
    });
  }
});
