// The table of VMs: (VNID, MAC) -> where, and which addresses. A VM is at one place or in limbo; an address belongs to one VM of
// its VN. Bounded; believes what it is told.

import type { Dpid, IpAddress, Mac, StateHostId, Vnid } from '../src/base/ids.ts';
import { placeKey, samePlace, type Place } from './place.ts';
import type { TdeBounds, TdeTiming } from './tde-config.ts';
import type { RestoredVm } from './tde-input.ts';

export interface Vm {
  readonly vnid: Vnid;
  readonly mac: Mac;
  /** With when each was last shown. */
  readonly addresses: Map<IpAddress, number>;
  /** Null in limbo: its port is down, deleted, or its NVE gone. */
  at: Place | null;
  lastAt: Place;
  /** Of `lastAt`; null when restored without it. */
  lastPortName: string | null;
  /** The State Host between it and its NVE at `lastAt`. */
  guard: StateHostId | null;
  lastSeen: number;
  limboSince: number | null;
  /** The VAP it moved away from last, and when. */
  previous: Place | null;
  movedAt: number | null;
}

export type AddressVerdict =
  | { readonly verdict: 'new' | 'known' }
  | { readonly verdict: 'bound' }
  | { readonly verdict: 'conflict'; readonly holder: Vm };

export const vmKey = (vm: { readonly vnid: Vnid; readonly mac: Mac }): string => `${vm.vnid}/${vm.mac}`;

export class Hosts {
  readonly #vms = new Map<string, Vm>();
  readonly #byAddress = new Map<string, Vm>();
  readonly #byPlace = new Map<string, Set<Vm>>();
  readonly #byVn = new Map<Vnid, Set<Vm>>();
  readonly #bounds: TdeBounds;
  readonly #timing: TdeTiming;

  constructor(bounds: TdeBounds, timing: TdeTiming) {
    this.#bounds = bounds;
    this.#timing = timing;
  }

  get(vnid: Vnid, mac: Mac): Vm | null {
    return this.#vms.get(vmKey({ vnid, mac })) ?? null;
  }

  all(): Iterable<Vm> {
    return this.#vms.values();
  }

  inVn(vnid: Vnid): Iterable<Vm> {
    return this.#byVn.get(vnid) ?? [];
  }

  /** By VN and NVE; those in limbo stand where they were last. */
  byNve(): Map<Vnid, Map<Dpid, Vm[]>> {
    const places = [...this.#byVn].map(([vnid, vms]) => {
      return [vnid, Map.groupBy(vms, (vm) => (vm.at ?? vm.lastAt).nve)] as const;
    });
    return new Map(places);
  }

  hasRoom(vnid: Vnid, place: Place): boolean {
    const here = this.#byPlace.get(placeKey(place))?.size ?? 0;
    const inVn = this.#byVn.get(vnid)?.size ?? 0;
    return here < this.#bounds.vmsPerPort && inVn < this.#bounds.vmsPerVn;
  }

  create(vnid: Vnid, mac: Mac, place: Place, portName: string, now: number): Vm {
    const vm: Vm = {
      vnid,
      mac,
      addresses: new Map(),
      at: null,
      lastAt: place,
      lastPortName: portName,
      guard: null,
      lastSeen: now,
      limboSince: null,
      previous: null,
      movedAt: null,
    };
    this.#vms.set(vmKey(vm), vm);
    this.#indexOf(this.#byVn, vnid).add(vm);
    this.#enter(vm, place, portName);
    return vm;
  }

  /** As an earlier life of the controller knew it: in limbo until its port is seen up. */
  restore(known: RestoredVm, now: number): void {
    if (this.get(known.vnid, known.mac) !== null || !this.hasRoom(known.vnid, known.lastAt)) return;
    const vm = this.create(known.vnid, known.mac, known.lastAt, '', now);
    vm.lastPortName = null;
    vm.guard = known.guard ?? null;
    this.#leave(vm);
    vm.limboSince = now;
    for (const address of known.addresses) this.claim(vm, address, now);
  }

  /** Moves it, or takes it out of limbo. */
  settle(vm: Vm, place: Place, portName: string, now: number): void {
    const from = vm.at ?? vm.lastAt;
    if (!samePlace(from, place)) {
      vm.previous = from;
      vm.movedAt = now;
    }
    this.#leave(vm);
    this.#enter(vm, place, portName);
    vm.limboSince = null;
  }

  /** Everybody at this place. */
  at(place: Place): readonly Vm[] {
    return [...(this.#byPlace.get(placeKey(place)) ?? [])];
  }

  limbo(vm: Vm, now: number): void {
    this.#leave(vm);
    vm.limboSince ??= now;
  }

  limboOf(nve: Dpid, now: number): readonly Vm[] {
    const lost = [...this.#vms.values()].filter((vm) => vm.at?.nve === nve);
    for (const vm of lost) this.limbo(vm, now);
    return lost;
  }

  /** Its port is up again, with the same name and of the same VN: who was there last is there again. */
  comeBack(place: Place, portName: string, vnid: Vnid, now: number): readonly Vm[] {
    const back: Vm[] = [];
    for (const vm of this.inVn(vnid)) {
      if (vm.at !== null || !samePlace(vm.lastAt, place)) continue;
      if (vm.lastPortName !== null && vm.lastPortName !== portName) continue;
      this.settle(vm, place, portName, now);
      back.push(vm);
    }
    return back;
  }

  /** `conflict`: another VM of the VN holds it and is somewhere, or was until a moment ago. */
  claim(vm: Vm, address: IpAddress, now: number): AddressVerdict {
    const key = `${vm.vnid}/${address}`;
    const holder = this.#byAddress.get(key);
    if (holder === vm) {
      vm.addresses.set(address, now);
      return { verdict: 'known' };
    }
    if (holder !== undefined) {
      const gone = holder.limboSince !== null && now - holder.limboSince >= this.#timing.addressHoldMs;
      if (!gone) return { verdict: 'conflict', holder };
    }
    if (vm.addresses.size >= this.#bounds.addressesPerVm) return { verdict: 'bound' };
    holder?.addresses.delete(address);
    this.#byAddress.set(key, vm);
    vm.addresses.set(address, now);
    return { verdict: 'new' };
  }

  /** Forgets who has been in limbo for too long. */
  age(now: number): readonly Vm[] {
    const forgotten = [...this.#vms.values()].filter(
      (vm) => vm.limboSince !== null && now - vm.limboSince >= this.#timing.limboMs,
    );
    for (const vm of forgotten) this.#forget(vm);
    return forgotten;
  }

  #forget(vm: Vm): void {
    this.#leave(vm);
    this.#vms.delete(vmKey(vm));
    this.#byVn.get(vm.vnid)?.delete(vm);
    for (const address of vm.addresses.keys()) this.#byAddress.delete(`${vm.vnid}/${address}`);
  }

  #enter(vm: Vm, place: Place, portName: string): void {
    vm.at = place;
    vm.lastAt = place;
    vm.lastPortName = portName;
    this.#indexOf(this.#byPlace, placeKey(place)).add(vm);
  }

  #leave(vm: Vm): void {
    if (vm.at === null) return;
    const key = placeKey(vm.at);
    const here = this.#byPlace.get(key);
    here?.delete(vm);
    if (here?.size === 0) this.#byPlace.delete(key);
    vm.at = null;
  }

  #indexOf<K>(index: Map<K, Set<Vm>>, key: K): Set<Vm> {
    const set = index.get(key) ?? new Set<Vm>();
    index.set(key, set);
    return set;
  }
}
