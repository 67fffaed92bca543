// The draft's State Orchestration Master: gets the TDE's notifications, plans, and has the units do the work. Knows agents
// and flows through ports.ts only.

import type { Clock } from '../base/clock.ts';
import { StateferryError } from '../base/errors.ts';
import type { Mac, MigrationId, StateHostId, Vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Store, Table } from '../store/store.ts';
import type { Notification } from '../../topology/notification.ts';
import { planMove } from './plan.ts';
import type { Holding, MovePlan, PlannedTransfer } from './plan.ts';
import type { Agents, FlowControl, PinRequest } from './ports.ts';
import type { MigrationRecord, TransferRecord } from './record.ts';
import { Records } from './records.ts';
import type { Strategy, TransferLimits } from './transfer.ts';
import { Unit } from './unit.ts';
import type { UnitPhase, UnitPlan, UnitWorld } from './unit.ts';

export interface SomOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly agents: Agents;
  readonly flows: FlowControl;
  readonly strategy: Strategy;
  readonly limits: TransferLimits;
  readonly retryMs?: number;
  readonly retryMaxMs?: number;
}

/** What an operator asked for cannot be done. */
export class SomError extends StateferryError<'unknown-migration' | 'not-running'> {}

export class Som {
  readonly records: Records;
  readonly #options: SomOptions;
  readonly #units = new Map<string, Unit>();
  readonly #table: Table;
  readonly #world: UnitWorld;

  constructor(options: SomOptions) {
    this.#options = options;
    this.records = new Records(options.store, options.clock);
    this.#table = options.store.table('units');
    this.#world = {
      clock: options.clock,
      log: options.log,
      agents: options.agents,
      flows: options.flows,
      records: this.records,
      table: this.#table,
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
    const record = this.#open(notification, plan);
    for (const unit of earlier) unit.end('superseded');
    const pins =
      this.#options.strategy === 'detour' || this.#options.strategy === 'copy' ? pinsOf(record.id, plan) : [];
    const units = this.#unitsFor(record, plan);
    // Known from now on: a newer notification may come while the switches take this one.
    for (const unit of units) this.#units.set(unit.plan.key, unit);
    await this.#relocate(record, plan, pins, earlier);
    const before = Promise.all(earlier.map((u) => u.done));
    for (const unit of units) this.#start(unit, before);
    if (units.length === 0) this.#close(record);
    return record;
  }

  /** Where a VM's state is, when a migration of it has not been lifted. */
  holdingsOf(vnid: Vnid, vm: Mac): Holding[] {
    return this.#holdings(this.units.filter((u) => u.plan.vnid === vnid && u.plan.vm === vm));
  }

  /** An agent (came back and) registered: what waits for it is tried at once. */
  agentRegistered(id: StateHostId): void {
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
   * the pinned ones anew and retires the lifted ones.
   */
  recover(): () => Promise<void> {
    const found = this.#table
      .list()
      .flatMap((row) => this.#adopt(row.value as { plan: UnitPlan; phase: UnitPhase }) ?? []);
    return () => {
      for (const { plan, record, transfer, lifted } of found) {
        const unit = new Unit(plan, lifted ? 'lifted' : 'pinned', record, transfer, this.#world);
        this.#start(unit, Promise.resolve());
      }
      return Promise.resolve();
    };
  }

  #adopt({ plan, phase }: { plan: UnitPlan; phase: UnitPhase }): Recovered | null {
    const { flows, log } = this.#options;
    const record = this.records.get(plan.migration);
    const transfer = record?.transfers[plan.index];
    if (record === undefined || transfer === undefined) {
      this.#table.delete(plan.key);
      return null;
    }
    const lifted =
      phase === 'lifted' ||
      (phase === 'lifting' && flows.pinInstalled(plan.key, [plan.newNve, plan.peerNve]) !== 'all');
    const { vnid, vm, newNve, peerNve, anchor, source, selector } = plan;
    const again = planMove(
      { vnid, vm: record.vm, oldNve: record.oldNve, newNve, transfers: [] },
      [{ peerNve, holder: source, anchor, selector }],
      (a, b) => flows.route(a, b),
    );
    const pins = pinsOf(record.id, again).map((pin) => ({ ...pin, key: plan.key }));
    log.warn('found an unfinished migration', { transfer: plan.key, phase, goesOn: lifted ? 'forward' : 'anew' });
    if (pins.length === 0) log.error('its pin has no route', { transfer: plan.key });
    flows.adopt({ vnid, vm, oldNve: record.oldNve, newNve, pins, replaces: [] }, lifted);
    return { plan, record, transfer, lifted };
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
      }));
  }

  #open(n: Notification, plan: MovePlan): MigrationRecord {
    const now = this.#options.clock.wallMs();
    const record: MigrationRecord = {
      id: this.records.nextId(),
      cause: n.cause,
      evidence: n.evidence,
      vm: { vnid: n.vnid, vnName: n.vnName, mac: n.vm.mac, addresses: n.vm.addresses },
      oldNve: n.oldNve,
      newNve: n.newNve,
      state: 'running',
      reason: null,
      startedWallMs: n.wallMs,
      endedWallMs: null,
      transfers: plan.transfers.map((t, index) => transferRecord(t, index)),
      steps: [],
      held: { limbo: 0, punted: 0, gated: 0, dropped: 0 },
    };
    const journal = this.records.steps(record, null, 1);
    journal.begin('notify');
    journal.end({
      step: 'notify',
      startedWallMs: n.wallMs,
      wallMs: now,
      ms: now - n.wallMs,
      detail: { evidence: n.evidence },
    });
    return record;
  }

  async #relocate(record: MigrationRecord, plan: MovePlan, pins: PinRequest[], earlier: Unit[]): Promise<void> {
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
      const held = await flows.relocate({ vnid, vm, oldNve, newNve, pins, replaces: earlier.map((u) => u.plan.key) });
      Object.assign(record.held, { limbo: held.limbo, punted: held.punted, dropped: held.dropped });
      journal.end({ step: 'pin', ...stamp(), detail: { pins: pins.length, ...held } });
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

  /** A migration that has nothing (more) to move. */
  #close(record: MigrationRecord): void {
    for (const t of record.transfers) {
      if (t.state !== 'running') continue;
      t.state = 'migrated';
      t.reason ??= 'nothing was moved';
    }
    if (record.transfers.some((t) => t.state !== 'migrated')) return;
    record.state = 'migrated';
    record.reason = record.transfers.find((t) => t.reason !== null)?.reason ?? null;
    record.endedWallMs = this.#options.clock.wallMs();
    this.records.save(record);
  }

  #running(id: string): Unit[] {
    if (this.records.get(id) === undefined) throw new SomError('unknown-migration', `there is no migration ${id}`);
    const units = [...this.#units.values()].filter((u) => u.plan.migration === id);
    if (units.length === 0) throw new SomError('not-running', `migration ${id} is not running`);
    return units;
  }
}

interface Recovered {
  readonly plan: UnitPlan;
  readonly record: MigrationRecord;
  readonly transfer: TransferRecord;
  readonly lifted: boolean;
}

function keyOf(id: MigrationId, index: number): string {
  return `${id}.${index}`;
}

function pinsOf(id: MigrationId, plan: MovePlan): PinRequest[] {
  return plan.transfers.flatMap((t, index) =>
    t.pin === null ? [] : [{ key: keyOf(id, index), vnid: plan.vnid, vm: plan.vm, peerNve: t.peerNve, route: t.pin }],
  );
}

function transferRecord(t: PlannedTransfer, index: number): TransferRecord {
  return {
    index,
    source: t.source,
    destination: t.destination,
    peerNve: t.peerNve,
    selector: t.selector,
    state: 'running',
    reason: t.impossible,
    attempt: 0,
    entries: 0,
    digestSource: null,
    digestDestination: null,
    digestEqual: null,
    installedWallMs: null,
    drainedWallMs: null,
    refused: [],
    handshakes: [],
    liberal: true,
  };
}
