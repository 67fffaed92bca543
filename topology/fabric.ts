// The fabric as LLDP and probes prove it: links, where State Hosts are attached, and the routes that follow. Composes the pure
// parts; knows nothing of VMs.

import { WireError } from '../src/base/errors.ts';
import type { Dpid, StateHostId } from '../src/base/ids.ts';
import type { EthernetFrame } from '../src/packet/ethernet.ts';
import { announcementOf, type Announcement } from '../src/packet/lldp-announce.ts';
import { decodeLldp } from '../src/packet/lldp.ts';
import { decodeProbe, type Probe } from '../src/packet/probe.ts';
import { Discovery } from './discovery.ts';
import { discoveryOf, type DiscoverySays } from './discovery-frame.ts';
import { buildGraph } from './graph.ts';
import { Links, type LinkView } from './links.ts';
import type { Outbox } from './outbox.ts';
import { PathProbes } from './path-probes.ts';
import { placeKey, samePlace, type Place } from './place.ts';
import { isVap, type LearntRole, type Port, type Ports } from './ports.ts';
import { Routes, type GraphScope } from './routes.ts';
import { StateHosts, type AttachVerdict } from './state-hosts.ts';
import type { TdeSettings } from './tde-config.ts';
import type { AlarmCode } from './tde-effect.ts';
import type { StateHostRegistered } from './tde-input.ts';
import type { StateHostView } from './views.ts';

const REFUSED: Record<Exclude<AttachVerdict['verdict'], 'attached' | 'known'>, AlarmCode> = {
  unregistered: 'state-host-unregistered',
  'bad-hmac': 'state-host-forged',
  'foreign-mac': 'state-host-forged',
  stale: 'state-host-stale',
  replayed: 'state-host-replayed',
  elsewhere: 'state-host-elsewhere',
};

export class Fabric {
  readonly routes: Routes;
  readonly #settings: TdeSettings;
  readonly #ports: Ports;
  readonly #outbox: Outbox;
  readonly #discovery: Discovery;
  readonly #links = new Links();
  readonly #stateHosts: StateHosts;
  readonly #probes: PathProbes;
  readonly #drained = new Set<StateHostId>();

  constructor(settings: TdeSettings, ports: Ports, outbox: Outbox) {
    const { timing, bounds, key } = settings;
    this.#settings = settings;
    this.#ports = ports;
    this.#outbox = outbox;
    this.#discovery = new Discovery({ key, periodMs: timing.lldpPeriodMs, missed: timing.lldpMissed });
    this.#stateHosts = new StateHosts({
      bound: bounds.stateHosts,
      toleranceMs: timing.announcementToleranceMs,
      silentMs: timing.lldpPeriodMs * timing.lldpMissed,
    });
    this.#probes = new PathProbes(key, timing.probePeriodMs);
    this.routes = new Routes((scope) =>
      buildGraph({
        nves: [...ports.nves()].map((nve) => nve.dpid),
        links: this.#links.views(),
        stateHosts: [...this.#stateHosts.all()]
          .filter(({ id }) => this.#isIn(scope, id))
          .map(({ id }) => ({ id, at: this.#placesOf(id) })),
      }),
    );
  }

  /** Sends LLDP out of one port if it is up, no VAP, and reachable. */
  sendLldp(port: Port, now: number): void {
    if (isVap(port) || !this.#ports.isLive(port.place)) return;
    this.#outbox.packetOut(port.place, this.#discovery.send(port.place, port.desc.hwAddr, now));
    this.#outbox.count('lldp-sent');
  }

  /** An LLDP frame that arrived at a port. */
  lldp(port: Port, frame: EthernetFrame, now: number): void {
    const context = { nve: port.place.nve, port: port.place.port };
    const key = placeKey(port.place);
    if (isVap(port)) {
      this.#outbox.alarm('lldp-on-vap', key, 'LLDP from a VAP is never believed', context);
      return;
    }
    let says: DiscoverySays | null;
    let announcement: Announcement | null;
    try {
      const lldp = decodeLldp(frame.payload);
      says = discoveryOf(lldp);
      announcement = announcementOf(lldp);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#outbox.alarm('lldp-malformed', key, error.message, context);
      return;
    }
    if (says !== null) this.#discovered(port, says, now);
    else if (announcement !== null) this.#announced(port, announcement, now);
    else this.#outbox.count('lldp-foreign');
  }

  /** A probe frame that arrived at a port that is no VAP. */
  probe(port: Port, frame: EthernetFrame, now: number): void {
    let probe: Probe;
    try {
      probe = decodeProbe(frame.payload);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#outbox.count('malformed');
      return;
    }
    // Markers and learning frames are meant for State Hosts; those that come out on the far side have done their work.
    const arrival = probe.probe === 'path-probe' ? this.#probes.accept(probe, port.place) : 'unexpected';
    if (arrival === 'forged') {
      const context = { nve: port.place.nve, port: port.place.port };
      this.#outbox.alarm('probe-forged', placeKey(port.place), 'a path probe that is not ours', context);
    } else if (arrival === 'unexpected' || !this.#placesOf(arrival.id).some((p) => samePlace(p, port.place))) {
      this.#outbox.count('probe-unexpected');
    } else {
      this.#outbox.count('probe-accepted');
      const wasHung = this.isHung(arrival.id);
      this.#probes.forwarded(arrival.id, this.#transitMs(arrival.from, port.place, arrival.sentAt, now), now);
      if (!wasHung) return;
      this.#outbox.changed('state-host-forwarding');
      this.routes.invalidate();
    }
  }

  register(input: StateHostRegistered, now: number): void {
    const lost = this.#stateHosts.register(input);
    if (lost === null) {
      this.#outbox.alarm('topology-bound', 'state-hosts', 'too many State Hosts', { stateHost: input.id });
      return;
    }
    for (const place of lost) this.#ports.unprove(place, now);
    this.#outbox.changed('state-host-registered');
    if (lost.length > 0) this.#outbox.changed('state-host-detached');
    this.routes.invalidate();
  }

  unregister(id: StateHostId): void {
    if (!this.#stateHosts.gone(id)) return;
    if (this.#stateHosts.get(id) === null) this.#probes.forgetStateHost(id);
    this.#outbox.changed('state-host-gone');
    this.routes.invalidate();
  }

  portDown(place: Place, now: number): void {
    const others = this.#links.drop(place);
    this.#lost([place, ...others], now);
    const detached = this.#stateHosts.detach(place);
    this.#discovery.forget(place);
    this.#probes.forget(place);
    if (others.length > 0) this.#outbox.changed('link-down');
    if (detached) this.#outbox.changed('state-host-detached');
    // A VAP that goes down, the common case, leaves the graph as it is.
    if (others.length > 0 || detached) this.routes.invalidate();
  }

  /** What time alone brings: LLDP due, links aged, probes. */
  tick(now: number): void {
    const { lldpPeriodMs, lldpMissed } = this.#settings.timing;
    for (const port of this.#ports.ports()) {
      if (!isVap(port) && this.#discovery.due(port.place, now)) this.sendLldp(port, now);
    }
    const away = (nve: Dpid): boolean => this.#ports.nve(nve)?.connected === false;
    const aged = this.#links.age(now, lldpPeriodMs * lldpMissed, away);
    if (aged.length > 0) {
      this.#lost(aged, now);
      this.#outbox.changed('link-down');
      this.routes.invalidate();
    }
    if (this.#probes.due(now)) this.#sendProbes(now);
  }

  links(): LinkView[] {
    return this.#links.views();
  }

  stateHosts(): StateHostView[] {
    return [...this.#stateHosts.all()]
      .map((s) => ({
        id: s.id,
        role: s.role,
        zones: s.zones,
        registered: s.lldpKey !== null,
        attachments: [...s.attachments.values()]
          .map(({ mac, portName, place, lastSeen }) => ({ ...place, mac, portName, lastSeen }))
          .sort((x, y) => (placeKey(x) < placeKey(y) ? -1 : 1)),
        drained: this.#drained.has(s.id),
        ...this.#probes.view(s.id),
      }))
      .sort((x, y) => (x.id < y.id ? -1 : 1));
  }

  /** The role a State Host registered with; empty when it is not known. */
  roleOf(id: StateHostId): string {
    return this.#stateHosts.get(id)?.role ?? '';
  }

  /** An operator's word: no path leads through it where there is another. */
  drain(id: StateHostId, drained: boolean): void {
    if (drained === this.#drained.has(id)) return;
    if (drained) this.#drained.add(id);
    else this.#drained.delete(id);
    this.#outbox.changed('state-host-drained');
    this.routes.invalidate();
  }

  /** Its links are up and probes through it are lost. */
  isHung(id: StateHostId): boolean {
    return this.#probes.view(id).forwarding === false;
  }

  #isIn(scope: GraphScope, id: StateHostId): boolean {
    return scope === 'all' || (!this.isHung(id) && (scope === 'forwarding' || !this.#drained.has(id)));
  }

  #discovered(port: Port, says: DiscoverySays, now: number): void {
    const context = { nve: port.place.nve, port: port.place.port, from: placeKey(says.from) };
    const key = placeKey(port.place);
    const accepted = this.#discovery.accept(says, now);
    if (accepted.verdict !== 'accepted') {
      const text = accepted.verdict === 'forged' ? 'LLDP with a wrong HMAC' : 'LLDP that was not just sent';
      this.#outbox.alarm(`lldp-${accepted.verdict}`, key, text, context);
      return;
    }
    const sender = this.#ports.port(says.from);
    if (sender === null || samePlace(says.from, port.place)) {
      this.#outbox.alarm('lldp-relayed', key, 'LLDP came back to the port it was sent from', context);
      return;
    }
    if (!this.#mayBecome(port, { kind: 'fabric' }, now) || !this.#mayBecome(sender, { kind: 'fabric' }, now)) return;
    const seen = this.#links.see(says.from, port.place, now);
    if (seen === 'taken') {
      this.#outbox.alarm('lldp-relayed', key, 'LLDP says a link whose end is another link already', context);
      return;
    }
    this.#outbox.count('lldp-accepted');
    for (const end of [port, sender]) if (this.#ports.prove(end, { kind: 'fabric' })) this.#outbox.changed('port-role');
    const latencyMs = this.#transitMs(says.from, port.place, accepted.sentAt, now);
    if (this.#links.measure(says.from, latencyMs, this.#settings.bounds.latencyExcessMs)) {
      const text = `link latency of ${latencyMs.toFixed(1)} ms is unusual: the LLDP may have been relayed`;
      this.#outbox.alarm('link-latency', key, text, { ...context, latencyMs });
    }
    if (seen === 'known') return;
    if (this.#links.peer(port.place) === null) {
      // Do not wait for the period to see the other direction.
      this.sendLldp(port, now);
      return;
    }
    this.#outbox.changed('link-up');
    this.routes.invalidate();
  }

  #announced(port: Port, announcement: Announcement, now: number): void {
    const { stateHost: id, portMac } = announcement;
    const context = { nve: port.place.nve, port: port.place.port, stateHost: id, mac: portMac };
    const check = this.#stateHosts.check(announcement, port.place, now, now + this.#settings.wallOffsetMs);
    if (!('stateHost' in check)) {
      const text = `LLDP announcement of State Host ${id} refused: ${check.verdict}`;
      this.#outbox.alarm(REFUSED[check.verdict], `${id} ${placeKey(port.place)}`, text, context);
      return;
    }
    if (!this.#mayBecome(port, { kind: 'state-host', id }, now)) return;
    this.#outbox.count('announcement-accepted');
    if (this.#ports.prove(port, { kind: 'state-host', id })) this.#outbox.changed('port-role');
    const before = this.#stateHosts.attach(check.stateHost, announcement, port.place, now);
    if (before !== null) this.#ports.unprove(before, now);
    if (check.verdict === 'known') return;
    this.#outbox.changed('state-host-attached');
    this.routes.invalidate();
  }

  #mayBecome(port: Port, role: LearntRole, now: number): boolean {
    if (this.#ports.mayBecome(port, role, now)) return true;
    const { nve, port: number } = port.place;
    const was = isVap(port) ? 'vap' : (port.learnt?.kind ?? 'unknown');
    const text = `port cannot be ${role.kind}: it is ${was}`;
    this.#outbox.alarm('role-conflict', placeKey(port.place), text, { nve, port: number, was, claims: role.kind });
    return false;
  }

  #lost(places: readonly Place[], now: number): void {
    for (const place of places) if (!this.#links.touches(place)) this.#ports.unprove(place, now);
  }

  #placesOf(id: StateHostId): Place[] {
    const places = new Map<string, Place>();
    for (const { place } of this.#stateHosts.get(id)?.attachments.values() ?? []) places.set(placeKey(place), place);
    return [...places.values()];
  }

  #sendProbes(now: number): void {
    for (const { id } of this.#stateHosts.all()) {
      const places = this.#placesOf(id);
      if (places.length < 2 || !places.every((p) => this.#ports.isLive(p))) continue;
      const { frames, stopped } = this.#probes.round(id, places, now);
      for (const [place, frame] of frames) this.#outbox.packetOut(place, frame);
      if (stopped) {
        const text = `State Host ${id} no longer forwards path probes`;
        this.#outbox.alarm('state-host-not-forwarding', id, text, { stateHost: id });
        this.#outbox.changed('state-host-not-forwarding');
        this.routes.invalidate();
      }
    }
  }

  /** From one NVE to another, without the way to and from the controller as far as that is known. */
  #transitMs(from: Place, to: Place, sentAt: number, now: number): number {
    const control = [from, to].reduce((sum, p) => sum + (this.#ports.nve(p.nve)?.controlLatencyMs ?? 0), 0);
    return Math.max(0, now - sentAt - control);
  }
}
