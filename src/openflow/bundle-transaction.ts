// One bundle on one switch: opened, filled and closed at once; committed or discarded later.

import { OFPBF } from './constants.ts';
import type { Line, RequestOptions } from './line.ts';
import type { Message } from './message.ts';
import type { BundleControl } from './messages/bundle.ts';
import type { PreparedBundle } from './model.ts';
import { OpenFlowError } from './openflow-error.ts';
import { rejected } from './request-table.ts';

/** All or nothing; as given, as if sent one by one (1.4 section 7.3.9.3). Both, unless they are said to be false. */
export interface BundleOptions extends Omit<RequestOptions, 'auxiliary'> {
  readonly atomic?: boolean;
  readonly ordered?: boolean;
}

type Control = (request: BundleControl['control'], signal?: AbortSignal) => Promise<unknown>;

/** Open, adds and close go out back to back; one refused message discards the bundle and rejects, naming it. */
export async function prepareBundle(
  line: Line,
  bundleId: number,
  messages: readonly Message[],
  options: BundleOptions = {},
): Promise<PreparedBundle> {
  if (line.version === 1) throw new OpenFlowError('UNSUPPORTED', 'OpenFlow 1.0 has no bundles');
  const { atomic = true, ordered = true, signal, timeoutMs } = options;
  const flags = (atomic ? OFPBF.ATOMIC : 0) | (ordered ? OFPBF.ORDERED : 0);
  const control: Control = (request, until) =>
    line.ask(
      { type: 'bundle_control', bundleId, control: request, flags },
      { signal: until, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
    );

  const firstXid = line.requests.takeXids(messages.length);
  const refusals: OpenFlowError[] = [];
  const unwatch = line.requests.watch({
    first: firstXid,
    last: firstXid + messages.length - 1,
    onError: (xid, error) => {
      const refused = messages[xid - firstXid];
      refusals.push(rejected(`a ${refused?.type ?? 'message'} of the bundle`, error, line.version, refused));
    },
  });
  // Best effort: a switch forgets an idle bundle, or the channel is gone.
  const abandon = (): void => {
    control('discard_request').catch(() => undefined);
  };
  const failure = (error: unknown): unknown => refusals[0] ?? error;

  try {
    const opened = control('open_request', signal);
    // Its failure is seen below; until then it must not count as unhandled.
    opened.catch(() => undefined);
    for (const [i, message] of messages.entries()) {
      if (line.congested) await line.drained(signal);
      line.append(firstXid + i, { type: 'bundle_add', bundleId, flags, xid: firstXid + i, message });
    }
    await Promise.all([opened, control('close_request', signal)]);
    if (refusals[0] !== undefined) throw refusals[0];
  } catch (error) {
    unwatch();
    abandon();
    throw failure(error);
  }
  return transaction((request) => control(request, signal), failure, unwatch, abandon);
}

function transaction(
  control: Control,
  failure: (error: unknown) => unknown,
  unwatch: () => void,
  abandon: () => void,
): PreparedBundle {
  let done = false;
  const end = async (request: 'commit_request' | 'discard_request'): Promise<void> => {
    if (done) throw new OpenFlowError('BUNDLE_DONE', 'the bundle has been committed or discarded');
    done = true;
    try {
      await control(request);
    } catch (error) {
      // Given up, not refused: the bundle may still lie open at the switch.
      if (!(error instanceof OpenFlowError)) abandon();
      // Open vSwitch answers a failed commit with the error of the flow-mod first, then with that of the commit.
      throw failure(error);
    } finally {
      unwatch();
    }
  };
  return { commit: () => end('commit_request'), discard: () => end('discard_request') };
}
