// What ovs-ofctl's syntax calls the prerequisites of match fields.

import type { UnmetPrerequisite } from '../prerequisites.ts';

export const BESIDE: Readonly<Record<UnmetPrerequisite, string>> = {
  ethernet: 'no packet_type but Ethernet',
  vlan: 'dl_vlan',
  mpls: 'mpls or mplsm',
  pbb: 'dl_type=0x88e7',
  ip: 'ip or ipv6',
  ipv4: 'ip',
  ipv6: 'ipv6',
  arp: 'arp or rarp',
  tcp: 'tcp or tcp6',
  udp: 'udp or udp6',
  sctp: 'sctp or sctp6',
  icmpv4: 'icmp',
  icmpv6: 'icmp6',
  nd: 'icmp6 and icmp_type=135 or 136',
  nd_solicit: 'icmp6 and icmp_type=135',
  nd_advert: 'icmp6 and icmp_type=136',
  nsh: 'dl_type=0x894f',
  ct: 'ct_state of a valid connection, such as +est or -inv+trk,',
};
