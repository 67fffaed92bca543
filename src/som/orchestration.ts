// The running whole above the channels: switches' events go to the TDE, the TDE's effects to the SOM and the switches, and
// every change of knowledge becomes a change of flows. No sockets here: switches and agents come in as objects.

import type { Clock } from '../base/clock.ts';
import type { Dpid, StateHostId } from '../base/ids.ts';
import { mac, vnid } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import type { PacketIn, Switch, SwitchEvent } from '../openflow/model.ts';
import type { Store } from '../store/store.ts';
import { PORT } from '../../flows/tables.ts';
import type { VnView } from '../../flows/world.ts';
import { Installer } from '../../flows/installer.ts';
import type { Announcement } from '../../topology/announcement.ts';
import { Tde } from '../../topology/tde.ts';
import type { TdeInput } from '../../topology/tde-input.ts';
import type { ChangeReason, TdeEffect } from '../../topology/tde-effect.ts';
import type { VapRule, VerifyPolicy } from '../../topology/tde-config.ts';
import type { AgentDirectory, AgentSession } from './agents/agent-session.ts';
import { Admissions } from './admissions.ts';
import { Fabric } from './fabric.ts';
import { Hold } from './hold.ts';
import type { HeldPacket } from './hold.ts';
import { Knowledge } from './knowledge.ts';
import type { Sighting } from './knowledge.ts';
import type { Announced } from './notifiers.ts';
import { PacketIns } from './packet-ins.ts';
import type { MigrationRecord } from './record.ts';
import type { StandIns } from './ports.ts';
import { Som } from './som.ts';
import type { Strategy, TransferLimits } from './transfer-plan.ts';
import { TdeView } from './tde-view.ts';
import { SwitchFlows } from './switch-flows.ts';

export interface OrchestrationOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly agents: AgentDirectory;
  /** Connected now; kept up to date by the caller. */
  readonly switches: ReadonlyMap<Dpid, Switch>;
  readonly vns: readonly VnView[];
  readonly vaps: readonly VapRule[];
  readonly tde: {
    readonly lldpPeriodMs: number;
    readonly probePeriodMs: number;
    readonly verify: VerifyPolicy;
    readonly revertMs: number | null;
  };
  readonly migration: TransferLimits & {
    readonly strategy: Strategy;
    readonly hold: { readonly packets: number; readonly bytes: number; readonly ageMs: number };
    /** Packets whose path broke, until their state has moved. */
    readonly halted: 'hold' | 'drop';
  };
  /** For sources that are dead. */
  readonly standIns?: StandIns;
  /** 32 random bytes. */
  readonly key: Buffer;
}

export interface Alarm {
  readonly wallMs: number;
  readonly code: string;
  readonly text: string;
}

/** What becomes known. */
export interface OrchestrationListener {
  onTopology(reasons: readonly ChangeReason[]): void;
  onAlarm(alarm: Alarm): void;
}

interface Taken {
  /** Flows change. */
  readonly changed: boolean;
  readonly effects: readonly TdeEffect[];
  readonly told: readonly Promise<MigrationRecord | null>[];
}

const KEEP_ALARMS = 100;
/** See FabricOptions.cacheMs: revalidators were seen to take 15 ms here; with 25 one SYN in some thousands still met the source. */
const CACHE_MS = 40;
/** How long a restarted controller looks for what it knew before it changes flows all the same. */
const PATIENCE_MS = 8000;

export class Orchestration {
  readonly tde: Tde;
  readonly som: Som;
  readonly fabric: Fabric;
  readonly flows: SwitchFlows;
  readonly hold: Hold;
  readonly packetIns: PacketIns;
  readonly admissions: Admissions;
  readonly view: TdeView;
  readonly agents: AgentDirectory;
  readonly switches: ReadonlyMap<Dpid, Switch>;
  /** The latest. */
  readonly alarms: Alarm[] = [];
  /** Since the start. */
  alarmsRaised = 0;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #knowledge: Knowledge;
  readonly #listeners: OrchestrationListener[] = [];
  #settled = false;
  #resume: (() => Promise<void>) | null = null;

  constructor(o: OrchestrationOptions) {
    this.#clock = o.clock;
    this.#log = o.log;
    this.agents = o.agents;
    this.switches = o.switches;
    this.tde = new Tde({
      vns: o.vns,
      vaps: o.vaps,
      verify: o.tde.verify,
      key: o.key,
      wallOffsetMs: o.clock.wallMs() - o.clock.now(),
      revertMs: o.tde.revertMs,
      timing: { lldpPeriodMs: o.tde.lldpPeriodMs, probePeriodMs: o.tde.probePeriodMs },
    });
    this.view = new TdeView(this.tde, o.vns);
    this.#knowledge = new Knowledge(o.store, o.clock, PATIENCE_MS);
    this.flows = new SwitchFlows(new Installer({ clock: o.clock, log: o.log }), () => this.#maySend());
    const bounds = { ...o.migration.hold, totalBytes: o.migration.hold.bytes * 16 };
    this.hold = new Hold(bounds, o.clock, (packet) => {
      this.packetIns.letGo(packet);
    });
    this.fabric = new Fabric({
      view: this.view,
      installer: this.flows,
      hold: this.hold,
      sendFrame: (nve, port, data) => {
        this.#packetOut(nve, PORT.controller, port, data);
      },
      clock: o.clock,
      log: o.log,
      graceMs: o.migration.graceMs,
      halted: o.migration.halted,
      cacheMs: CACHE_MS,
      onConfirmed: () => this.#confirmed(),
    });
    this.admissions = this.#openAdmissions(o);
    this.som = new Som({
      clock: o.clock,
      log: o.log,
      store: o.store,
      agents: o.agents,
      flows: this.fabric,
      ...(o.standIns !== undefined && { standIns: o.standIns }),
      ports: this.admissions,
      strategy: o.migration.strategy,
      limits: o.migration,
    });
    this.packetIns = new PacketIns({
      clock: o.clock,
      fabric: this.fabric,
      hold: this.hold,
      view: () => this.view.world(),
      send: (packet) => this.#intoPipeline(packet),
      ready: () => this.#maySend(),
      tell: (nve, packet) => this.#packetIn(nve, packet),
    });
    this.#followAgents();
    this.#feed({ kind: 'restore', vms: this.#knowledge.vms() });
  }

  #followAgents(): void {
    this.agents.onRegistered((session) => {
      this.#agentUp(session);
    });
    this.agents.onGone(({ session }) => {
      if (this.agents.get(session.id) === undefined) this.#feed({ kind: 'stateHostGone', id: session.id });
    });
  }

  #openAdmissions({ clock, log, agents }: OrchestrationOptions): Admissions {
    return new Admissions({
      clock,
      log,
      sessions: () => agents.all(),
      vms: () =>
        this.tde
          .vms()
          .flatMap(({ vnid, mac, at, guard }) => (at === null || guard === null ? [] : [{ vnid, mac, guard }])),
      isHeld: ({ vnid, mac, guard }) => this.som.holdsPort(vnid, mac, guard),
      open: () => this.flows.open,
    });
  }

  async switchUp(sw: Switch): Promise<void> {
    try {
      await this.flows.attach(sw);
      // Last, and with nothing to wait for behind it: what a port does from now on is told by its status.
      const ports = await sw.ports();
      // OFPP_LOCAL is the bridge itself: its name is the NVE's.
      const name = ports.find((p) => p.portNo === PORT.local)?.name;
      this.#feed({ kind: 'nveUp', dpid: sw.dpid, ports, ...(name === undefined ? {} : { name }) });
    } catch (cause) {
      this.#log.warn('a switch connected and could not be used', { dpid: sw.dpid, cause });
    }
  }

  switchDown(sw: Switch): void {
    this.flows.detach(sw.dpid);
    this.#feed({ kind: 'nveDown', dpid: sw.dpid });
  }

  switchEvent(sw: Switch, event: SwitchEvent): void {
    switch (event.type) {
      case 'packet_in':
        this.packetIns.receive(sw.dpid, event);
        return;
      case 'port_status':
        this.#feed({ kind: 'portStatus', dpid: sw.dpid, reason: event.reason, port: event.port });
        return;
      case 'error':
        this.#log.warn('a switch reported an error', { dpid: sw.dpid, type: event.errorType, code: event.errorCode });
        return;
      case 'flow_removed':
        return;
    }
  }

  /** An operator wants no path through a State Host, or allows it again; false: there is none of that name. */
  drain(id: StateHostId, drained: boolean): boolean {
    if (!this.tde.stateHosts().some((s) => s.id === id)) return false;
    this.#feed({ kind: 'drain', id, drained });
    return true;
  }

  tick(): void {
    this.hold.sweep();
    this.#feed({ kind: 'tick' });
    if (!this.flows.open && this.#maySend()) this.#apply();
  }

  listen(listener: OrchestrationListener): void {
    this.#listeners.push(listener);
  }

  /** Why it does not act yet, in words; empty: it does. */
  get waitingFor(): readonly string[] {
    const reasons: string[] = [];
    if (!this.flows.open) reasons.push('what was known before the restart has not been seen again');
    if (this.switches.size === 0) reasons.push('no switch is connected');
    return reasons;
  }

  /** What the TDE knows, as far as it must survive. */
  sighting(): Sighting {
    const { nves, routes } = this.view.world();
    return {
      vms: this.tde.vms(),
      nves: nves.map((n) => n.dpid),
      routes: routes.map((r) => `${r.from} ${r.to} ${r.stateHosts.join(',')}`),
    };
  }

  #agentUp(session: AgentSession): void {
    this.#feed({
      kind: 'stateHostRegistered',
      id: session.id,
      role: session.profile.role,
      macs: session.profile.dataPorts.map((p) => mac(p.mac)),
      lldpKey: session.lldpKey,
      zones: session.profile.zones.map((z) => vnid(z.vnid)),
    });
    this.som.agentRegistered(session.id);
  }

  /** Another TDE says where a VM is. Null: nothing can be told yet. */
  announce(announcement: Announcement, by: string): Promise<Announced> | null {
    if (!this.#maySend()) return null;
    const { effects, told } = this.#take({ kind: 'announced', announcement });
    const refusal = effects.find((e) => e.kind === 'answer')?.refusal ?? null;
    return Promise.all(told).then((records) => {
      const migration = records.find((r) => r !== null) ?? null;
      if (migration !== null) this.som.records.witnessed(migration, 'notified', by);
      return { refusal, migration };
    });
  }

  #packetIn(nve: Dpid, packet: PacketIn): boolean {
    return this.#feed({ kind: 'packetIn', dpid: nve, inPort: packet.inPort, frame: packet.data });
  }

  /** True when flows change. A notification is planned before flows are computed: pins and new places come together. */
  #feed(input: TdeInput): boolean {
    return this.#take(input).changed;
  }

  #take(input: TdeInput): Taken {
    const effects = this.tde.handle(input, this.#clock.now());
    const changed = effects.some((e) => e.kind === 'changed' || e.kind === 'notify');
    if (changed) this.view.changed();
    const notifies = effects.filter((e) => e.kind === 'notify');
    const told: Promise<MigrationRecord | null>[] = [];
    const tell = (): void => {
      for (const effect of notifies) told.push(this.#notify(effect));
    };
    if (notifies.length > 1) this.fabric.together(tell);
    else tell();
    for (const effect of effects) this.#carryOut(effect);
    return { changed, effects, told };
  }

  /** The migration, when its pins are there; null: it was not carried out. */
  #notify(effect: Extract<TdeEffect, { kind: 'notify' }>): Promise<MigrationRecord | null> {
    // A controller killed before the switches confirm must not look for the VM at its old place.
    this.#knowledge.remember(this.sighting());
    return this.som.notify(effect.notification).then(
      (record) => {
        this.#confirmed();
        return record;
      },
      (cause: unknown) => {
        this.#log.error('a notification was not carried out', { cause });
        return null;
      },
    );
  }

  #carryOut(effect: TdeEffect): void {
    switch (effect.kind) {
      case 'packetOut':
        this.#packetOut(effect.dpid, PORT.controller, effect.port, effect.frame);
        return;
      case 'changed':
        for (const listener of this.#listeners) listener.onTopology(effect.reasons);
        this.#apply();
        return;
      case 'alarm':
        this.#log.warn(effect.text, { alarm: effect.code, ...effect.context });
        this.#raise({ wallMs: this.#clock.wallMs(), code: effect.code, text: effect.text });
        return;
      case 'notify':
      case 'answer':
        return;
    }
  }

  #raise(alarm: Alarm): void {
    this.alarmsRaised += 1;
    this.alarms.push(alarm);
    if (this.alarms.length > KEEP_ALARMS) this.alarms.shift();
    for (const listener of this.#listeners) listener.onAlarm(alarm);
  }

  #apply(): void {
    this.admissions.update();
    this.fabric.apply().then(
      () => {
        this.#confirmed();
      },
      (cause: unknown) => {
        this.#log.warn('flows were not changed everywhere; tried again with the next change', { cause });
      },
    );
  }

  #confirmed(): void {
    if (!this.flows.open || this.fabric.changing) return;
    this.packetIns.confirmed();
    this.admissions.update();
    this.#knowledge.remember(this.sighting());
    const resume = this.#resume;
    this.#resume = null;
    resume?.().catch((cause: unknown) => {
      this.#log.error('unfinished migrations were not resumed', { cause });
    });
  }

  /** The first time it may, unfinished migrations become part of the world before any of it is sent. */
  #maySend(): boolean {
    if (this.#settled) return true;
    this.#settled = this.#knowledge.settled(this.sighting());
    if (this.#settled) this.#resume = this.som.recover();
    return this.#settled;
  }

  #intoPipeline(packet: HeldPacket): void {
    this.#packetOut(packet.nve, packet.inPort, PORT.table, packet.frame);
  }

  #packetOut(nve: Dpid, inPort: number, port: number, data: Buffer): void {
    this.switches.get(nve)?.send({ type: 'packet_out', inPort, actions: [{ type: 'output', port }], data });
  }
}
