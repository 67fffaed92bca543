// Worlds of equal content as one object over all runs, and what was compiled of one serves all: rules are then the same objects
// in every run.

import type { Dpid } from '../../src/base/ids.ts';
import { compile } from '../../flows/compile.ts';
import type { Rule } from '../../flows/rule.ts';
import type { Gate, Pin, Trail, VmView, World } from '../../flows/world.ts';

type Part = Pin | Gate | Trail | VmView;
interface Known {
  readonly value: Part;
  readonly id: number;
}

const byContent = new Map<string, Known>();
const byObject = new WeakMap<Part, Known>();

function known(part: Part): Known {
  let found = byObject.get(part);
  if (found !== undefined) return found;
  const content = JSON.stringify(part);
  found = byContent.get(content);
  if (found === undefined) {
    found = { value: part, id: byContent.size };
    byContent.set(content, found);
  }
  byObject.set(part, found);
  return found;
}

const kept = <T extends Part>(parts: readonly T[]): T[] => parts.map((p) => known(p).value as T);

const names = new WeakMap<readonly Part[], string>();
/** VMs come in the same arrays again and again. */
function nameOf(vms: readonly VmView[]): string {
  let name = names.get(vms);
  if (name === undefined) {
    name = idsOf(vms);
    names.set(vms, name);
  }
  return name;
}

function idsOf(parts: readonly Part[]): string {
  let ids = '';
  for (const part of parts) ids += `${known(part).id},`;
  return ids;
}

const lists = new Map<string, readonly Rule[]>();
const ruleIds = new WeakMap<Rule, number>();
let rulesKnown = 0;

/** Of an NVE that two worlds ask the same of. */
function oneList(rules: readonly Rule[]): readonly Rule[] {
  const ids = rules.map((rule) => {
    const id = ruleIds.get(rule) ?? (rulesKnown += 1);
    ruleIds.set(rule, id);
    return id;
  });
  const name = ids.join();
  const known = lists.get(name) ?? rules;
  lists.set(name, known);
  return known;
}

type Compiled = ReadonlyMap<Dpid, readonly Rule[]>;
const compiled = new Map<string, Compiled>();

/** The NVEs, VNs and routes of a simulation are always the same. */
export function compileOnce(world: World): Compiled {
  const name = `${nameOf(world.vms)};${idsOf(world.pins)};${idsOf(world.gates)};${idsOf(world.trails)}`;
  let rules = compiled.get(name);
  if (rules === undefined) {
    const { pins, gates, trails } = world;
    const made = compile({ ...world, pins: kept(pins), gates: kept(gates), trails: kept(trails) });
    rules = new Map([...made].map(([nve, list]) => [nve, oneList(list)]));
    compiled.set(name, rules);
  }
  return rules;
}
