// What must be true when all is quiet again: nothing left behind, and every live flow works through the one firewall that has
// its state.

import type { Dpid } from '../../src/base/ids.ts';
import type { Store } from '../../src/store/store.ts';
import type { Rule } from '../../flows/rule.ts';
import { NVES, stateHostBetween } from './figure1.ts';
import { isLive } from './flow.ts';
import type { Flow } from './flow.ts';
import type { AgentSet } from './agent-set.ts';
import type { ControllerLife } from './controller-life.ts';
import type { Firewall } from './firewall.ts';
import type { Plumbing } from './plumbing.ts';
import type { Scenario } from './scenario.ts';
import type { SimulatedSwitch } from './simulated-switch.ts';
import { TableState } from './table-state.ts';
import type { Tenants } from './tenants.ts';
import { compileOnce } from './world-intern.ts';

/** A run that has come to rest. */
export interface Judged {
  readonly scenario: Scenario;
  readonly tenants: Tenants;
  readonly plumbing: Plumbing;
  readonly store: Store;
  readonly agents: AgentSet;
  readonly firewalls: readonly Firewall[];
  readonly switches: ReadonlyMap<Dpid, SimulatedSwitch>;
  readonly life: ControllerLife | null;
  /** When VM1 last left a place. */
  readonly leftAt: number;
  violation(what: string): void;
}

/** `play` lets time go on. */
export function judge(sim: Judged, play: (ms: number) => void): void {
  const quietMs = 20 * sim.scenario.linkMs + 8 * sim.scenario.controlMs + 1000;
  play(sim.scenario.graceMs + quietMs);
  judgeControl(sim);
  judgeSwitches(sim);
  judgeFirewalls(sim);
  const live = sim.tenants.flows.filter(isLive);
  const before = live.map((f) => [...f.received]);
  for (const flow of live) for (const side of [0, 1] as const) sim.tenants.say(flow, side);
  play(quietMs);
  live.forEach((flow, i) => {
    for (const side of [0, 1] as const) {
      if (flow.proto === 'tcp' && flow.received[side] <= (before[i]?.[side] ?? 0)) {
        sim.violation(`stuck: flow ${flow.id} does not reach vm${flow.ends[side].index + 1}`);
      }
    }
  });
  if (sim.plumbing.under !== 0) sim.violation(`${sim.plumbing.under} packets never arrived anywhere`);
  for (const flow of sim.tenants.flows) {
    if (flow.proto === 'tcp' && !flow.open[0] && !flow.closing)
      sim.violation(`unopened: flow ${flow.id} (${flow.proto}) never opened`);
  }
}

function judgeControl(sim: Judged): void {
  const { life, plumbing } = sim;
  if (life === null) return;
  for (const r of life.som.records.list()) {
    if (r.endedWallMs === null) sim.violation(`${r.id} never ended: ${r.state} ${r.reason ?? ''}`);
  }
  const units = sim.store.table('units').list();
  if (units.length > 0) sim.violation(`left behind: units ${units.map((u) => u.key).join()}`);
  const { keys, bytes } = life.hold.waiting;
  if (keys > 0) sim.violation(`left behind: ${keys} hold queues, ${bytes} bytes`);
  plumbing.forgetFrom(sim.leftAt);
  if (plumbing.inController.size > 0) {
    sim.violation(`left behind: packets ${[...plumbing.inController.keys()].join()} in the controller`);
  }
  const { pins, gates, trails } = life.world ?? { pins: [], gates: [], trails: [] };
  if (pins.length + gates.length + trails.length > 0) {
    sim.violation(`left behind: ${pins.length} pins, ${gates.length} gates, ${trails.length} trails wanted`);
  }
}

const wantedTables = new WeakMap<readonly Rule[], TableState>();

function tablesOf(nve: Dpid, rules: readonly Rule[]): TableState {
  let tables = wantedTables.get(rules);
  if (tables === undefined) {
    tables = TableState.of(nve, rules);
    wantedTables.set(rules, tables);
  }
  return tables;
}

/** The switches hold what the bare world asks for, rule by rule. */
function judgeSwitches(sim: Judged): void {
  const world = sim.life?.world;
  if (world == null) return;
  const bare = compileOnce({ ...world, pins: [], gates: [], trails: [] });
  for (const nve of NVES) {
    const wanted = tablesOf(nve, bare.get(nve) ?? []);
    const here = sim.switches.get(nve)?.tables;
    if (here === wanted) continue;
    const extra = [...(here?.entries.keys() ?? [])].filter((key) => !wanted.entries.has(key));
    const missing = [...wanted.entries.keys()].filter((key) => here?.entries.has(key) !== true);
    if (extra.length > 0) sim.violation(`left behind: rules at nve${nve.slice(-1)}: ${extra.join(' ; ')}`);
    if (missing.length > 0) sim.violation(`missing rules at nve${nve.slice(-1)}: ${missing.join(' ; ')}`);
  }
}

function judgeFirewalls(sim: Judged): void {
  for (const agent of sim.agents.agents) {
    const { id, gates } = agent.firewall;
    if (gates.size > 0) sim.violation(`left behind: a gate at ${id}`);
    for (const [migration, source] of agent.sources) {
      if (source.stage !== 'over') sim.violation(`left behind: ${id} still follows ${migration} (${source.stage})`);
    }
    for (const [migration, d] of agent.destinations) {
      if (!d.lifted && !d.over) sim.violation(`left behind: ${id} still waits for ${migration}`);
    }
  }
  for (const flow of sim.tenants.flows) if (isLive(flow)) judgeFlow(sim, flow);
}

function judgeFlow(sim: Judged, flow: Flow): void {
  const at = sim.plumbing.attached;
  if (at === null) return;
  const wanted = stateHostBetween(at.nve, flow.peer);
  for (const firewall of sim.firewalls) {
    const entry = firewall.entries.get(flow);
    const has = entry !== undefined;
    // Born in a lift that was taken back, never answered there: it ages out, and nothing comes its way.
    // Whose agent died has forgotten what it was to delete: that ages out as well.
    if (has && firewall.id !== wanted && sim.scenario.faults.some((f) => f.kind === 'agent' && f.how === 'dies'))
      continue;
    if (entry?.assured === false && sim.scenario.moves.length + sim.scenario.faults.length > 1) continue;
    if (has && firewall.id !== wanted) sim.violation(`left behind: flow ${flow.id} has state at ${firewall.id} too`);
    if (!has && firewall.id === wanted) sim.violation(`flow ${flow.id} has no state at ${firewall.id}`);
  }
}
