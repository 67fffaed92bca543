import { expect } from 'chai';
import { Writer } from '../../../src/wire/writer.ts';

describe('Writer', () => {
  it('loses nothing when it grows in the middle of any kind of field', () => {
    for (let room = 1; room < 10; room += 1) {
      const w = new Writer(room);
      for (let i = 1; i <= 40; i += 1) w.u8(i);
      w.u16(0x2930);
      w.u32(0x2b2c2d2e);
      w.u64(0x3132333435363738n);
      w.raw(Buffer.from('39', 'hex'));
      const bytes = Array.from({ length: 40 }, (_, i) => i + 1);
      expect(w.finish().toString('hex')).to.equal(
        `${Buffer.from(bytes).toString('hex')}29302b2c2d2e313233343536373839`,
      );
    }
  });
});
