// One life of the controller: the real SOM, fabric, hold, packet-ins, compiler and installer, joined as Orchestration joins
// them, with the little of a TDE that one moving VM needs. When it ends nothing of it acts any more; the store stays.

import { silentLog } from '../../src/base/log.ts';
import type { Dpid } from '../../src/base/ids.ts';
import type { PacketIn } from '../../src/openflow/model.ts';
import { ETHER_TYPE } from '../../src/packet/ethernet.ts';
import { Fabric } from '../../src/som/fabric.ts';
import type { WorldInstaller } from '../../src/som/fabric.ts';
import { Hold } from '../../src/som/hold.ts';
import { PacketIns } from '../../src/som/packet-ins.ts';
import type { Agents, FlowControl } from '../../src/som/ports.ts';
import { Som } from '../../src/som/som.ts';
import { SwitchFlows } from '../../src/som/switch-flows.ts';
import type { Store } from '../../src/store/store.ts';
import type { Notification } from '../../topology/notification.ts';
import { Installer } from '../../flows/installer.ts';
import { PORT } from '../../flows/tables.ts';
import type { Place, KnownWorld, World } from '../../flows/world.ts';
import { NVE_VIEWS, VM1, VNID, knownWith, routeOf, transfersOf, viewOf } from './figure1.ts';
import type { SwitchChannel } from './simulated-switch.ts';
import { KEPT_WORKINGS } from './kept-workings.ts';
import { OneVmTde } from './one-vm-tde.ts';
import { CACHE_MS } from './scenario.ts';
import { LifeClock } from './virtual-clock.ts';
import type { VirtualClock } from './virtual-clock.ts';
import { compileOnce } from './world-intern.ts';

export interface LifeOptions {
  readonly time: VirtualClock;
  readonly store: Store;
  readonly agents: Agents;
  readonly graceMs: number;
  readonly drainBoundMs: number;
  /** The switches have confirmed a world in which VM1 is here, or (null) has left the place where it was last known. */
  readonly onConfirmed: (at: Place | null, lastAt: Place) => void;
  /** A frame for a switch that is away. */
  readonly onUndeliverable: (data: Buffer) => void;
  /** To put a defect in, when the simulator itself is on trial. */
  readonly disturbFlows?: (flows: FlowControl) => FlowControl;
  readonly disturbInstaller?: (installer: WorldInstaller) => WorldInstaller;
}

const TICK_MS = 1000;
const VM1_MAC = Buffer.from(VM1.mac.replaceAll(':', ''), 'hex');
const HOLD = { packets: 4000, bytes: 4_000_000, totalBytes: 64_000_000, ageMs: 5000 };

export class ControllerLife {
  readonly clock: LifeClock;
  readonly hold: Hold;
  readonly som: Som;
  readonly packetIns: PacketIns;
  readonly fabric: Fabric;
  readonly flows: SwitchFlows;
  /** What is wanted of the switches now. */
  world: World | null = null;
  readonly #switches = new Map<Dpid, SwitchChannel>();
  /** Whose tables have been read in this life. */
  readonly #connected = new Set<Dpid>();
  readonly #options: LifeOptions;
  readonly #tde: OneVmTde;
  #settled = false;
  #resume: (() => Promise<void>) | null = null;
  #notifications = 0;
  #nonces: bigint;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.clock = new LifeClock(options.time);
    // Other lives end at other times: theirs are others.
    this.#nonces = BigInt(Math.floor(options.time.now() * 1000)) << 32n;
    const clock = this.clock;
    const known = options.store.table('vms').get('vm1')?.value as Place | undefined;
    this.#tde = new OneVmTde(known ?? VM1.home);
    this.hold = new Hold(HOLD, clock, (packet) => {
      this.packetIns.letGo(packet);
    });
    this.flows = new SwitchFlows(new Installer({ clock, workings: KEPT_WORKINGS }), () => this.#maySend(), compileOnce);
    const installer: WorldInstaller = {
      install: (world) =>
        this.flows.install(() => {
          this.world = world();
          return this.world;
        }),
      behind: (nves) => this.flows.behind(nves),
      pinRules: (id, nves) => this.flows.pinRules(id, nves),
    };
    this.fabric = new Fabric({
      view: { world: () => this.#view(), route: routeOf },
      installer: options.disturbInstaller?.(installer) ?? installer,
      hold: this.hold,
      sendFrame: (nve, port, frame) => {
        this.#packetOut(nve, PORT.controller, port, frame);
      },
      clock,
      log: silentLog,
      graceMs: options.graceMs,
      cacheMs: CACHE_MS,
      nonce: () => {
        this.#nonces += 1n;
        return this.#nonces;
      },
      onConfirmed: () => {
        this.#confirmed();
      },
    });
    this.som = new Som({
      clock,
      log: silentLog,
      store: options.store,
      agents: options.agents,
      flows: options.disturbFlows?.(this.fabric) ?? this.fabric,
      strategy: 'detour',
      limits: { limit: 1000, drainBoundMs: options.drainBoundMs, graceMs: options.graceMs },
    });
    this.packetIns = new PacketIns({
      clock,
      fabric: this.fabric,
      hold: this.hold,
      view: () => this.#view(),
      send: (packet) => {
        this.#packetOut(packet.nve, packet.inPort, PORT.table, packet.frame);
      },
      ready: () => this.#maySend(),
      tell: (nve, packet) => this.#seen({ nve, port: packet.inPort }, packet),
    });
    this.#tick();
  }

  get open(): boolean {
    return this.flows.open;
  }

  /** The switch is connected and has all that is wanted of it. */
  knows(nve: Dpid): boolean {
    return this.#connected.has(nve) && this.#switches.has(nve) && this.flows.behind([nve]).length === 0;
  }

  async switchUp(sw: SwitchChannel): Promise<void> {
    this.#switches.set(sw.dpid, sw);
    try {
      await this.flows.attach(sw);
      const ports = await sw.vaps();
      this.#connected.add(sw.dpid);
      this.#tde.nveUp(sw.dpid, ports, this.clock.now());
    } catch {
      return;
    }
    this.#apply();
  }

  switchDown(dpid: Dpid): void {
    this.#switches.delete(dpid);
    this.flows.detach(dpid);
  }

  /** False when the packet was dropped at once. */
  packetIn(nve: Dpid, event: PacketIn): boolean {
    const { puntDropped } = this.packetIns.stats;
    this.packetIns.receive(nve, event);
    return this.packetIns.stats.puntDropped === puntDropped;
  }

  portStatus(place: Place, up: boolean): void {
    if (this.#tde.port(place, up, this.clock.now())) this.#apply();
  }

  /** A kill: what it had under way is lost. */
  kill(): void {
    this.clock.stop();
    this.#switches.clear();
  }

  #tick(): void {
    this.clock.after(TICK_MS, () => {
      this.hold.sweep();
      this.#tick();
    });
  }

  /** True when flows change by it. */
  #seen(place: Place, packet: PacketIn): boolean {
    if (VM1_MAC.compare(packet.data, 6, 12) !== 0) return false;
    const announced = packet.data.readUInt16BE(12) === ETHER_TYPE.rarp;
    const sighted = this.#tde.frame(place, announced, this.clock.now());
    if (sighted === null) return false;
    if (sighted.from.nve !== sighted.to.nve) this.#notify(sighted.from, sighted.to);
    this.#apply();
    return true;
  }

  #notify(from: Place, to: Place): void {
    this.#notifications += 1;
    const addresses = viewOf(VM1, to, to).addresses;
    const notification: Notification = {
      id: this.#notifications,
      wallMs: this.clock.wallMs(),
      cause: 'vm-move',
      evidence: ['mac-relocation'],
      vnid: VNID,
      vnName: 'red',
      vm: { mac: VM1.mac, addresses },
      oldNve: from.nve,
      oldPort: from.port,
      newNve: to.nve,
      newPort: to.port,
      transfers: transfersOf(from.nve, to.nve),
    };
    // As Orchestration does: a controller killed before the switches confirm must not look for the VM at its old place.
    this.#remember();
    void this.som.notify(notification).then(() => {
      this.#confirmed();
    });
  }

  #apply(): void {
    this.fabric.apply().then(
      () => {
        this.#confirmed();
      },
      () => undefined,
    );
  }

  #confirmed(): void {
    if (!this.flows.open || this.fabric.changing) return;
    this.packetIns.confirmed();
    this.#remember();
    this.#options.onConfirmed(this.#tde.at, this.#tde.lastAt);
    const resume = this.#resume;
    this.#resume = null;
    void resume?.();
  }

  #remember(): void {
    if (this.#tde.at !== null) this.#options.store.table('vms').put('vm1', this.#tde.at);
  }

  #maySend(): boolean {
    if (this.#settled) return true;
    this.#settled = this.#connected.size === NVE_VIEWS.length;
    if (this.#settled) this.#resume = this.som.recover();
    return this.#settled;
  }

  #view(): KnownWorld {
    return knownWith(this.#tde.at, this.#tde.lastAt);
  }

  #packetOut(nve: Dpid, inPort: number, port: number, data: Buffer): void {
    const sw = this.#switches.get(nve);
    if (sw === undefined) this.#options.onUndeliverable(data);
    else sw.send({ type: 'packet_out', inPort, actions: [{ type: 'output', port }], data });
  }
}
