// What happens in one run, drawn from its seed: delays, moves, flows, faults.

import type { Place } from '../../flows/world.ts';
import { PEERS, PLACES } from './figure1.ts';
import type { Random } from './random.ts';
import type { FlowPlan } from './tenants.ts';

export interface MovePlan {
  /** When the VM stops at its old place. */
  readonly atMs: number;
  readonly to: Place;
  readonly blackoutMs: number;
  readonly announces: boolean;
  /** The old port goes down at the start, or is left up. */
  readonly portStatus: boolean;
}

export type Fault =
  | {
      readonly kind: 'agent';
      readonly which: 0 | 1;
      readonly how: 'dies' | 'loses-session' | 'refuses';
      readonly atMs: number;
      readonly forMs: number;
    }
  | { readonly kind: 'controller'; readonly atMs: number; readonly forMs: number }
  /** When a switch has made the lift's nth commit, and nobody has heard of it. */
  | { readonly kind: 'controller-in-lift'; readonly commit: number; readonly forMs: number }
  | { readonly kind: 'switch'; readonly which: 0 | 1 | 2; readonly atMs: number; readonly forMs: number };

export interface Scenario {
  /** Switches are empty at first; else they hold what they need when VM1 is at home. */
  readonly blank: boolean;
  readonly linkMs: number;
  readonly jitterMs: number;
  readonly controlMs: number;
  readonly agentMs: number;
  readonly commitMs: number;
  readonly staleMs: number;
  readonly eventMs: number;
  readonly kernelMs: number;
  readonly graceMs: number;
  readonly moves: readonly MovePlan[];
  readonly flows: readonly FlowPlan[];
  readonly faults: readonly Fault[];
  /** When traffic and disturbances have ended. */
  readonly endMs: number;
}

export interface ScenarioBounds {
  /**
   * `agents`: one of them, in a run with one move. `lift`: the controller, in the middle of the lift's commits (hard case 2).
   * `all`: also controllers and switches, and returns.
   */
  readonly faults: 'none' | 'agents' | 'lift' | 'all';
  /** `small`: few connections that say little, mostly one move: what a run is about, the interleavings, costs the least. */
  readonly world: 'small' | 'full';
}

export const FAULTS = ['none', 'agents', 'lift', 'all'] as const satisfies readonly ScenarioBounds['faults'][];

export const WORLDS = ['small', 'full'] as const satisfies readonly ScenarioBounds['world'][];

interface Size {
  /** Connections, and data sent on each: at least so many, and fewer than so many more. */
  readonly flows: readonly [least: number, more: number];
  readonly sends: readonly [least: number, more: number];
  /** Of the runs, how many have a second move. */
  readonly returns: number;
}
const SIZES: Readonly<Record<ScenarioBounds['world'], Size>> = {
  small: { flows: [1, 3], sends: [2, 5], returns: 0.2 },
  full: { flows: [3, 4], sends: [3, 9], returns: 0.35 },
};

const GRACE_MS = 2000;
/** Within which a switch's cache follows its tables: what the controller counts on. */
export const CACHE_MS = 25;

export function drawScenario(random: Random, bounds: ScenarioBounds): Scenario {
  const size = SIZES[bounds.world];
  const scale = random.pick([0.1, 1, 5, 40]);
  const linkMs = scale * random.between(0.2, 1);
  const first = 20 + linkMs * 8 + random.between(0, 50);
  const moves = [moveTo(random, first, 1)];
  if (bounds.faults !== 'agents' && random.chance(size.returns)) {
    const gap = random.chance(0.7) ? random.between(60, GRACE_MS) : random.between(GRACE_MS, 2 * GRACE_MS);
    const again = first + (moves[0]?.blackoutMs ?? 0) + gap;
    moves.push(announced(moveTo(random, again, 0)));
  }
  const lastMove = (moves.at(-1) as MovePlan).atMs;
  const busyMs = 150 + linkMs * 16;
  const faults = bounds.faults === 'none' ? [] : [drawFault(random, first, bounds.faults)];
  const faultsOver = Math.max(0, ...faults.map((f) => ('atMs' in f ? f.atMs : lastMove + busyMs) + f.forMs));
  const endMs = Math.max(lastMove + busyMs, faultsOver) + 300;
  const flows = Array.from({ length: draw(random, size.flows) }, () => drawFlow(random, size, moves, busyMs, endMs));
  return {
    blank: random.chance(0.1),
    linkMs,
    jitterMs: linkMs * random.between(0, 0.5),
    controlMs: random.pick([0.2, 1, 5, 20]) * random.between(0.5, 1),
    agentMs: random.pick([0.2, 1, 5, 20]) * random.between(0.5, 1),
    commitMs: random.pick([0.2, 2, 10]),
    staleMs: random.pick([0, 2, 10, CACHE_MS]),
    eventMs: random.pick([0.1, 1, 5]),
    kernelMs: random.pick([0.1, 1, 5]),
    graceMs: GRACE_MS,
    moves,
    flows,
    faults,
    endMs,
  };
}

function moveTo(random: Random, atMs: number, place: number): MovePlan {
  return {
    atMs,
    to: PLACES[place] as Place,
    blackoutMs: random.pick([0, 10, 60]) * random.between(0.5, 1),
    announces: random.chance(0.6),
    portStatus: random.chance(0.6),
  };
}

/** Frames alone do not prove a return to the place that was left a moment ago (hard case 7). */
const announced = (move: MovePlan): MovePlan => ({ ...move, announces: true });

const draw = (random: Random, [least, more]: readonly [number, number]): number => least + random.int(more);

function drawFlow(random: Random, size: Size, moves: readonly MovePlan[], busyMs: number, endMs: number): FlowPlan {
  const move = random.pick(moves);
  // Most of what matters happens just after a move; some long before, some in the grace.
  const around = (): number =>
    random.chance(0.8) ? move.atMs + random.between(-20, busyMs) : random.between(0, endMs);
  const openMs = random.chance(0.5) ? random.between(0, 10) : around();
  const sends = Array.from({ length: draw(random, size.sends) }, (): [number, 0 | 1] => [
    around(),
    random.chance(0.5) ? 0 : 1,
  ]);
  const proto = random.chance(0.7) ? 'tcp' : 'udp';
  const closes = proto === 'tcp' && random.chance(0.35);
  return {
    proto,
    peer: random.chance(0.8) ? (PEERS[random.int(2)] as FlowPlan['peer']) : random.pick(PEERS),
    outbound: random.chance(0.6),
    openMs,
    sends,
    close: closes
      ? { atMs: around(), side: random.chance(0.5) ? 0 : 1, how: random.chance(0.8) ? 'fin' : 'rst' }
      : null,
  };
}

/** More commits than a lift has. */
const COMMITS = 8;

function drawFault(random: Random, moveMs: number, kinds: 'agents' | 'lift' | 'all'): Fault {
  const atMs = moveMs + random.between(-30, 400);
  const forMs = random.pick([50, 500, 3000]) * random.between(0.5, 1);
  if (kinds === 'lift') return { kind: 'controller-in-lift', commit: 1 + random.int(COMMITS), forMs };
  const kind = kinds === 'agents' ? 'agent' : random.pick(['agent', 'agent', 'controller', 'switch'] as const);
  if (kind === 'controller') return { kind, atMs, forMs };
  if (kind === 'switch') return { kind, which: random.pick([0, 1, 2] as const), atMs, forMs };
  const how = random.pick(['dies', 'loses-session', 'refuses'] as const);
  return { kind, which: random.chance(0.5) ? 0 : 1, how, atMs, forMs };
}
