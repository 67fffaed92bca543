// One unit of migration: the flows between a VM and the VMs behind one peer NVE, from the State Host that holds their state
// to the one on the new path. Tries until it has moved, something newer takes its place, or an operator decides; between
// tries the pin stays and the flows run over the detour (fail static).

import type { Clock } from '../base/clock.ts';
import { StateferryError } from '../base/errors.ts';
import type { Dpid, Mac, StateHostId, Vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Selector } from '../base/selector.ts';
import type { Table } from '../store/store.ts';
import { epochOf, wireIdOf } from './attempts.ts';
import type { CopyAhead } from './copy-ahead.ts';
import type { Debts } from './debts.ts';
import { MigrationError } from './errors.ts';
import { runPortTransfer } from './port-transfer.ts';
import type { Agents, FlowControl, LiftCounts, StandIn, StandIns, VmPorts } from './ports.ts';
import type { MigrationRecord, TransferRecord } from './record.ts';
import type { Records } from './records.ts';
import { Saga } from './saga.ts';
import { grace, retire, runTransfer, type TransferTurns } from './transfer.ts';
import type { Strategy, TransferLimits, TransferPlan } from './transfer-plan.ts';

/** What of a unit must survive the controller. */
export interface UnitPlan {
  /** Names pin and gate: `m-000017.0`. */
  readonly key: string;
  readonly migration: string;
  readonly index: number;
  readonly vnid: Vnid;
  readonly vm: Mac;
  readonly newNve: Dpid;
  readonly peerNve: Dpid;
  /** The NVE whose route to `peerNve` crosses the source: the detour goes over it. */
  readonly anchor: Dpid;
  readonly source: StateHostId;
  readonly destination: StateHostId;
  readonly selector: Selector;
  /** Source and destination stand between the VM and its NVE: no pin, the VM's port is held at the destination. */
  readonly atVap?: true;
  /** No path leads to the source: the packets wait until the state has moved. */
  readonly halted?: true;
  /** The copy that was made ahead, as IF(M,A) names it: the first attempt goes on with it. */
  readonly copied?: string;
}

/** Up to `lifting` the source holds the state and the pin is wanted; from `lifted` on the destination does. */
export type UnitPhase = 'pinned' | 'lifting' | 'lifted';

export interface UnitWorld {
  readonly clock: Clock;
  readonly log: Log;
  readonly agents: Agents;
  readonly standIns: StandIns;
  readonly turns: TransferTurns;
  readonly flows: FlowControl;
  readonly ports: VmPorts;
  readonly records: Records;
  readonly debts: Debts;
  readonly table: Table;
  readonly strategy: Strategy;
  readonly limits: TransferLimits;
  /** First pause between two tries; doubled each time up to `retryMaxMs`. */
  readonly retryMs: number;
  readonly retryMaxMs: number;
}

export class Unit {
  readonly plan: UnitPlan;
  phase: UnitPhase;
  /** Settles when the unit is over, whatever the outcome. Never rejects. */
  readonly done: Promise<void>;
  readonly #world: UnitWorld;
  readonly #record: MigrationRecord;
  readonly #transfer: TransferRecord;
  #copy: CopyAhead | null;
  /** Once taken it stays: the source, back again, may have forgotten its flows. */
  #standIn: StandIn | undefined;
  #abort = new AbortController();
  #ending: 'superseded' | 'abandoned' | 'forced' | null = null;
  #wake: () => void = () => undefined;
  #finish: () => void = () => undefined;

  /** `copy`: what `plan.copied` names. */
  constructor(
    plan: UnitPlan,
    phase: UnitPhase,
    record: MigrationRecord,
    transfer: TransferRecord,
    world: UnitWorld,
    copy: CopyAhead | null = null,
  ) {
    this.plan = plan;
    this.phase = phase;
    this.#world = world;
    this.#copy = copy;
    this.#record = record;
    this.#transfer = transfer;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#store();
  }

  /** The VM's packets must not pass the destination yet: their state is not there, and nobody has decided that they go without. */
  get holdsPort(): boolean {
    return this.plan.atVap === true && this.phase !== 'lifted' && this.#ending === null;
  }

  /** Tries until the end. `after`: an earlier unit of the same VM that must be over first. */
  async run(after: Promise<unknown>): Promise<void> {
    try {
      await after;
      if (this.phase === 'lifted') await this.#complete();
      else await this.#repeat(() => this.#attempt());
      // Nobody stands by packets that are halted: they go on without their state.
      if (this.#ending === 'forced' || (this.#ending === 'abandoned' && this.plan.halted === true)) await this.#force();
    } catch (cause) {
      this.#world.log.error('a migration ended by a defect', { transfer: this.plan.key, cause });
      this.#set('degraded', `internal: ${String(cause)}`);
    } finally {
      await this.#copy?.undo(); // ended before its first attempt
      this.#world.table.delete(this.plan.key);
      this.#finish();
    }
  }

  /** Tries at once instead of after the pause: an agent came back, or the operator asks. */
  retryNow(): void {
    this.#wake();
  }

  /** A newer move, or an operator, ends this unit: before the lift everything but the pin is undone. */
  end(why: 'superseded' | 'abandoned' | 'forced'): void {
    if (this.#ending !== null) return;
    this.#ending = why;
    if (this.phase !== 'lifted') this.#set(why, why);
    if (this.plan.atVap === true) this.#world.ports.update();
    this.#abort.abort(new MigrationError(why === 'superseded' ? 'superseded' : 'abandoned', why));
    this.#wake();
  }

  /** True when there is nothing more to do. */
  async #attempt(): Promise<boolean> {
    this.#abort = new AbortController();
    const { debts } = this.#world;
    const copy = await this.#takeCopy();
    this.#transfer.attempt += 1;
    this.#set('running', null);
    // What an earlier attempt has left behind would be in the way.
    await Promise.all([debts.settle(this.plan.source), debts.settle(this.plan.destination)]);
    const saga = this.#saga();
    try {
      const run = this.plan.atVap === true ? runPortTransfer : runTransfer;
      await run(this.#transferPlan(), {
        ...this.#world,
        standIn: this.#standInNow(),
        port: this.#world.ports.of(this.plan.destination),
        seenWallMs: this.#record.startedWallMs,
        saga,
        record: this.#transfer,
        signal: this.#abort.signal,
        onLifting: () => {
          this.#setPhase('lifting');
        },
        onLifted: () => {
          this.#setPhase('lifted');
          this.#transfer.state = 'lifted';
        },
        onReleased: (counts) => {
          this.#noteReleased(counts);
        },
        copy,
      });
      this.#set('migrated', null);
      return true;
    } catch (cause) {
      return await this.#failed(cause, saga.onlyForward);
    }
  }

  /** The first attempt goes on with a copy made ahead, if that is still good; else it counts as one that failed. */
  async #takeCopy(): Promise<CopyAhead | null> {
    const copy = this.#copy;
    this.#copy = null;
    if (copy === null || (await copy.settled())) return copy;
    this.#transfer.attempt += 1;
    await copy.undo();
    return null;
  }

  /** Only where no frame reaches the source: an agent's silence alone does not mean that it is dead (hard case 31). */
  #standInNow(): StandIn | undefined {
    if (this.plan.halted === true) this.#standIn ??= this.#world.standIns.standIn(this.plan.source);
    return this.#standIn;
  }

  #saga(): Saga {
    const { records, clock } = this.#world;
    return new Saga(records.steps(this.#record, this.plan.index, this.#transfer.attempt), clock);
  }

  #transferPlan(): TransferPlan {
    const { key, migration, source, destination, peerNve, selector } = this.plan;
    const { attempt } = this.#transfer;
    const { strategy } = this.#world;
    const wireId = wireIdOf(this.plan, attempt);
    const halted = this.plan.halted === true;
    return {
      wireId,
      key,
      source,
      destination,
      peerNve,
      selector,
      strategy,
      halted,
      epoch: epochOf(migration, attempt),
    };
  }

  async #failed(cause: unknown, lifted: boolean): Promise<boolean> {
    if (this.#ending !== null && !lifted) return true;
    const code: string = cause instanceof StateferryError ? String(cause.code) : 'internal';
    const message = cause instanceof Error ? cause.message : String(cause);
    if (lifted) {
      this.#notRetired(cause);
      if (this.#transfer.state === 'lifted') await this.#retireLater(null);
      return true;
    }
    this.#setPhase('pinned');
    // The source died under this attempt.
    if (this.#standIn === undefined && this.#standInNow() !== undefined) return this.#attempt();
    this.#set('degraded', `${code}: ${message}`);
    this.#world.log.warn('migration degraded: the pin stays and the flows run over the detour', {
      transfer: this.plan.key,
      code,
      reason: message,
    });
    return false;
  }

  /** Lifted in an earlier life of the controller: on from there. */
  async #complete(): Promise<void> {
    const { clock, limits, debts } = this.#world;
    this.#set('lifted', 'the controller was started again');
    const migration = wireIdOf(this.plan, this.#transfer.attempt);
    void debts.pay({ agent: this.plan.destination, request: 'commit', migration });
    await grace({ clock, limits, signal: this.#abort.signal });
    await this.#retireLater('completed after a restart of the controller');
  }

  /**
   * The flows are safe at the destination; what the source has left goes when its agent is back. When the VM has moved on
   * meanwhile, nobody waits for that.
   */
  async #retireLater(note: string | null): Promise<void> {
    if (this.#ending === null || !(await this.#retire(note))) await this.#repeat(() => this.#retire(note));
    if (this.#transfer.state !== 'lifted') return;
    this.#set('migrated', `source not retired: ${this.#ending ?? ''}`);
    const migration = wireIdOf(this.plan, this.#transfer.attempt);
    void this.#world.debts.pay({ agent: this.plan.source, request: 'retire', migration });
  }

  /** True when there is nothing more to do. */
  async #retire(note: string | null): Promise<boolean> {
    try {
      await retire(this.#transferPlan(), { ...this.#world, saga: this.#saga() });
      this.#set('migrated', note);
    } catch (cause) {
      this.#notRetired(cause);
    }
    return this.#transfer.state !== 'lifted';
  }

  #notRetired(cause: unknown): void {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (cause instanceof StateferryError && cause.retriable) this.#set('lifted', `source not retired yet: ${message}`);
    else this.#set('migrated', `source not retired: ${message}`);
  }

  /** Until `work` says that it is done or something newer ends the unit. */
  async #repeat(work: () => Promise<boolean>): Promise<void> {
    let pauseMs = this.#world.retryMs;
    while (this.#ending === null && !(await work())) {
      await this.#pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, this.#world.retryMaxMs);
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#world.clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
      if (this.#ending !== null) this.#wake();
    });
    this.#wake = () => undefined;
  }

  /** The operator lifts the pin without the state. */
  async #force(): Promise<void> {
    this.#noteReleased(await this.#world.flows.lift(this.plan.key));
    this.#setPhase('lifted');
    await this.#world.clock.sleep(this.#world.limits.graceMs);
    await this.#world.flows.forget(this.plan.key);
  }

  #noteReleased({ held, dropped }: LiftCounts): void {
    this.#record.held.gated += held;
    this.#record.held.dropped += dropped;
  }

  #setPhase(phase: UnitPhase): void {
    this.phase = phase;
    this.#store();
  }

  #store(): void {
    this.#world.table.put(this.plan.key, { plan: this.plan, phase: this.phase });
  }

  #set(state: TransferRecord['state'], reason: string | null): void {
    this.#transfer.state = state;
    this.#transfer.reason = reason;
    this.#record.state = overall(this.#record.transfers);
    this.#record.reason = this.#record.transfers.find((t) => t.reason !== null)?.reason ?? null;
    const over = this.#record.transfers.every((t) => ENDED.has(t.state));
    this.#record.endedWallMs = over ? this.#world.clock.wallMs() : null;
    this.#world.records.save(this.#record);
  }
}

const ENDED: ReadonlySet<string> = new Set(['migrated', 'superseded', 'abandoned', 'forced']);

function overall(transfers: readonly TransferRecord[]): MigrationRecord['state'] {
  for (const state of ['degraded', 'running', 'superseded', 'abandoned', 'forced'] as const) {
    if (transfers.some((t) => t.state === state || (state === 'running' && t.state === 'lifted'))) return state;
  }
  return 'migrated';
}
