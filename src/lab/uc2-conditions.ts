// Use Case 2's conditions: what must hold of a path that was cut. Pure: everything it knows is in its argument.

import type { Condition, PathCut } from './result.ts';
import { round1, sum, worst } from './statistics.ts';
import { EXPECTED_TRANSFER, PROBE_PERIOD_MS } from './uc2.ts';

const FIRST_BYTE_MS = 500;
/** Until a hung firewall is known for one: by silence alone. */
const PROBES_LOST = 3;
const TENANTS = 2;

export function uc2Conditions(cut: PathCut): readonly Condition[] {
  const zero = (name: string, count: number, what: string): Condition => {
    return { name, held: count === 0, value: `${count} ${what}`, bound: '0' };
  };
  const { healed } = cut;
  return [
    moved(cut),
    zero('resets', cut.resets, 'connections reset'),
    zero('lost connections', cut.lostConnections, 'connections lost'),
    {
      name: 'every connection echoes over the other path',
      held: cut.connections > 0 && cut.echoed === cut.connections,
      value: `${cut.echoed} of ${cut.connections}`,
      bound: 'all',
    },
    digests(cut),
    zero('packets INVALID at either firewall', cut.invalidAtSource + cut.invalidAtDestination, 'packets'),
    firstByte(cut),
    {
      name: 'the path has healed and the flows stay where their state is',
      held: healed?.silent === 0 && healed.migrations === 0,
      value: healed === null ? 'not tried' : `${healed.silent} silent, ${healed.migrations} migrations`,
      bound: '0 and 0 (revert: never)',
    },
  ];
}

function moved({ migrations }: PathCut): Condition {
  const good = migrations.filter(
    (m) => m.cause === 'path-change' && m.state === 'migrated' && m.transfers.join() === EXPECTED_TRANSFER,
  );
  const said = migrations.map(
    (m) => `${m.id} ${m.transfers.join()} ${m.state}${m.reason === null ? '' : `: ${m.reason}`}`,
  );
  return {
    name: 'path changes migrated',
    held: migrations.length === TENANTS && good.length === TENANTS,
    value: said.join('; '),
    bound: `${EXPECTED_TRANSFER} for both tenants`,
  };
}

function digests({ migrations }: PathCut): Condition {
  const equal = migrations.filter((m) => m.digestEqual).length;
  return {
    name: 'digests of source and destination equal',
    held: migrations.length > 0 && equal === migrations.length,
    value: `${equal} of ${migrations.length}, ${sum(migrations.map((m) => m.entries))} entries`,
    bound: 'every migration',
  };
}

function firstByte({ cause, firstByteMs, migrations }: PathCut): Condition {
  const boundMs = FIRST_BYTE_MS + (cause === 'hung' ? PROBES_LOST * PROBE_PERIOD_MS : 0);
  const slowest = (of: (m: PathCut['migrations'][number]) => number | null): string => {
    const ms = worst(migrations.flatMap((m) => of(m) ?? []));
    return ms === null ? 'not measured' : `${round1(ms)} ms`;
  };
  const parts = `detection ${slowest((m) => m.detectionMs)}, transfer ${slowest((m) => m.transferMs)}, lift ${slowest((m) => m.liftMs)}`;
  return {
    name: 'break to first forwarded byte',
    held: firstByteMs !== null && firstByteMs <= boundMs,
    value: `${firstByteMs === null ? 'none came through' : `${round1(firstByteMs)} ms`}; ${parts}`,
    bound: `at most ${boundMs} ms`,
  };
}

/** Without the state no connection may come through the other firewall. */
export function uc2ControlConditions(cut: PathCut): readonly Condition[] {
  return [
    {
      name: 'control: connections that get an echo without the state',
      held: cut.connections > 0 && cut.echoed === 0 && cut.migrations.every((m) => m.cause === 'path-change'),
      value: `${cut.echoed} of ${cut.connections} within 10 s`,
      bound: 'none',
    },
  ];
}
