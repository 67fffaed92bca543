// Cables, firewalls and ports: carries every packet hop by hop and says what became of it. The bounded hop count of the
// assertions is stronger here: no packet meets one port of one NVE twice.

import type { Dpid } from '../../src/base/ids.ts';
import type { PacketIn } from '../../src/openflow/model.ts';
import { portNo } from '../../src/base/ids.ts';
import { decodeCookie, encodeCookie } from '../../flows/cookies.ts';
import type { Place } from '../../flows/world.ts';
import { CABLES, NVES, VM1 } from './figure1.ts';
import type { Cable } from './figure1.ts';
import { TCP } from './firewall.ts';
import type { Firewall } from './firewall.ts';
import type { Flow } from './flow.ts';
import { exampleFrame, frameOf, idOf } from './packet.ts';
import type { Packet } from './packet.ts';
import type { SimulatedSwitch } from './simulated-switch.ts';
import type { Verdict } from './table-state.ts';
import { DelayLine } from './virtual-clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

const OFPP_TABLE = 0xffff_fff9;

export interface PlumbingPorts {
  /** False when no controller is there to take it. */
  toController(nve: Dpid, event: PacketIn): boolean;
  toMachine(packet: Packet): void;
  violation(what: string): void;
  trace(what: () => string): void;
  /** A packet to an empty port is lost: whether it had to be. */
  excused(at: Place): boolean;
  linkMs(cable: Cable): () => number;
  /** What a firewall's gate refused goes to its agent; false when that cannot tell the SOM. */
  handOver(firewall: Firewall, flow: Flow, packet: Buffer): boolean;
  /** An agent died with its gate closed: its kernel keeps it closed for some seconds. */
  gateLingers(): boolean;
  /** Nothing but a migration's own gate explains a refused opener, which its hold should have prevented. */
  gateExpected(): boolean;
  /**
   * VM1 is back within the grace, and this packet follows it there and back: it was sent before VM1 left again, or a cache
   * still follows the trail of its first move and sends it where it came from (hard case 1). A rule that turned everything
   * round at both ends would make a loop as long as one of them is stale (hard case 3).
   */
  staleReturn(packet: Packet): boolean;
  /** Answers were lost with a controller: one may come during the lift, and cross the destination before its acknowledgement crosses the source. */
  handshakesMayBeLate(): boolean;
  /** VM1's announcement of its return was lost with a switch: its other frames are taken for late ones (hard case 7). */
  returnUnheard(): boolean;
  /** The switch is not connected, or does not follow yet what it missed: it forwards by what it had. */
  away(nve: Dpid): boolean;
  /** A packet given up with a reason that is no violation. */
  count(what: string): void;
}

interface Wire {
  readonly cable: Cable;
  readonly firewall: Firewall | null;
  readonly first: DelayLine;
  readonly second: DelayLine;
}

export class Plumbing {
  readonly #ports: PlumbingPorts;
  readonly #switches: ReadonlyMap<Dpid, SimulatedSwitch>;
  /** By `placeOf`. */
  readonly #wires: (Wire | undefined)[] = [];
  /** Packets the controller has, by number, and the NVE they came from. */
  readonly inController = new Map<number, { readonly packet: Packet; readonly nve: Dpid }>();
  /** Where VM1 is attached. */
  attached: Place | null = VM1.home;
  /** Data packets on their way. */
  under = 0;
  readonly #lastHeld = new Map<string, number>();
  readonly #onMarker: (nve: Dpid, port: number, frame: Buffer) => void;

  constructor(
    clock: VirtualClock,
    switches: ReadonlyMap<Dpid, SimulatedSwitch>,
    firewalls: readonly Firewall[],
    ports: PlumbingPorts,
    onProbeAtFirewall: (firewall: Firewall, frame: Buffer) => void,
  ) {
    this.#ports = ports;
    this.#switches = switches;
    for (const cable of CABLES) {
      const firewall = firewalls.find((f) => f.id === cable.through) ?? null;
      const delay = ports.linkMs(cable);
      const half = (): number => delay() / 2;
      const lines = { first: new DelayLine(clock, half, 'quiet'), second: new DelayLine(clock, half, 'quiet') };
      this.#wires[placeOf(cable.from, cable.fromPort)] = { cable, firewall, ...lines };
    }
    this.#onMarker = (nve, port, frame) => {
      const wire = this.#wires[placeOf(nve, port)];
      if (wire === undefined) return;
      wire.first.send(() => {
        if (wire.firewall !== null) onProbeAtFirewall(wire.firewall, frame);
        wire.second.send(() => {
          const { to, toPort } = wire.cable;
          const cookie = PROBE_COOKIE;
          const event = { ...PACKET_IN, cookie, inPort: portNo(toPort), metadata: null, data: frame };
          ports.toController(to, event);
        });
      });
    };
  }

  /** A machine sends. */
  send(packet: Packet): void {
    this.under += 1;
    const place = packet.source === VM1 ? this.attached : packet.source.home;
    if (place === null) this.#end(packet, 'its machine was away');
    else this.#arrive(packet, place.nve, place.port, false, 'cache');
  }

  /** A switch carries out a packet-out. */
  packetOut(nve: Dpid, data: Buffer, inPort: number, port: number): void {
    const id = idOf(data);
    if (port !== OFPP_TABLE || id === null) {
      this.#onMarker(nve, port, data);
      return;
    }
    const held = this.inController.get(id);
    if (held === undefined) {
      this.#ports.violation(`packet ${id} was released twice`);
      return;
    }
    this.inController.delete(id);
    const tagged = data.readUInt16BE(12) === 0x8100;
    this.#ports.trace(() => `${nameOf(held.packet)} released at nve${nve.slice(-1)}`);
    this.#arrive(held.packet, nve, inPort, tagged, 'tables');
  }

  /** What VM1 sent from a place that it had left when the controller let it go on: nobody carries that. */
  forgetFrom(leftAt: number): void {
    for (const [id, { packet }] of [...this.inController]) {
      if (packet.source !== VM1 || packet.sentAt > leftAt) continue;
      this.inController.delete(id);
      this.#end(packet, 'held where its machine had left');
    }
  }

  /** What a controller had is lost with it. */
  forgetHeld(): void {
    for (const { packet } of [...this.inController.values()]) this.lose(packet.id, 'held by a controller that died');
  }

  /** A packet the controller had, or was to get, will not come back. */
  lose(id: number | null, why: string): void {
    const held = id === null ? undefined : this.inController.get(id);
    if (held === undefined) return;
    this.inController.delete(held.packet.id);
    this.#end(held.packet, why);
  }

  /** The controller drops a packet of a sender it does not let in. VM1 where it is, is let in. */
  refusePunted(id: number | null, nve: Dpid): void {
    const held = id === null ? undefined : this.inController.get(id);
    if (held === undefined) return;
    const { packet } = held;
    if (this.attached?.nve === nve && !this.#ports.away(nve) && !this.#ports.returnUnheard()) {
      this.#ports.violation(`not let in: ${nameOf(packet)} at nve${nve.slice(-1)}`);
    }
    this.lose(packet.id, 'punted where its machine had left');
  }

  #arrive(packet: Packet, nve: Dpid, inPort: number, tagged: boolean, by: 'cache' | 'tables'): void {
    const sw = this.#switches.get(nve) as SimulatedSwitch;
    const bit = 1 << placeOf(nve, inPort);
    if ((packet.visited & bit) !== 0) {
      this.#ports.violation(`loop: ${nameOf(packet)} came twice to nve${nve.slice(-1)} port ${inPort}`);
      this.#end(packet, 'looped');
      return;
    }
    packet.visited |= bit;
    packet.astray ||= this.#ports.away(nve) || (packet.flag !== 'syn' && packet.flow?.strayed === true);
    const shakesHands = packet.flag === 'syn' || packet.flag === 'synack';
    if (packet.astray && shakesHands && packet.flow !== null) packet.flow.strayed = true;
    const verdict = by === 'cache' ? sw.forward(packet.kind, inPort, tagged) : sw.process(packet.kind, inPort, tagged);
    if (verdict.punt !== null) this.#punt(packet, nve, inPort, verdict.punt);
    else if (verdict.outputs.length === 1) {
      const [out] = verdict.outputs;
      if (out !== undefined) this.#leave(packet, nve, out.port, out.tagged);
    } else {
      const what = verdict.outputs.length === 0 ? 'dropped' : 'duplicated';
      if (what === 'dropped' && packet.astray) this.#end(packet, 'led astray by a switch without its controller');
      else if (what === 'dropped' && this.#ports.staleReturn(packet))
        this.#end(packet, 'dropped by a stale cache after a return');
      else this.#refuse(packet, what, nve, inPort);
    }
  }

  #refuse(packet: Packet, what: string, nve: Dpid, inPort: number): void {
    this.#ports.violation(`${what}: ${nameOf(packet)} at nve${nve.slice(-1)} port ${inPort} by its tables`);
    this.#end(packet, what);
  }

  #punt(packet: Packet, nve: Dpid, inPort: number, punt: NonNullable<Verdict['punt']>): void {
    packet.visited = 0;
    const { cookie, metadata, table } = punt;
    const why = decodeCookie(cookie)?.kind ?? 'foreign';
    this.#ports.trace(() => `${nameOf(packet)} punted (${why}) at nve${nve.slice(-1)}`);
    const data = packet.flow === null ? exampleFrame(packet.kind, false) : frameOf(packet.kind, packet.id, punt.tagged);
    if (packet.flow === null) this.#end(packet, 'announcement');
    else {
      packet.wasHeld = true;
      packet.gated ||= why === 'gate';
      // What came through other places before may have been overtaken there.
      packet.heldAs += ` ${why} ${nve}`;
      this.inController.set(packet.id, { packet, nve });
    }
    const event = { ...PACKET_IN, table, cookie, inPort: portNo(inPort), metadata, data };
    if (this.#ports.toController(nve, event) || packet.flow === null) return;
    this.inController.delete(packet.id);
    this.#end(packet, 'punted while no controller was there');
  }

  #leave(packet: Packet, nve: Dpid, port: number, tagged: boolean): void {
    const wire = this.#wires[placeOf(nve, port)];
    if (wire === undefined) {
      this.#deliver(packet, { nve, port: portNo(port) });
      return;
    }
    const { firewall, cable } = wire;
    this.#ports.trace(() => `${nameOf(packet)} nve${nve.slice(-1)} -> ${firewall?.id ?? ''} nve${cable.to.slice(-1)}`);
    wire.first.send(() => {
      if (firewall !== null && !this.#judged(packet, firewall)) return;
      wire.second.send(() => {
        this.#arrive(packet, cable.to, cable.toPort, tagged, 'cache');
      });
    });
  }

  #judged(packet: Packet, firewall: Firewall): boolean {
    const judgement = firewall.judge(packet);
    // One that was released before the lift takes the longer way: one behind it may overtake it.
    if (packet.wasHeld) packet.heldAs += ` through ${firewall.id}`;
    if (judgement === 'pass') return true;
    if (packet.astray) {
      if (judgement === 'reborn') this.#ports.count('UDP begun anew behind a switch without its controller');
      else this.#end(packet, 'led astray by a switch without its controller');
      return judgement === 'reborn';
    }
    if (judgement === 'refused') {
      this.#ports.trace(() => `${nameOf(packet)} refused at ${firewall.id}`);
      if (this.#handOver(packet, firewall)) return false;
      this.#ports.count('openers refused at the source');
      if (packet.flag === 'syn' && this.#ports.gateExpected()) {
        this.#ports.violation(`not held: ${nameOf(packet)} was refused at ${firewall.id}`);
      }
      if (packet.gated && !this.#ports.gateLingers())
        this.#ports.violation(`released too early: ${nameOf(packet)} was refused at ${firewall.id}`);
      if (packet.established) this.#ports.violation(`dropped: ${nameOf(packet)} was refused at ${firewall.id}`);
      this.#end(packet, 'refused');
      return false;
    }
    const entry = packet.flow === null ? undefined : firewall.entries.get(packet.flow);
    // What the opener sends at once behind its last word of the handshake meets the same.
    const ofOpener = packet.way === 0 && (packet.flag === 'ack' || packet.flag === 'data');
    const atSource = firewall.gates.size > 0;
    if (this.#ports.handshakesMayBeLate() && entry?.state === TCP.SYN_SENT && ofOpener && atSource) {
      this.#end(packet, 'ended a handshake that was older than the drain waits for');
      return false;
    }
    this.#ports.violation(`${judgement}: ${nameOf(packet)} at ${firewall.id} (state ${entry?.state ?? 'none'})`);
    if (judgement === 'reborn') return true;
    this.#end(packet, 'invalid');
    return false;
  }

  /** The source's agent hands what it refused to the SOM, as its sender's frame without the Ethernet header. */
  #handOver(packet: Packet, firewall: Firewall): boolean {
    const { flow, id, kind, source } = packet;
    if (flow === null) return false;
    this.inController.set(id, { packet, nve: source.home.nve });
    const taken = this.#ports.handOver(firewall, flow, frameOf(kind, id, false).subarray(ETHERNET_HEADER));
    if (!taken) {
      this.inController.delete(id);
      return false;
    }
    this.#ports.count('openers handed over by the source');
    packet.visited = 0;
    packet.wasHeld = true;
    packet.gated = false;
    packet.heldAs += ` refused ${firewall.id}`;
    return true;
  }

  #deliver(packet: Packet, at: Place): void {
    const place = packet.target === VM1 ? this.attached : packet.target.home;
    if (place?.nve === at.nve && place.port === at.port) {
      this.#ports.trace(() => `${nameOf(packet)} arrived`);
      this.#checkOrder(packet, at);
      this.#end(packet, null);
      this.#ports.toMachine(packet);
      return;
    }
    if (!this.#ports.excused(at) && !packet.astray) {
      this.#ports.violation(`lost: ${nameOf(packet)} at the empty port of nve${at.nve.slice(-1)}`);
    }
    this.#end(packet, 'its target was away');
  }

  /**
   * Held packets of one kind arrive in the order in which they were sent, but for those that a cache, still of the time before
   * the VM's return, has sent round by the NVE it had left.
   */
  #checkOrder(packet: Packet, at: Place): void {
    if (!packet.wasHeld) return;
    const key = `${packet.kind} ${at.nve} ${packet.heldAs}`;
    const last = this.#lastHeld.get(key) ?? 0;
    if (packet.id < last && !this.#ports.staleReturn(packet))
      this.#ports.violation(`order: ${nameOf(packet)} arrived after ${last}`);
    this.#lastHeld.set(key, Math.max(last, packet.id));
  }

  #end(packet: Packet, why: string | null): void {
    packet.over = true;
    this.under -= 1;
    if (why === null) return;
    this.#ports.trace(() => `${nameOf(packet)} ended: ${why}`);
    this.#ports.count(why);
  }
}

const ETHERNET_HEADER = 14;
const PACKET_IN = { type: 'packet_in', reason: 1, table: 0 } as const;
const PROBE_COOKIE = encodeCookie('probe');

const INDEX = new Map(NVES.map((nve, i) => [nve, i]));
/** A number for a port of an NVE, below 32. */
const placeOf = (nve: Dpid, port: number): number => (INDEX.get(nve) ?? 0) * 5 + port;

export function nameOf(packet: Packet): string {
  const { id, flow, flag, source, target, seq, ack } = packet;
  const data = flow?.proto === 'tcp' ? ` ${seq}/${ack}` : '';
  return `#${id} flow ${flow?.id ?? '-'} ${flag}${data} vm${source.index + 1}>vm${target.index + 1}`;
}
