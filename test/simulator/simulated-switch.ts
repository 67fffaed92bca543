// A switch in virtual time: its tables, a datapath cache that goes on by the old ones for a while after a commit (hard case 1;
// each pair for a time of its own), and the channel a controller's life has to it.

import type { Dpid } from '../../src/base/ids.ts';
import type { Command, FlowMod, FlowStats, PortDesc, PreparedBundle, Switch } from '../../src/openflow/model.ts';
import type { Place } from '../../flows/world.ts';
import { FakeSwitchError } from '../fakes/fake-switch-table.ts';
import { PLACES, VAP } from './figure1.ts';
import { pairOf } from './packet.ts';
import type { Random } from './random.ts';
import { keyOf } from './table-state.ts';
import type { TableState, Verdict } from './table-state.ts';
import { DelayLine } from './virtual-clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

interface Generation {
  readonly tables: TableState;
  readonly at: number;
  readonly salt: number;
}

export class SimulatedSwitch {
  readonly dpid: Dpid;
  /** VAPs where VM1 can be. */
  readonly portsUp = new Set<number>([VAP]);
  /** A controller's bundle has taken effect. */
  onCommit: () => void = () => undefined;
  readonly #clock: VirtualClock;
  readonly #random: Random;
  /** The longest that the cache of a pair stays behind the tables. */
  readonly #staleMs: number;
  /** When each pair came into the cache, by the tables of then. */
  readonly #cached = new Map<number, number>();
  readonly #timeouts = new Map<string, number>();
  #generations: Generation[];
  #installs = 0;
  /** Flow mods that never take effect: a defect, when the simulator itself is on trial. */
  readonly #loses: ((mod: FlowMod) => boolean) | null;

  constructor(
    tables: TableState,
    clock: VirtualClock,
    random: Random,
    staleMs: number,
    loses: ((mod: FlowMod) => boolean) | null = null,
  ) {
    this.#loses = loses;
    this.dpid = tables.dpid;
    this.#clock = clock;
    this.#random = random;
    this.#staleMs = staleMs;
    this.#generations = [{ tables, at: -Infinity, salt: 0 }];
  }

  get tables(): TableState {
    return (this.#generations.at(-1) as Generation).tables;
  }

  commit(mods: readonly FlowMod[]): void {
    const now = this.#clock.now();
    const tables = this.tables.with(this.#loses === null ? mods : this.#kept(mods, this.#loses));
    this.#generations = this.#generations.filter((_g, i, all) => (all[i + 1]?.at ?? Infinity) + this.#staleMs >= now);
    this.#generations.push({ tables, at: now, salt: this.#random.int(1 << 30) });
    const timed = mods.filter((mod) => (mod.hardTimeout ?? 0) > 0);
    if (timed.length > 0) this.#expireLater(timed);
  }

  /** By the cache, as a packet from a port meets it. */
  forward(kind: number, inPort: number, tagged: boolean): Verdict {
    const pair = pairOf(kind) * 8 + inPort;
    const since = this.#cached.get(pair);
    if (since === undefined) this.#cached.set(pair, this.#clock.now());
    return this.#seenBy(pair, since ?? this.#clock.now()).verdict(kind, inPort, tagged);
  }

  /** By the tables themselves: a packet-out may overtake the cache. */
  process(kind: number, inPort: number, tagged: boolean): Verdict {
    return this.tables.verdict(kind, inPort, tagged);
  }

  #kept(mods: readonly FlowMod[], loses: (mod: FlowMod) => boolean): FlowMod[] {
    return mods.filter((mod) => !loses(mod));
  }

  #seenBy(pair: number, since: number): TableState {
    const now = this.#clock.now();
    for (let i = this.#generations.length - 1; i > 0; i -= 1) {
      const { tables, at, salt } = this.#generations[i] as Generation;
      const mixed = Math.imul(salt ^ pair, 0x9e3779b1) >>> 8;
      if (since >= at || now >= at + (mixed / 2 ** 24) * this.#staleMs) return tables;
    }
    return (this.#generations[0] as Generation).tables;
  }

  /** Those of one bundle at one time, each for itself. */
  #expireLater(mods: readonly FlowMod[]): void {
    this.#installs += 1;
    const mine = this.#installs;
    for (const mod of mods) this.#timeouts.set(keyOf(mod), mine);
    for (const hardTimeout of new Set(mods.map((mod) => mod.hardTimeout ?? 0))) {
      this.#clock.quiet(hardTimeout * 1000, () => {
        for (const mod of mods) if (mod.hardTimeout === hardTimeout) this.#expire(mod, mine);
      });
    }
  }

  #expire(mod: FlowMod, install: number): void {
    const key = keyOf(mod);
    const entry = this.tables.entries.get(key);
    if (this.#timeouts.get(key) !== install || (entry?.mod.hardTimeout ?? 0) === 0) return;
    this.#timeouts.delete(key);
    this.commit([{ ...mod, command: 'delete_strict', cookie: 0n }]);
  }
}

export interface ChannelTimes {
  /** One way between controller and switch. */
  readonly oneWayMs: () => number;
  /** What a commit takes in the switch. */
  readonly commitMs: () => number;
}

/** One connection of a controller to a switch. What one of them sends arrives in order. */
export class SwitchChannel implements Switch {
  readonly dpid: Dpid;
  readonly version = 5;
  readonly remote = 'simulated';
  readonly #abort = new AbortController();
  /** What ends the requests under way when the channel closes. */
  readonly #asked = new Set<(reason: Error) => void>();
  #gone = false;
  readonly #switch: SimulatedSwitch;
  readonly #down: DelayLine;
  readonly #up: DelayLine;
  readonly #times: ChannelTimes;
  readonly #onPacketOut: (data: Buffer, inPort: number, port: number) => void;
  readonly #onLost: (data: Buffer) => void;

  constructor(
    target: SimulatedSwitch,
    clock: VirtualClock,
    times: ChannelTimes,
    onPacketOut: (data: Buffer, inPort: number, port: number) => void,
    onLost: (data: Buffer) => void,
  ) {
    this.dpid = target.dpid;
    this.#switch = target;
    this.#times = times;
    this.#down = new DelayLine(clock, times.oneWayMs, 'quiet');
    this.#up = new DelayLine(clock, times.oneWayMs, 'loud');
    this.#onPacketOut = onPacketOut;
    this.#onLost = onLost;
  }

  get closed(): AbortSignal {
    return this.#abort.signal;
  }

  close(): void {
    this.#abort.abort(new FakeSwitchError('CLOSED', `${this.dpid} closed`));
    for (const reject of this.#asked) reject(this.closed.reason as Error);
    this.#asked.clear();
  }

  get #isOpen(): boolean {
    return !this.closed.aborted && !this.#gone;
  }

  /** Nobody is there any more to learn that it closed. */
  vanish(): void {
    this.#gone = true;
  }

  /** What the switch tells the controller, behind its answers. */
  tell(arrive: () => void, lost: () => void = () => undefined): void {
    this.#up.send(() => {
      if (this.#isOpen) arrive();
      else lost();
    });
  }

  ports(): Promise<readonly PortDesc[]> {
    return Promise.reject(new FakeSwitchError('CLOSED', 'not simulated: see vaps()'));
  }

  /** Its VAPs where VM1 can be, and whether they are up. */
  vaps(): Promise<{ place: Place; up: boolean }[]> {
    return this.#ask(() =>
      PLACES.filter((place) => place.nve === this.dpid).map((place) => ({
        place,
        up: this.#switch.portsUp.has(place.port),
      })),
    );
  }

  send(...commands: readonly Command[]): void {
    for (const command of commands) {
      if (command.type !== 'packet_out') continue; // meters never drop here
      const action = command.actions[0];
      if (action?.type !== 'output') continue;
      const { data, inPort } = command;
      this.#down.send(() => {
        if (this.#isOpen) this.#onPacketOut(data, inPort, action.port);
        else this.#onLost(data);
      });
    }
  }

  barrier(): Promise<void> {
    return this.#ask(() => undefined);
  }

  flows(): Promise<readonly FlowStats[]> {
    return this.#ask(() => this.#switch.tables.dump());
  }

  async prepareBundle(mods: readonly FlowMod[]): Promise<PreparedBundle> {
    await this.#ask(() => undefined);
    return {
      commit: () =>
        this.#ask(() => {
          this.#switch.commit(mods);
          this.#switch.onCommit();
        }, this.#times.commitMs()),
      discard: () => this.#ask(() => undefined),
    };
  }

  #toSwitch(work: () => void, holdMs = 0): void {
    // What was sent before the channel broke may still arrive or not: here it does not.
    this.#down.send(() => {
      if (this.#isOpen) work();
    }, holdMs);
  }

  #ask<T>(work: () => T, holdMs = 0): Promise<T> {
    this.closed.throwIfAborted();
    return new Promise((resolve, reject) => {
      this.#asked.add(reject);
      this.#toSwitch(() => {
        const result = work();
        this.tell(() => {
          this.#asked.delete(reject);
          resolve(result);
        });
      }, holdMs);
    });
  }
}
