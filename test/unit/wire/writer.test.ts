import { expect } from 'chai';

import { WireError } from '../../../src/base/errors.ts';
import { Writer } from '../../../src/wire/writer.ts';

describe('the writer', () => {
  const WRITES: Record<string, (w: Writer) => void> = {
    u8: (w) => {
      w.u8(0xa5);
    },
    u16: (w) => {
      w.u16(0xa5a6);
    },
    u32: (w) => {
      w.u32(0xa5a6a7a8);
    },
    u64: (w) => {
      w.u64(0xa5a6a7a8a5a6a7a8n);
    },
    u16le: (w) => {
      w.u16le(0xa6a5);
    },
    u32le: (w) => {
      w.u32le(0xa8a7a6a5);
    },
    raw: (w) => {
      w.raw(Buffer.from('a5a6', 'hex'));
    },
  };
  for (const [name, write] of Object.entries(WRITES)) {
    it(`loses nothing when ${name} makes the buffer grow`, () => {
      for (let before = 0; before < 20; before += 1) {
        const small = new Writer(before);
        const large = new Writer(1000);
        for (const w of [small, large]) {
          w.zeros(before);
          write(w);
        }
        expect(small.finish().toString('hex')).to.equal(large.finish().toString('hex'));
      }
    });
  }

  it('refuses a value that does not fit its field, naming the field', () => {
    const w = new Writer();
    expect(() => {
      w.u8(256, 'reason');
    }).to.throw(WireError, 'reason');
    expect(() => {
      w.u16(-1, 'length');
    }).to.throw(WireError, 'length');
    expect(w.length).to.equal(0);
  });
});
