// The conditions of scenario `planned`, row by row. Pure: everything it knows is in its argument.

import type { PlannedEvidence } from './planned.ts';
import type { Condition } from './result.ts';
import { median, round1, worst } from './statistics.ts';
import { digests, echo, ended, intact, invalid, newFailed, othersIntact } from './uc1-conditions.ts';

/** What a planned move has done before its VM moves. */
const COPYING: readonly string[] = ['upload', 'ready', 'download'];

export function plannedConditions(e: PlannedEvidence): readonly Condition[] {
  return [ready(e), copiedAhead(e), ...untouched(e)];
}

/** Nobody plans: what is copied is copied while the VM waits, and that is all that differs. */
export function plannedControlConditions(e: PlannedEvidence): readonly Condition[] {
  const ahead = e.planned.filter(isAhead).length;
  const notAhead = {
    name: 'control: state copied before the VM moved',
    held: e.planned.length > 0 && ahead === 0,
    value: `${ahead} of ${e.planned.length} moves`,
    bound: 'none: nobody has planned them',
  };
  return [notAhead, ...untouched(e)];
}

function untouched(e: PlannedEvidence): readonly Condition[] {
  return [
    ended(e),
    ...intact(e),
    echo(e),
    invalid({ ...e, quiet: null }),
    digests(e),
    newFailed(e),
    othersIntact(e),
    lift(e),
  ];
}

function ready({ planned }: PlannedEvidence): Condition {
  const inTime = planned.filter((p) => p.verdict === 'prepared' && (p.verdictMs ?? Infinity) <= p.deadlineMs);
  const others = planned.filter((p) => !inTime.includes(p)).map((p) => `${p.verdict ?? 'none'}: ${p.reason ?? ''}`);
  const slowest = worst(planned.flatMap((p) => p.verdictMs ?? []));
  return {
    name: 'READY before the deadline',
    held: planned.length > 0 && inTime.length === planned.length,
    value: [
      `${inTime.length} of ${planned.length}, the slowest after ${round1(slowest ?? 0)} ms`,
      ...new Set(others),
    ].join('; '),
    bound: `every move, within ${planned[0]?.deadlineMs ?? 0} ms`,
  };
}

const isAhead = ({ afterMove }: PlannedEvidence['planned'][number]): boolean =>
  !afterMove.some((step) => COPYING.includes(step));

function copiedAhead({ planned }: PlannedEvidence): Condition {
  const ahead = planned.filter(isAhead).length;
  const left = new Set(planned.flatMap((p) => p.afterMove));
  return {
    name: 'state copied before the VM moved',
    held: planned.length > 0 && ahead === planned.length,
    value: `${ahead} of ${planned.length} moves; left to do: ${[...left].join(', ')}`,
    bound: `${COPYING.join(', ')} before the move, in every one`,
  };
}

/** Reported, beside the control's. */
function lift({ moves }: PlannedEvidence): Condition {
  const times = moves.flatMap((m) => m.notifyToLiftMs ?? []);
  return {
    name: 'from the notification to the lift',
    held: times.length === moves.length && moves.length > 0,
    value: `median ${round1(median(times) ?? 0)} ms, worst ${round1(worst(times) ?? 0)} ms`,
    bound: 'reported',
  };
}
