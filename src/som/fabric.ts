// FlowControl on the real network: what the TDE knows and what the migrations want become one desired world, compiled and
// installed. Here topology and flows meet. Held packets leave in order when the change they waited for is confirmed.

import { randomBytes } from 'node:crypto';

import type { Clock } from '../base/clock.ts';
import { migrationId } from '../base/ids.ts';
import type { Dpid, Mac, PortNo, Vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { reverse } from '../base/route.ts';
import type { Hop, Route } from '../base/route.ts';
import { encodeProbeFrame } from '../packet/probe.ts';
import type { ProbeKind } from '../packet/probe.ts';
import type { Gate, KnownWorld, Pin, Trail, VmView, World } from '../../flows/world.ts';
import { MigrationError } from './errors.ts';
import type { Hold } from './hold.ts';
import type { FlowControl, HeldCounts, PinRequest, Relocation } from './ports.ts';

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

export type SendFrame = (nve: Dpid, port: PortNo, frame: Buffer) => void;

export interface FabricOptions {
  readonly view: FabricView;
  readonly installer: WorldInstaller;
  readonly hold: Hold;
  readonly sendFrame: SendFrame;
  readonly clock: Clock;
  readonly log: Log;
  readonly graceMs: number;
  /** Within which a switch's datapath cache follows its tables, for all but the slowest. */
  readonly cacheMs: number;
  /** The switches have confirmed all that was wanted of them, whoever wanted it. */
  readonly onConfirmed?: () => void;
}

const BEHIND_POLL_MS = 200;
/** Unicast, locally administered: bridges flood it, no host has it. */
const MARKER_DESTINATION = '02:5f:e7:00:00:00' as Mac;

export class Fabric implements FlowControl {
  readonly #options: FabricOptions;
  readonly #pins = new Map<string, { readonly request: PinRequest; pin: Pin }>();
  readonly #gates = new Map<string, Gate>();
  readonly #gateKeys = new Map<number, string>();
  /** Gates whose packets wait: from the closing until the opening is confirmed, whatever the desired world says meanwhile. */
  readonly #holding = new Set<string>();
  readonly #moves = new Map<string, Relocation>();
  readonly #trails = new Map<string, Trail>();
  readonly #markers = new Map<bigint, Route>();
  #gateSerial = 0;
  #applying = 0;

  constructor(options: FabricOptions) {
    this.#options = options;
  }

  /** Brings the switches to the present world. Concurrent calls are one change where the installer can make them one. */
  async apply(): Promise<void> {
    this.#applying += 1;
    try {
      await this.#options.installer.install(() => this.#world());
    } finally {
      this.#applying -= 1;
    }
    if (!this.changing) this.#options.onConfirmed?.();
  }

  /** Whether a change is on its way to the switches. */
  get changing(): boolean {
    return this.#applying > 0;
  }

  route(from: Dpid, to: Dpid): Route | null {
    return this.#options.view.route(from, to);
  }

  async relocate(move: Relocation): Promise<HeldCounts> {
    const name = vmKey(move.vnid, move.vm);
    this.adopt(move, false);
    this.#moves.set(name, move);
    await this.apply();
    // A newer move is on its way: what waits for the VM waits for that one.
    if (this.#moves.get(name) !== move) return { limbo: 0, punted: 0, dropped: 0 };
    this.#moves.delete(name);
    const trail = this.#trails.get(name);
    if (move.pins.length === 0) this.#options.clock.after(this.#options.graceMs, () => this.#endTrail(name, trail));
    return this.#releaseFor(move.vnid, move.vm);
  }

  adopt(move: Relocation, lifted: boolean): void {
    const detours = this.#detoursTo(move);
    for (const key of move.replaces) this.#drop(key);
    const phase = lifted ? 'lifted' : 'pinned';
    for (const request of move.pins) {
      const { key, vnid, vm, peerNve, route } = request;
      this.#pins.set(key, { request, pin: { id: migrationId(key), vnid, vm, peerNve, route, phase } });
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
    this.#holding.add(key);
    this.#gates.set(key, {
      id: entry.pin.id,
      serial: this.#newSerial(key),
      vnid,
      vm,
      peerNve,
      nves: [route.from, peerNve],
      holds,
    });
    await this.apply();
    // Openers must be held by the caches too before the source refuses them; other flows it knows pass there all the same.
    if (holds === 'openers') await this.#options.clock.sleep(this.#options.cacheMs);
  }

  async openGate(key: string): Promise<void> {
    if (!this.#holding.has(key)) return;
    this.#gates.delete(key);
    try {
      await this.apply();
    } finally {
      this.#releaseGate(key);
    }
  }

  /**
   * In two steps. First both directions leave the pin, and what is not an opener goes its way. The switches' datapath caches
   * follow the tables some milliseconds later (hard case 1); until then a reply to an opener could still meet the source,
   * which has never seen it. So openers are released after a pause.
   */
  async lift(key: string, onConfirmed?: () => void): Promise<number> {
    const entry = this.#pins.get(key);
    const gate = this.#gates.get(key);
    if (entry === undefined) {
      await this.openGate(key);
      return 0;
    }
    this.#refuseWhileAway(entry.request);
    const pinned = entry.pin;
    entry.pin = { ...pinned, phase: 'lifted' };
    if (gate !== undefined) this.#gates.set(key, { ...gate, serial: this.#newSerial(key), holds: 'openers' });
    try {
      await this.apply();
    } catch (cause) {
      entry.pin = pinned;
      await this.apply().catch(() => undefined);
      throw cause;
    }
    this.#checkStillWanted(key, entry);
    onConfirmed?.();
    if (gate === undefined) return 0;
    const others = this.#options.hold.release(gateHoldKey(key, 'other'));
    await this.#options.clock.sleep(this.#options.cacheMs);
    this.#gates.delete(key);
    // Past the point of no return: a switch that keeps its gate opens it by its timeout.
    await this.apply().catch((cause: unknown) => {
      this.#options.log.warn('a gate was not opened everywhere after the lift', { transfer: key, cause });
    });
    return others.held + this.#releaseGate(key);
  }

  async forget(key: string): Promise<void> {
    const entry = this.#pins.get(key);
    // A switch that was lost during the lift still sends flows to the source: it must have come back before they retire.
    while (entry !== undefined && this.#options.installer.behind(endsOf(entry.request)).length > 0) {
      await this.#options.clock.sleep(BEHIND_POLL_MS);
    }
    this.#drop(key);
    for (const [serial, gate] of this.#gateKeys) if (gate === key) this.#gateKeys.delete(serial);
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
    if (entry === undefined) return [];
    return [entry.request.route, reverse(entry.request.route)].map((route) => {
      const nonce = randomBytes(8).readBigUInt64BE();
      this.#markers.set(nonce, route);
      this.#sendMarker(nonce, route.hops[0]);
      return nonce;
    });
  }

  /** A marker came in at an NVE: on to the next hop, behind everything that arrived there before it. */
  markerArrived(nonce: bigint, nve: Dpid, inPort: PortNo): void {
    const route = this.#markers.get(nonce);
    const at = route?.hops.find((h) => h.nve === nve && h.inPort === inPort);
    if (route === undefined || at === undefined) return;
    if (at.outPort === null) this.#markers.delete(nonce);
    else this.#sendMarker(nonce, at);
  }

  teachNewPath(key: string): void {
    const entry = this.#pins.get(key);
    if (entry === undefined) return;
    const { vnid, vm, peerNve, route } = entry.request;
    const direct = this.route(route.from, peerNve);
    if (direct === null || direct.stateHosts.length === 0) return;
    const world = this.#options.view.world();
    this.#sendProbe('learning', 0n, vm, direct.hops[0], vnid);
    const back = reverse(direct).hops[0];
    for (const peer of world.vms) {
      if (peer.vnid === vnid && peer.at?.nve === peerNve) this.#sendProbe('learning', 0n, peer.mac, back, vnid);
    }
  }

  /** The key under which a packet of this gate is held; null when it need not wait (any more): let it go at once. */
  gateHold(serial: number, what: 'opener' | 'other'): string | null {
    const key = this.#gateKeys.get(serial);
    if (key === undefined || !this.#holding.has(key)) return null;
    return what === 'other' && this.#pins.get(key)?.pin.phase === 'lifted' && !this.changing
      ? null
      : gateHoldKey(key, what);
  }

  /** Of a VM: what waits for it to appear, and what it sent before it was known. */
  /** What was held of a VM by now, some of it perhaps released already when the change was confirmed. */
  #releaseFor(vnid: Vnid, mac: Mac): HeldCounts {
    const { hold, view } = this.#options;
    const vm = view.world().vms.find((v) => v.vnid === vnid && v.mac === mac);
    const keys = { limbo: vm === undefined ? '' : limboHoldKey(vm), punted: puntHoldKey(vnid, mac) };
    for (const key of Object.values(keys)) hold.release(key);
    const [limbo, punted] = [hold.account(keys.limbo), hold.account(keys.punted)];
    return { limbo: limbo.released, punted: punted.released, dropped: limbo.dropped + punted.dropped };
  }

  #sendMarker(nonce: bigint, hop: Hop | undefined): void {
    if (hop !== undefined) this.#sendProbe('marker', nonce, nveMac(hop.nve), hop, null);
  }

  #sendProbe(probe: ProbeKind, nonce: bigint, source: Mac, hop: Hop | undefined, vnid: Vnid | null): void {
    if (hop?.outPort === null || hop === undefined) return;
    const vlan = vnid === null ? undefined : this.#options.view.world().vns.find((v) => v.vnid === vnid)?.vlan;
    const tag = vlan === undefined ? null : { vid: vlan, priority: 0, dropEligible: false };
    const frame = encodeProbeFrame({ probe, nonce, source, destination: MARKER_DESTINATION, vlan: tag });
    this.#options.sendFrame(hop.nve, hop.outPort, frame);
  }

  #refuseWhileAway(request: PinRequest): void {
    const away = this.#options.installer.behind(endsOf(request));
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

  /** A newer move took the pin's place while the switches were lifting it: its flows stay with the source. */
  #checkStillWanted(key: string, entry: unknown): void {
    if (this.#pins.get(key) === entry) return;
    throw new MigrationError('superseded', `${key} was replaced while it was being lifted`);
  }

  #releaseGate(key: string): number {
    this.#holding.delete(key);
    const { hold } = this.#options;
    return hold.release(gateHoldKey(key, 'other')).held + hold.release(gateHoldKey(key, 'opener')).held;
  }

  #newSerial(key: string): number {
    this.#gateSerial += 1;
    this.#gateKeys.set(this.#gateSerial, key);
    return this.#gateSerial;
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

  #drop(key: string): void {
    this.#pins.delete(key);
    this.#gates.delete(key);
  }

  #world(): World {
    return {
      ...this.#options.view.world(),
      pins: [...this.#pins.values()].map((p) => p.pin),
      gates: [...this.#gates.values()],
      trails: [...this.#trails.values()],
    };
  }
}

export const gateHoldKey = (key: string, what: 'opener' | 'other'): string => `gate ${key} ${what}`;
export const limboHoldKey = (vm: VmView): string => `limbo ${vm.serial}`;
export const puntHoldKey = (vnid: Vnid, mac: Mac): string => `punt ${vnid} ${mac}`;

/** The NVEs whose rules decide which way a pair's flows go. */
function endsOf(request: PinRequest): readonly Dpid[] {
  return [request.route.from, request.peerNve];
}

function vmKey(vnid: Vnid, mac: Mac): string {
  return `${vnid} ${mac}`;
}

/** Frames of ours that enter the fabric at one NVE have one source, so that bridges see it on one side only. */
function nveMac(nve: Dpid): Mac {
  return `02:5f:e7:${nve.slice(-6, -4)}:${nve.slice(-4, -2)}:${nve.slice(-2)}` as Mac;
}
