// Table 2: ARP requests of VMs for known addresses are answered by the switch itself, so they neither cross a State Host nor
// die with the controller (hard case 10).

import type { Action, OxmField } from '../src/openflow/model.ts';
import type { Exit } from './atlas.ts';
import { kept } from './kept.ts';
import type { Rule } from './rule.ts';
import { PORT, PRIORITY } from './tables.ts';
import {
  ARP,
  apply,
  copies,
  ethSrc,
  field,
  fromVap,
  inPort,
  isIpv6,
  missGoto,
  moveField,
  output,
  rule,
  setField,
} from './terms.ts';
import type { VmView } from './world.ts';

const REQUEST = field('arp_op', 1);
const REPLY = 2;
const MISS_ON = missGoto('arp', 'gate');

export function arpRules(): readonly Rule[] {
  return [MISS_ON];
}

/** For the VMs of one VN at an NVE that has it: `exits` are its VAPs there. */
export function arpAnswers(vms: readonly VmView[], exits: readonly Exit[]): Rule[] {
  const rules: Rule[] = [];
  const taken = new Set<string>();
  const tagged = exits.filter((exit) => exit.tag !== null);
  for (const vm of vms) {
    for (const address of vm.addresses.filter((a) => !isIpv6(a))) {
      if (taken.has(address)) continue; // two VMs claim it: the first one known keeps it
      taken.add(address);
      rules.push(...kept(vm, `arp/${address}`, () => answers(vm, address)));
      for (const exit of tagged) {
        rules.push(kept(vm, `arp/${address}/${exit.port}/${exit.tag ?? ''}`, () => taggedAnswer(vm, address, exit)));
      }
    }
  }
  return rules;
}

function answers(vm: VmView, address: string): Rule[] {
  const asked = asking(address);
  return [
    // Its own probe (RFC 5227) must not find the address in use.
    rule('arp', 'ingress', PRIORITY.arp.own, [fromVap(vm.vnid), ethSrc(vm.mac), ...asked], []),
    rule(
      'arp',
      'ingress',
      PRIORITY.arp.answer,
      [fromVap(vm.vnid), ...asked],
      [apply(...turnedRound(vm, address), output(PORT.inPort))],
    ),
  ];
}

/** Where the question came with a tag, so must the answer go. */
function taggedAnswer(vm: VmView, address: string, { port, tag }: Exit): Rule {
  const match = [inPort(port), fromVap(vm.vnid), ...asking(address)];
  const back = copies([{ port: PORT.inPort, tag }]);
  return rule('arp', 'ingress', PRIORITY.arp.tagged, match, [apply(...turnedRound(vm, address), ...back)]);
}

const asking = (address: string): OxmField[] => [ARP, REQUEST, field('arp_tpa', address)];

/** The question made into its answer. */
const turnedRound = (vm: VmView, address: string): Action[] => [
  moveField('eth_src', 'eth_dst', 48),
  setField('eth_src', vm.mac),
  setField('arp_op', REPLY),
  moveField('arp_sha', 'arp_tha', 48),
  moveField('arp_spa', 'arp_tpa', 32),
  setField('arp_sha', vm.mac),
  setField('arp_spa', address),
];
