// NVEs and their ports, and the role of each port. A role is learnt from proof only, outlives a short loss of that proof, and
// a port without any is quarantined. Knows nothing of links or VMs.

import type { Dpid, PortNo, StateHostId, Vnid } from '../src/base/ids.ts';
import type { VapVn } from '../src/base/vap-vn.ts';
import type { PortDesc } from '../src/openflow/model.ts';
import type { Place } from './place.ts';
import type { TdeBounds, TdeTiming } from './tde-config.ts';
import type { Vaps } from './vaps.ts';

/** Ports above this are reserved (OFPP_MAX): LOCAL, CONTROLLER and the like have no role. */
const OFPP_MAX = 0xffffff00;

export type LearntRole = { readonly kind: 'fabric' } | { readonly kind: 'state-host'; readonly id: StateHostId };

export type PortRole =
  | { readonly kind: 'vap'; readonly vns: readonly VapVn[] }
  | LearntRole
  | { readonly kind: 'quarantined'; readonly reason: QuarantineReason }
  | { readonly kind: 'unknown' };

export type QuarantineReason = 'no-valid-lldp' | 'contradictions';

export interface Port {
  readonly place: Place;
  desc: PortDesc;
  up: boolean;
  upSince: number;
  /** Not empty: a VAP. */
  vns: readonly VapVn[];
  /** Tags (null: none) of frames that belong to none of its VNs, and when each was last seen. */
  readonly strays: Map<number | null, number>;
  learnt: LearntRole | null;
  /** Since when nothing proves the learnt role; null while something does. */
  unprovenSince: number | null;
  /** Neither VAP nor proven for longer than the hold. */
  silent: boolean;
  /** Set while a VAP is quarantined. */
  quarantinedUntil: number | null;
}

export interface Nve {
  readonly dpid: Dpid;
  name: string | null;
  connected: boolean;
  /** Null while connected. */
  lostAt: number | null;
  controlLatencyMs: number | null;
  readonly ports: Map<PortNo, Port>;
}

export type PortEvent = 'up' | 'down' | 'none';

export class Ports {
  readonly #nves = new Map<Dpid, Nve>();
  readonly #vaps: Vaps;
  readonly #timing: TdeTiming;
  readonly #bounds: TdeBounds;

  constructor(vaps: Vaps, timing: TdeTiming, bounds: TdeBounds) {
    this.#vaps = vaps;
    this.#timing = timing;
    this.#bounds = bounds;
  }

  nve(dpid: Dpid): Nve | null {
    return this.#nves.get(dpid) ?? null;
  }

  nves(): Iterable<Nve> {
    return this.#nves.values();
  }

  port(place: Place): Port | null {
    return this.#nves.get(place.nve)?.ports.get(place.port) ?? null;
  }

  *ports(): Iterable<Port> {
    for (const nve of this.#nves.values()) yield* nve.ports.values();
  }

  /** Up, and its NVE reachable: frames sent there go out. */
  isLive(place: Place): boolean {
    return this.port(place)?.up === true && this.#nves.get(place.nve)?.connected === true;
  }

  /** Null: more NVEs than allowed. */
  connect(dpid: Dpid, name: string | null): Nve | null {
    const known = this.#nves.get(dpid);
    if (known !== undefined) {
      known.name = name ?? known.name;
      known.connected = true;
      known.lostAt = null;
      return known;
    }
    if (this.#nves.size >= this.#bounds.nves) return null;
    const nve: Nve = { dpid, name, connected: true, lostAt: null, controlLatencyMs: null, ports: new Map() };
    this.#nves.set(dpid, nve);
    return nve;
  }

  disconnect(nve: Nve, now: number): void {
    nve.connected = false;
    nve.lostAt = now;
  }

  removeNve(dpid: Dpid): void {
    this.#nves.delete(dpid);
  }

  /** A port as the switch describes it now: added, or changed. `down` before `up` when it became another VN's. */
  describe(
    nve: Nve,
    desc: PortDesc,
    now: number,
  ): { readonly port: Port; readonly events: readonly PortEvent[] } | null {
    if (desc.portNo === 0 || desc.portNo > OFPP_MAX) return null;
    const up = !desc.adminDown && !desc.linkDown;
    const vns = this.#vaps.vnsOf(nve.dpid, nve.name, desc.name);
    const known = nve.ports.get(desc.portNo);
    if (known === undefined) {
      if (nve.ports.size >= this.#bounds.portsPerNve) return null;
      const port: Port = {
        place: { nve: nve.dpid, port: desc.portNo },
        desc,
        up,
        upSince: now,
        vns,
        strays: new Map(),
        learnt: null,
        unprovenSince: now,
        silent: false,
        quarantinedUntil: null,
      };
      nve.ports.set(desc.portNo, port);
      return { port, events: up ? ['up'] : ['none'] };
    }
    const wasUp = known.up;
    const another = !sameVns(known.vns, vns) || known.desc.name !== desc.name;
    Object.assign(known, { desc, up, vns });
    if (another) known.strays.clear();
    if (another) Object.assign(known, { learnt: null, silent: false, quarantinedUntil: null });
    if (up && (!wasUp || another)) known.upSince = now;
    const events: PortEvent[] = [];
    if (wasUp && (!up || another)) events.push('down');
    if (up && (!wasUp || another)) events.push('up');
    return { port: known, events };
  }

  /** A frame with a tag (null: without) that is of none of the VAP's VNs. Remembered as far as there is room. */
  stray(port: Port, tag: number | null, now: number): void {
    if (port.strays.has(tag) || port.strays.size < this.#bounds.straysPerPort) port.strays.set(tag, now);
  }

  remove(port: Port): void {
    this.#nves.get(port.place.nve)?.ports.delete(port.place.port);
  }

  role(port: Port): PortRole {
    if (port.quarantinedUntil !== null) return { kind: 'quarantined', reason: 'contradictions' };
    if (isVap(port)) return { kind: 'vap', vns: port.vns };
    if (port.learnt !== null) return port.learnt;
    return port.silent ? { kind: 'quarantined', reason: 'no-valid-lldp' } : { kind: 'unknown' };
  }

  /**
   * May a valid LLDP give the port this role? Not while something else is proven, nor shortly after: a flap does not reset
   * a role, else whoever can flap a port could choose its role.
   */
  mayBecome(port: Port, role: LearntRole, now: number): boolean {
    if (isVap(port)) return false;
    if (port.learnt === null || sameRole(port.learnt, role)) return true;
    return port.unprovenSince !== null && now - port.unprovenSince >= this.#timing.roleHoldMs;
  }

  /** True when the role is new. */
  prove(port: Port, role: LearntRole): boolean {
    const known = port.learnt !== null && sameRole(port.learnt, role);
    port.learnt = role;
    port.unprovenSince = null;
    port.silent = false;
    return !known;
  }

  /** What proved the role is gone. */
  unprove(place: Place, now: number): void {
    const port = this.port(place);
    if (port !== null) port.unprovenSince ??= now;
  }

  /** Forgets roles unproven for too long and quarantines ports that show nothing; those whose role changed. */
  age(now: number): Port[] {
    const changed: Port[] = [];
    for (const port of this.ports()) {
      for (const [tag, at] of port.strays) if (now - at >= this.#timing.quarantineMs) port.strays.delete(tag);
      if (port.quarantinedUntil !== null && now >= port.quarantinedUntil) {
        port.quarantinedUntil = null;
        changed.push(port);
      }
      if (isVap(port) || port.unprovenSince === null) continue;
      if (port.learnt !== null && now - port.unprovenSince >= this.#timing.roleHoldMs) {
        port.learnt = null;
        changed.push(port);
      }
      const quietSince = Math.max(port.upSince, port.unprovenSince);
      if (port.up && port.learnt === null && !port.silent && now - quietSince >= this.#timing.unknownHoldMs) {
        port.silent = true;
        changed.push(port);
      }
    }
    return changed;
  }
}

export const isVap = (port: Port): boolean => port.vns.length > 0;

export const carries = (port: Port, vnid: Vnid): boolean => port.vns.some((vn) => vn.vnid === vnid);

function sameVns(a: readonly VapVn[], b: readonly VapVn[]): boolean {
  const same = (vn: VapVn, other: VapVn | undefined): boolean => vn.vnid === other?.vnid && vn.tag === other.tag;
  return a.length === b.length && a.every((vn, i) => same(vn, b[i]));
}

function sameRole(a: LearntRole, b: LearntRole): boolean {
  return a.kind === 'state-host' ? b.kind === 'state-host' && a.id === b.id : b.kind === 'fabric';
}
