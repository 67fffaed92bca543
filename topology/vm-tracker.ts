// The VMs as their own frames show them: learns, moves and notifies. Composes claims, hosts, moves and transfers; knows the
// fabric only by its routes.

import type { Dpid, StateHostId, Vnid } from '../src/base/ids.ts';
import { reverse, type Route } from '../src/base/route.ts';
import type { EthernetFrame } from '../src/packet/ethernet.ts';
import { agrees, announcedVap, type Announcement, type AnnouncementRefusal } from './announcement.ts';
import { isVmMac, readClaims, type Claims, type Refusal } from './claims.ts';
import { Hosts, type Vm } from './hosts.ts';
import { Leases } from './leases.ts';
import { Moves, type PendingMove } from './moves.ts';
import type { MoveEvidence, PathEvidence, Transfer } from './notification.ts';
import type { Outbox } from './outbox.ts';
import { PathChanges, type NvePair, type PathChange } from './path-changes.ts';
import { placeKey, samePlace, type Place } from './place.ts';
import { carries, type Port, type Ports } from './ports.ts';
import { encodePresenceProbes } from './presence-probe.ts';
import type { Routes } from './routes.ts';
import type { TdeSettings } from './tde-config.ts';
import type { RestoredVm } from './tde-input.ts';
import { pathTransfers } from './transfers.ts';
import type { Vaps } from './vaps.ts';
import type { VmView } from './views.ts';
import { VmTransfers } from './vm-transfers.ts';

export interface VmTrackerParts {
  readonly settings: TdeSettings;
  readonly vaps: Vaps;
  readonly ports: Ports;
  readonly outbox: Outbox;
  readonly routes: Routes;
  readonly roleOf: (id: StateHostId) => string;
  readonly isHung: (id: StateHostId) => boolean;
}

export class VmTracker {
  readonly #parts: VmTrackerParts;
  readonly #hosts: Hosts;
  readonly #moves: Moves;
  readonly #leases = new Leases();
  readonly #paths: PathChanges;
  readonly #transfers: VmTransfers;
  #notifications = 0;

  constructor(parts: VmTrackerParts) {
    const { timing, bounds, verify } = parts.settings;
    this.#parts = parts;
    this.#hosts = new Hosts(bounds, timing);
    this.#moves = new Moves(verify, timing, bounds);
    this.#transfers = new VmTransfers(this.#hosts, parts);
    this.#paths = new PathChanges(parts.routes, parts.settings.revertMs ?? null);
  }

  /** A frame from a VAP that is up and not quarantined. */
  frame(port: Port, vnid: Vnid, frame: EthernetFrame, now: number): void {
    const claims = readClaims(frame);
    if (typeof claims === 'string') {
      this.#refuse(port, vnid, claims, frame);
      return;
    }
    const vm = this.#hosts.get(vnid, claims.mac);
    if (vm !== null && claims.answersTde && this.#contradicts(vm, port.place, now)) return;
    const here = vm === null ? this.#meet(port, vnid, claims, now) : this.#locate(vm, port, claims, now);
    if (here !== null) this.#saw(here, claims, now);
  }

  /** Another TDE says where a VM is. The same checks as for a frame that the VM would have sent there. */
  announced(announcement: Announcement, now: number): AnnouncementRefusal | null {
    const { vnid, mac, addresses, nve, oldNve, stateHosts } = announcement;
    if (!isVmMac(mac)) return 'bad-mac';
    const port = announcedVap(announcement, this.#parts);
    if (typeof port === 'string') return port;
    const known = this.#hosts.get(vnid, mac);
    const from = known === null ? null : (known.at ?? known.lastAt);
    if (oldNve !== undefined && from?.nve !== oldNve && from?.nve !== nve) return 'vm-elsewhere';
    if (known !== null && from !== null && stateHosts !== undefined) {
      const ours = this.#transfers.ofMove(known, from.nve, nve, known.guard, this.#guardAt(port, vnid));
      if (!samePlace(from, port.place) && !agrees(stateHosts, ours)) return 'other-state-hosts';
    }
    const claims = { mac, addresses, announcing: 'notified', answersTde: false, dhcp: null } as const;
    const here = known === null ? this.#meet(port, vnid, claims, now) : this.#locate(known, port, claims, now);
    if (here === null) return known === null ? 'vm-bound' : 'move-rate';
    this.#saw(here, claims, now);
    return null;
  }

  #saw({ vm, move }: { readonly vm: Vm; readonly move: Believed | null }, claims: Claims, now: number): void {
    vm.lastSeen = now;
    this.#learnAddresses(vm, claims, now);
    // Last, so that the notification names the addresses that have just been shown.
    if (move !== null) this.#notify(vm, move, now);
  }

  portUp(port: Port, now: number): void {
    const back = port.vns.flatMap(({ vnid }) => this.#hosts.comeBack(port.place, port.desc.name, vnid, now));
    for (const vm of back) vm.guard = this.#guardAt(port, vm.vnid);
    if (back.length > 0) this.#parts.outbox.changed('vm-back');
  }

  /** Down, deleted or quarantined. */
  portDown(place: Place, now: number): void {
    const lost = this.#hosts.at(place);
    for (const vm of lost) this.#hosts.limbo(vm, now);
    if (lost.length > 0) this.#parts.outbox.changed('vm-limbo');
    for (const move of this.#moves.portDown(place)) this.#believeHeld(move, now);
  }

  restore(vms: readonly RestoredVm[], now: number): void {
    for (const vm of vms) {
      this.#hosts.restore(vm, now);
      const port = this.#parts.ports.port(vm.lastAt);
      if (port?.up === true && carries(port, vm.vnid)) this.portUp(port, now);
    }
  }

  tick(now: number): void {
    for (const move of this.#moves.due(now)) this.#believeHeld(move, now);
    if (this.#hosts.age(now).length > 0) this.#parts.outbox.changed('vm-gone');
    if (this.#paths.tick(now)) this.#parts.outbox.changed('path-healed');
  }

  /** Use Case 2: the paths between VMs that stay where they are have other State Hosts now. Once after every input. */
  followPaths(now: number): void {
    if (!this.#parts.outbox.hasChanged()) return;
    const byVn = this.#hosts.byNve();
    const pairs = new Map<string, NvePair>();
    for (const byNve of byVn.values()) {
      const nves = [...byNve.keys()].sort();
      for (const [i, a] of nves.entries()) for (const b of nves.slice(i + 1)) pairs.set(`${a} ${b}`, [a, b]);
    }
    for (const change of this.#paths.check([...pairs.values()], this.#parts.isHung)) {
      for (const [vnid, byNve] of byVn) this.#pathChanged(change, vnid, byNve, now);
    }
  }

  /** One notification for each VM of the end that has fewer: a pair of VMs must not be told of twice. */
  #pathChanged(change: PathChange, vnid: Vnid, byNve: ReadonlyMap<Dpid, readonly Vm[]>, now: number): void {
    const near = byNve.get(change.after.from) ?? [];
    const far = byNve.get(change.after.to) ?? [];
    const turn = far.length < near.length;
    const [vms, peers] = turn ? [far, near] : [near, far];
    const [before, after] = [change.before, change.after].map((r) => (turn ? reverse(r) : r)) as [Route, Route];
    const theirs = peers.flatMap((peer) => [...peer.addresses.keys()]);
    for (const vm of vms) {
      const addresses = [...vm.addresses.keys()].sort();
      const { leads } = change;
      const role = this.#parts.roleOf;
      const transfers = pathTransfers({ vnid, vm: addresses, peers: theirs, before, after, leads, role });
      if (transfers.length > 0) this.#tellPathChange(vm, change.evidence, transfers, now);
    }
  }

  #tellPathChange(vm: Vm, evidence: PathEvidence, transfers: readonly Transfer[], now: number): void {
    const { outbox, vaps, settings } = this.#parts;
    const { nve, port } = vm.at ?? vm.lastAt;
    this.#notifications += 1;
    outbox.notify({
      id: this.#notifications,
      wallMs: now + settings.wallOffsetMs,
      cause: 'path-change',
      evidence: [evidence],
      vnid: vm.vnid,
      vnName: vaps.vn(vm.vnid)?.name ?? '',
      vm: { mac: vm.mac, addresses: [...vm.addresses.keys()].sort() },
      oldNve: nve,
      oldPort: port,
      newNve: nve,
      newPort: port,
      transfers,
    });
  }

  vms(): VmView[] {
    return [...this.#hosts.all()]
      .map((vm) => ({
        vnid: vm.vnid,
        mac: vm.mac,
        addresses: [...vm.addresses.keys()].sort(),
        at: vm.at,
        lastAt: vm.lastAt,
        guard: vm.guard,
        lastSeen: vm.lastSeen,
      }))
      .sort((x, y) => x.vnid - y.vnid || (x.mac < y.mac ? -1 : 1));
  }

  /** A VM nobody has seen before. */
  #meet(port: Port, vnid: Vnid, claims: Claims, now: number): { vm: Vm; move: null } | null {
    if (!this.#hosts.hasRoom(vnid, port.place)) {
      const text = 'too many VMs at this VAP or in this VN';
      this.#parts.outbox.alarm('vm-bound', placeKey(port.place), text, this.#context(port.place, vnid));
      return null;
    }
    this.#parts.outbox.changed('vm-new');
    const vm = this.#hosts.create(vnid, claims.mac, port.place, port.desc.name, now);
    vm.guard = this.#guardAt(port, vnid);
    return { vm, move: null };
  }

  /** A known VM, here, back, or at another place. Null: the frame changes nothing. */
  #locate(
    vm: Vm,
    port: Port,
    claims: Claims & { readonly notified?: boolean },
    now: number,
  ): { vm: Vm; move: Believed | null } | null {
    const { outbox, ports } = this.#parts;
    const to = port.place;
    if (samePlace(vm.at, to)) return { vm, move: null };
    if (vm.at === null && samePlace(vm.lastAt, to)) {
      this.#settle(vm, port, now);
      outbox.changed('vm-back');
      return { vm, move: null };
    }
    const from = vm.at ?? vm.lastAt;
    const decision = this.#moves.decide(
      { vm, to, announcing: claims.announcing, oldIsLive: ports.isLive(from), toUpSince: port.upSince },
      now,
    );
    switch (decision.kind) {
      case 'refuse':
        if (decision.reason === 'late-frame') outbox.count('late-frame');
        else outbox.alarm('move-rate', `${vm.vnid}/${vm.mac}`, 'VM moves too often', this.#context(to, vm.vnid, vm));
        return null;
      case 'hold':
        outbox.count('move-held');
        if (decision.ask) this.#ask(vm, from);
        return null;
      case 'believe':
        return { vm, move: this.#move(vm, from, port, decision.evidence, decision.ask, now) };
    }
  }

  #move(vm: Vm, from: Place, port: Port, evidence: readonly MoveEvidence[], ask: boolean, now: number): Believed {
    const guard = this.#settle(vm, port, now);
    this.#moves.believed({ vm, from, to: port.place, evidence, ask }, now);
    if (ask) this.#ask(vm, from);
    this.#parts.outbox.count('move-believed');
    this.#parts.outbox.changed('vm-moved');
    return { from, guard, evidence };
  }

  /** A move that waited (`verify: first`) and may be made now. */
  #believeHeld(move: PendingMove, now: number): void {
    const port = this.#parts.ports.port(move.to);
    if (port?.up !== true || !carries(port, move.vm.vnid) || port.quarantinedUntil !== null) return;
    this.#notify(move.vm, this.#move(move.vm, move.from, port, move.evidence, false, now), now);
  }

  /** Did the VM answer from the place it is said to have left? Then the move is not made, or is taken back. */
  #contradicts(vm: Vm, place: Place, now: number): boolean {
    const move = this.#moves.answered(vm, place, now);
    if (move === null) return false;
    const { outbox, ports, settings } = this.#parts;
    const context = { ...this.#context(move.to, vm.vnid, vm), stillAt: placeKey(place) };
    const text = `${vm.mac} was seen at ${placeKey(move.to)}, but still answers at ${placeKey(place)}`;
    outbox.alarm('move-contradicted', placeKey(move.to), text, context);
    const home = ports.port(place);
    if (move.policy === 'parallel' && home !== null) {
      const guard = this.#settle(vm, home, now);
      outbox.changed('vm-moved');
      this.#notify(vm, { from: move.to, guard, evidence: ['probe-answer'] }, now);
    }
    vm.lastSeen = now;
    const suspect = ports.port(move.to);
    if (suspect !== null && this.#moves.contradicted(move.to, now)) {
      suspect.quarantinedUntil = now + settings.timing.quarantineMs;
      outbox.changed('port-role');
      outbox.alarm('port-quarantined', placeKey(move.to), 'contradicted moves to this VAP', context);
      this.portDown(move.to, now);
    }
    return true;
  }

  /** Puts it at this VAP; the State Host between it and its NVE until now. */
  #settle(vm: Vm, port: Port, now: number): StateHostId | null {
    const before = vm.guard;
    this.#hosts.settle(vm, port.place, port.desc.name, now);
    vm.guard = this.#guardAt(port, vm.vnid);
    return before;
  }

  #guardAt({ place, desc }: Port, vnid: Vnid): StateHostId | null {
    const { vaps, ports } = this.#parts;
    return vaps.guardOf(place.nve, ports.nve(place.nve)?.name ?? null, desc.name, vnid);
  }

  #ask(vm: Vm, at: Place): void {
    const addresses = vm.addresses.keys();
    const tag = this.#parts.ports.port(at)?.vns.find((vn) => vn.vnid === vm.vnid)?.tag ?? null;
    for (const frame of encodePresenceProbes({ mac: vm.mac, addresses, tag })) this.#parts.outbox.packetOut(at, frame);
  }

  #learnAddresses(vm: Vm, claims: Claims, now: number): void {
    for (const address of claims.addresses) this.#learnAddress(vm, address, now);
    const { dhcp } = claims;
    if (dhcp?.kind === 'ask') this.#leases.ask(vm.vnid, vm.mac, dhcp.transactionId, now);
    if (dhcp?.kind !== 'ack' || !this.#leases.answers(vm.vnid, dhcp.client, dhcp.transactionId, now)) return;
    const client = this.#hosts.get(vm.vnid, dhcp.client);
    if (client !== null) this.#learnAddress(client, dhcp.address, now);
  }

  #learnAddress(vm: Vm, address: Claims['addresses'][number], now: number): void {
    const { outbox } = this.#parts;
    const claim = this.#hosts.claim(vm, address, now);
    const context = { ...this.#context(vm.at ?? vm.lastAt, vm.vnid, vm), address };
    switch (claim.verdict) {
      case 'known':
        return;
      case 'new':
        outbox.changed('vm-address');
        return;
      case 'bound':
        outbox.alarm('address-bound', `${vm.vnid}/${vm.mac}`, 'too many addresses of one VM', context);
        break;
      case 'conflict': {
        const holder = claim.holder.mac;
        const text = `${address} is claimed by ${vm.mac} and held by ${holder}`;
        outbox.alarm('address-conflict', `${vm.vnid}/${address}`, text, { ...context, holder });
        break;
      }
    }
    outbox.count('address-refused');
  }

  #notify(vm: Vm, { from, guard: oldGuard, evidence }: Believed, now: number): void {
    const { outbox, vaps, settings } = this.#parts;
    const to = vm.at ?? vm.lastAt;
    const addresses = [...vm.addresses.keys()].sort();
    this.#notifications += 1;
    outbox.notify({
      id: this.#notifications,
      wallMs: now + settings.wallOffsetMs,
      cause: 'vm-move',
      evidence,
      vnid: vm.vnid,
      vnName: vaps.vn(vm.vnid)?.name ?? '',
      vm: { mac: vm.mac, addresses },
      oldNve: from.nve,
      oldPort: from.port,
      newNve: to.nve,
      newPort: to.port,
      guard: vm.guard,
      transfers: this.#transfers.ofMove(vm, from.nve, to.nve, oldGuard, vm.guard),
    });
  }

  #refuse(port: Port, vnid: Vnid, refusal: Refusal, frame: EthernetFrame): void {
    const { outbox } = this.#parts;
    if (refusal !== 'source-spoofed') {
      outbox.count(refusal);
      return;
    }
    const text = `a frame of ${frame.source} speaks for somebody else`;
    outbox.alarm('source-spoofed', placeKey(port.place), text, {
      ...this.#context(port.place, vnid),
      mac: frame.source,
    });
  }

  #context(place: Place, vnid: Vnid | null, vm?: Vm): Record<string, string | number | null> {
    return { nve: place.nve, port: place.port, vnid, ...(vm === undefined ? {} : { mac: vm.mac }) };
  }
}

interface Believed {
  readonly from: Place;
  /** The State Host between the VM and its NVE there. */
  readonly guard: StateHostId | null;
  readonly evidence: readonly MoveEvidence[];
}
