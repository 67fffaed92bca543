// The draft's State Orchestration Master: gets the TDE's notifications, plans, and has the units do the work. Knows agents
// and flows through ports.ts only.

import type { Clock } from '../base/clock.ts';
import { StateferryError } from '../base/errors.ts';
import type { Mac, StateHostId, Vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Store } from '../store/store.ts';
import type { Notification } from '../../topology/notification.ts';
import type { CopyAhead } from './copy-ahead.ts';
import { Debts } from './debts.ts';
import { closeRecord, type MoveNotice, openPlanned, openRecord, reopenRecord } from './records-of-moves.ts';
import { haltsOf, keyOf, pinsOf } from './pins.ts';
import { isHalted, planMove } from './plan.ts';
import type { Holding, MovePlan } from './plan.ts';
import { Preparation, type PlannedTimes } from './preparation.ts';
import type { Agents, FlowControl, Relocation, StandIns, VmPorts } from './ports.ts';
import type { MigrationRecord } from './record.ts';
import { Records } from './records.ts';
import { giveUpPrepared, oweUndoing, recover } from './recovery.ts';
import { Turns } from './turns.ts';
import { isPinning, type Strategy, type TransferLimits } from './transfer-plan.ts';
import { Unit } from './unit.ts';
import type { UnitPlan, UnitWorld } from './unit.ts';

export interface SomOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly agents: Agents;
  readonly flows: FlowControl;
  /** For sources that are dead; without it there are none. */
  readonly standIns?: StandIns;
  /** Of State Hosts between VMs and their NVE; without it there are none. */
  readonly ports?: VmPorts;
  readonly strategy: Strategy;
  readonly limits: TransferLimits;
  readonly retryMs?: number;
  readonly retryMaxMs?: number;
}

/** Side by side they would only end later, all of them. */
const COPIES_AT_ONCE = 1;
const FREEZES_AT_ONCE = 4;

const NO_PORTS: VmPorts = { of: () => ({ admitted: () => Promise.resolve() }), update: () => undefined };

/** What an operator or a planner asked for cannot be done. */
export class SomError extends StateferryError<
  | 'unknown-migration'
  | 'not-running'
  | 'not-prepared'
  | 'busy' // another migration, or plan, of these flows is under way
  | 'cannot-plan' // by this strategy nothing is moved before the VM
> {}

/** A move that is to come, as a notification of it would tell it. */
export type FutureMove = MoveNotice & Pick<Notification, 'transfers'>;

export class Som {
  readonly records: Records;
  readonly #options: SomOptions;
  readonly #units = new Map<string, Unit>();
  readonly #preparations = new Set<Preparation>();
  readonly #world: UnitWorld;

  constructor(options: SomOptions) {
    this.#options = options;
    this.records = new Records(options.store, options.clock);
    this.#world = {
      clock: options.clock,
      log: options.log,
      agents: options.agents,
      flows: options.flows,
      turns: { copy: new Turns(COPIES_AT_ONCE), freeze: new Turns(FREEZES_AT_ONCE) },
      standIns: options.standIns ?? { standIn: () => undefined },
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
    const { record, copies, ended } = this.#begin(notification, plan);
    const stays = isPinning(this.#options.strategy)
      ? { pins: pinsOf(record.id, plan), halts: haltsOf(record.id, plan) }
      : { pins: [] };
    const units = this.#unitsFor(record, plan, copies);
    // Known from now on: a newer notification may come while the switches take this one.
    for (const unit of units) this.#units.set(unit.plan.key, unit);
    const before = Promise.all([...earlier.map((u) => u.done), ended]);
    // After the new ones are stored: killed in between, the controller finds both and goes on with the newer.
    for (const unit of earlier) unit.end('superseded');
    // What holds the VM's port needs no switch, and the VM waits for it.
    for (const unit of units) if (unit.plan.atVap === true) this.#start(unit, before);
    await this.#relocate(record, plan, stays, earlier);
    for (const unit of units) if (unit.plan.atVap !== true) this.#start(unit, before);
    if (units.length === 0) closeRecord(record, this.records, this.#options.clock);
    return record;
  }

  /**
   * Copies the state ahead for a move that is to come. Resolves before `deadlineMs` are over with the record: `prepared`, or
   * `degraded` and why; then the move, when it comes, is one like any other. Rejects with SomError.
   */
  async prepare(move: FutureMove, times: PlannedTimes): Promise<MigrationRecord> {
    const { clock, flows, strategy } = this.#options;
    if (!isPinning(strategy)) {
      throw new SomError('cannot-plan', `by strategy ${strategy} nothing is copied before the flows are re-pointed`);
    }
    const busy =
      this.#unitsOf(move)[0]?.plan.migration ??
      this.#preparationsOf(move).find((p) => p.move.vm === move.vm.mac)?.record.id;
    if (busy !== undefined) throw new SomError('busy', `migration ${busy} of this VM is not over`);
    const plan = planMove(move, [], (a, b) => flows.route(a, b));
    const nowMs = clock.wallMs();
    const planned = {
      deadlineWallMs: nowMs + times.deadlineMs,
      keepUntilWallMs: nowMs + times.keepMs,
      readyWallMs: null,
      committedWallMs: null,
    };
    const record = openPlanned(this.records, move, plan, nowMs, planned);
    const preparation = new Preparation(plan, record, this.#world);
    this.#preparations.add(preparation);
    void preparation.over.then(() => this.#preparations.delete(preparation));
    await preparation.verdict;
    return record;
  }

  /** The planner says that the VM is at its new place: the copy is kept for `keepMs` more, until it is seen there. */
  commit(id: string, keepMs: number): MigrationRecord {
    const record = this.#planned(id);
    const waiting = [...this.#preparations].find((p) => p.record === record && record.state === 'prepared');
    if (waiting !== undefined) waiting.committed(keepMs);
    else if (record.state !== 'running' && record.state !== 'migrated') {
      throw new SomError(
        'not-prepared',
        `${id} is ${record.state}${record.reason === null ? '' : `: ${record.reason}`}`,
      );
    }
    return record;
  }

  /** The move does not take place: nothing is left of the copy when this resolves. */
  async abort(id: string): Promise<MigrationRecord> {
    const record = this.#planned(id);
    const waiting = [...this.#preparations].find((p) => p.record === record);
    if (waiting === undefined)
      throw new SomError('not-prepared', `${id} is ${record.state}: there is nothing to abort`);
    await waiting.end('abandoned', 'aborted by whoever planned it');
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
    giveUpPrepared(this.#world, this.#options.clock.wallMs());
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

  /** The record of a move, new or planned; what was copied ahead for it, by transfer; and when all other plans are out of its way. */
  #begin(
    n: Notification,
    plan: MovePlan,
  ): { record: MigrationRecord; copies: (CopyAhead | null)[]; ended: Promise<unknown> } {
    const { clock } = this.#options;
    const concerned = this.#preparationsOf(n);
    const mine = concerned.find(({ move }) => move.vm === plan.vm && move.newNve === plan.newNve);
    const others = concerned.filter((p) => p !== mine);
    const why = 'its VM, or one it has flows with, has moved otherwise';
    const ended = Promise.all(others.map((p) => p.end('superseded', why)));
    if (mine === undefined) {
      return { record: openRecord(this.records, n, plan, clock.wallMs()), copies: [], ended };
    }
    const taken = plan.transfers.map((t) => mine.take(t));
    reopenRecord(
      this.records,
      mine.record,
      n,
      plan,
      taken.map((t) => t?.index ?? null),
      clock.wallMs(),
    );
    return {
      record: mine.record,
      copies: taken.map((t) => t?.copy ?? null),
      ended: Promise.all([ended, mine.handedOver()]),
    };
  }

  #preparationsOf({ vnid, vm }: Pick<Notification, 'vnid' | 'vm'>): Preparation[] {
    return [...this.#preparations].filter((p) => p.isWaiting && p.concerns(vnid, vm.mac, vm.addresses));
  }

  #planned(id: string): MigrationRecord {
    const record = this.records.get(id);
    if (record?.planned === undefined) throw new SomError('unknown-migration', `there is no planned move ${id}`);
    return record;
  }

  #unitsOf(n: Pick<Notification, 'vnid' | 'vm'>): Unit[] {
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

  #unitsFor(record: MigrationRecord, plan: MovePlan, copies: readonly (CopyAhead | null)[]): Unit[] {
    return plan.transfers.flatMap((t, index) => {
      const transfer = record.transfers[index];
      const copy = copies[index] ?? null;
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
        ...(copy === null ? {} : { copied: copy.plan.wireId }),
      };
      return [new Unit(unitPlan, 'pinned', record, transfer, this.#world, copy)];
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
