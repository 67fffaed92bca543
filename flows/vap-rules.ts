// Table 1: source binding. What leaves a VAP is forwarded by MAC and selected by address; only (MAC, address) pairs that
// the TDE knows pass, so that both speak of the same traffic (hard case 11). What the TDE should learn goes to it, metered.

import type { PortNo } from '../src/base/ids.ts';
import { TDE_MAC } from '../src/packet/ethernet.ts';
import type { Instruction, OxmField } from '../src/openflow/model.ts';
import { encodeCookie } from './cookies.ts';
import { kept } from './kept.ts';
import type { Rule } from './rule.ts';
import { ETH, PRIORITY, VID_PRESENT, meterId } from './tables.ts';
import type { TableName } from './tables.ts';
import {
  ARP,
  ICMPV6,
  IPV4,
  IPV6,
  ND,
  UDP,
  ethSrc,
  ethType,
  field,
  fromVap,
  goto,
  groupSrc,
  icmpv6Type,
  inPort,
  isIpv6,
  linkLocalOf,
  meter,
  meteredPunt,
  missDrop,
  punt,
  rule,
} from './terms.ts';
import type { NveView, VmView } from './world.ts';

const { badSource, announce, exact, nd, address, stranger, noise, unknown } = PRIORITY.vap;
const UNSPECIFIED_V4 = '0.0.0.0';
const UNSPECIFIED_V6 = '::';
const ALL_NODES = 'ff02::1';
const NO_MAC = '00:00:00:00:00:00'; // how a switch sees an absent link-layer address option
const ROUTER_SOLICITATION = 133;
const MLD_REPORT_V2 = 143;

const EVERY_NVE: readonly Rule[] = [
  rule('vap', 'ingress', badSource, [groupSrc], []),
  // A second tag behind the VAP's own could come out as the tag of another VN where this one's frames leave without.
  rule('vap', 'ingress', badSource, [field('vlan_vid', VID_PRESENT, VID_PRESENT)], []),
  missDrop('vap'),
];

export function vapRules(nve: NveView, vms: readonly VmView[]): Rule[] {
  const { rules, carried } = kept(nve, 'vaps', () => portRules(nve));
  return [
    ...rules,
    ...vms.flatMap((vm) =>
      vm.at !== null && carried.has(`${vm.at.port}/${vm.vnid}`) ? bindingOf(vm, vm.at.port) : [],
    ),
  ];
}

/** What holds for every VAP, whoever is there. */
function portRules(nve: NveView): { rules: readonly Rule[]; carried: ReadonlySet<string> } {
  const rules = [...EVERY_NVE];
  /** Port and VNID of each VN that a VAP carries. */
  const carried = new Set<string>();
  for (const { no, role } of nve.ports) {
    if (role.kind !== 'vap') continue;
    for (const { vnid } of role.vns) carried.add(`${no}/${vnid}`);
    const announced = meteredPunt(meterId('announce', no));
    rules.push(
      rule('vap', 'ingress', announce, [inPort(no), ethType(ETH.rarp)], announced, encodeCookie('announce')),
      // Answers to presence probes: without them a move without port-down could never be contradicted.
      rule('vap', 'ingress', announce, [inPort(no), field('eth_dst', TDE_MAC)], announced, encodeCookie('announce')),
      rule('vap', 'ingress', unknown, [inPort(no)], meteredPunt(meterId('punt', no)), encodeCookie('punt')),
    );
  }
  return { rules, carried };
}

/** Everything one VM may send from its VAP. A view of a VM never changes its place, so its rules are made once. */
function bindingOf(vm: VmView, port: PortNo): readonly Rule[] {
  return kept(vm, 'binding', () => {
    const binding = new Binding(vm, port);
    const addresses = new Set<string>(vm.addresses);
    for (const a of addresses) binding.admit(a);
    if (!addresses.has(linkLocalOf(vm.mac))) binding.admitLinkLocal(linkLocalOf(vm.mac));
    binding.admitUnspecified();
    binding.refuseOthers();
    return binding.rules;
  });
}

class Binding {
  readonly rules: Rule[] = [];
  readonly #who: readonly OxmField[];
  readonly #vm: VmView;
  readonly #port: PortNo;

  constructor(vm: VmView, port: PortNo) {
    this.#vm = vm;
    this.#port = port;
    this.#who = [inPort(port), fromVap(vm.vnid), ethSrc(vm.mac)]; // one port may carry another VN with equal MACs
  }

  admit(ip: string): void {
    if (isIpv6(ip)) {
      this.#pass(address, [IPV6, field('ipv6_src', ip)], 'gate');
      this.#admitNd(ip);
    } else {
      this.#pass(address, [IPV4, field('ipv4_src', ip)], 'gate');
      const sender = [field('arp_spa', ip), field('arp_sha', this.#vm.mac)];
      this.#pass(address, [ARP, ...sender], 'arp');
      // Gratuitous ARP is consumed here: it tells peers nothing new and must not cross a State Host (hard case 8).
      this.#tell('announce', announce, [
        ARP,
        field('arp_spa', ip),
        field('arp_tpa', ip),
        field('arp_sha', this.#vm.mac),
      ]);
    }
  }

  /** An address nobody told us: enough for ND, router solicitation and MLD, nothing a State Host keeps state of. */
  admitLinkLocal(ip: string): void {
    for (const type of [ROUTER_SOLICITATION, MLD_REPORT_V2]) {
      this.#pass(exact, [IPV6, ICMPV6, field('ipv6_src', ip), icmpv6Type(type)], 'gate');
    }
    this.#admitNd(ip);
  }

  /** DAD, ARP probes and DHCP come before an address: they pass, and a copy tells the TDE. */
  admitUnspecified(): void {
    const dhcp = [field('udp_src', 68), field('udp_dst', 67)];
    this.#tell('learn', exact, [IPV4, UDP, field('ipv4_src', UNSPECIFIED_V4), ...dhcp], 'gate');
    const probe = [field('arp_spa', UNSPECIFIED_V4), field('arp_sha', this.#vm.mac)];
    this.#tell('learn', exact, [ARP, ...probe], 'arp');
    const dad = [field('ipv6_src', UNSPECIFIED_V6), icmpv6Type(ND.solicitation)];
    this.#tell('learn', exact, [IPV6, ICMPV6, ...dad], 'gate');
    this.#add(address, [IPV4, field('ipv4_src', UNSPECIFIED_V4)], []);
    this.#add(address, [IPV6, field('ipv6_src', UNSPECIFIED_V6)], []);
  }

  /** The MAC is known, the address is not: the TDE may learn it. Other protocols have no address to learn. */
  refuseOthers(): void {
    const metered = meteredPunt(meterId('punt', this.#port));
    const cookie = encodeCookie('punt', this.#vm.serial);
    for (const type of [ND.solicitation, ND.advertisement]) {
      this.#add(nd, [IPV6, ICMPV6, icmpv6Type(type)], metered, cookie);
    }
    for (const type of [ARP, IPV4, IPV6]) this.#add(stranger, [type], metered, cookie);
    this.#add(noise, [], []);
  }

  /** RFC 4861, 4.3 and 4.4: the addresses inside must be the sender's as well. */
  #admitNd(ip: string): void {
    for (const lla of [this.#vm.mac, NO_MAC]) {
      const asks = [field('ipv6_src', ip), icmpv6Type(ND.solicitation), field('nd_sll', lla)];
      this.#pass(exact, [IPV6, ICMPV6, ...asks], 'gate');
      const tells = [icmpv6Type(ND.advertisement), field('nd_target', ip), field('nd_tll', lla)];
      this.#pass(exact, [IPV6, ICMPV6, ...tells], 'gate');
      // Unsolicited: an announcement, but also the answer to another's DAD (RFC 4861, 7.2.4), so it goes on as well.
      this.#tell('announce', announce, [IPV6, ICMPV6, field('ipv6_dst', ALL_NODES), ...tells], 'gate');
    }
  }

  #pass(priority: number, match: readonly OxmField[], next: TableName): void {
    this.#add(priority, match, [goto(next)]);
  }

  #tell(kind: 'announce' | 'learn', priority: number, match: readonly OxmField[], next?: TableName): void {
    const then = next === undefined ? [] : [goto(next)];
    const instructions = [meter(meterId('announce', this.#port)), punt, ...then];
    this.#add(priority, match, instructions, encodeCookie(kind, this.#vm.serial));
  }

  #add(priority: number, match: readonly OxmField[], instructions: readonly Instruction[], cookie?: bigint): void {
    this.rules.push(rule('vap', 'ingress', priority, [...this.#who, ...match], instructions, cookie));
  }
}
