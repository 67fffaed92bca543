// Use Case 1's conditions, row by row: what must hold of the measured moves, with the value and the bound as a reader of
// the table sees them. Pure: everything it knows is in its argument.

import type { Condition, MoveResult, QuietResult } from './result.ts';
import { NEW_CONNECTION_MS } from './new-connections.ts';
import { median, round1, sum, worst } from './statistics.ts';

/** How much longer than without a firewall a silence may be. */
export const GAP_ALLOWANCE_MS = 50;
export const ECHO_BOUND_MS = 5000;

export interface Uc1Evidence {
  readonly asked: number;
  readonly moves: readonly MoveResult[];
  readonly baseline: readonly MoveResult[];
  readonly quiet: QuietResult | null;
  /** Of every fabric link, one way. */
  readonly delayMs: number;
  /** Packets that tcpdump could not keep up with: any, and the capture proves nothing. */
  readonly captureMissed: number;
}

export function uc1Conditions(e: Uc1Evidence): readonly Condition[] {
  return [
    ended(e),
    ...intact(e),
    echo(e),
    invalid(e),
    installedFirst(e),
    digests(e),
    oracle(e),
    attributes(e),
    liberal(e),
    outsideBlackout(
      'UDP lost outside the blackout',
      e.moves,
      (m) => m.udpLost,
      (m) => m.udpLostInBlackout,
      (m) => m.udpLostLearning,
    ),
    outsideBlackout(
      'ping lost outside the blackout',
      e.moves,
      (m) => m.pingLost,
      (m) => m.pingLostInBlackout,
    ),
    udpGap(e),
    trickleGap(e),
    otherTenant(e),
    newFailed(e),
    newSlow(e),
  ];
}

export function ended(e: Pick<Uc1Evidence, 'asked' | 'moves'>): Condition {
  const migrated = e.moves.filter((m) => m.state === 'migrated').length;
  const others = e.moves
    .filter((m) => m.state !== 'migrated')
    .map((m) => `${m.state}: ${m.reason ?? 'no reason given'}`);
  return {
    name: 'moves migrated',
    held: migrated === e.asked,
    value: [`${migrated} of ${e.asked}`, ...new Set(others)].join('; '),
    bound: 'all',
  };
}

export function none(
  name: string,
  what: string,
  moves: readonly MoveResult[],
  count: (m: MoveResult) => number,
  of?: (m: MoveResult) => number,
): Condition {
  const total = sum(moves.map(count));
  const all = of === undefined ? '' : ` of ${sum(moves.map(of))}`;
  return { name, held: moves.length > 0 && total === 0, value: `${total}${all} ${what}`, bound: '0' };
}

/** No connection was reset or lost. */
export function intact({ moves }: Pick<Uc1Evidence, 'moves'>): Condition[] {
  return [
    none('resets', 'connections reset', moves, (m) => m.resets),
    none('lost connections', 'connections lost', moves, (m) => m.lostConnections),
  ];
}

/** The other tenant's connections, where it is not captured what passed the firewalls. */
export function othersIntact({ moves }: Pick<Uc1Evidence, 'moves'>): Condition {
  return none(
    "the other tenant's equal 5-tuples",
    'connections reset or lost',
    moves,
    (m) => m.otherTenant.resets + m.otherTenant.lostConnections,
  );
}

export function newFailed({ moves }: Pick<Uc1Evidence, 'moves'>): Condition {
  return none(
    'new connections failed',
    'failed',
    moves,
    (m) => m.newFailed,
    (m) => m.newOpened,
  );
}

export function echo(e: Pick<Uc1Evidence, 'moves'>): Condition {
  const slowest = worst(e.moves.map((m) => m.longestEchoMs)) ?? 0;
  const missing = sum(e.moves.map((m) => m.connections - m.echoed));
  return {
    name: 'every connection echoes after every move',
    held: e.moves.length > 0 && missing === 0,
    value: missing === 0 ? `all, the slowest after ${round1(slowest)} ms` : `${missing} silent`,
    bound: `within ${ECHO_BOUND_MS} ms`,
  };
}

export function invalid(e: Pick<Uc1Evidence, 'moves' | 'quiet'>): Condition {
  const counted = e.moves.filter((m) => m.invalidAtSource !== null && m.invalidAtDestination !== null);
  const source = sum(counted.map((m) => m.invalidAtSource ?? 0));
  const destination = sum(counted.map((m) => m.invalidAtDestination ?? 0));
  const uncounted =
    counted.length === e.moves.length ? '' : `; not counted in ${e.moves.length - counted.length} moves`;
  const quiet = e.quiet === null ? 'not measured' : `${e.quiet.invalid}`;
  return {
    name: 'packets INVALID at either firewall',
    held: counted.length > 0 && counted.length === e.moves.length && source + destination === 0,
    value: `${source} at the source, ${destination} at the destination; without moves ${quiet}${uncounted}`,
    bound: '0',
  };
}

function installedFirst(e: Uc1Evidence): Condition {
  const early = e.moves.filter((m) => m.installedBeforeFirstPacket !== true).length;
  const missed = e.captureMissed === 0 ? '' : `; the capture missed ${e.captureMissed} packets`;
  return {
    name: 'state installed before the first packet at the destination',
    held: e.moves.length > 0 && early === 0 && e.captureMissed === 0,
    value: `${e.moves.length - early} of ${e.moves.length} moves${missed}`,
    bound: 'every move, by capture',
  };
}

export function digests(e: Pick<Uc1Evidence, 'moves'>): Condition {
  const equal = e.moves.filter((m) => m.digestEqual === true).length;
  return {
    name: 'digests of source and destination equal',
    held: e.moves.length > 0 && equal === e.moves.length,
    value: `${equal} of ${e.moves.length} moves, ${sum(e.moves.map((m) => m.entries))} entries`,
    bound: 'every move',
  };
}

function oracle(e: Uc1Evidence): Condition {
  const compared = sum(e.moves.map((m) => m.oracle?.compared ?? 0));
  const differences = e.moves.flatMap((m) => m.oracle?.differences ?? ['no listing was taken']);
  const asked = e.moves.every((m) => (m.oracle?.compared ?? 0) > 0);
  return {
    name: 'conntrack -L of both firewalls at the lift agrees',
    held: e.moves.length > 0 && asked && differences.length === 0,
    value: `${compared} entries, ${differences.length} differences${first(differences)}`,
    bound: 'state, mark and zone as at the source, timeout within 2 s',
  };
}

function attributes(e: Uc1Evidence): Condition {
  const differences = e.moves.flatMap((m) => m.oracle?.detailDifferences ?? ['no listing was taken']);
  return {
    name: 'window scale, flags and labels as at the source',
    held: e.moves.length > 0 && differences.length === 0,
    value: `${differences.length} differences${first(differences)}`,
    bound: '0',
  };
}

function liberal(e: Uc1Evidence): Condition {
  const strict = sum(e.moves.map((m) => m.oracle?.strictMoved ?? 0));
  const fresh = e.moves.flatMap((m) => m.oracle?.liberalNew ?? []);
  const born = sum(e.moves.map((m) => m.oracle?.newEntries ?? 0));
  return {
    name: 'liberal window check on moved entries only',
    held: e.moves.length > 0 && e.moves.every((m) => m.oracle !== null) && strict === 0 && fresh.length === 0,
    value: `${strict} moved entries strict, ${fresh.length} of ${born} new entries liberal${first(fresh)}`,
    bound: '0 and 0',
  };
}

function first(differences: readonly string[]): string {
  return differences[0] === undefined ? '' : `, first: ${differences[0]}`;
}

function outsideBlackout(
  name: string,
  moves: readonly MoveResult[],
  outside: (m: MoveResult) => number,
  inside: (m: MoveResult) => number,
  learning?: (m: MoveResult) => number,
): Condition {
  const lost = sum(moves.map(outside));
  const more = learning === undefined ? '' : `, of them ${sum(moves.map(learning))} while the new place was learnt`;
  return {
    name,
    held: moves.length > 0 && lost === 0,
    value: `${lost}; inside ${sum(moves.map(inside))}${more}`,
    bound: '0',
  };
}

/**
 * A segment lost in the instant of the unplugging is repaired over the detour: its SACK, its retransmission and the answer to that each
 * take one link more than without firewalls, whatever the controller does (docs/decisions/0005).
 */
const DETOUR_REPAIR_LINKS = 3;

function udpGap(e: Uc1Evidence): Condition {
  const moves = worst(e.moves.map((m) => m.longestGapMs));
  const baseline = worst(e.baseline.map((m) => m.longestGapMs));
  return gap('longest gap, UDP every 2 ms: worst move', { moves, baseline, repairMs: 0 });
}

function trickleGap(e: Uc1Evidence): Condition {
  const moves = median(e.moves.map((m) => m.trickleGapMs));
  const baseline = median(e.baseline.map((m) => m.trickleGapMs));
  const repairMs = DETOUR_REPAIR_LINKS * e.delayMs;
  return gap('longest gap, trickle TCP: median over moves', { moves, baseline, repairMs });
}

interface Gaps {
  readonly moves: number | null;
  readonly baseline: number | null;
  readonly repairMs: number;
}

function gap(name: string, { moves, baseline, repairMs }: Gaps): Condition {
  const above = moves === null || baseline === null ? null : moves - baseline;
  const shown = (ms: number | null): string => (ms === null ? 'not measured' : `${round1(ms)} ms`);
  return {
    name,
    held: above !== null && above <= GAP_ALLOWANCE_MS + repairMs,
    value: `${shown(moves)}; without firewalls ${shown(baseline)}`,
    bound: `at most ${GAP_ALLOWANCE_MS} ms${repairMs === 0 ? '' : ` + ${repairMs} ms (a repair over the detour)`} above`,
  };
}

function otherTenant(e: Uc1Evidence): Condition {
  const others = e.moves.map((m) => m.otherTenant);
  const resets = sum(others.map((o) => o.resets));
  const lost = sum(others.map((o) => o.lostConnections));
  const udp = sum(others.map((o) => o.udpLost));
  const elsewhere = sum(others.map((o) => (o.packetsAtOtherFirewall ?? 0) + (o.entriesAtOtherFirewall ?? 0)));
  return {
    name: "the other tenant's equal 5-tuples",
    held: others.length > 0 && resets + lost + udp + elsewhere === 0,
    value: `${resets} resets, ${lost} lost, ${udp} UDP lost, ${elsewhere} packets or entries at the other firewall`,
    bound: 'not touched',
  };
}

function newSlow(e: Uc1Evidence): Condition {
  const slow = sum(e.moves.map((m) => m.newSlow));
  const worstMs = worst(e.moves.map((m) => m.newWorstBeyondMs)) ?? 0;
  return {
    name: 'new connections slow',
    held: e.moves.length > 0 && slow === 0,
    value: `${slow}; the slowest took ${round1(worstMs)} ms beyond the blackout${caughtNote(e)}${slow === 0 ? '' : someTroubled(e)}`,
    bound: `none beyond what was left of the blackout + ${NEW_CONNECTION_MS} ms, round trips by the links' delay not counted`,
  };
}

const SHOWN_TROUBLED = 5;

/** When the first ones of a failed condition began, and what they took: whoever looks for the cause needs no second run. */
function someTroubled(e: Uc1Evidence): string {
  return `: ${e.moves
    .flatMap((m) => m.newTroubled)
    .slice(0, SHOWN_TROUBLED)
    .join('; ')}`;
}

/** SYNs to a port that goes at that moment are beyond anybody's help: counted apart, and shown. */
function caughtNote(e: Uc1Evidence): string {
  const caught = sum(e.moves.map((m) => m.newCaught));
  return caught === 0 ? '' : `; ${caught} caught by the unplugging came through at their retransmission`;
}

/** The control run: without the state, no connection may come through the other firewall. */
export function controlConditions(moves: readonly MoveResult[], asked: number): readonly Condition[] {
  const echoed = sum(moves.map((m) => m.echoed));
  const all = sum(moves.map((m) => m.connections));
  const other = sum(moves.map((m) => m.otherTenant.resets + m.otherTenant.lostConnections));
  return [
    {
      name: 'control: connections that get an echo without the state',
      held: moves.length === asked && all > 0 && echoed === 0,
      value: `${echoed} of ${all} within 10 s`,
      bound: 'none',
    },
    {
      name: "control: the other tenant's connections",
      held: moves.length > 0 && other === 0,
      value: `${other} reset or lost`,
      bound: 'not touched',
    },
  ];
}
