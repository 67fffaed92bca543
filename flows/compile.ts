// World in, every NVE's rules out. Pure; what one view object gives rise to is cached by its identity, so compiling a world
// that has changed a little costs little.

import type { Dpid } from '../src/base/ids.ts';
import { arpAnswers, arpRules } from './arp-rules.ts';
import { Atlas } from './atlas.ts';
import { flooding, floodRules } from './flood-rules.ts';
import { forwardRules, unicast } from './forward-rules.ts';
import { closedGates, gateRules } from './gate-rules.ts';
import { ingressRules } from './ingress-rules.ts';
import { pinnedPairs, pinRules } from './pin-rules.ts';
import type { Rule } from './rule.ts';
import { vapRules } from './vap-rules.ts';
import type { NveView, VmView, VnView, World } from './world.ts';

/** The rules of every NVE in `world.nves`; no two of one NVE have the same key. */
export function compile(world: World): ReadonlyMap<Dpid, readonly Rule[]> {
  const atlas = new Atlas(world);
  const tables = new Map<Dpid, Rule[]>();
  const vms = [...atlas.plans.values()].flatMap((plan) => plan.vms);
  const attached = Map.groupBy(vms, (vm) => vm.at?.nve);
  for (const nve of world.nves) tables.set(nve.dpid, ownRules(atlas, nve, attached.get(nve.dpid) ?? []));
  const emit = (nve: Dpid, rule: Rule): void => {
    tables.get(nve)?.push(rule); // a route may lead over an NVE that is gone
  };
  for (const plan of atlas.plans.values()) {
    unicast(atlas, plan, emit);
    flooding(atlas, plan, emit);
  }
  pinnedPairs(atlas, emit);
  closedGates(atlas, emit);
  return tables;
}

/** What an NVE has whatever the others do. */
function ownRules(atlas: Atlas, nve: NveView, attached: readonly VmView[]): Rule[] {
  const answers = [...atlas.plans.values()].flatMap((plan) => {
    const exits = plan.vaps.get(nve.dpid);
    return exits === undefined ? [] : arpAnswers(plan.vms, exits);
  });
  return [
    ...ingressOf(nve, atlas.world.vns),
    ...vapRules(nve, attached),
    ...arpRules(),
    ...answers,
    ...gateRules(),
    ...pinRules(),
    ...forwardRules(),
    ...floodRules(),
  ];
}

const ingressCache = new WeakMap<NveView, { vns: readonly VnView[]; rules: readonly Rule[] }>();

function ingressOf(nve: NveView, vns: readonly VnView[]): readonly Rule[] {
  let made = ingressCache.get(nve);
  if (made?.vns !== vns) {
    made = { vns, rules: ingressRules(nve, vns) };
    ingressCache.set(nve, made);
  }
  return made.rules;
}
