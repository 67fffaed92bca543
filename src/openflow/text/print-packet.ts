// What a packet is, in the words of a match: enough to recognise it in a log. It reads what is there and stops where it ends.

import { formatMac } from '../../wire/codec.ts';
import { formatIpv4, formatIpv6 } from '../../wire/ip-address.ts';
import type { OxmField, OxmValue } from '../model.ts';
import { formatMatch } from './print-match.ts';

const VLAN_TYPES: ReadonlySet<number> = new Set([0x8100, 0x88a8]);
const LAYER4: ReadonlyMap<number, string> = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
]);
const ETHERNET = 14;

/** Empty for fewer bytes than an Ethernet header. */
export function formatPacket(data: Buffer): string {
  return data.length < ETHERNET ? '' : formatMatch(packetFields(data));
}

function packetFields(data: Buffer): OxmField[] {
  const fields: OxmField[] = [];
  const add = (name: string, value: OxmValue): void => void fields.push({ name, value });
  add('eth_dst', formatMac(data.subarray(0, 6)));
  add('eth_src', formatMac(data.subarray(6, 12)));
  let type = data.readUInt16BE(12);
  let at = ETHERNET;
  if (VLAN_TYPES.has(type) && data.length >= at + 4) {
    const tci = data.readUInt16BE(at);
    add('vlan_vid', 0x1000 | (tci & 0xfff));
    add('vlan_pcp', tci >>> 13);
    type = data.readUInt16BE(at + 2);
    at += 4;
  } else {
    add('vlan_tci', 0);
  }
  add('eth_type', type);
  const rest = data.subarray(at);
  if (type === 0x0800) addIpv4(rest, add);
  else if (type === 0x86dd) addIpv6(rest, add);
  else if ((type === 0x0806 || type === 0x8035) && rest.length >= 28) addArp(rest, add);
  return fields;
}

type Add = (name: string, value: OxmValue) => void;

function addArp(data: Buffer, add: Add): void {
  add('arp_op', data.readUInt16BE(6));
  add('arp_sha', formatMac(data.subarray(8, 14)));
  add('arp_spa', formatIpv4(data.subarray(14, 18)));
  add('arp_tha', formatMac(data.subarray(18, 24)));
  add('arp_tpa', formatIpv4(data.subarray(24, 28)));
}

function addIpv4(data: Buffer, add: Add): void {
  const header = ((data[0] ?? 0) & 0xf) * 4;
  if (data.length < 20 || header < 20) return;
  const proto = data[9] ?? 0;
  add('ip_proto', proto);
  add('ipv4_src', formatIpv4(data.subarray(12, 16)));
  add('ipv4_dst', formatIpv4(data.subarray(16, 20)));
  addTos(data[1] ?? 0, data[8] ?? 0, add);
  const fragment = data.readUInt16BE(6) & 0x3fff;
  add('ip_frag', fragment === 0 ? 0 : (fragment & 0x1fff) === 0 ? 1 : 3);
  // Only the first fragment has the ports.
  if ((fragment & 0x1fff) === 0) addLayer4(proto, data.subarray(header), add, proto === 1 ? 'icmp' : null);
}

function addIpv6(data: Buffer, add: Add): void {
  if (data.length < 40) return;
  const proto = data[6] ?? 0;
  add('ip_proto', proto);
  add('ipv6_src', formatIpv6(data.subarray(8, 24)));
  add('ipv6_dst', formatIpv6(data.subarray(24, 40)));
  add('ipv6_label', data.readUInt32BE(0) & 0xfffff);
  addTos((data.readUInt16BE(0) >>> 4) & 0xff, data[7] ?? 0, add);
  add('ip_frag', 0);
  addLayer4(proto, data.subarray(40), add, proto === 58 ? 'icmpv6' : null);
}

function addTos(tos: number, ttl: number, add: Add): void {
  add('ip_dscp', tos >>> 2);
  add('ip_ecn', tos & 3);
  add('nw_ttl', ttl);
}

function addLayer4(proto: number, data: Buffer, add: Add, icmp: 'icmp' | 'icmpv6' | null): void {
  if (data.length < 4) return;
  if (icmp !== null) {
    add(`${icmp}_type`, data[0] ?? 0);
    add(`${icmp}_code`, data[1] ?? 0);
    if (icmp === 'icmpv6' && data.length >= 24 && (data[0] === 135 || data[0] === 136)) {
      add('nd_target', formatIpv6(data.subarray(8, 24)));
    }
    return;
  }
  const name = LAYER4.get(proto);
  if (name === undefined) return;
  add(`${name}_src`, data.readUInt16BE(0));
  add(`${name}_dst`, data.readUInt16BE(2));
  if (name === 'tcp' && data.length >= 14) add('tcp_flags', data.readUInt16BE(12) & 0xfff);
}
