import { expect } from 'chai';

import { dpid, portNo } from '../../../src/base/ids.ts';
import { Hold } from '../../../src/som/hold.ts';
import type { HeldPacket } from '../../../src/som/hold.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';

const packet = (text: string): HeldPacket => ({ nve: dpid('1'), inPort: portNo(1), frame: Buffer.from(text) });

describe('packets that wait', () => {
  let clock: FakeClock;
  let sent: string[];
  const hold = (bounds: Partial<ConstructorParameters<typeof Hold>[0]> = {}): Hold =>
    new Hold({ packets: 10, bytes: 1000, ageMs: 1000, totalBytes: 5000, ...bounds }, clock, (p) => {
      sent.push(p.frame.toString());
    });
  beforeEach(() => {
    clock = new FakeClock();
    sent = [];
  });

  it('leave in the order they came, once', () => {
    const h = hold();
    for (const text of ['a', 'b', 'c']) h.keep('vm', packet(text));
    expect(h.release('vm')).to.deep.equal({ released: 3, held: 3, dropped: 0 });
    expect(sent).to.deep.equal(['a', 'b', 'c']);
    expect(h.release('vm').released).to.equal(0);
  });

  it('are accounted for once, over several releases', () => {
    const h = hold({ packets: 2 });
    for (const text of ['a', 'b', 'c']) h.keep('vm', packet(text));
    h.release('vm');
    h.keep('vm', packet('d'));
    h.release('vm');
    expect(h.account('vm')).to.deep.equal({ released: 3, dropped: 1 });
    expect(h.account('vm')).to.deep.equal({ released: 0, dropped: 0 });
  });

  it('wait for their own key only', () => {
    const h = hold();
    h.keep('x', packet('x1'));
    h.keep('y', packet('y1'));
    h.release('y');
    expect(sent).to.deep.equal(['y1']);
    expect(h.waiting).to.deep.equal({ keys: 1, bytes: 2 });
  });

  it('are dropped and counted when the key is full in packets or bytes, and the earlier ones stay', () => {
    const h = hold({ packets: 2 });
    expect([h.keep('k', packet('1')), h.keep('k', packet('2')), h.keep('k', packet('3'))]).to.deep.equal([
      true,
      true,
      false,
    ]);
    const tight = hold({ bytes: 5 });
    tight.keep('k', packet('1234'));
    expect(tight.keep('k', packet('56'))).to.equal(false);
    h.release('k');
    expect(sent).to.deep.equal(['1', '2']);
    expect(h.stats.droppedFull).to.equal(1);
  });

  it('of one key cannot take more than the bound over all keys leaves', () => {
    const h = hold({ totalBytes: 6 });
    h.keep('a', packet('1234'));
    expect(h.keep('b', packet('567'))).to.equal(false);
    h.release('a');
    expect(h.keep('b', packet('567'))).to.equal(true);
  });

  it('are dropped when they have waited longer than the bound, and the memory is free again', () => {
    const h = hold({ ageMs: 100 });
    h.keep('k', packet('old'));
    clock.advance(60);
    h.keep('k', packet('new'));
    clock.advance(60);
    expect(h.release('k')).to.deep.equal({ released: 1, held: 2, dropped: 1 });
    expect(sent).to.deep.equal(['new']);
    h.keep('k', packet('again'));
    clock.advance(101);
    h.sweep();
    expect(h.waiting).to.deep.equal({ keys: 0, bytes: 0 });
  });
});
