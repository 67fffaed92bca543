// The draft's State Orchestration Master: gets the TDE's notifications, plans, and has the units do the work. Knows agents
// and flows through ports.ts only.

import type { Clock } from '../base/clock.ts';
import { StateferryError } from '../base/errors.ts';
import type { Mac, StateHostId, Vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Store } from '../store/store.ts';
import type { Notification } from '../../topology/notification.ts';
import { Debts } from './debts.ts';
import { closeRecord, openRecord } from './records-of-moves.ts';
import { haltsOf, keyOf, pinsOf } from './pins.ts';
import { isHalted, planMove } from './plan.ts';
import type { Holding, MovePlan } from './plan.ts';
import type { Agents, FlowControl, Relocation, VmPorts } from './ports.ts';
import type { MigrationRecord } from './record.ts';
import { Records } from './records.ts';
import { oweUndoing, recover } from './recovery.ts';
import type { Strategy, TransferLimits } from './transfer.ts';
import { Unit } from './unit.ts';
import type { UnitPlan, UnitWorld } from './unit.ts';

export interface SomOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly agents: Agents;
  readonly flows: FlowControl;
  /** Of State Hosts between VMs and their NVE; without it there are none. */
  readonly ports?: VmPorts;
  readonly strategy: Strategy;
  readonly limits: TransferLimits;
  readonly retryMs?: number;
  readonly retryMaxMs?: number;
}

const NO_PORTS: VmPorts = { of: () => ({ admitted: () => Promise.resolve() }), update: () => undefined };

/** What an operator asked for cannot be done. */
export class SomError extends StateferryError<'unknown-migration' | 'not-running'> {}

export class Som {
  readonly records: Records;
  readonly #options: SomOptions;
  readonly #units = new Map<string, Unit>();
  readonly #world: UnitWorld;

  constructor(options: SomOptions) {
    this.#options = options;
    this.records = new Records(options.store, options.clock);
    this.#world = {
      clock: options.clock,
      log: options.log,
      agents: options.agents,
      flows: options.flows,
      ports: options.ports ?? NO_PORTS,
      records: this.records,
      debts: new Debts(options.store, options.agents, options.log),
      table: options.store.table('units'),
      strategy: options.strategy,
      limits: options.limits,
      retryMs: options.retryMs ?? 1000,
      retryMaxMs: options.retryMaxMs ?? 15_000,
    };
  }

  /** Units whose state is not where the paths say: shown as pins, asked before a server is called empty. */
  get units(): readonly Unit[] {
    return [...this.#units.values()];
  }

  /** IF(M,T) F1. Resolves when the VM's new location and its pins are in place; the transfers go on by themselves. */
  async notify(notification: Notification): Promise<MigrationRecord> {
    const earlier = this.#unitsOf(notification);
    const plan = planMove(notification, this.#holdings(earlier), (a, b) => this.#options.flows.route(a, b));
    const record = openRecord(this.records, notification, plan, this.#options.clock.wallMs());
    const keeps = this.#options.strategy === 'detour' || this.#options.strategy === 'copy';
    const stays = keeps ? { pins: pinsOf(record.id, plan), halts: haltsOf(record.id, plan) } : { pins: [] };
    const units = this.#unitsFor(record, plan);
    // Known from now on: a newer notification may come while the switches take this one.
    for (const unit of units) this.#units.set(unit.plan.key, unit);
    const before = Promise.all(earlier.map((u) => u.done));
    // After the new ones are stored: killed in between, the controller finds both and goes on with the newer.
    for (const unit of earlier) unit.end('superseded');
    // What holds the VM's port needs no switch, and the VM waits for it.
    for (const unit of units) if (unit.plan.atVap === true) this.#start(unit, before);
    await this.#relocate(record, plan, stays, earlier);
    for (const unit of units) if (unit.plan.atVap !== true) this.#start(unit, before);
    if (units.length === 0) closeRecord(record, this.records, this.#options.clock);
    return record;
  }

  /** This VM's packets have to wait at this State Host in front of its port (hard case 29). */
  holdsPort(vnid: Vnid, vm: Mac, stateHost: StateHostId): boolean {
    if (this.#options.strategy === 'draft') return false;
    return this.units.some(
      ({ plan, holdsPort }) => holdsPort && plan.vnid === vnid && plan.vm === vm && plan.destination === stateHost,
    );
  }

  /** Where a VM's state is, when a migration of it has not been lifted. */
  holdingsOf(vnid: Vnid, vm: Mac): Holding[] {
    return this.#holdings(this.units.filter((u) => u.plan.vnid === vnid && u.plan.vm === vm));
  }

  /** An agent (came back and) registered: what waits for it is tried at once. */
  agentRegistered(id: StateHostId): void {
    void this.#world.debts.settle(id);
    for (const unit of this.#units.values()) {
      if (unit.plan.source === id || unit.plan.destination === id) unit.retryNow();
    }
  }

  retry(id: string): void {
    for (const unit of this.#running(id)) unit.retryNow();
  }

  /** Lifts without the state: the operator's word against broken connections. */
  force(id: string): void {
    for (const unit of this.#running(id)) unit.end('forced');
  }

  /** Stops trying; the pin stays as long as the VM does. */
  abandon(id: string): void {
    for (const unit of this.#running(id)) unit.end('abandoned');
  }

  /**
   * After a restart, when the switches have been read and before anything is sent to them: what was pinned is pinned again,
   * what was being lifted goes the way the switches went. The returned function, to be called when that is installed, tries
   * the pinned ones anew, retires the lifted ones, and undoes what had been ended.
   */
  recover(): () => Promise<void> {
    const found = recover(this.#world);
    const units = found.units.map((u) => {
      return new Unit(u.plan, u.lifted ? 'lifted' : 'pinned', u.record, u.transfer, this.#world);
    });
    // Known from now on: a newer notification may come before they go on.
    for (const unit of units) this.#units.set(unit.plan.key, unit);
    const kept = new Set(units.map((u) => u.plan.migration));
    for (const record of this.records.list()) {
      if (record.endedWallMs === null && !kept.has(record.id)) closeRecord(record, this.records, this.#options.clock);
    }
    return async () => {
      const undone = [...found.units.filter((u) => !u.lifted), ...found.ended];
      for (const unit of undone) oweUndoing(unit, this.#world.debts);
      for (const unit of units) this.#start(unit, Promise.resolve());
      if (undone.length === 0) return;
      await this.#options.flows.cachesFollow();
      const concerned = new Set(undone.flatMap(({ plan }) => [plan.source, plan.destination]));
      await Promise.all([...concerned].map((id) => this.#world.debts.settle(id)));
    };
  }

  #unitsOf(n: Notification): Unit[] {
    return [...this.#units.values()].filter((u) => u.plan.vnid === n.vnid && u.plan.vm === n.vm.mac);
  }

  #holdings(units: readonly Unit[]): Holding[] {
    return units
      .filter((u) => u.phase !== 'lifted')
      .map(({ plan }) => ({
        peerNve: plan.peerNve,
        holder: plan.source,
        anchor: plan.anchor,
        selector: plan.selector,
        ...(plan.atVap === true ? { towards: plan.destination } : {}),
      }));
  }

  async #relocate(
    record: MigrationRecord,
    plan: MovePlan,
    stays: Pick<Relocation, 'pins' | 'halts'>,
    earlier: Unit[],
  ): Promise<void> {
    const { clock, flows, log } = this.#options;
    const journal = this.records.steps(record, null, 1);
    const startedWallMs = clock.wallMs();
    const started = clock.now();
    journal.begin('pin');
    const stamp = (): { startedWallMs: number; wallMs: number; ms: number } => ({
      startedWallMs,
      ms: clock.now() - started,
      wallMs: clock.wallMs(),
    });
    try {
      const { vnid, vm, oldNve, newNve } = plan;
      const replaces = earlier.map((u) => u.plan.key);
      const held = await flows.relocate({ vnid, vm, oldNve, newNve, ...stays, replaces });
      Object.assign(record.held, { limbo: held.limbo, punted: held.punted, dropped: held.dropped });
      journal.end({
        step: 'pin',
        ...stamp(),
        detail: { pins: stays.pins.length, halts: stays.halts?.length ?? 0, ...held },
      });
    } catch (cause) {
      const failed = cause instanceof Error ? cause.message : String(cause);
      journal.end({ step: 'pin', ...stamp(), detail: {}, failed });
      log.error('a VM moved and the switches did not all take its new location', {
        migration: record.id,
        cause: failed,
      });
    }
  }

  #unitsFor(record: MigrationRecord, plan: MovePlan): Unit[] {
    return plan.transfers.flatMap((t, index) => {
      const transfer = record.transfers[index];
      if (transfer === undefined || t.source === null || t.destination === null || this.#options.strategy === 'none') {
        return [];
      }
      const unitPlan: UnitPlan = {
        key: keyOf(record.id, index),
        migration: record.id,
        index,
        vnid: plan.vnid,
        vm: plan.vm,
        newNve: plan.newNve,
        peerNve: t.peerNve,
        anchor: t.anchor,
        source: t.source,
        destination: t.destination,
        selector: t.selector,
        ...(t.atVap === true ? { atVap: true as const } : {}),
        ...(isHalted(t) ? { halted: true as const } : {}),
      };
      return [new Unit(unitPlan, 'pinned', record, transfer, this.#world)];
    });
  }

  #start(unit: Unit, after: Promise<unknown>): void {
    this.#units.set(unit.plan.key, unit);
    void unit.run(after).then(() => {
      this.#units.delete(unit.plan.key);
    });
  }

  #running(id: string): Unit[] {
    if (this.records.get(id) === undefined) throw new SomError('unknown-migration', `there is no migration ${id}`);
    const units = [...this.#units.values()].filter((u) => u.plan.migration === id);
    if (units.length === 0) throw new SomError('not-running', `migration ${id} is not running`);
    return units;
  }
}
