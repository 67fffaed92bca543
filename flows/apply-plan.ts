// A difference as bundles: which flow mods in which phase, and how to take each back. Pure.

import type { FlowMod, MeterMod } from '../src/openflow/model.ts';
import { decodeCookie, isOurs } from './cookies.ts';
import type { Difference } from './diff.ts';
import type { InstalledRule, Rule, Stage } from './rule.ts';
import { FROM_VAP, TABLE, TABLE_COUNT, meterLimits } from './tables.ts';

/**
 * - `deliver`: what delivers is added or changed
 * - `carry`: what carries frames on to where they are delivered by now; a trail or a pin takes over frames that flow already
 * - `turn`: everything that lets frames in: the re-pointing itself
 * - `clear`: what delivered or carried on, and is no longer needed
 */
export const PHASES = ['deliver', 'carry', 'turn', 'clear'] as const;
export type Phase = (typeof PHASES)[number];

/** One flow mod and the one that takes it back; null where it must not be taken back. */
export interface Step {
  readonly mod: FlowMod;
  readonly inverse: FlowMod | null;
  /** Frames are let in behind it only when the datapath caches have followed. */
  readonly laysDetour: boolean;
}
export type ApplyPlan = Readonly<Record<Phase, readonly Step[]>>;

const PHASE_OF = { deliver: 'deliver', transit: 'carry', detour: 'carry', ingress: 'turn' } as const satisfies Record<
  Stage,
  Phase
>;

export function planOf(change: Difference): ApplyPlan {
  const plan: Record<Phase, Step[]> = { deliver: [], carry: [], turn: [], clear: [] };
  for (const rule of change.add) {
    plan[PHASE_OF[rule.stage]].push(step(rule, remove(rule)));
  }
  for (const { from, to } of change.modify) {
    plan[PHASE_OF[to.stage]].push(step(to, restore(from)));
  }
  for (const rule of change.delete) {
    // When a VM is back, what sent frames after it goes in the step in which they are delivered again.
    const ended = isTrail(rule) && change.modify.some((m) => m.from.cookie === rule.cookie);
    plan[ended ? 'deliver' : stageOf(rule) === 'ingress' ? 'turn' : 'clear'].push({
      mod: remove(rule),
      inverse: restore(rule),
      laysDetour: false,
    });
  }
  return plan;
}

const step = (rule: Rule, inverse: FlowMod | null): Step => ({
  mod: put(rule),
  inverse,
  laysDetour: rule.stage === 'detour',
});
const isTrail = (rule: InstalledRule): boolean => decodeCookie(rule.cookie)?.kind === 'trail';

/** What to do about rules found in a switch: those of our tables and of our making are ours to delete, others are not. */
export function isManaged(rule: InstalledRule): boolean {
  return rule.table < TABLE_COUNT || isOurs(rule.cookie);
}

export function metersOf(rules: Iterable<InstalledRule>): Set<number> {
  const ids = new Set<number>();
  for (const { instructions } of rules) for (const i of instructions) if (i.type === 'meter') ids.add(i.meterId);
  return ids;
}

export function meterMod(command: MeterMod['command'], meterId: number): MeterMod {
  const { rate, burst } = meterLimits(meterId);
  const flags = 0b0110; // OFPMF_PKTPS | OFPMF_BURST
  return {
    type: 'meter_mod',
    command,
    meterId,
    flags: command === 'delete' ? 0 : flags,
    bands: command === 'delete' ? [] : [{ rate, burstSize: burst }],
  };
}

/** Adding over an entry of the same key replaces it in one step, cookie and timeouts included; modifying would not. */
function put(rule: InstalledRule): FlowMod {
  const { table, priority, cookie, match, instructions, hardTimeout } = rule;
  const base = { type: 'flow_mod', command: 'add', table, priority, cookie, match, instructions } as const;
  return hardTimeout === undefined || hardTimeout === 0 ? base : { ...base, hardTimeout };
}

function remove({ table, priority, match }: InstalledRule): FlowMod {
  return { type: 'flow_mod', command: 'delete_strict', table, priority, cookie: 0n, match, instructions: [] };
}

/** A closed gate is never closed again by an undo: nobody would be there to open it. */
function restore(rule: InstalledRule): FlowMod | null {
  return (rule.hardTimeout ?? 0) > 0 ? null : put(rule);
}

/** Rules read from a switch do not say their stage; their shape does. What others put there is in the way: it goes first. */
function stageOf(rule: InstalledRule & { readonly stage?: Stage }): Stage {
  if (rule.stage !== undefined) return rule.stage;
  if (!isOurs(rule.cookie)) return 'ingress';
  if (rule.table === TABLE.vap || rule.table === TABLE.arp || rule.table === TABLE.gate) return 'ingress';
  const metadata = rule.match.find((f) => f.name === 'metadata')?.value;
  if (typeof metadata === 'bigint' && (metadata & FROM_VAP) !== 0n) return 'ingress';
  const admits = rule.instructions.some((i) => i.type === 'write_metadata' && (i.metadata & FROM_VAP) !== 0n);
  return admits ? 'ingress' : 'deliver';
}
