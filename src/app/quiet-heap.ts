// When V8 works on the heap. By itself it collects the whole of it after it has grown by a third, and that is where most is
// allocated: in the middle of a migration, at every second or third of them, for a tenth of a second or more on
// every core there is, while openers wait at the gate (docs/decisions/0017). So the heap may grow further, and is
// collected when nothing is moving.

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../base/clock.ts';

/** What there is to collect, in bytes, and doing it. */
export interface Heap {
  /** All but the young generation, which comes and goes. */
  oldBytes(): number;
  /** Blocks until it is done. */
  collect(): void;
}

const MIB = 1024 * 1024;
/** Until V8 collects by itself: three times what was left the last time. */
const GROWING_PERCENT = 200;
const LOOK_EVERY_MS = 100;
/** A migration that ends is often followed by the next. */
const QUIET_MS = 500;
/** Less is not worth it. */
const LEAST_GROWTH = { bytes: 4 * MIB, share: 0.1 };
/** Above this one collection takes longer than a VM that moves just then should wait: V8 does it in steps. */
const MOST_BYTES = 256 * MIB;

export interface QuietHeapOptions {
  readonly clock: Clock;
  /** Somebody waits for what this process does. */
  readonly isBusy: () => boolean;
  readonly heap?: Heap;
}

/** The returned function ends it. */
export function keepHeapQuiet({ clock, isBusy, heap = processHeap() }: QuietHeapOptions): () => void {
  let leftBytes = 0;
  let busyMs = -Infinity;
  const look = (): void => {
    if (isBusy()) busyMs = clock.now();
    if (clock.now() - busyMs >= QUIET_MS) {
      const bytes = heap.oldBytes();
      const grown = bytes - leftBytes;
      if (bytes <= MOST_BYTES && grown >= LEAST_GROWTH.bytes && grown >= LEAST_GROWTH.share * leftBytes) {
        heap.collect();
        leftBytes = heap.oldBytes();
      }
    }
    cancel = clock.after(LOOK_EVERY_MS, look);
  };
  let cancel = clock.after(LOOK_EVERY_MS, look);
  return () => {
    cancel();
  };
}

/** Of this process, from now on collected as said above. */
function processHeap(): Heap {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
  setFlagsFromString('--no-flush-bytecode'); // hours may pass until code is needed again
  setFlagsFromString('--expose-gc'); // to contexts that are made from now on
  const collect = runInNewContext('gc') as () => void;
  return {
    oldBytes: () =>
      getHeapSpaceStatistics()
        .filter(({ space_name: name }) => !name.startsWith('new_'))
        .reduce((sum, { space_used_size: used }) => sum + used, 0),
    collect,
  };
}
