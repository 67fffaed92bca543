// The conditions of scenario `synflood`, row by row. Pure: everything it knows is in its argument.

import type { Condition, FloodResult, SynFlood } from './result.ts';
import { sum } from './statistics.ts';

const KIND = 'syn-counters';

export function synFloodConditions(e: SynFlood): readonly Condition[] {
  return [
    migrated(e),
    digests(e),
    ...e.floods.filter((f) => f.moves).map((flood) => cutOff(e, flood)),
    notTwice(e),
    setToZero(e),
    otherTenant(e),
  ];
}

/** The control run: what is left behind is forgotten, and the attacker begins anew at every firewall. */
export function synFloodControlConditions(e: SynFlood): readonly Condition[] {
  const exceeding = e.floods
    .filter((f) => f.moves)
    .map((flood): Condition => ({
      name: `control: SYNs let through of the one that moves, IP${flood.version}`,
      held: e.captureMissed === 0 && flood.arrived > e.threshold,
      value: `${flood.arrived} of ${flood.sent}`,
      bound: `more than the threshold, ${e.threshold}`,
    }));
  return [...exceeding, otherTenant(e)];
}

function migrated({ asked, moves }: SynFlood): Condition {
  const good = moves.filter((m) => m.state === 'migrated' && m.kinds.includes(KIND)).length;
  const others = moves.filter((m) => m.state !== 'migrated').map((m) => `${m.state}: ${m.reason ?? 'no reason given'}`);
  return {
    name: 'moves migrated, SYN counts with them',
    held: good === asked,
    value: [`${good} of ${asked}`, ...new Set(others)].join('; '),
    bound: 'all',
  };
}

function digests({ moves }: SynFlood): Condition {
  const equal = moves.filter((m) => m.digestEqual).length;
  return {
    name: 'digests of source and destination equal',
    held: moves.length > 0 && equal === moves.length,
    value: `${equal} of ${moves.length} moves`,
    bound: 'every move',
  };
}

/** By capture at the victim; as many as of the one that stays, and as the threshold says. */
function cutOff({ floods, threshold, captureMissed }: SynFlood, moving: FloodResult): Condition {
  const staying = floods.find((f) => !f.moves && f.version === moving.version);
  const enough = [moving, staying].every((f) => f !== undefined && f.sent > threshold);
  const missed = captureMissed === 0 ? '' : `; the capture missed ${captureMissed} packets`;
  return {
    name: `SYNs that reached the victim, IP${moving.version}`,
    held: enough && captureMissed === 0 && moving.arrived === threshold && staying?.arrived === threshold,
    value:
      `${moving.arrived} of ${moving.sent} of the one that moves, ` +
      `${staying?.arrived ?? 'none'} of ${staying?.sent ?? 0} of the one that stays${missed}`,
    bound: `the threshold, ${threshold}, of both`,
  };
}

function notTwice({ floods }: SynFlood): Condition {
  const twice = sum(floods.map((f) => f.twice));
  return {
    name: 'SYNs that reached the victim twice',
    held: floods.length > 0 && twice === 0,
    value: `${twice}`,
    bound: '0',
  };
}

/** Hard case 24: counts are moved, not copied, where the source serves the VM no more. */
function setToZero({ moves }: SynFlood): Condition {
  const single = moves.filter((m) => Object.values(m.counted).filter((n) => n > 0).length === 1).length;
  return {
    name: 'counted at one firewall only after every move, by nft list set',
    held: moves.length > 0 && single === moves.length,
    value: `${single} of ${moves.length} moves`,
    bound: 'every move',
  };
}

function otherTenant({ floods, threshold }: SynFlood): Condition {
  const staying = floods.filter((f) => !f.moves);
  const own = staying.filter((f) => Object.values(f.counted).filter((n) => n > 0).length === 1).length;
  return {
    name: "the other tenant's equal address",
    held: staying.length > 0 && own === staying.length && staying.every((f) => f.arrived === threshold),
    value: staying.map((f) => `IP${f.version}: ${f.arrived} let through, counted ${counts(f)}`).join('; '),
    bound: 'its own threshold, counted at its own firewall',
  };
}

const counts = ({ counted }: FloodResult): string =>
  Object.entries(counted)
    .map(([firewall, n]) => `${n} at ${firewall}`)
    .join(', ');
