// Where each packet-in goes, by the cookie of the rule that sent it: to the TDE, to the markers, or into the hold until what
// it waits for is confirmed. Late ones (rules change before the datapath's cache does: hard cases 1 and 5) go on at once.

import type { Clock } from '../base/clock.ts';
import type { Dpid, Mac, Vnid } from '../base/ids.ts';
import { WireError } from '../base/errors.ts';
import type { PacketIn } from '../openflow/model.ts';
import { decodeEthernet, encodeEthernet, ETHER_TYPE } from '../packet/ethernet.ts';
import { IP_PROTOCOL } from '../packet/ipv4.ts';
import { decodeProbe } from '../packet/probe.ts';
import { formatMac } from '../wire/codec.ts';
import { decodeCookie } from '../../flows/cookies.ts';
import { VNID_MASK } from '../../flows/tables.ts';
import type { KnownWorld } from '../../flows/world.ts';
import { limboHoldKey, puntHoldKey } from './fabric.ts';
import type { Fabric } from './fabric.ts';
import type { Hold, HeldPacket } from './hold.ts';

/** How long after a VM's rules were confirmed its packets may still come through the old ones. */
const LATE_MS = 1000;

export interface PacketInsOptions {
  readonly clock: Clock;
  readonly fabric: Fabric;
  readonly hold: Hold;
  readonly view: () => KnownWorld;
  /** Puts a packet into its switch's pipeline. */
  readonly send: (packet: HeldPacket) => void;
  /** False while a restarted controller still looks for what it knew: what it would learn now it would misread. */
  readonly ready: () => boolean;
  /** Tells the TDE; true when it learnt something that changes flows. */
  readonly tell: (nve: Dpid, packet: PacketIn) => boolean;
}

export interface PacketInStats {
  lldp: number;
  probe: number;
  punt: number;
  puntDropped: number;
  announce: number;
  limbo: number;
  gate: number;
  late: number;
  foreign: number;
  malformed: number;
}

interface Sender {
  readonly key: string;
  readonly vnid: Vnid;
  readonly mac: Mac;
  /** RARP or gratuitous ARP. */
  readonly announcement: boolean;
}

export class PacketIns {
  readonly #o: PacketInsOptions;
  /** Senders whose rules are on their way, or came not long ago. */
  readonly #expected = new Set<string>();
  readonly #lateUntil = new Map<string, number>();
  readonly stats: PacketInStats = {
    lldp: 0,
    probe: 0,
    punt: 0,
    puntDropped: 0,
    announce: 0,
    limbo: 0,
    gate: 0,
    late: 0,
    foreign: 0,
    malformed: 0,
  };

  constructor(options: PacketInsOptions) {
    this.#o = options;
  }

  receive(nve: Dpid, packet: PacketIn): void {
    const cookie = decodeCookie(packet.cookie);
    switch (cookie?.kind) {
      case 'gate':
        this.#gate(nve, packet, cookie.id);
        return;
      case 'limbo':
        this.#limbo(nve, packet, cookie.id);
        return;
      case 'punt':
        this.#punt(nve, packet);
        return;
      case 'probe':
        this.#probe(nve, packet);
        return;
      case 'lldp':
      case 'announce':
      case 'learn':
        this.stats[cookie.kind === 'lldp' ? 'lldp' : 'announce'] += 1;
        this.#tell(nve, packet, cookie.kind === 'lldp' ? null : this.#sender(nve, packet));
        return;
      default:
        this.stats.foreign += 1;
    }
  }

  /** The rules of every VM known by now are confirmed: what its VMs sent meanwhile goes its way. */
  confirmed(): void {
    const now = this.#o.clock.now();
    for (const key of this.#expected) {
      this.#lateUntil.set(key, now + LATE_MS);
      this.#o.hold.release(key);
    }
    this.#expected.clear();
    for (const vm of this.#o.view().vms) if (vm.at !== null) this.#o.hold.release(limboHoldKey(vm));
    for (const [key, until] of this.#lateUntil) if (until < now) this.#lateUntil.delete(key);
  }

  #gate(nve: Dpid, packet: PacketIn, serial: number): void {
    this.stats.gate += 1;
    const held = { nve, inPort: packet.inPort, frame: packet.data };
    const key = this.#o.fabric.gateHold(serial, isOpener(packet.data) ? 'opener' : 'other');
    if (key !== null) this.#o.hold.keep(key, held);
    else this.#late(held);
  }

  #limbo(nve: Dpid, packet: PacketIn, serial: number): void {
    this.stats.limbo += 1;
    const view = this.#o.view();
    const frame = this.#asItCame(nve, packet, view);
    const vm = view.vms.find((v) => v.serial === serial);
    if (frame === null || vm === undefined) return;
    const held = { nve, inPort: packet.inPort, frame };
    if (vm.at !== null && !this.#o.fabric.changing) this.#late(held);
    else this.#o.hold.keep(limboHoldKey(vm), held);
  }

  #punt(nve: Dpid, packet: PacketIn): void {
    this.stats.punt += 1;
    if (!this.#o.ready()) {
      this.stats.puntDropped += 1;
      return;
    }
    const sender = this.#sender(nve, packet);
    this.#tell(nve, packet, sender);
    if (sender === null || sender.announcement) return;
    const held = { nve, inPort: packet.inPort, frame: packet.data };
    if (this.#expected.has(sender.key)) this.#o.hold.keep(sender.key, held);
    else if (this.#mayBeLate(sender, held)) this.#late(held);
    else this.stats.puntDropped += 1;
  }

  /** What the TDE learns of a sender, from whatever frame, makes rules for it: what it sends until then is kept. */
  #tell(nve: Dpid, packet: PacketIn, sender: Sender | null): void {
    if (this.#o.tell(nve, packet) && sender !== null) this.#expected.add(sender.key);
  }

  #probe(nve: Dpid, packet: PacketIn): void {
    this.stats.probe += 1;
    try {
      const probe = decodeProbe(decodeEthernet(packet.data).payload);
      if (probe.probe === 'marker') this.#o.fabric.markerArrived(probe.nonce, nve, packet.inPort);
      else if (probe.probe === 'path-probe') this.#o.tell(nve, packet);
    } catch (cause) {
      this.#malformed(cause);
    }
  }

  /** Its rules are there, and the datapath has not followed. Where it is not, its frames would only be punted again. */
  #mayBeLate({ key, vnid, mac }: Sender, { nve, inPort }: HeldPacket): boolean {
    if ((this.#lateUntil.get(key) ?? 0) <= this.#o.clock.now()) return false;
    const at = this.#o.view().vms.find((v) => v.vnid === vnid && v.mac === mac)?.at;
    return at?.nve === nve && at.port === inPort;
  }

  #late(packet: HeldPacket): void {
    this.stats.late += 1;
    this.#o.send(packet);
  }

  /** The pipeline took the VLAN tag off frames from the fabric; to enter it again they need theirs. */
  #asItCame(nve: Dpid, packet: PacketIn, view: KnownWorld): Buffer | null {
    const port = view.nves.find((n) => n.dpid === nve)?.ports.find((p) => p.no === packet.inPort);
    if (port?.role.kind !== 'fabric') return packet.data;
    const vnid = Number((packet.metadata ?? 0n) & VNID_MASK);
    const vlan = view.vns.find((v) => v.vnid === vnid)?.vlan;
    if (vlan === undefined) return null;
    try {
      const frame = decodeEthernet(packet.data);
      return frame.vlan !== null
        ? packet.data
        : encodeEthernet({ ...frame, vlan: { vid: vlan, priority: 0, dropEligible: false } });
    } catch (cause) {
      this.#malformed(cause);
      return null;
    }
  }

  #sender(nve: Dpid, packet: PacketIn): Sender | null {
    const port = this.#o
      .view()
      .nves.find((n) => n.dpid === nve)
      ?.ports.find((p) => p.no === packet.inPort);
    if (port?.role.kind !== 'vap') return null;
    const data = packet.data;
    if (data.length < 14) {
      this.stats.malformed += 1;
      return null;
    }
    const source = formatMac(data.subarray(6, 12));
    const { vnid } = port.role;
    return { key: puntHoldKey(vnid, source), vnid, mac: source, announcement: isAnnouncement(data) };
  }

  #malformed(cause: unknown): void {
    if (!(cause instanceof WireError)) throw cause;
    this.stats.malformed += 1;
  }
}

/** RARP and gratuitous ARP are for the TDE alone and are not sent on (hard case 8). */
function isAnnouncement(frame: Buffer): boolean {
  const type = frame.readUInt16BE(12);
  if (type === ETHER_TYPE.rarp) return true;
  return type === ETHER_TYPE.arp && frame.length >= 42 && frame.readUInt32BE(28) === frame.readUInt32BE(38);
}

/** TCP with SYN and without ACK. A frame too strange to tell is none: it waits with the other protocols. */
function isOpener(frame: Buffer): boolean {
  const type = frame.length < 34 ? 0 : frame.readUInt16BE(12);
  let transport = 0;
  if (type === ETHER_TYPE.ipv4 && frame[23] === IP_PROTOCOL.tcp) transport = 14 + ((frame[14] ?? 0) & 0x0f) * 4;
  if (type === ETHER_TYPE.ipv6 && frame[20] === IP_PROTOCOL.tcp) transport = 54;
  return transport !== 0 && ((frame[transport + 13] ?? 0) & 0x12) === 0x02;
}
