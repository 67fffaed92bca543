// What must hold when a server is emptied. Pure: everything it knows is in its argument.

import type { Condition, Evacuation } from './result.ts';
import { median, round1, sum, worst } from './statistics.ts';

/** What the controller may take for so many migrations at once, beside what it has. */
const CONTROLLER_GROWTH_BYTES = 512 * 1024 * 1024;
const MIB = 1024 * 1024;

export function evacuateConditions(e: Evacuation): readonly Condition[] {
  const zero = (name: string, count: number, what: string): Condition => {
    return { name, held: count === 0, value: `${count} ${what}`, bound: '0' };
  };
  const migrated = e.migrations.filter((m) => m.state === 'migrated');
  const unequal = e.migrations.filter((m) => !m.digestEqual);
  const entries = sum(e.migrations.map((m) => m.entries));
  return [
    {
      name: 'every VM migrated',
      held: migrated.length === e.vms && e.migrations.length === e.vms,
      value: `${migrated.length} of ${e.vms}${troubled(e)}`,
      bound: 'all',
    },
    {
      name: 'every connection echoes within 10 s',
      held: e.connections > 0 && e.echoed === e.connections,
      value: `${e.echoed} of ${e.connections}`,
      bound: 'all',
    },
    zero('resets', e.resets, 'connections reset'),
    zero('failed connections', e.failed, 'connections failed'),
    {
      name: 'digests of source and destination equal',
      held: e.migrations.length === e.vms && unequal.length === 0 && entries >= e.connections,
      value: `${e.migrations.length - unequal.length} of ${e.migrations.length}, ${entries} entries`,
      bound: 'every migration',
    },
    zero('packets INVALID at either firewall', sum(Object.values(e.invalid)), 'packets'),
    zero('pins left', e.pins, 'pins'),
    {
      name: 'every flow at one firewall only',
      held: e.left === 0 && e.arrived >= e.connections,
      value: `${e.left} entries at the source, ${e.arrived} at the destination`,
      bound: `0, at least ${e.connections}`,
    },
    memory(e),
    times(e),
  ];
}

function troubled({ migrations }: Evacuation): string {
  const others = migrations.filter((m) => m.state !== 'migrated' || m.attempts !== 1);
  if (others.length === 0) return ', each at the first attempt';
  const said = others
    .slice(0, 3)
    .map((m) => `${m.id} ${m.state}, attempt ${m.attempts}${m.reason === null ? '' : `: ${m.reason}`}`);
  return `; ${others.length} with trouble: ${said.join('; ')}`;
}

function memory(e: Evacuation): Condition {
  const controller = e.memory.find((m) => m.program === 'controller');
  const growth = controller === undefined ? null : controller.peak - controller.before;
  const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;
  return {
    name: 'resident memory, before and at most',
    held: growth !== null && growth <= CONTROLLER_GROWTH_BYTES,
    value: e.memory.map((m) => `${m.program} ${mib(m.before)}, ${mib(m.peak)}`).join('; '),
    bound: `the controller at most ${mib(CONTROLLER_GROWTH_BYTES)} more`,
  };
}

function times({ migrations }: Evacuation): Condition {
  const of = (pick: (m: Evacuation['migrations'][number]) => number | null): string => {
    const all = migrations.flatMap((m) => pick(m) ?? []);
    return `${round1(median(all) ?? 0)} ms, last ${round1(worst(all) ?? 0)} ms`;
  };
  return {
    name: 'from the first move to the pins and to the lifts',
    held: true,
    value: `pins: median ${of((m) => m.pinMs)}; lifts: median ${of((m) => m.liftMs)}`,
    bound: 'reported',
  };
}

/** Without the state no connection may come through the other firewall. */
export function evacuateControlConditions(e: Evacuation): readonly Condition[] {
  return [
    {
      name: 'control: connections that get an echo without the state',
      held: e.connections > 0 && e.echoed === 0,
      value: `${e.echoed} of ${e.connections} within 10 s`,
      bound: 'none',
    },
  ];
}
