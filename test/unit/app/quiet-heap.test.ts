import { expect } from 'chai';
import { keepHeapQuiet } from '../../../src/app/quiet-heap.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';

const MIB = 1024 * 1024;

function bed(startBytes: number) {
  const clock = new FakeClock();
  const heap = { bytes: startBytes, garbage: 0, collections: 0 };
  const state = { busy: false };
  const end = keepHeapQuiet({
    clock,
    isBusy: () => state.busy,
    heap: {
      oldBytes: () => heap.bytes + heap.garbage,
      collect: () => {
        heap.garbage = 0;
        heap.collections += 1;
      },
    },
  });
  return { clock, heap, state, end };
}

describe('the heap between migrations', () => {
  it('is collected at the start, and then when it has grown', () => {
    const { clock, heap } = bed(40 * MIB);
    clock.advance(200);
    expect(heap.collections).to.equal(1);
    clock.advance(10_000);
    expect(heap.collections, 'nothing has grown').to.equal(1);
    heap.garbage = 3.9 * MIB;
    clock.advance(10_000);
    expect(heap.collections, 'too little has').to.equal(1);
    heap.garbage = 4 * MIB;
    clock.advance(200);
    expect(heap.collections).to.equal(2);
  });

  it('is left alone while a migration runs, and for half a second after it', () => {
    const { clock, heap, state } = bed(40 * MIB);
    clock.advance(200);
    state.busy = true;
    clock.advance(100);
    heap.garbage = 60 * MIB;
    clock.advance(5000);
    expect(heap.collections, 'while it ran').to.equal(1);
    state.busy = false;
    clock.advance(400);
    expect(heap.collections, 'soon after it').to.equal(1);
    clock.advance(200);
    expect(heap.collections).to.equal(2);
  });

  it('is left to V8 where one collection would take long', () => {
    const { clock, heap } = bed(257 * MIB);
    clock.advance(10_000);
    expect(heap.collections).to.equal(0);
  });

  it('must have grown by a tenth', () => {
    const { clock, heap } = bed(200 * MIB);
    clock.advance(200);
    heap.garbage = 19 * MIB;
    clock.advance(1000);
    expect(heap.collections).to.equal(1);
    heap.garbage = 20 * MIB;
    clock.advance(1000);
    expect(heap.collections).to.equal(2);
  });

  it('is looked at no more after the end', () => {
    const { clock, heap, end } = bed(40 * MIB);
    end();
    clock.advance(10_000);
    expect(heap.collections).to.equal(0);
  });

  it('of this process gives back what nobody holds', async () => {
    let gone = 0;
    const registry = new FinalizationRegistry(() => (gone += 1));
    let held: unknown[] | null = Array.from({ length: 400_000 }, (_, i) => ({ i }));
    registry.register(held, null);
    const end = keepHeapQuiet({ clock: systemClock, isBusy: () => held !== null });
    try {
      await systemClock.sleep(150);
      expect(gone, 'while it is held').to.equal(0);
      held = null;
      while (gone === 0) await systemClock.sleep(20);
    } finally {
      end();
    }
  });
});
