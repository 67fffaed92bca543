// Where each packet-in goes, by the cookie of the rule that sent it: to the TDE, to the markers, or into the hold until what
// it waits for is confirmed. Late ones (rules change before the datapath's cache does: hard cases 1 and 5) go on at once.

import type { Clock } from '../base/clock.ts';
import type { Dpid, Mac, PortNo, Vnid } from '../base/ids.ts';
import { WireError } from '../base/errors.ts';
import type { PacketIn } from '../openflow/model.ts';
import { decodeEthernet } from '../packet/ethernet.ts';
import { decodeProbe } from '../packet/probe.ts';
import { formatMac } from '../wire/codec.ts';
import { decodeCookie } from '../../flows/cookies.ts';
import { VNID_MASK } from '../../flows/tables.ts';
import type { KnownWorld, PortRole, VmView } from '../../flows/world.ts';
import type { Fabric } from './fabric.ts';
import { isAnnouncement, isOpener, tagOf, withoutTag, withTag } from './frame-kind.ts';
import type { Hold, HeldPacket } from './hold.ts';
import { limboHoldKey, puntHoldKey } from './hold-keys.ts';

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
  /** Held where its sender had left by then. */
  left: number;
  stray: number;
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
  /** Senders whose rules are on their way, and where to. */
  readonly #expected = new Map<string, { readonly nve: Dpid; readonly sender: Sender }>();
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
    left: 0,
    stray: 0,
    foreign: 0,
    malformed: 0,
  };

  constructor(options: PacketInsOptions) {
    this.#o = options;
  }

  receive(nve: Dpid, given: PacketIn): void {
    const cookie = decodeCookie(given.cookie);
    const packet = this.#asItCame(nve, given);
    if (packet === null) return;
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
      case 'stray':
        this.stats.stray += 1;
        this.#tell(nve, packet, null);
        return;
      case 'lldp':
        this.stats.lldp += 1;
        this.#tell(nve, packet, null);
        return;
      case 'announce':
      case 'learn':
        this.stats.announce += 1;
        if (this.#o.ready()) this.#tell(nve, packet, this.#sender(nve, packet));
        return;
      default:
        this.stats.foreign += 1;
    }
  }

  /** The rules of every VM known by now are confirmed: what its VMs sent meanwhile goes its way. */
  confirmed(): void {
    const now = this.#o.clock.now();
    for (const [key, { nve, sender }] of this.#expected) {
      // In limbo by now: what it has sent from where it will be found is kept until then.
      if (this.#o.fabric.isBehind(nve) || this.#vmOf(sender)?.at === null) continue;
      this.#expected.delete(key);
      this.#lateUntil.set(key, now + LATE_MS);
      this.#o.hold.release(key);
    }
    for (const vm of this.#o.view().vms) {
      if (vm.at !== null && !this.#o.fabric.isBehind(vm.at.nve)) this.#o.hold.release(limboHoldKey(vm));
    }
    for (const [key, until] of this.#lateUntil) if (until < now) this.#lateUntil.delete(key);
  }

  /**
   * A held packet goes on. Not where its sender has left: it would be punted, and be taken for a move back (hard case 7).
   */
  letGo(packet: HeldPacket): void {
    const sender = this.#senderOf(packet.nve, packet.inPort, packet.frame);
    const vm = sender === null ? undefined : this.#vmOf(sender);
    if (vm !== undefined && !isAt(vm, packet)) this.stats.left += 1;
    else this.#o.send(packet);
  }

  #gate(nve: Dpid, packet: PacketIn, serial: number): void {
    this.stats.gate += 1;
    const held = { nve, inPort: packet.inPort, frame: packet.data };
    const key = this.#o.fabric.gateHold(serial, isOpener(withoutTag(packet.data)) ? 'opener' : 'other');
    if (key !== null) this.#o.hold.keep(key, held);
    else this.#late(held);
  }

  #limbo(nve: Dpid, packet: PacketIn, serial: number): void {
    this.stats.limbo += 1;
    const view = this.#o.view();
    const vm = view.vms.find((v) => v.serial === serial);
    if (vm === undefined) return;
    const held = { nve, inPort: packet.inPort, frame: packet.data };
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
    const here = this.#isHere(sender, held);
    // Back at a port that came up again: known before its rules are there.
    if (here && (this.#o.fabric.changing || this.#o.fabric.isBehind(nve)))
      this.#expected.set(sender.key, { nve, sender });
    if (this.#expected.has(sender.key)) this.#o.hold.keep(sender.key, held);
    else if (here && this.#mayBeLate(sender)) this.#late(held);
    else this.stats.puntDropped += 1;
  }

  /** What the TDE learns of a sender, from whatever frame, makes rules for it: what it sends until then is kept. */
  #tell(nve: Dpid, packet: PacketIn, sender: Sender | null): void {
    if (this.#o.tell(nve, packet) && sender !== null) this.#expected.set(sender.key, { nve, sender });
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

  /** Its rules are there, and the datapath has not followed. */
  #mayBeLate({ key }: Sender): boolean {
    return (this.#lateUntil.get(key) ?? 0) > this.#o.clock.now();
  }

  /** Where it is not, its frames would only be punted again. */
  #isHere(sender: Sender, packet: HeldPacket): boolean {
    const vm = this.#vmOf(sender);
    return vm !== undefined && isAt(vm, packet);
  }

  #vmOf({ vnid, mac }: Sender): VmView | undefined {
    return this.#o.view().vms.find((v) => v.vnid === vnid && v.mac === mac);
  }

  #late(packet: HeldPacket): void {
    this.stats.late += 1;
    this.#o.send(packet);
  }

  /** The pipeline takes off the tag by which a frame came into its VN; to enter it again the frame needs it. */
  #asItCame(nve: Dpid, packet: PacketIn): PacketIn | null {
    const vnid = Number((packet.metadata ?? 0n) & VNID_MASK);
    const role = this.#roleOf(nve, packet.inPort);
    if (vnid === 0 || role === undefined || role.kind === 'closed') return packet;
    const tag =
      role.kind === 'vap'
        ? role.vns.find((vn) => vn.vnid === vnid)?.tag
        : this.#o.view().vns.find((vn) => vn.vnid === vnid)?.vlan;
    if (tag === undefined) return null; // of no VN there any more
    return tag === null ? packet : { ...packet, data: withTag(packet.data, tag) };
  }

  #roleOf(nve: Dpid, port: PortNo): PortRole | undefined {
    const { nves } = this.#o.view();
    return nves.find((n) => n.dpid === nve)?.ports.find((p) => p.no === port)?.role;
  }

  #sender(nve: Dpid, { inPort, data }: PacketIn): Sender | null {
    return this.#senderOf(nve, inPort, data);
  }

  #senderOf(nve: Dpid, inPort: PortNo, data: Buffer): Sender | null {
    const role = this.#roleOf(nve, inPort);
    if (role?.kind !== 'vap') return null;
    if (data.length < 14) {
      this.stats.malformed += 1;
      return null;
    }
    const vnid = role.vns.find((vn) => vn.tag === tagOf(data))?.vnid;
    if (vnid === undefined) return null;
    const source = formatMac(data.subarray(6, 12));
    return { key: puntHoldKey(vnid, source), vnid, mac: source, announcement: isAnnouncement(withoutTag(data)) };
  }

  #malformed(cause: unknown): void {
    if (!(cause instanceof WireError)) throw cause;
    this.stats.malformed += 1;
  }
}

function isAt({ at }: VmView, { nve, inPort }: HeldPacket): boolean {
  return at?.nve === nve && at.port === inPort;
}
