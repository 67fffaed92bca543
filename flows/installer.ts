// Brings the switches to what is desired and keeps account of what each one holds. One change at a time; changes that wait are
// merged, for each is the whole desired state. A switch that connects is read and gets the difference, never a wipe.

import type { Clock } from '../src/base/clock.ts';
import type { Dpid } from '../src/base/ids.ts';
import { silentLog } from '../src/base/log.ts';
import type { Log } from '../src/base/log.ts';
import type { Switch } from '../src/openflow/model.ts';
import { ApplyError } from './apply-error.ts';
import { changeOf, meterMod, readingOf } from './apply-plan.ts';
import type { SwitchChange } from './apply-plan.ts';
import type { InstalledRule, Rule } from './rule.ts';
import { transact } from './transaction.ts';
import type { Change, Outcome } from './transaction.ts';

export type Desired = ReadonlyMap<Dpid, readonly Rule[]>;

/**
 * A resolved apply is past its point of no return: every switch confirmed that frames take the new way (or is `lost`). A
 * rejected one (ApplyError) has changed nothing that lasts.
 */
export interface ApplyResult extends Outcome {
  /** Desired, but not connected: reconciled when they attach. */
  readonly absent: readonly Dpid[];
  readonly elapsedMs: number;
}

export interface InstallerOptions {
  readonly clock: Clock;
  readonly log?: Log;
  /** How long a switch may take to confirm a bundle. */
  readonly replyTimeoutMs?: number;
  readonly workings?: Workings;
}

/** What it works out, all of it pure: for who has worked the same out before. */
export interface Workings {
  readonly readingOf: typeof readingOf;
  readonly changeOf: typeof changeOf;
}

/** A connected switch and what it holds, as far as we know. */
interface Seat {
  readonly sw: Switch;
  installed: readonly InstalledRule[];
  meters: Set<number>;
  /** What it holds is uncertain: read before the next change. */
  stale: boolean;
}

interface Next {
  readonly seat: Seat;
  readonly desired: readonly Rule[];
}

interface Concerned extends Next {
  readonly change: SwitchChange;
}

interface WaitingApply {
  desired: Desired;
  readonly done: PromiseWithResolvers<ApplyResult>;
}

export class Installer {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #replyTimeoutMs: number;
  readonly #workings: Workings;
  readonly #seats = new Map<Dpid, Seat>();
  readonly #queue: (() => Promise<void>)[] = [];
  #waiting: WaitingApply | null = null;
  #desired: Desired = new Map();
  #busy = false;

  constructor(options: InstallerOptions) {
    this.#clock = options.clock;
    this.#log = options.log ?? silentLog;
    this.#replyTimeoutMs = options.replyTimeoutMs ?? 2000;
    this.#workings = options.workings ?? { readingOf, changeOf };
  }

  /** Reads the switch's tables and, where something is desired of it, sends the difference. Rejects with ApplyError. */
  attach(sw: Switch): Promise<void> {
    const done = Promise.withResolvers<undefined>();
    this.#enqueue(async () => {
      try {
        await this.#seat(sw);
        done.resolve(undefined);
      } catch (error) {
        done.reject(error);
      }
    });
    return done.promise;
  }

  detach(dpid: Dpid): void {
    this.#seats.delete(dpid);
  }

  /** What a connected switch holds, as far as we know; empty for one that is not. */
  installed(dpid: Dpid): readonly InstalledRule[] {
    return this.#seats.get(dpid)?.installed ?? [];
  }

  /** Rules on all connected switches. */
  get installedCount(): number {
    return [...this.#seats.values()].reduce((sum, seat) => sum + seat.installed.length, 0);
  }

  /** Calls that come while another is at work are merged: all get the result of the newest desired state. */
  apply(desired: Desired): Promise<ApplyResult> {
    if (this.#waiting !== null) {
      this.#waiting.desired = desired;
      return this.#waiting.done.promise;
    }
    const waiting: WaitingApply = { desired, done: Promise.withResolvers<ApplyResult>() };
    this.#waiting = waiting;
    this.#enqueue(async () => {
      this.#waiting = null;
      try {
        waiting.done.resolve(await this.#install(waiting.desired));
      } catch (error) {
        waiting.done.reject(error);
      }
    });
    return waiting.done.promise;
  }

  #enqueue(job: () => Promise<void>): void {
    this.#queue.push(job);
    if (!this.#busy) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) await job();
    this.#busy = false;
  }

  async #seat(sw: Switch): Promise<void> {
    const seat: Seat = { sw, installed: [], meters: new Set(), stale: true };
    const desired = this.#desired.get(sw.dpid);
    await this.#read(seat, desired ?? []);
    this.#seats.set(sw.dpid, seat);
    if (desired === undefined) return;
    for (const id of seat.meters) sw.send(meterMod('modify', id)); // limits may differ from those of another version
    const outcome = await this.#change([{ seat, desired }]);
    this.#log.info('switch reconciled', { dpid: sw.dpid, phases: outcome.phases.length });
  }

  async #install(desired: Desired): Promise<ApplyResult> {
    const startedMs = this.#clock.now();
    const stale = [...this.#seats.values()].filter((seat) => seat.stale && !seat.sw.closed.aborted);
    if (stale.length > 0) {
      await Promise.all(stale.map((seat) => this.#read(seat, seat.installed)));
    }
    const next: Next[] = [];
    const absent: Dpid[] = [];
    for (const [dpid, rules] of desired) {
      const seat = this.#seats.get(dpid);
      if (seat === undefined) absent.push(dpid);
      else next.push({ seat, desired: rules });
    }
    const outcome = await this.#change(next);
    this.#desired = desired;
    return { ...outcome, absent, elapsedMs: this.#clock.now() - startedMs };
  }

  async #change(next: readonly Next[]): Promise<Outcome> {
    const concerned: Concerned[] = [];
    for (const { seat, desired } of next) {
      const change = this.#workings.changeOf(seat.installed, desired);
      if (change === null) continue;
      addMeters(seat, change.meters);
      concerned.push({ seat, desired, change });
    }
    const changes = concerned.map(({ seat, change }): Change => ({ sw: seat.sw, plan: change.plan }));
    try {
      const outcome = await transact(changes, this.#clock, this.#replyTimeoutMs);
      this.#settle(concerned, outcome);
      return outcome;
    } catch (error) {
      if (error instanceof ApplyError) this.#markFailed(error);
      throw error;
    }
  }

  #settle(concerned: readonly Concerned[], outcome: Outcome): void {
    for (const { seat, desired, change } of concerned) {
      const { dpid } = seat.sw;
      seat.installed = desired;
      if (outcome.lost.includes(dpid)) this.#drop(seat);
      else if (outcome.leftovers.includes(dpid)) seat.stale = true;
      else dropMeters(seat, change.metersAfter);
    }
  }

  #markFailed(error: ApplyError): void {
    this.#log.warn('flows not applied', { code: error.code, ...error.context });
    for (const seat of this.#seats.values()) {
      if (error.uncertain.includes(seat.sw.dpid)) seat.stale = true;
      if (error.lost.includes(seat.sw.dpid)) this.#drop(seat);
    }
  }

  /** The switch may have come back under another channel meanwhile. */
  #drop(seat: Seat): void {
    if (this.#seats.get(seat.sw.dpid) === seat) this.#seats.delete(seat.sw.dpid);
  }

  /** `before`: what it held as far as we knew. */
  async #read(seat: Seat, before: readonly InstalledRule[]): Promise<void> {
    const { sw } = seat;
    try {
      const { installed, meters } = this.#workings.readingOf(await sw.flows(), before);
      seat.installed = installed;
      seat.meters = new Set(meters);
      seat.stale = false;
    } catch (error) {
      if (sw.closed.aborted) this.#drop(seat);
      throw new ApplyError('UNREADABLE', { failed: [sw.dpid] }, error);
    }
  }
}

/** Adding is refused where the meter is there already (unused since another life), changing then makes it right. */
function addMeters(seat: Seat, needed: ReadonlySet<number>): void {
  for (const id of needed) {
    if (seat.meters.has(id)) continue;
    seat.sw.send(meterMod('add', id), meterMod('modify', id));
    seat.meters.add(id);
  }
}

/** Only when no rule uses them: a switch deletes the rules of a meter with it (OpenFlow 1.3.5, 6.4). */
function dropMeters(seat: Seat, needed: ReadonlySet<number>): void {
  for (const id of seat.meters) {
    if (needed.has(id)) continue;
    seat.sw.send(meterMod('delete', id));
    seat.meters.delete(id);
  }
}
