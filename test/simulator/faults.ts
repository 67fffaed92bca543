// Faults of a run: when they begin and end, and what must show meanwhile. A fault is planned for a time, or for a commit of the
// lift.

import type { Dpid } from '../../src/base/ids.ts';
import type { UnitPhase } from '../../src/som/unit.ts';
import type { Store } from '../../src/store/store.ts';
import type { AgentSet } from './agent-set.ts';
import type { ControllerLife } from './controller-life.ts';
import { NVES } from './figure1.ts';
import type { Plumbing } from './plumbing.ts';
import type { Fault } from './scenario.ts';
import type { SimulatedSwitch } from './simulated-switch.ts';
import type { Tenants } from './tenants.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** The run they are made in. */
export interface Disturbed {
  readonly time: VirtualClock;
  readonly agents: AgentSet;
  readonly switches: ReadonlyMap<Dpid, SimulatedSwitch>;
  readonly plumbing: Plumbing;
  readonly tenants: Tenants;
  readonly store: Store;
  readonly life: ControllerLife | null;
  trace(what: () => string): void;
  count(what: string): void;
  violation(what: string): void;
}

export interface FaultActions {
  disconnect(nve: Dpid): void;
  connect(nve: Dpid): void;
  killController(): void;
  startController(): void;
}

/** From an agent's death to its migration's record, with all the waiting for answers in between. */
const DEGRADED_WITHIN_MS = 1400;

export class Faults {
  readonly #run: Disturbed;
  readonly #do: FaultActions;

  constructor(run: Disturbed, actions: FaultActions) {
    this.#run = run;
    this.#do = actions;
  }

  plan(fault: Fault): void {
    if (fault.kind === 'controller-in-lift') this.#planKillInLift(fault);
    else this.#planAt(fault, fault.atMs);
  }

  #planKillInLift(fault: Extract<Fault, { kind: 'controller-in-lift' }>): void {
    let commits = 0;
    const onCommit = (): void => {
      const rows = this.#run.store.table('units').list();
      if (!rows.some(({ value }) => (value as { phase: UnitPhase }).phase === 'lifting')) return;
      commits += 1;
      if (commits !== fault.commit) return;
      this.#run.count(`killed after commit ${commits} of the lift`);
      this.#planAt(fault, 0);
    };
    for (const sw of this.#run.switches.values()) sw.onCommit = onCommit;
  }

  #planAt(fault: Fault, atMs: number): void {
    const { time, plumbing, tenants } = this.#run;
    time.loud(atMs, () => {
      this.#run.trace(() => `FAULT ${JSON.stringify(fault)}`);
      this.#begin(fault);
    });
    time.loud(atMs + fault.forMs, () => {
      this.#run.trace(() => `FAULT over`);
      this.#end(fault);
    });
    // What VM1 said meanwhile, nobody may have heard.
    for (const ms of [100, 400, 1500]) {
      time.quiet(atMs + fault.forMs + ms, () => {
        if (plumbing.attached !== null) tenants.chatter();
      });
    }
  }

  #begin(fault: Fault): void {
    if (fault.kind === 'agent') this.#run.agents.begin(fault.which, fault.how);
    else if (fault.kind === 'switch') this.#do.disconnect(NVES[fault.which]);
    else this.#do.killController();
  }

  #end(fault: Fault): void {
    if (fault.kind === 'agent') {
      this.#checkDegraded(fault);
      this.#run.agents.end(fault.which, fault.how);
    } else if (fault.kind === 'switch') this.#do.connect(NVES[fault.which]);
    else this.#do.startController();
  }

  /** What could not go on for so long without the agent says so, with its reason. */
  #checkDegraded({ how, forMs }: Extract<Fault, { kind: 'agent' }>): void {
    const { life } = this.#run;
    if (how === 'refuses' || forMs < DEGRADED_WITHIN_MS || life === null) return;
    const since = life.clock.wallMs() - DEGRADED_WITHIN_MS;
    for (const record of life.som.records.list()) {
      const pinned = record.steps.find((step) => step.step === 'pin');
      if (pinned === undefined || pinned.wallMs > since) continue;
      if (record.transfers.some((t) => t.state === 'running')) {
        this.#run.violation(`${record.id} is ${record.state}, not degraded: an agent has been gone for ${forMs} ms`);
      }
      if (record.state !== 'degraded') continue;
      this.#run.count('degraded while an agent was gone');
      if (record.reason === null) this.#run.violation(`${record.id} is degraded without a reason`);
    }
  }
}
