// One bundle on one switch: opened, filled and closed at once; committed or discarded later.

import { OFPBF } from './constants.ts';
import type { Message } from './message.ts';
import type { BundleControl } from './messages/bundle.ts';
import type { FlowMod, PreparedBundle } from './model.ts';
import { OpenFlowError } from './openflow-error.ts';
import { rejected } from './request-table.ts';
import type { RequestTable } from './request-table.ts';

/** What a bundle needs of its channel. */
export interface BundleLine {
  readonly requests: RequestTable;
  readonly nextBundleId: () => number;
  readonly ask: (request: BundleControl) => Promise<BundleControl>;
  readonly append: (xid: number, message: Message) => void;
  /** Whether to wait for `drained` before more is appended. */
  readonly congested: () => boolean;
  readonly drained: () => Promise<void>;
}

/** Atomic: all or nothing; ordered: as given, as if sent one by one (1.4 section 7.3.9.3). */
const FLAGS = OFPBF.ATOMIC | OFPBF.ORDERED;

/** Open, adds and close go out back to back; one refused flow-mod discards the bundle and rejects, naming it. */
export async function prepareBundle(line: BundleLine, mods: readonly FlowMod[]): Promise<PreparedBundle> {
  const bundleId = line.nextBundleId();
  const control = (request: BundleControl['control']): Promise<BundleControl> =>
    line.ask({ type: 'bundle_control', bundleId, control: request, flags: FLAGS });

  const firstXid = line.requests.takeXids(mods.length);
  const refusals: OpenFlowError[] = [];
  const unwatch = line.requests.watch({
    first: firstXid,
    last: firstXid + mods.length - 1,
    onError: (xid, error) => {
      refusals.push(refusedMod(mods[xid - firstXid], rejected('a flow-mod of the bundle', error)));
    },
  });
  const failure = (error: unknown): unknown => refusals[0] ?? error;

  try {
    const opened = control('open_request');
    // Its failure is seen below; until then it must not count as unhandled.
    opened.catch(() => undefined);
    for (const [i, message] of mods.entries()) {
      if (line.congested()) await line.drained();
      line.append(firstXid + i, {
        type: 'bundle_add',
        bundleId,
        flags: FLAGS,
        xid: firstXid + i,
        message,
      });
    }
    await Promise.all([opened, control('close_request')]);
    if (refusals[0] !== undefined) throw refusals[0];
  } catch (error) {
    unwatch();
    // Best effort: a switch forgets an idle bundle, or the channel is gone.
    control('discard_request').catch(() => undefined);
    throw failure(error);
  }
  return transaction(control, failure, unwatch);
}

function transaction(
  control: (request: BundleControl['control']) => Promise<BundleControl>,
  failure: (error: unknown) => unknown,
  unwatch: () => void,
): PreparedBundle {
  let done = false;
  const end = async (request: 'commit_request' | 'discard_request'): Promise<void> => {
    if (done) throw new OpenFlowError('BUNDLE_DONE', 'the bundle has been committed or discarded');
    done = true;
    try {
      await control(request);
    } catch (error) {
      // Open vSwitch answers a failed commit with the error of the flow-mod first, then with that of the commit.
      throw failure(error);
    } finally {
      unwatch();
    }
  };
  return { commit: () => end('commit_request'), discard: () => end('discard_request') };
}

function refusedMod(mod: FlowMod | undefined, error: OpenFlowError): OpenFlowError {
  const { errorType, errorCode, data } = error;
  return new OpenFlowError('REJECTED', error.message, {
    ...(errorType === null || errorCode === null ? {} : { errorType, errorCode }),
    ...(data === null ? {} : { data }),
    ...(mod === undefined ? {} : { mod }),
  });
}
