// What the fuzzer has found to reach the corners of the decoder, and every cut of the shorter ones.
import { expect } from 'chai';
import { foundCorpus } from '../../fuzz/corpus.ts';
import { faultOf } from '../../fuzz/decoder-target.ts';

const FOUND = foundCorpus();

describe("the fuzzer's finds", () => {
  it('are there', () => {
    expect(FOUND.length).to.be.above(50);
  });

  it('are refused by WireError, or written back exactly', () => {
    for (const bytes of FOUND) expect(faultOf(bytes), bytes.toString('hex')).to.equal(null);
  });

  it('hold no fault wherever they are cut', () => {
    for (const bytes of FOUND.filter(({ length }) => length <= 96)) {
      for (let end = 0; end < bytes.length; end += 1) {
        const cut = Buffer.from(bytes.subarray(0, end));
        if (end >= 4) cut.writeUInt16BE(end, 2);
        expect(faultOf(cut), cut.toString('hex')).to.equal(null);
      }
    }
  });
});
