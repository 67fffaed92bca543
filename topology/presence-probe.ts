// The question put to a VM's old place: are you still there? An ARP probe and a neighbor solicitation, to the VM's own MAC.

import { mac, type IpAddress, type Mac } from '../src/base/ids.ts';
import { ARP_OPERATION, encodeArp } from '../src/packet/arp.ts';
import { encodeEthernet, ETHER_TYPE, TDE_MAC, type EthernetFrame } from '../src/packet/ethernet.ts';
import { formatIpv6, isIpv6, parseIpv6 } from '../src/packet/fields.ts';
import { encodeIcmpv6 } from '../src/packet/icmp.ts';
import { IP_PROTOCOL } from '../src/packet/ipv4.ts';
import { encodeIpv6, solicitedNode } from '../src/packet/ipv6.ts';
import { encodeNd } from '../src/packet/nd.ts';

type Untagged = Omit<EthernetFrame, 'vlan'>;

/** The link-local address that belongs to TDE_MAC (RFC 4291, appendix A). */
const TDE_LINK_LOCAL = 'fe80::53:46ff:fe00:1' as IpAddress;

/** For one IPv4 and one IPv6 address of the VM; none where no address is known: then nobody can be asked. */
export function encodePresenceProbes(vm: {
  readonly mac: Mac;
  readonly addresses: Iterable<IpAddress>;
  /** Its VN's 802.1Q tag at the VAP. */
  readonly tag: number | null;
}): Buffer[] {
  const vlan = vm.tag === null ? null : { vid: vm.tag, priority: 0, dropEligible: false };
  const addresses = [...vm.addresses];
  const v4 = addresses.find((a) => !isIpv6(a));
  const v6 = addresses.find((a) => isIpv6(a));
  const frames: Buffer[] = [];
  if (v4 !== undefined) frames.push(encodeEthernet({ ...arpProbe(vm.mac, v4), vlan }));
  if (v6 !== undefined) frames.push(encodeEthernet({ ...neighborSolicitation(vm.mac, v6), vlan }));
  return frames;
}

/** From 0.0.0.0 (RFC 5227): it changes nobody's cache, and every host answers it. */
function arpProbe(to: Mac, address: IpAddress): Untagged {
  const payload = encodeArp({
    operation: ARP_OPERATION.request,
    senderMac: TDE_MAC,
    senderIp: '0.0.0.0' as IpAddress,
    targetMac: mac('00:00:00:00:00:00'),
    targetIp: address,
  });
  return { destination: to, source: TDE_MAC, etherType: ETHER_TYPE.arp, payload };
}

/** From an address of its own: from the unspecified one it would be Duplicate Address Detection, and could cost the VM its address. */
function neighborSolicitation(to: Mac, target: IpAddress): Untagged {
  const pair = { source: TDE_LINK_LOCAL, destination: formatIpv6(solicitedNode(parseIpv6(target))) };
  const icmp = encodeNd({
    type: 'neighbor-solicitation',
    target,
    options: [{ type: 'source-link-layer', mac: TDE_MAC }],
  });
  const payload = encodeIpv6({
    ...pair,
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: IP_PROTOCOL.icmpv6,
    hopLimit: 255,
    payload: encodeIcmpv6(icmp, pair),
  });
  return { destination: to, source: TDE_MAC, etherType: ETHER_TYPE.ipv6, payload };
}
