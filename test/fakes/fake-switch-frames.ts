// Frames for tests, made by hand and small: Ethernet with at most one VLAN tag, ARP, IPv4, IPv6, TCP, UDP, ICMPv6. Checksums
// are left at zero; no switch looks at them. Must not use src/packet, which has its own tests.

export interface EthernetPart {
  readonly dst: string;
  readonly src: string;
  readonly vlan?: number;
}

export const BROADCAST = 'ff:ff:ff:ff:ff:ff';

export const macBytes = (mac: string): Buffer => Buffer.from(mac.replaceAll(':', ''), 'hex');
export const ipv4Bytes = (ip: string): Buffer => Buffer.from(ip.split('.').map(Number));

export function ipv6Bytes(ip: string): Buffer {
  const [head = '', tail] = ip.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return Buffer.from([...before, ...zeros, ...after].map((g) => g.padStart(4, '0')).join(''), 'hex');
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);

export function ethernet(eth: EthernetPart, etherType: number, payload: Buffer): Buffer {
  const tag = eth.vlan === undefined ? [] : [u16(0x8100), u16(eth.vlan)];
  return Buffer.concat([macBytes(eth.dst), macBytes(eth.src), ...tag, u16(etherType), payload]);
}

export interface ArpPart {
  readonly op: number;
  readonly sha: string;
  readonly spa: string;
  readonly tha?: string;
  readonly tpa: string;
}

const arpBody = (a: ArpPart): Buffer =>
  Buffer.concat([
    Buffer.from('0001080006040000', 'hex').fill(a.op, 7),
    macBytes(a.sha),
    ipv4Bytes(a.spa),
    macBytes(a.tha ?? '00:00:00:00:00:00'),
    ipv4Bytes(a.tpa),
  ]);

export const arp = (eth: EthernetPart, a: ArpPart): Buffer => ethernet(eth, 0x0806, arpBody(a));
/** What a hypervisor announces a moved VM with: RARP request, addresses zero. */
export const rarp = (mac: string): Buffer =>
  ethernet(
    { dst: BROADCAST, src: mac },
    0x8035,
    arpBody({ op: 3, sha: mac, spa: '0.0.0.0', tha: mac, tpa: '0.0.0.0' }),
  );

export function ip(eth: EthernetPart, src: string, dst: string, proto: number, payload: Buffer): Buffer {
  if (src.includes(':')) {
    const head = Buffer.alloc(8);
    head[0] = 0x60;
    head.writeUInt16BE(payload.length, 4);
    head[6] = proto;
    head[7] = 255;
    return ethernet(eth, 0x86dd, Buffer.concat([head, ipv6Bytes(src), ipv6Bytes(dst), payload]));
  }
  const head = Buffer.alloc(12);
  head[0] = 0x45;
  head.writeUInt16BE(20 + payload.length, 2);
  head[8] = 64;
  head[9] = proto;
  return ethernet(eth, 0x0800, Buffer.concat([head, ipv4Bytes(src), ipv4Bytes(dst), payload]));
}

export const TCP_FLAGS = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

export interface Ports {
  readonly from: number;
  readonly to: number;
}

export function tcp(
  eth: EthernetPart,
  src: string,
  dst: string,
  flags: number,
  ports: Ports = { from: 40000, to: 80 },
  data = '',
): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt16BE(ports.from, 0);
  head.writeUInt16BE(ports.to, 2);
  head[12] = 0x50;
  head[13] = flags;
  return ip(eth, src, dst, 6, Buffer.concat([head, Buffer.from(data)]));
}

export function udp(
  eth: EthernetPart,
  src: string,
  dst: string,
  ports: Ports = { from: 5000, to: 5001 },
  data = '',
): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(ports.from, 0);
  head.writeUInt16BE(ports.to, 2);
  head.writeUInt16BE(8 + data.length, 4);
  return ip(eth, src, dst, 17, Buffer.concat([head, Buffer.from(data)]));
}

export const icmpv6 = (eth: EthernetPart, src: string, dst: string, type: number, body: Buffer): Buffer =>
  ip(eth, src, dst, 58, Buffer.concat([Buffer.from([type, 0, 0, 0]), body]));

const lladdr = (option: number, mac: string | undefined): Buffer =>
  mac === undefined ? Buffer.alloc(0) : Buffer.concat([Buffer.from([option, 1]), macBytes(mac)]);

/** RFC 4861, 4.3; `sll` absent as in DAD. */
export const neighborSolicitation = (
  eth: EthernetPart,
  src: string,
  dst: string,
  target: string,
  sll?: string,
): Buffer => icmpv6(eth, src, dst, 135, Buffer.concat([Buffer.alloc(4), ipv6Bytes(target), lladdr(1, sll)]));

/** RFC 4861, 4.4. */
export const neighborAdvertisement = (
  eth: EthernetPart,
  src: string,
  dst: string,
  target: string,
  tll?: string,
): Buffer =>
  icmpv6(eth, src, dst, 136, Buffer.concat([Buffer.from([0x20, 0, 0, 0]), ipv6Bytes(target), lladdr(2, tll)]));
