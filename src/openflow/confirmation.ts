// Messages that have no answer of their own, and the certainty that the switch has carried them out: a barrier behind them.

import type { Line, RequestOptions } from './line.ts';
import type { Message } from './message.ts';
import type { OpenFlowError } from './openflow-error.ts';
import { rejected } from './request-table.ts';

/**
 * Resolves when the switch has carried out all of them; rejects with its first refusal, after all have been tried. Those
 * that were not refused have taken effect then: for all or nothing there are bundles.
 */
export async function confirm(
  line: Line,
  messages: readonly Message[],
  options: Omit<RequestOptions, 'auxiliary'> = {},
): Promise<void> {
  const firstXid = line.requests.takeXids(messages.length);
  const refusals: OpenFlowError[] = [];
  const unwatch = line.requests.watch({
    first: firstXid,
    last: firstXid + messages.length - 1,
    onError: (xid, error) => {
      const refused = messages[xid - firstXid];
      refusals.push(rejected(refused?.type ?? 'a message', error, line.version, refused));
    },
  });
  try {
    for (const [i, message] of messages.entries()) {
      if (line.congested) await line.drained(options.signal);
      line.append(firstXid + i, message);
    }
    await line.ask({ type: 'barrier_request' }, options);
  } finally {
    unwatch();
  }
  if (refusals[0] !== undefined) throw refusals[0];
}
