// The lab firewalls' SYN counters (mininet/syn-guard.nft): the ruleset with a threshold, and what nft lists of the counts.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run as runProgram } from './child-process.ts';
import { LabError } from './lab-error.ts';
import { packageRoot } from './package-root.ts';
import { sum } from './statistics.ts';
import type { Testbed, TestbedFirewall, TestbedVm } from './testbed.ts';

/** Of a SYN without options. */
export const SYN_BYTES = { v4: 40, v6: 60 } as const;
export type IpVersion = keyof typeof SYN_BYTES;
export const IP_VERSIONS: readonly IpVersion[] = ['v4', 'v6'];

const TABLE = 'syn_guard';
const SET_OF = { v4: 'syn4', v6: 'syn6' } as const;
/** As the agents' configuration names them. */
export const COUNTER_SETS = IP_VERSIONS.map((version) => ({ family: 'inet', table: TABLE, set: SET_OF[version] }));

const shipped = (name: string): string => readFileSync(join(packageRoot, 'mininet', name), 'utf8');

/** The table with the SYN counters; `threshold`: SYNs a source may send in a window. */
export function guardRuleset(threshold: number): string {
  return shipped('syn-guard.nft')
    .replace(/\d+ bytes # threshold: IPv4/, `${threshold * SYN_BYTES.v4} bytes`)
    .replace(/\d+ bytes # threshold: IPv6/, `${threshold * SYN_BYTES.v6} bytes`);
}

/** Writes the firewalls' ruleset with the SYN counters. */
export function writeGuardedRuleset(folder: string, threshold: number): string {
  const file = join(folder, 'firewall.nft');
  writeFileSync(file, `${shipped('firewall.nft')}\n${guardRuleset(threshold)}`);
  return file;
}

/** How many SYNs of the VM this firewall has counted in the present window, as nft lists them. */
async function countedSyns(firewall: TestbedFirewall, vm: TestbedVm, version: IpVersion): Promise<number> {
  const zone = firewall.zones[String(vm.vlan)];
  const address = version === 'v4' ? vm.ipv4 : vm.ipv6;
  const listing = await runProgram('nft', ['list', 'set', 'inet', TABLE, SET_OF[version]], { netns: firewall.netns });
  const found = countsOf(listing).filter((c) => c.zone === zone && c.address === address);
  if (found.length > 1) throw new LabError('BAD_ANSWER', `${firewall.name} counts ${address} in two elements`);
  return found[0]?.packets ?? 0;
}

/** The same at every firewall of the testbed, by its name; of several IP versions their sum. */
export async function countedByFirewall(
  { ready }: Testbed,
  vm: TestbedVm,
  versions: readonly IpVersion[],
): Promise<Record<string, number>> {
  const counted = ready.firewalls.map(async (firewall) => {
    const counts = await Promise.all(versions.map((version) => countedSyns(firewall, vm, version)));
    return [firewall.name, sum(counts)] as const;
  });
  return Object.fromEntries(await Promise.all(counted));
}

/** Elements of a listing by nft. */
export function countsOf(listing: string): { zone: number; address: string; packets: number }[] {
  return [...listing.matchAll(/(\d+) \. ([0-9a-f.:]+) counter packets (\d+)/g)].map(([, zone, address, packets]) => ({
    zone: Number(zone),
    address: address ?? '',
    packets: Number(packets),
  }));
}
