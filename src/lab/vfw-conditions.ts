// The conditions of scenario `vfw`, row by row. Pure: everything it knows is in its argument.

import type { Condition, HypervisorMove } from './result.ts';
import { median, round1, sum, worst } from './statistics.ts';
import { echo, ended, intact, newFailed, othersIntact } from './uc1-conditions.ts';
import type { VfwEvidence } from './vfw.ts';

export function vfwConditions(e: VfwEvidence): readonly Condition[] {
  return [
    ended(e),
    chain(e),
    ...intact(e),
    echo(e),
    invalid(e),
    digests(e),
    retired(e),
    gap(e),
    newFailed(e),
    othersIntact(e),
  ];
}

/** In the order in which the VM's packets meet them. */
function chain({ hypervisor }: VfwEvidence): Condition {
  const right = hypervisor.filter((m, i) => m.transfers.join() === chainOf(i).join());
  const wrong = hypervisor.find((m) => !right.includes(m));
  return {
    name: 'one notification moves both, paired by role',
    held: hypervisor.length > 0 && wrong === undefined,
    value: `${right.length} of ${hypervisor.length} moves${wrong === undefined ? '' : `, another: ${wrong.transfers.join(', ')}`}`,
    bound: chainOf(0).join(', then '),
  };
}

function chainOf(move: number): readonly string[] {
  return move % 2 === 0 ? ['vfw1->vfw2', 'fw1->fw2'] : ['vfw2->vfw1', 'fw2->fw1'];
}

function invalid({ moves, hypervisor }: VfwEvidence): Condition {
  const fabric = sum(moves.map((m) => (m.invalidAtSource ?? 0) + (m.invalidAtDestination ?? 0)));
  const counted = moves.every((m) => m.invalidAtSource !== null && m.invalidAtDestination !== null);
  const servers = sum(hypervisor.map((m) => m.invalid));
  return {
    name: 'packets INVALID at any firewall',
    held: moves.length > 0 && counted && fabric + servers === 0,
    value: `${servers} in the hypervisors, ${fabric} at FW1 and FW2${counted ? '' : '; not counted in every move'}`,
    bound: '0',
  };
}

function digests({ hypervisor }: VfwEvidence): Condition {
  const all = hypervisor.flatMap((m) => m.digestsEqual);
  const equal = all.filter((d) => d === true).length;
  return {
    name: 'digests of source and destination equal',
    held: all.length === 2 * hypervisor.length && all.length > 0 && equal === all.length,
    value: `${equal} of ${all.length} transfers, ${sum(hypervisor.map((m) => m.entries))} entries in the hypervisors`,
    bound: 'both transfers of every move',
  };
}

function retired({ hypervisor }: VfwEvidence): Condition {
  const left = sum(hypervisor.map((m) => m.left));
  return {
    name: "the VM's entries left at the sources after retire",
    held: hypervisor.length > 0 && left === 0,
    value: `${left}, by conntrack -L`,
    bound: '0',
  };
}

function gap({ moves, hypervisor }: VfwEvidence): Condition {
  const gaps = hypervisor.flatMap((m) => (m.gapMs === null ? [] : [m.gapMs]));
  const shown = (ms: number | null): string => (ms === null ? 'not reported' : `${round1(ms)} ms`);
  const away = median(moves.map((m) => m.longestGapMs - m.blackoutMs));
  return {
    name: "the port's gap is in the record",
    held: gaps.length > 0 && gaps.length === hypervisor.length,
    value:
      `median ${shown(median(gaps))}, worst ${shown(worst(gaps))}; ${held(hypervisor)}; ` +
      `the longest UDP gap is ${shown(away)} longer than the blackout (median)`,
    bound: 'of every move',
  };
}

function held(moves: readonly HypervisorMove[]): string {
  return `${sum(moves.map((m) => m.heldPackets))} packets dropped without an answer meanwhile`;
}
