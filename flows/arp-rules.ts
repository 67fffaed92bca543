// Table 2: ARP requests of VMs for known addresses are answered by the switch itself, so they neither cross a State Host nor
// die with the controller (hard case 10).

import { kept } from './kept.ts';
import type { Rule } from './rule.ts';
import { PORT, PRIORITY } from './tables.ts';
import { ARP, apply, ethSrc, field, fromVap, isIpv6, missGoto, moveField, output, rule, setField } from './terms.ts';
import type { VmView } from './world.ts';

const REQUEST = field('arp_op', 1);
const REPLY = 2;
const MISS_ON = missGoto('arp', 'gate');

/** `vms`: of the VNs that this NVE has. */
export function arpRules(vms: readonly VmView[]): Rule[] {
  const rules = [MISS_ON];
  const taken = new Set<string>();
  for (const vm of vms) {
    for (const { address, rules: mine } of answersOf(vm)) {
      const key = `${vm.vnid}/${address}`;
      if (taken.has(key)) continue; // two VMs claim it: the first one known keeps it
      taken.add(key);
      rules.push(...mine);
    }
  }
  return rules;
}

function answersOf(vm: VmView): readonly { address: string; rules: readonly Rule[] }[] {
  return kept(vm, 'arp', () =>
    vm.addresses.filter((a) => !isIpv6(a)).map((address) => ({ address, rules: answer(vm, address) })),
  );
}

function answer(vm: VmView, address: string): Rule[] {
  const asked = [ARP, REQUEST, field('arp_tpa', address)];
  return [
    // Its own probe (RFC 5227) must not find the address in use.
    rule('arp', 'ingress', PRIORITY.arp.own, [fromVap(vm.vnid), ethSrc(vm.mac), ...asked], []),
    rule(
      'arp',
      'ingress',
      PRIORITY.arp.answer,
      [fromVap(vm.vnid), ...asked],
      [
        apply(
          moveField('eth_src', 'eth_dst', 48),
          setField('eth_src', vm.mac),
          setField('arp_op', REPLY),
          moveField('arp_sha', 'arp_tha', 48),
          moveField('arp_spa', 'arp_tpa', 32),
          setField('arp_sha', vm.mac),
          setField('arp_spa', address),
          output(PORT.inPort),
        ),
      ],
    ),
  ];
}
