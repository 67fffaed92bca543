// What a frame from a VAP says about the VM that sent it: MAC, addresses, announcements. Pure reading; whether the claim is
// believed is decided by hosts and moves.

import { WireError } from '../src/base/errors.ts';
import { mac, type IpAddress, type Mac } from '../src/base/ids.ts';
import { ARP_OPERATION, decodeArp, isGratuitousArp, type Arp } from '../src/packet/arp.ts';
import { decodeDhcp, dhcpMessageType, DHCP_MESSAGE, DHCP_PORT } from '../src/packet/dhcp.ts';
import { ETHER_TYPE, isGroupMac, TDE_MAC, type EthernetFrame } from '../src/packet/ethernet.ts';
import { decodeIcmpv6, ICMPV6_TYPE } from '../src/packet/icmp.ts';
import { decodeIpv4, IP_PROTOCOL, type Ipv4 } from '../src/packet/ipv4.ts';
import { decodeIpv6, upperLayer, type Ipv6, type UpperLayer } from '../src/packet/ipv6.ts';
import { decodeNd, type Nd } from '../src/packet/nd.ts';
import { decodeUdp } from '../src/packet/udp.ts';
import type { CounterName } from './tde-effect.ts';

/** RARP, gratuitous ARP, unsolicited neighbor advertisement: the sender says that it is here now; or another TDE says so of it. */
export type Announcing = 'rarp' | 'garp' | 'na' | 'notified';

export type DhcpClaim =
  | { readonly kind: 'ask'; readonly transactionId: number }
  | {
      readonly kind: 'ack';
      readonly transactionId: number;
      readonly client: Mac;
      readonly address: IpAddress;
    };

export interface Claims {
  readonly mac: Mac;
  /** Addresses the sender shows as its own. */
  readonly addresses: readonly IpAddress[];
  readonly announcing: Announcing | null;
  /** An ARP reply or neighbor advertisement to the TDE itself. */
  readonly answersTde: boolean;
  readonly dhcp: DhcpClaim | null;
}

export type Refusal = Extract<CounterName, 'tagged-at-vap' | 'group-source' | 'source-spoofed' | 'malformed'>;

const ZERO_MAC = mac('00:00:00:00:00:00');

/** A VM's own, and nobody else's. */
export const isVmMac = (address: Mac): boolean => !isGroupMac(address) && address !== ZERO_MAC && address !== TDE_MAC;

/** The claims, or why the frame says nothing. Never throws. */
export function readClaims(frame: EthernetFrame): Claims | Refusal {
  // The VAP's own tag, if it has one, is off: this would be a second one.
  if (frame.vlan !== null || frame.etherType === ETHER_TYPE.vlan) return 'tagged-at-vap';
  if (isGroupMac(frame.source) || frame.source === ZERO_MAC) return 'group-source';
  if (frame.source === TDE_MAC) return 'source-spoofed';
  try {
    switch (frame.etherType) {
      case ETHER_TYPE.arp:
      case ETHER_TYPE.rarp:
        return readArp(frame);
      case ETHER_TYPE.ipv4:
        return readIpv4(frame, decodeIpv4(frame.payload));
      case ETHER_TYPE.ipv6:
        return readIpv6(frame, decodeIpv6(frame.payload));
      default:
        return claim(frame, []);
    }
  } catch (error) {
    if (error instanceof WireError) return 'malformed';
    throw error;
  }
}

function claim(
  frame: EthernetFrame,
  addresses: readonly IpAddress[],
  more: { announcing?: Announcing; answersTde?: boolean; dhcp?: DhcpClaim | null } = {},
): Claims {
  return {
    mac: frame.source,
    addresses: addresses.filter((a, i) => isHostAddress(a) && addresses.indexOf(a) === i),
    announcing: more.announcing ?? null,
    answersTde: more.answersTde ?? false,
    dhcp: more.dhcp ?? null,
  };
}

function readArp(frame: EthernetFrame): Claims | Refusal {
  const arp = decodeArp(frame.payload);
  // Somebody else's MAC inside: whatever it says is not about the sender.
  if (arp.senderMac !== frame.source) return 'source-spoofed';
  if (frame.etherType === ETHER_TYPE.rarp) return claim(frame, [], { announcing: 'rarp' });
  const answersTde = arp.operation === ARP_OPERATION.reply && frame.destination === TDE_MAC;
  return claim(frame, [arp.senderIp], { answersTde, ...announcingArp(arp) });
}

function announcingArp(arp: Arp): { announcing?: Announcing } {
  return isGratuitousArp(arp) ? { announcing: 'garp' } : {};
}

function readIpv4(frame: EthernetFrame, ip: Ipv4): Claims {
  const whole = ip.fragmentOffset === 0 && ip.protocol === IP_PROTOCOL.udp;
  return claim(frame, [ip.source], { dhcp: whole ? readDhcp(frame, ip.payload) : null });
}

/** A malformed one says nothing about addresses given; the packet's own source address stands. */
function readDhcp(frame: EthernetFrame, segment: Buffer): DhcpClaim | null {
  try {
    const udp = decodeUdp(segment);
    const ports = [udp.sourcePort, udp.destinationPort];
    if (!ports.every((p) => p === DHCP_PORT.client || p === DHCP_PORT.server)) return null;
    const dhcp = decodeDhcp(udp.payload);
    const { transactionId, clientMac: client, yourAddress: address } = dhcp;
    if (dhcp.operation === 1) return client === frame.source ? { kind: 'ask', transactionId } : null;
    if (dhcpMessageType(dhcp) !== DHCP_MESSAGE.ack || !isHostAddress(address)) return null;
    return { kind: 'ack', transactionId, client, address };
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

function readIpv6(frame: EthernetFrame, ip: Ipv6): Claims | Refusal {
  const upper = upperOrNull(ip);
  const type = upper?.payload[0];
  const isNd =
    upper?.protocol === IP_PROTOCOL.icmpv6 &&
    upper.fragmentOffset === 0 &&
    type !== undefined &&
    type >= ICMPV6_TYPE.routerSolicitation &&
    type <= ICMPV6_TYPE.neighborAdvertisement;
  if (!isNd) return claim(frame, [ip.source]);
  const nd = decodeNd(decodeIcmpv6(upper.payload, ip));
  // RFC 4861 7.1: what was forwarded by a router is not Neighbor Discovery.
  if (ip.hopLimit !== 255 || nd === null || !speaksForItself(frame, nd)) return 'source-spoofed';
  return readNd(frame, ip, nd);
}

function upperOrNull(ip: Ipv6): UpperLayer | null {
  try {
    return upperLayer(ip);
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

function speaksForItself(frame: EthernetFrame, nd: Nd): boolean {
  return nd.options.every(
    (o) => (o.type !== 'source-link-layer' && o.type !== 'target-link-layer') || o.mac === frame.source,
  );
}

function readNd(frame: EthernetFrame, ip: Ipv6, nd: Nd): Claims {
  switch (nd.type) {
    case 'neighbor-advertisement':
      return claim(frame, [ip.source, nd.target], {
        answersTde: frame.destination === TDE_MAC,
        ...(nd.solicited ? {} : { announcing: 'na' as const }),
      });
    case 'neighbor-solicitation':
      // From the unspecified address it is Duplicate Address Detection (RFC 4862 5.4.2): the target is to be the sender's.
      return claim(frame, ip.source === '::' ? [nd.target] : [ip.source]);
    case 'router-solicitation':
    case 'router-advertisement':
      return claim(frame, [ip.source]);
  }
}

/** Can it be one host's own address? Not unspecified, loopback, multicast, broadcast or IPv4-mapped. */
export function isHostAddress(address: IpAddress): boolean {
  if (address.includes(':')) return address !== '::' && address !== '::1' && !/^(ff|::ffff:)/.test(address);
  const first = Number(address.slice(0, address.indexOf('.')));
  return first !== 0 && first !== 127 && first < 224;
}
