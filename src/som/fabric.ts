// FlowControl on the real network: what the TDE knows and what the migrations want become one desired world, compiled and
// installed. Here topology and flows meet. Held packets leave in order when the change they waited for is confirmed.

import type { Clock } from '../base/clock.ts';
import { migrationId } from '../base/ids.ts';
import type { Dpid, Mac, PortNo, Vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { Route } from '../base/route.ts';
import type { Selector } from '../base/selector.ts';
import type { KnownWorld, Pin, Trail, World } from '../../flows/world.ts';
import { MigrationError } from './errors.ts';
import { isOpener, withoutTag } from './frame-kind.ts';
import { Gates } from './gates.ts';
import type { Hold } from './hold.ts';
import { gateHoldKey, limboHoldKey, puntHoldKey } from './hold-keys.ts';
import type { FlowControl, HaltRequest, HeldCounts, LiftCounts, PinRequest, Relocation } from './ports.ts';
import { ProbeSender } from './probe-sender.ts';
import type { SendFrame } from './probe-sender.ts';
import { refusedPacket } from './refused-packet.ts';

/** What of the TDE's knowledge flows are made of. Unchanged objects stay the same objects. */
export interface FabricView {
  world(): KnownWorld;
  route(from: Dpid, to: Dpid): Route | null;
}

/** Makes the switches equal to the world, asked for when it may be sent; resolves when all have confirmed. */
export interface WorldInstaller {
  install(world: () => World): Promise<void>;
  /** Those of `nves` that do not have the last change: away, or lost while it was made. */
  behind(nves: readonly Dpid[]): readonly Dpid[];
  /** On how many of `nves` there are rules of this pin. */
  pinRules(id: Pin['id'], nves: readonly Dpid[]): number;
}

export interface FabricOptions {
  readonly view: FabricView;
  readonly installer: WorldInstaller;
  readonly hold: Hold;
  readonly sendFrame: SendFrame;
  readonly clock: Clock;
  readonly log: Log;
  readonly graceMs: number;
  /** What becomes of packets whose path broke, until their state has moved. */
  readonly halted?: 'hold' | 'drop';
  /** Within which a switch's datapath cache follows its tables, for all but the slowest. */
  readonly cacheMs: number;
  /** The switches have confirmed all that was wanted of them, whoever wanted it. */
  readonly onConfirmed?: () => void;
  /** Of markers; random unless given. */
  readonly nonce?: () => bigint;
}

const BEHIND_POLL_MS = 200;
/** A switch that confirms late is busy, and its cache follows later still (docs/decisions/0006). */
const CACHE_PER_CONFIRMATION = 2;
/** Well below the timeout of a gate's rules. */
const CACHE_BOUND_MS = 250;

const NONE_HELD: LiftCounts = { held: 0, dropped: 0 };

interface PinEntry {
  readonly request: PinRequest;
  pin: Pin;
}

export class Fabric implements FlowControl {
  readonly #options: FabricOptions;
  readonly #pins = new Map<string, PinEntry>();
  readonly #gates: Gates;
  readonly #moves = new Map<string, Relocation>();
  readonly #trails = new Map<string, Trail>();
  readonly #probes: ProbeSender;
  readonly #halts = new Map<string, HaltRequest>();
  #applying = 0;
  #together: Promise<undefined> | null = null;
  /** What the gates of State Hosts refused and handed over: taken for sending on, or dropped because it is of other flows, or its ends are not known. */
  readonly refused = { taken: 0, dropped: 0 };

  constructor(options: FabricOptions) {
    this.#options = options;
    this.#gates = new Gates(options.hold);
    this.#probes = new ProbeSender(options.sendFrame, () => options.view.world(), options.nonce);
  }

  /**
   * What `work` asks for is one change: a path that breaks concerns many VMs, and none of them may take the new one before its
   * halt is there.
   */
  together(work: () => void): void {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#together = promise;
    try {
      work();
    } finally {
      this.#together = null;
      resolve(undefined);
    }
  }

  /** Brings the switches to the present world. Concurrent calls are one change where the installer can make them one. */
  async apply(): Promise<void> {
    this.#applying += 1;
    try {
      if (this.#together !== null) await this.#together;
      await this.#options.installer.install(() => this.#world());
    } finally {
      this.#applying -= 1;
    }
    if (!this.changing) this.#options.onConfirmed?.();
  }

  /** The NVE is away, or does not have the last change yet: nothing is to be sent through its tables. */
  isBehind(nve: Dpid): boolean {
    return this.#options.installer.behind([nve]).length > 0;
  }

  /** Whether a change is on its way to the switches. */
  get changing(): boolean {
    return this.#applying > 0;
  }

  route(from: Dpid, to: Dpid): Route | null {
    return this.#options.view.route(from, to);
  }

  /** The pin that keeps the flows between a VM and those at `peerNve` on another way; null when none does. */
  pinOf(vnid: Vnid, vm: Mac, peerNve: Dpid): Pin | null {
    const pins = [...this.#pins.values()].map(({ pin }) => pin);
    return pins.find((p) => p.vnid === vnid && p.vm === vm && p.peerNve === peerNve && p.phase === 'pinned') ?? null;
  }

  async relocate(move: Relocation): Promise<HeldCounts> {
    const name = vmKey(move.vnid, move.vm);
    this.adopt(move, false);
    this.#moves.set(name, move);
    await this.apply();
    for (const key of move.replaces) if (this.#halts.delete(key)) this.#gates.release(key);
    // A newer move is on its way: what waits for the VM waits for that one.
    if (this.#moves.get(name) !== move) return { limbo: 0, punted: 0, dropped: 0 };
    this.#moves.delete(name);
    const trail = this.#trails.get(name);
    if (move.pins.length === 0) this.#options.clock.after(this.#options.graceMs, () => this.#endTrail(name, trail));
    return this.#releaseFor(move.vnid, move.vm);
  }

  adopt(move: Relocation, lifted: boolean): void {
    const detours = this.#detoursTo(move);
    for (const key of move.replaces) {
      this.#pins.delete(key);
      // What waits there waits for the newer one, which halts it again where it must.
      if (this.#gates.isHalted(key)) this.#gates.open(key);
      // Its transfer opens it when the source lets openers in again.
      this.#gates.follow(key, move.newNve);
    }
    const phase = lifted ? 'lifted' : 'pinned';
    for (const request of move.pins) {
      const { key, vnid, vm, peerNve, route } = request;
      this.#pins.set(key, { request, pin: { id: migrationId(key), vnid, vm, peerNve, route, phase } });
    }
    for (const { key, vnid, vm, nve, peerNve } of lifted ? [] : (move.halts ?? [])) {
      const holds = this.#options.halted === 'drop' ? 'nothing' : 'everything';
      this.#halts.set(key, { key, vnid, vm, nve, peerNve });
      this.#gates.close(key, { id: migrationId(key), vnid, vm, peerNve, nves: [nve, peerNve], holds });
    }
    const name = vmKey(move.vnid, move.vm);
    if (move.oldNve !== move.newNve)
      this.#trails.set(name, { vnid: move.vnid, vm: move.vm, from: move.oldNve, detours });
    else this.#trails.delete(name);
  }

  async closeGate(key: string, holds: 'openers' | 'all'): Promise<void> {
    const entry = this.#pins.get(key);
    if (entry === undefined) return;
    const { vnid, vm, peerNve, route } = entry.request;
    const nves = [route.from, peerNve];
    this.#gates.close(key, { id: entry.pin.id, vnid, vm, peerNve, nves, holds });
    await this.apply();
  }

  keepRefused(key: string, selector: Selector, packet: Buffer): void {
    const refused = refusedPacket(this.#options.view.world(), selector, packet);
    if (refused === null) {
      this.refused.dropped += 1;
      return;
    }
    this.refused.taken += 1;
    const { hold } = this.#options;
    const what = isOpener(withoutTag(refused.frame)) ? 'opener' : 'other';
    if (this.#gates.isHolding(key) && !this.#hasPassed(key, what)) hold.keep(gateHoldKey(key, what), refused);
    else hold.pass(refused);
  }

  async openGate(key: string): Promise<void> {
    if (!this.#gates.isHolding(key) || this.#gates.isHalted(key)) return;
    this.#gates.open(key);
    try {
      await this.apply();
    } finally {
      this.#gates.release(key);
    }
  }

  /**
   * In two steps. First both directions leave the pin, and what is not an opener goes its way. The switches' datapath caches
   * follow the tables some milliseconds later (hard case 1); until then a reply to an opener could still meet the source,
   * which has never seen it. So openers are released after a pause.
   */
  async lift(key: string, onConfirmed?: () => void): Promise<LiftCounts> {
    const entry = this.#pins.get(key);
    const halt = this.#halts.get(key);
    if (halt !== undefined) return this.#endHalt(halt, onConfirmed);
    if (entry === undefined) {
      await this.openGate(key);
      return NONE_HELD;
    }
    this.#refuseWhileAway(endsOf(entry.request));
    const sentMs = this.#options.clock.now();
    await this.#leavePin(key, entry);
    onConfirmed?.();
    if (!this.#gates.isHolding(key)) return NONE_HELD;
    const others = this.#gates.releaseOthers(key);
    await this.cachesFollow(sentMs);
    this.#gates.open(key);
    // Past the point of no return: a switch that keeps its gate opens it by its timeout.
    await this.apply().catch((cause: unknown) => {
      this.#options.log.warn('a gate was not opened everywhere after the lift', { transfer: key, cause });
    });
    const { held, dropped } = this.#gates.release(key);
    return { held: held + others.held, dropped: dropped + others.dropped };
  }

  /** The new path is the base route already: what waited for it goes its way when the switches let everything pass. */
  async #endHalt(halt: HaltRequest, onConfirmed?: () => void): Promise<LiftCounts> {
    const { key, nve, peerNve } = halt;
    this.#refuseWhileAway([nve, peerNve]);
    const gate = this.#gates.get(key);
    this.#gates.open(key);
    try {
      await this.apply();
      if (this.#halts.get(key) !== halt)
        throw new MigrationError('superseded', `${key} was replaced while it was lifted`);
    } catch (cause) {
      if (this.#halts.get(key) === halt && gate !== undefined) this.#gates.close(key, gate);
      await this.#goBack(peerNve);
      throw cause;
    }
    this.#halts.delete(key);
    onConfirmed?.();
    return this.#gates.release(key);
  }

  /** Both directions, confirmed; or neither, and then nothing leads to the destination any more. */
  async #leavePin(key: string, entry: PinEntry): Promise<void> {
    const pinned = entry.pin;
    entry.pin = { ...pinned, phase: 'lifted' };
    this.#gates.narrow(key);
    try {
      await this.apply();
      // A newer move took the pin's place while the switches were lifting it: its flows stay with the source.
      if (this.#pins.get(key) !== entry) {
        throw new MigrationError('superseded', `${key} was replaced while it was being lifted`);
      }
    } catch (cause) {
      entry.pin = pinned;
      await this.#goBack(entry.request.peerNve);
      throw cause;
    }
  }

  /** Until the switches and their caches lead to the source again; openers are still held. */
  async #goBack(peerNve: Dpid): Promise<void> {
    for (;;) {
      const failed = await this.apply().then(
        () => false,
        () => true,
      );
      if (!failed && this.#options.installer.behind([peerNve]).length === 0) break;
      await this.#options.clock.sleep(BEHIND_POLL_MS);
    }
    await this.cachesFollow();
  }

  held(key: string): readonly Buffer[] {
    return this.#gates.waiting(key);
  }

  cachesFollow(sentMs = Infinity): Promise<void> {
    const { clock, cacheMs } = this.#options;
    const busyMs = Math.min(CACHE_PER_CONFIRMATION * (clock.now() - sentMs), CACHE_BOUND_MS);
    return clock.sleep(Math.max(cacheMs, busyMs));
  }

  async forget(key: string): Promise<void> {
    const entry = this.#pins.get(key);
    // A switch that was lost during the lift still sends flows to the source: it must have come back before they retire.
    while (entry !== undefined && this.#options.installer.behind(endsOf(entry.request)).length > 0) {
      await this.#options.clock.sleep(BEHIND_POLL_MS);
    }
    this.#pins.delete(key);
    this.#gates.open(key);
    this.#gates.forget(key);
    this.#halts.delete(key);
    if (entry !== undefined) {
      const name = vmKey(entry.request.vnid, entry.request.vm);
      const others = [...this.#pins.values()].some((p) => vmKey(p.request.vnid, p.request.vm) === name);
      if (!others) this.#trails.delete(name);
    }
    await this.apply();
  }

  pinInstalled(key: string, ends: readonly Dpid[]): 'all' | 'some' | 'none' {
    const on = this.#options.installer.pinRules(migrationId(key), ends);
    return on === 0 ? 'none' : on < ends.length ? 'some' : 'all';
  }

  sendMarkers(key: string): readonly bigint[] {
    const entry = this.#pins.get(key);
    return entry === undefined ? [] : this.#probes.sendMarkers(entry.request.route);
  }

  markerArrived(nonce: bigint, nve: Dpid, inPort: PortNo): void {
    this.#probes.markerArrived(nonce, nve, inPort);
  }

  teachNewPath(key: string): void {
    const request = this.#pins.get(key)?.request;
    const flows = this.#halts.get(key) ?? (request === undefined ? null : { ...request, nve: request.route.from });
    const direct = flows === null ? null : this.route(flows.nve, flows.peerNve);
    if (flows !== null && direct !== null) this.#probes.teach(direct, flows.vnid, flows.vm);
  }

  /** The key under which a packet of this gate is held; null when it need not wait (any more): let it go at once. */
  gateHold(serial: number, what: 'opener' | 'other'): string | null {
    const key = this.#gates.keyOf(serial);
    return key === null || this.#hasPassed(key, what) ? null : gateHoldKey(key, what);
  }

  /** What is not an opener goes on as soon as the flows do. */
  #hasPassed(key: string, what: 'opener' | 'other'): boolean {
    return what === 'other' && this.#pins.get(key)?.pin.phase === 'lifted' && !this.changing;
  }

  /** What was held of a VM by now, some of it perhaps released already when the change was confirmed. */
  #releaseFor(vnid: Vnid, mac: Mac): HeldCounts {
    const { hold, view } = this.#options;
    const vm = view.world().vms.find((v) => v.vnid === vnid && v.mac === mac);
    if (vm?.at != null && this.isBehind(vm.at.nve)) return { limbo: 0, punted: 0, dropped: 0 };
    const keys = { limbo: vm === undefined ? '' : limboHoldKey(vm), punted: puntHoldKey(vnid, mac) };
    for (const key of Object.values(keys)) hold.release(key);
    const [limbo, punted] = [hold.account(keys.limbo), hold.account(keys.punted)];
    return { limbo: limbo.released, punted: punted.released, dropped: limbo.dropped + punted.dropped };
  }

  #refuseWhileAway(ends: readonly Dpid[]): void {
    const away = this.#options.installer.behind(ends);
    if (away.length === 0) return;
    throw new MigrationError('switches-failed', `not lifted: ${away.join(', ')} is not connected`, { retriable: true });
  }

  /** Unless the VM has moved again since. */
  #endTrail(name: string, trail: Trail | undefined): void {
    if (trail === undefined || this.#trails.get(name) !== trail) return;
    this.#trails.delete(name);
    this.apply().catch((cause: unknown) => {
      this.#options.log.warn('late-packet rules were not removed everywhere', { cause });
    });
  }

  /** By which ports of the old NVE frames for the VM still arrive that took a detour. */
  #detoursTo({ replaces, oldNve }: Relocation): { peerNve: Dpid; inPort: PortNo }[] {
    return replaces.flatMap((key) => {
      const request = this.#pins.get(key)?.request;
      const inPort = request?.route.hops[0]?.outPort ?? null;
      return request === undefined || inPort === null || request.route.from !== oldNve
        ? []
        : [{ peerNve: request.peerNve, inPort }];
    });
  }

  #world(): World {
    return {
      ...this.#options.view.world(),
      pins: [...this.#pins.values()].map((p) => p.pin),
      gates: this.#gates.list(),
      trails: [...this.#trails.values()],
    };
  }
}

/** The NVEs whose rules decide which way a pair's flows go. */
function endsOf(request: PinRequest): readonly Dpid[] {
  return [request.route.from, request.peerNve];
}

function vmKey(vnid: Vnid, mac: Mac): string {
  return `${vnid} ${mac}`;
}
