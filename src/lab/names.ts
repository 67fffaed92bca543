// How the lab names the testbed's things towards the controller: one place, so that a VLAN id is never taken for a VNID.

import type { TestbedVm } from './testbed.ts';

export interface Tenant {
  readonly name: string;
  readonly vlan: number;
}

/** The testbed's tenants; their VMs have equal addresses. */
export const TENANTS: readonly Tenant[] = [
  { name: 'a', vlan: 101 },
  { name: 'b', vlan: 102 },
];

/** The VN Name of a tenant. */
export const vnName = ({ name }: Pick<Tenant, 'name'>): string => `tenant-${name}`;

/** The VN Name of a VM's tenant. */
export function vnNameOf(vm: Pick<TestbedVm, 'vlan'>): string {
  const tenant = TENANTS.find((t) => t.vlan === vm.vlan);
  if (tenant === undefined) throw new RangeError(`no tenant has VLAN ${vm.vlan}`);
  return vnName(tenant);
}

/** Different from the VLAN id on purpose: whoever mixes them up is found out. */
export function vnidOfVlan(vlan: number): number {
  return 10_000 + vlan;
}

/** Identities are DNS names in lower case. */
export function stateHostOf(firewall: string): string {
  return firewall.toLowerCase();
}

/** The testbed's servers, each with one NVE; NVE n has datapath id n. */
export const SERVERS: readonly number[] = [1, 2, 3];

/** The State Host between the VMs of a server and its NVE. */
export function hypervisorFirewallOf(server: number): string {
  return `VFW${server}`;
}

/** As the controller prints datapath ids. */
export function dpidText(dpid: number): string {
  return dpid.toString(16).padStart(16, '0');
}

/** How a move's VM appears in the controller's records. */
export function vmIdentity(vm: TestbedVm): { vnid: number; mac: string } {
  return { vnid: vnidOfVlan(vm.vlan), mac: vm.mac };
}
