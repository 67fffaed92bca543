// The draft's Topology Discovery Entity as a pure machine: inputs in, effects out, time as a parameter, no I/O. Here only the
// order of things; the parts do the work.

import { WireError } from '../src/base/errors.ts';
import type { Dpid } from '../src/base/ids.ts';
import type { Route } from '../src/base/route.ts';
import type { PortDesc } from '../src/openflow/model.ts';
import { decodeEthernet, ETHER_TYPE, type EthernetFrame } from '../src/packet/ethernet.ts';
import { Fabric } from './fabric.ts';
import type { LinkView } from './links.ts';
import { Outbox } from './outbox.ts';
import { placeKey, type Place } from './place.ts';
import { isVap, Ports, type Nve, type Port } from './ports.ts';
import { settle, type TdeConfig, type TdeSettings } from './tde-config.ts';
import type { TdeEffect } from './tde-effect.ts';
import type { TdeInput } from './tde-input.ts';
import { Vaps } from './vaps.ts';
import type { NveView, StateHostView, TdeSnapshot, VmView } from './views.ts';
import { VmTracker } from './vm-tracker.ts';

/**
 * Feed it every event with the monotonic time in ms (never going back), carry out the effects in order, and when one is
 * `changed` ask the queries again. It never throws because of what a frame holds.
 */
export class Tde {
  readonly #settings: TdeSettings;
  readonly #outbox: Outbox;
  readonly #ports: Ports;
  readonly #fabric: Fabric;
  readonly #vms: VmTracker;

  /** RangeError: the configuration contradicts itself (see Vaps). */
  constructor(config: TdeConfig) {
    const settings = settle(config);
    const vaps = new Vaps(settings);
    this.#settings = settings;
    this.#outbox = new Outbox(settings.timing.alarmPeriodMs);
    this.#ports = new Ports(vaps, settings.timing, settings.bounds);
    this.#fabric = new Fabric(settings, this.#ports, this.#outbox);
    this.#vms = new VmTracker({
      settings,
      vaps,
      ports: this.#ports,
      outbox: this.#outbox,
      routes: this.#fabric.routes,
      roleOf: (id) => this.#fabric.roleOf(id),
      isHung: (id) => this.#fabric.isHung(id),
    });
  }

  handle(input: TdeInput, now: number): TdeEffect[] {
    this.#outbox.begin(now);
    this.#dispatch(input, now);
    this.#vms.followPaths(now);
    return this.#outbox.finish();
  }

  /** By dpid. */
  nves(): NveView[] {
    return [...this.#ports.nves()]
      .map((nve) => ({
        dpid: nve.dpid,
        name: nve.name,
        connected: nve.connected,
        ports: [...nve.ports.values()]
          .map((port) => ({
            port: port.place.port,
            name: port.desc.name,
            mac: port.desc.hwAddr,
            up: port.up,
            role: this.#ports.role(port),
            quarantinedTags: [...port.strays.keys()],
          }))
          .sort((x, y) => x.port - y.port),
      }))
      .sort((x, y) => (x.dpid < y.dpid ? -1 : 1));
  }

  links(): LinkView[] {
    return this.#fabric.links();
  }

  stateHosts(): StateHostView[] {
    return this.#fabric.stateHosts();
  }

  /** By VNID and MAC. */
  vms(): VmView[] {
    return this.#vms.vms();
  }

  /** The one way between two NVEs, the same State Hosts both ways. One hop when `a` is `b`; null when there is none. */
  route(a: Dpid, b: Dpid): Route | null {
    return this.#fabric.routes.route(a, b);
  }

  /** As `route`, past no State Host. */
  bareRoute(a: Dpid, b: Dpid): Route | null {
    return this.#fabric.routes.bareRoute(a, b);
  }

  /** All of it, fit for JSON. */
  snapshot(): TdeSnapshot {
    return {
      nves: this.nves(),
      links: this.links(),
      stateHosts: this.stateHosts(),
      vms: this.vms(),
      counters: this.#outbox.counters(),
    };
  }

  #dispatch(input: TdeInput, now: number): void {
    switch (input.kind) {
      case 'nveUp':
        this.#nveUp(input.dpid, input.name ?? null, input.ports, now);
        return;
      case 'nveDown':
        this.#nveDown(input.dpid, now);
        return;
      case 'portStatus':
        this.#portStatus(input.dpid, input.reason, input.port, now);
        return;
      case 'packetIn':
        this.#packetIn({ nve: input.dpid, port: input.inPort }, input.frame, now);
        return;
      case 'stateHostRegistered':
        this.#fabric.register(input, now);
        return;
      case 'stateHostGone':
        this.#fabric.unregister(input.id);
        return;
      case 'drain':
        this.#fabric.drain(input.id, input.drained);
        return;
      case 'controlLatency': {
        const nve = this.#ports.nve(input.dpid);
        if (nve !== null) nve.controlLatencyMs = input.oneWayMs;
        return;
      }
      case 'announced':
        this.#outbox.answer(this.#vms.announced(input.announcement, now));
        return;
      case 'restore':
        this.#vms.restore(input.vms, now);
        return;
      case 'tick':
        this.#tick(now);
    }
  }

  #nveUp(dpid: Dpid, name: string | null, descs: readonly PortDesc[], now: number): void {
    const nve = this.#ports.connect(dpid, name);
    if (nve === null) {
      this.#outbox.alarm('topology-bound', 'nves', 'too many NVEs', { nve: dpid });
      return;
    }
    this.#outbox.changed('nve-up');
    this.#fabric.routes.invalidate();
    const present = new Set(descs.map((d) => d.portNo));
    for (const port of [...nve.ports.values()]) if (!present.has(port.place.port)) this.#removePort(port, now);
    for (const desc of descs) this.#describePort(nve, desc, now);
    // What was sent before the connection was lost may never have left the switch.
    for (const port of nve.ports.values()) this.#fabric.sendLldp(port, now);
  }

  /** Fail mode secure: it forwards on. Only when it stays away for the hold is it gone. */
  #nveDown(dpid: Dpid, now: number): void {
    const nve = this.#ports.nve(dpid);
    if (nve?.connected !== true) return;
    this.#ports.disconnect(nve, now);
    this.#outbox.changed('nve-down');
  }

  #nveGone(nve: Nve, now: number): void {
    for (const port of [...nve.ports.values()]) this.#removePort(port, now);
    this.#ports.removeNve(nve.dpid);
    this.#outbox.changed('nve-gone');
    this.#fabric.routes.invalidate();
  }

  #portStatus(dpid: Dpid, reason: 'add' | 'delete' | 'modify', desc: PortDesc, now: number): void {
    const nve = this.#ports.nve(dpid);
    if (nve === null) {
      this.#outbox.count('unknown-port');
      return;
    }
    const known = nve.ports.get(desc.portNo);
    if (reason === 'delete') {
      if (known !== undefined) this.#removePort(known, now);
    } else if (this.#describePort(nve, desc, now) === 'up') {
      const port = nve.ports.get(desc.portNo);
      if (port !== undefined) this.#fabric.sendLldp(port, now);
    }
  }

  #describePort(nve: Nve, desc: PortDesc, now: number): 'up' | 'not-up' {
    const described = this.#ports.describe(nve, desc, now);
    if (described === null) return 'not-up';
    const { port, events } = described;
    let came: 'up' | 'not-up' = 'not-up';
    for (const event of events) {
      if (event === 'down') this.#portDown(port.place, now);
      if (event === 'none') this.#outbox.changed('port-down');
      if (event === 'up') {
        came = 'up';
        this.#outbox.changed('port-up');
        if (port.quarantinedUntil === null) this.#vms.portUp(port, now);
      }
    }
    return came;
  }

  #removePort(port: Port, now: number): void {
    port.up = false;
    this.#portDown(port.place, now);
    this.#ports.remove(port);
  }

  #portDown(place: Place, now: number): void {
    this.#outbox.changed('port-down');
    this.#fabric.portDown(place, now);
    this.#vms.portDown(place, now);
  }

  #packetIn(place: Place, data: Buffer, now: number): void {
    this.#outbox.count('packet-in');
    const port = this.#ports.port(place);
    if (port === null) {
      this.#outbox.count('unknown-port');
      return;
    }
    let frame: EthernetFrame;
    try {
      frame = decodeEthernet(data);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#outbox.count('malformed');
      return;
    }
    // The port's going down was told first: what comes now was on its way.
    if (!port.up) this.#outbox.count('late-frame');
    else if (frame.etherType === ETHER_TYPE.lldp) this.#fabric.lldp(port, frame, now);
    else if (port.quarantinedUntil !== null) this.#outbox.count('quarantined');
    else if (!isVap(port)) this.#fromFabric(port, frame, now);
    else if (frame.etherType === ETHER_TYPE.probe) this.#outbox.count('probe-unexpected');
    else this.#fromVap(port, frame, now);
  }

  /** The tag says which VN; inside it frames have none. VID 0 is a priority tag: the frame is of no VLAN. */
  #fromVap(port: Port, frame: EthernetFrame, now: number): void {
    const tag = frame.vlan === null || frame.vlan.vid === 0 ? null : frame.vlan.vid;
    const vn = port.vns.find((carried) => carried.tag === tag);
    if (vn !== undefined) {
      this.#vms.frame(port, vn.vnid, { ...frame, vlan: null }, now);
      return;
    }
    this.#ports.stray(port, tag, now);
    const { nve, port: number } = port.place;
    const text = `${tag === null ? 'untagged frames' : `tag ${tag}`} at port ${port.desc.name}: of no VN there`;
    const context = { nve, port: number, name: port.desc.name, tag };
    this.#outbox.alarm('tag-quarantined', `${placeKey(port.place)}/${tag ?? ''}`, text, context);
  }

  /** VMs are learnt at VAPs only (hard case 7). */
  #fromFabric(port: Port, frame: EthernetFrame, now: number): void {
    if (frame.etherType === ETHER_TYPE.probe) this.#fabric.probe(port, frame, now);
    else this.#outbox.count('not-from-vap');
  }

  #tick(now: number): void {
    for (const nve of [...this.#ports.nves()]) {
      if (nve.lostAt !== null && now - nve.lostAt >= this.#settings.timing.nveHoldMs) this.#nveGone(nve, now);
    }
    this.#fabric.tick(now);
    for (const port of this.#ports.age(now)) {
      this.#outbox.changed('port-role');
      if (port.up) this.#vms.portUp(port, now);
      if (!port.silent) continue;
      const context = { nve: port.place.nve, port: port.place.port, name: port.desc.name };
      const text = `port ${port.desc.name} is neither a VAP nor shows valid LLDP`;
      this.#outbox.alarm('port-quarantined', placeKey(port.place), text, context);
    }
    this.#vms.tick(now);
  }
}
