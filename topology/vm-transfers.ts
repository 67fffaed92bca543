// What a VM's move takes along: the transfers of its state, by the paths to its peers before and after. Moves nobody.

import type { Dpid, IpAddress, StateHostId } from '../src/base/ids.ts';
import type { Hosts, Vm } from './hosts.ts';
import type { Transfer } from './notification.ts';
import type { Routes } from './routes.ts';
import { computeTransfers, guardTransfers } from './transfers.ts';

export interface VmTransfersParts {
  readonly routes: Routes;
  readonly roleOf: (id: StateHostId) => string;
}

export class VmTransfers {
  readonly #hosts: Hosts;
  readonly #parts: VmTransfersParts;

  constructor(hosts: Hosts, parts: VmTransfersParts) {
    this.#hosts = hosts;
    this.#parts = parts;
  }

  /** In the order in which the VM's packets meet the State Hosts. The guards: those between it and its NVE. */
  ofMove(
    vm: Vm,
    oldNve: Dpid,
    newNve: Dpid,
    oldGuard: StateHostId | null,
    newGuard: StateHostId | null,
  ): readonly Transfer[] {
    const { roleOf: role } = this.#parts;
    const addresses = [...vm.addresses.keys()].sort();
    const { vnid } = vm;
    const neighbours = this.#behind(oldGuard, vm);
    return [
      ...guardTransfers({ vnid, vm: addresses, newNve, oldGuard, newGuard, neighbours, role }),
      ...this.#betweenNves(vm, addresses, oldNve, newNve),
    ];
  }

  /** Addresses of the other VMs of its VN behind this State Host. */
  #behind(guard: StateHostId | null, vm: Vm): readonly IpAddress[] {
    if (guard === null) return [];
    return [...this.#hosts.inVn(vm.vnid)].flatMap((other) =>
      other === vm || other.at === null || other.guard !== guard ? [] : [...other.addresses.keys()],
    );
  }

  #betweenNves(vm: Vm, addresses: readonly IpAddress[], oldNve: Dpid, newNve: Dpid): readonly Transfer[] {
    const { routes, roleOf } = this.#parts;
    if (oldNve === newNve) return [];
    const peers = [...this.#hosts.inVn(vm.vnid)]
      .filter((other) => other !== vm)
      .map((other) => ({ nve: (other.at ?? other.lastAt).nve, addresses: [...other.addresses.keys()] }));
    return computeTransfers({
      vnid: vm.vnid,
      vm: addresses,
      oldNve,
      newNve,
      peers,
      oldRoute: (peer) => routes.routeAsKnown(oldNve, peer),
      newRoute: (peer) => routes.route(newNve, peer),
      back: routes.bareRoute(newNve, oldNve),
      role: roleOf,
    });
  }
}
