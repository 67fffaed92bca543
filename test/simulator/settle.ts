// Promises settle when the stack is empty; a run goes from one event to the next without leaving its stack, which is many times
// as fast as a turn of the event loop each time.

/** Node runs the queues of ticks and microtasks by this after each callback of its own; it has no documented name. */
const { _tickCallback: runQueues } = process as unknown as { readonly _tickCallback: () => void };

/** All promises that can settle have settled. To be called by a callback of the event loop, not by a promise's. */
export function settle(): void {
  runQueues();
}

/** `work` as a callback of the event loop: in it, `settle` settles. */
export function detached<T>(work: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(work());
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}
