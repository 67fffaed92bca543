// The TCP segment in a captured packet, whatever link it was captured on.

export interface TcpSegment {
  readonly from: string;
  readonly to: string;
  readonly ports: readonly [from: number, to: number];
  readonly seq: number;
  readonly syn: boolean;
  readonly payload: Buffer;
}

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const VLAN_TYPES: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);
const TCP = 6;

/** Null for a packet that is something else, or a fragment. */
export function tcpSegment(linkType: number, data: Buffer): TcpSegment | null {
  const ip = ipPacket(linkType, data);
  if (ip === null || ip.length < 20) return null;
  return (ip[0] ?? 0) >> 4 === 4 ? inIpv4(ip) : (ip[0] ?? 0) >> 4 === 6 ? inIpv6(ip) : null;
}

/** By LINKTYPE_*: Ethernet, raw IP in its three numbers, BSD loopback, Linux cooked of both versions. */
function ipPacket(linkType: number, data: Buffer): Buffer | null {
  switch (linkType) {
    case 1:
      return data.length < 14 ? null : afterVlans(data, 12);
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return data;
    case 0:
    case 108:
      return data.subarray(4);
    case 113:
      return data.length < 16 ? null : afterVlans(data, 14);
    case 276:
      return data.length < 20 ? null : data.subarray(20);
    default:
      return null;
  }
}

function afterVlans(data: Buffer, typeAt: number): Buffer | null {
  let at = typeAt;
  while (at + 6 <= data.length && VLAN_TYPES.has(data.readUInt16BE(at))) at += 4;
  if (at + 2 > data.length) return null;
  const type = data.readUInt16BE(at);
  return type === IPV4 || type === IPV6 ? data.subarray(at + 2) : null;
}

const ipv4 = (ip: Buffer, at: number): string => Array.from(ip.subarray(at, at + 4)).join('.');

/** In brackets, and in the form of RFC 5952, which is that of hosts in URLs. */
function ipv6(ip: Buffer, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => ip.readUInt16BE(at + 2 * i).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname;
}

function inIpv4(ip: Buffer): TcpSegment | null {
  const header = ((ip[0] ?? 0) & 0xf) * 4;
  const fragment = ip.readUInt16BE(6) & 0x3fff;
  if (ip[9] !== TCP || fragment !== 0) return null;
  // A captured length of 0 is what segmentation offload leaves.
  const total = ip.readUInt16BE(2);
  const end = total === 0 ? ip.length : Math.min(total, ip.length);
  return tcp(ip.subarray(header, end), ipv4(ip, 12), ipv4(ip, 16));
}

/** Hop-by-hop options, routing, destination options. */
const EXTENSIONS: ReadonlySet<number> = new Set([0, 43, 60]);

function inIpv6(ip: Buffer): TcpSegment | null {
  if (ip.length < 40) return null;
  const end = Math.min(40 + (ip.readUInt16BE(4) || ip.length), ip.length);
  let next = ip[6] ?? 0;
  let at = 40;
  while (EXTENSIONS.has(next) && at + 2 <= end) {
    next = ip[at] ?? 0;
    at += ((ip[at + 1] ?? 0) + 1) * 8;
  }
  if (next !== TCP || at > end) return null;
  return tcp(ip.subarray(at, end), ipv6(ip, 8), ipv6(ip, 24));
}

function tcp(data: Buffer, from: string, to: string): TcpSegment | null {
  if (data.length < 20) return null;
  const header = ((data[12] ?? 0) >> 4) * 4;
  const ports = [data.readUInt16BE(0), data.readUInt16BE(2)] as const;
  return {
    from: `${from}:${ports[0]}`,
    to: `${to}:${ports[1]}`,
    ports,
    seq: data.readUInt32BE(4),
    syn: ((data[13] ?? 0) & 2) !== 0,
    payload: data.subarray(header),
  };
}
