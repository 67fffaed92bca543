// Lets what is driven by a FakeClock go on.

import type { FakeClock } from './fake-clock.ts';

/** Lets promises settle, without moving time. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 200; i += 1) await Promise.resolve();
}

/** Moves time on by `ms`, step by step: what falls due in between meets what came of it. */
export async function passTime(clock: FakeClock, ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 50) {
    await settle();
    clock.advance(50);
  }
  await settle();
}
