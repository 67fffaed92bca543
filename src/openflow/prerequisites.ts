// What a match field presupposes of those before it (1.3.5 section 7.2.3.6, ovs-fields(7)). Messages are written and read
// without asking: the switch does, and answers OFPBMC_BAD_PREREQ. This tells before.

import { OXM_FIELDS } from './oxm-fields.ts';
import type { OxmPrerequisite } from './oxm-fields.ts';
import type { Match, OxmField } from './oxm-types.ts';

export type UnmetPrerequisite = Exclude<OxmPrerequisite, 'none'>;

export interface Unmet {
  /** Of the field. */
  readonly name: string;
  readonly prerequisite: UnmetPrerequisite;
}

const PREREQUISITES: ReadonlyMap<string, OxmPrerequisite> = new Map(
  OXM_FIELDS.map(({ name, prerequisite }) => [name, prerequisite]),
);

const ETHERNET = 0;
const ETHERTYPE_NAME_SPACE = 1;
const VID_PRESENT = 0x1000;
/** EtherTypes. */
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ARP = 0x0806;
const RARP = 0x8035;
const MPLS = 0x8847;
const MPLS_MULTICAST = 0x8848;
const PBB = 0x88e7;
const NSH = 0x894f;
/** Protocols of IP, and types of ICMPv6. */
const ICMP = 1;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;
const SCTP = 132;
const ND_SOLICIT = 135;
const ND_ADVERT = 136;
/** Bits of ct_state. */
const INVALID = 0x10;
const TRACKED = 0x20;
/** Any of these implies a connection that is valid: new, est, rel, rpl, snat, dnat. */
const VALID = 0xcf;

class Seen {
  readonly #fields = new Map<string, OxmField>();

  add(field: OxmField): void {
    this.#fields.set(field.name, field);
  }

  meets(prerequisite: OxmPrerequisite): boolean {
    switch (prerequisite) {
      case 'none':
        return true;
      case 'ethernet':
        return (this.#exact('packet_type') ?? ETHERNET) === ETHERNET;
      case 'vlan':
        return (this.#bits('vlan_vid') & VID_PRESENT) !== 0 || (this.#bits('vlan_tci') & VID_PRESENT) !== 0;
      case 'mpls':
        return this.#isEthType(MPLS, MPLS_MULTICAST);
      case 'pbb':
        return this.#isEthType(PBB);
      case 'ip':
        return this.#isEthType(IPV4, IPV6);
      case 'ipv4':
        return this.#isEthType(IPV4);
      case 'ipv6':
        return this.#isEthType(IPV6);
      case 'arp':
        return this.#isEthType(ARP, RARP);
      case 'nsh':
        return this.#isEthType(NSH);
      case 'tcp':
        return this.#isIpProto(TCP);
      case 'udp':
        return this.#isIpProto(UDP);
      case 'sctp':
        return this.#isIpProto(SCTP);
      case 'icmpv4':
        return this.#isEthType(IPV4) && this.#isIpProto(ICMP);
      case 'icmpv6':
        return this.#isEthType(IPV6) && this.#isIpProto(ICMPV6);
      case 'nd':
        return this.#isDiscovery(ND_SOLICIT) || this.#isDiscovery(ND_ADVERT);
      case 'nd_solicit':
        return this.#isDiscovery(ND_SOLICIT);
      case 'nd_advert':
        return this.#isDiscovery(ND_ADVERT);
      case 'ct':
        return this.#isValidConnection();
    }
  }

  /** Undefined where nothing is matched or only some bits are. */
  #exact(name: string): number | undefined {
    const field = this.#fields.get(name);
    return field === undefined || field.mask !== undefined ? undefined : Number(field.value);
  }

  /** That have to be set. */
  #bits(name: string): number {
    const field = this.#fields.get(name);
    return field === undefined ? 0 : Number(field.value) & Number(field.mask ?? field.value);
  }

  /** A packet whose type is an EtherType has that one without an Ethernet header. */
  #isEthType(...types: readonly number[]): boolean {
    const packetType = this.#exact('packet_type') ?? ETHERNET;
    const type = packetType >>> 16 === ETHERTYPE_NAME_SPACE ? packetType & 0xffff : this.#exact('eth_type');
    return type !== undefined && types.includes(type);
  }

  #isIpProto(proto: number): boolean {
    return this.#isEthType(IPV4, IPV6) && this.#exact('ip_proto') === proto;
  }

  #isDiscovery(type: number): boolean {
    const isIcmpv6 = this.#isEthType(IPV6) && this.#isIpProto(ICMPV6);
    return isIcmpv6 && this.#exact('icmpv6_type') === type && (this.#exact('icmpv6_code') ?? 0) === 0;
  }

  #isValidConnection(): boolean {
    const bits = this.#bits('ct_state');
    if ((bits & VALID) !== 0) return true;
    const mask = Number(this.#fields.get('ct_state')?.mask ?? 0xff);
    return (bits & TRACKED) !== 0 && (mask & INVALID) !== 0 && (bits & INVALID) === 0;
  }
}

/** The first field that a switch would refuse because what it presupposes is not matched before it; null if all is well. */
export function unmetPrerequisite(match: Match): Unmet | null {
  const seen = new Seen();
  for (const field of match) {
    const prerequisite = PREREQUISITES.get(field.name) ?? 'none';
    if (prerequisite !== 'none' && !seen.meets(prerequisite)) return { name: field.name, prerequisite };
    seen.add(field);
  }
  return null;
}
