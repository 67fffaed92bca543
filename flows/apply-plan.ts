// A difference as bundles: which flow mods in which phase, and how to take each back. Pure.

import type { FlowMod, MeterMod } from '../src/openflow/model.ts';
import { decodeCookie, isOurs } from './cookies.ts';
import { diff, indexRules, isEmpty } from './diff.ts';
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

/** What one phase does to one switch, and what takes it back: a closed gate, for one, must not be closed again. */
export interface PhasePlan {
  readonly mods: readonly FlowMod[];
  readonly inverse: readonly FlowMod[];
  /** Frames are let in behind it only when the datapath caches have followed. */
  readonly laysDetour: boolean;
}
export type ApplyPlan = Readonly<Record<Phase, PhasePlan>>;

/** All that is to be done to one switch. */
export interface SwitchChange {
  readonly plan: ApplyPlan;
  /** Meters its new rules need. */
  readonly meters: ReadonlySet<number>;
  /** Meters its rules need when it is done. */
  readonly metersAfter: ReadonlySet<number>;
}

/** Null where there is nothing to do. */
export function changeOf(installed: readonly InstalledRule[], desired: readonly Rule[]): SwitchChange | null {
  const change = diff(installed, desired);
  if (isEmpty(change)) return null;
  const meters = metersOf([...change.add, ...change.modify.map((m) => m.to)]);
  return { plan: planOf(change), meters, metersAfter: metersOf(desired) };
}

/**
 * What a switch that gave these rows holds of ours, or in our tables. A closed gate that `before` says it held counts as held
 * even if it has opened by itself: it must not be closed again by a reconciliation (hard case 4).
 */
export function readingOf(rows: readonly InstalledRule[], before: readonly InstalledRule[]): Reading {
  const gates = before.filter((rule) => (rule.hardTimeout ?? 0) > 0);
  const managed = rows.filter(isManaged);
  return { installed: [...indexRules([...gates, ...managed]).values()], meters: metersOf(managed) };
}

export interface Reading {
  readonly installed: readonly InstalledRule[];
  /** Meters that are there for certain. */
  readonly meters: ReadonlySet<number>;
}

const PHASE_OF = { deliver: 'deliver', transit: 'carry', detour: 'carry', ingress: 'turn' } as const satisfies Record<
  Stage,
  Phase
>;

class Draft implements PhasePlan {
  readonly mods: FlowMod[] = [];
  readonly inverse: FlowMod[] = [];
  laysDetour = false;

  add(mod: FlowMod, inverse: FlowMod | null, laysDetour: boolean): void {
    this.mods.push(mod);
    if (inverse !== null) this.inverse.push(inverse);
    this.laysDetour ||= laysDetour;
  }
}

export function planOf(change: Difference): ApplyPlan {
  const plan = { deliver: new Draft(), carry: new Draft(), turn: new Draft(), clear: new Draft() };
  for (const rule of change.add) {
    plan[PHASE_OF[rule.stage]].add(put(rule), remove(rule), rule.stage === 'detour');
  }
  for (const { from, to } of change.modify) {
    plan[PHASE_OF[to.stage]].add(put(to), restore(from), to.stage === 'detour');
  }
  const modified = new Set(change.modify.map((m) => m.from.cookie));
  for (const rule of change.delete) {
    // When a VM is back, what sent frames after it goes in the step in which they are delivered again.
    const ended = isTrail(rule) && modified.has(rule.cookie);
    const phase = ended ? 'deliver' : stageOf(rule) === 'ingress' ? 'turn' : 'clear';
    plan[phase].add(remove(rule), restore(rule), false);
  }
  return plan;
}

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
