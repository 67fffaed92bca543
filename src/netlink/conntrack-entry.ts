// One connection as ctnetlink speaks of it (include/uapi/linux/netfilter/nfnetlink_conntrack.h): tables of attributes with the
// kernel's own numbers. Names follow the kernel's (CTA_TUPLE_ORIG -> tupleOrig). Must not know what is done with an entry.

import {
  type AttributeCodec,
  type AttributeValue,
  attributes,
  bytesAttribute,
  packedAttribute,
  stringAttribute,
  structAttribute,
  u16Attribute,
  u32Attribute,
  u64Attribute,
  u8Attribute,
} from './nlattr.ts';

/** 4 or 16 address bytes as a latin1 string, so that it compares by value. */
export type AddressBytes = string & { readonly __brand: 'AddressBytes' };

const ip4 = packedAttribute<AddressBytes>(4);
const ip6 = packedAttribute<AddressBytes>(16);

/** CTA_TUPLE_IP */
const tupleIp = attributes({
  v4Src: [1, ip4],
  v4Dst: [2, ip4],
  v6Src: [3, ip6],
  v6Dst: [4, ip6],
});

/** CTA_TUPLE_PROTO; GRE keys and SCTP, DCCP, UDPlite ports are in srcPort and dstPort as well. */
const tupleProto = attributes({
  num: [1, u8Attribute],
  srcPort: [2, u16Attribute],
  dstPort: [3, u16Attribute],
  icmpId: [4, u16Attribute],
  icmpType: [5, u8Attribute],
  icmpCode: [6, u8Attribute],
  icmpv6Id: [7, u16Attribute],
  icmpv6Type: [8, u8Attribute],
  icmpv6Code: [9, u8Attribute],
});

/** CTA_TUPLE_ORIG, _REPLY, _MASTER. `zone` is there only for zones that hold in one direction. */
export const tupleAttribute = attributes({
  ip: [1, tupleIp],
  proto: [2, tupleProto],
  zone: [3, u16Attribute],
});

/** `struct nf_ct_tcp_flags`: dumps always have mask 0. */
const tcpFlags: AttributeCodec<{ readonly flags: number; readonly mask: number }> = structAttribute(
  2,
  (r) => ({ flags: r.u8('flags'), mask: r.u8('mask') }),
  (w, v) => {
    w.u8(v.flags, 'flags');
    w.u8(v.mask, 'mask');
  },
  {
    bytes: 2,
    read: (at) => `{ flags: ${at(0)}, mask: ${at(1)} }`,
    fits: (v) => `(${v}.flags & 0xff) === ${v}.flags && (${v}.mask & 0xff) === ${v}.mask`,
    write: (at, v) => `${at(0)} = ${v}.flags; ${at(1)} = ${v}.mask;`,
    clean: () => '',
  },
);

/** CTA_PROTOINFO */
const protoinfo = attributes({
  tcp: [
    1,
    attributes({
      state: [1, u8Attribute],
      wscaleOriginal: [2, u8Attribute],
      wscaleReply: [3, u8Attribute],
      flagsOriginal: [4, tcpFlags],
      flagsReply: [5, tcpFlags],
    }),
  ],
  dccp: [2, attributes({ state: [1, u8Attribute], role: [2, u8Attribute], handshakeSeq: [3, u64Attribute] })],
  sctp: [3, attributes({ state: [1, u8Attribute], vtagOriginal: [2, u32Attribute], vtagReply: [3, u32Attribute] })],
});

/** CTA_NAT_SRC, CTA_NAT_DST: only ever written. */
const nat = attributes({
  v4MinIp: [1, ip4],
  v4MaxIp: [2, ip4],
  proto: [3, attributes({ portMin: [1, u16Attribute], portMax: [2, u16Attribute] })],
  v6MinIp: [4, ip6],
  v6MaxIp: [5, ip6],
});

const counters = attributes({ packets: [1, u64Attribute], bytes: [2, u64Attribute] });
const seqAdj = attributes({
  correctionPos: [1, u32Attribute],
  offsetBefore: [2, u32Attribute],
  offsetAfter: [3, u32Attribute],
});

/** CTA_* that mean something on any host. */
const portable = {
  tupleOrig: [1, tupleAttribute],
  tupleReply: [2, tupleAttribute],
  status: [3, u32Attribute],
  protoinfo: [4, protoinfo],
  help: [5, attributes({ name: [1, stringAttribute], info: [2, bytesAttribute] })],
  natSrc: [6, nat],
  timeout: [7, u32Attribute],
  mark: [8, u32Attribute],
  countersOrig: [9, counters],
  countersReply: [10, counters],
  natDst: [13, nat],
  tupleMaster: [14, tupleAttribute],
  seqAdjOrig: [15, seqAdj],
  seqAdjReply: [16, seqAdj],
  secctx: [19, attributes({ name: [1, stringAttribute] })],
  timestamp: [20, attributes({ start: [1, u64Attribute], stop: [2, u64Attribute] })],
  markMask: [21, u32Attribute],
  labels: [22, bytesAttribute],
  labelsMask: [23, bytesAttribute],
  synproxy: [24, attributes({ isn: [1, u32Attribute], its: [2, u32Attribute], tsoff: [3, u32Attribute] })],
  timestampEvent: [27, u64Attribute],
} as const;

/** CTA_*: everything a dump, an event or a request holds of one connection. */
export const conntrackAttributes = attributes({
  ...portable,
  use: [11, u32Attribute],
  id: [12, u32Attribute],
  zone: [18, u16Attribute],
});

/** The same without what only one host's kernel can make sense of, which reads as unknown and is not written. */
export const portableAttributes = attributes(portable);

export type Tuple = AttributeValue<typeof tupleAttribute>;
export type ConntrackEntry = AttributeValue<typeof conntrackAttributes>;
export type Protoinfo = AttributeValue<typeof protoinfo>;
export type Nat = AttributeValue<typeof nat>;

/** IPS_*: bits of CTA_STATUS. */
export const STATUS = {
  EXPECTED: 0x1,
  SEEN_REPLY: 0x2,
  ASSURED: 0x4,
  CONFIRMED: 0x8,
  SRC_NAT: 0x10,
  DST_NAT: 0x20,
  SEQ_ADJUST: 0x40,
  SRC_NAT_DONE: 0x80,
  DST_NAT_DONE: 0x100,
  DYING: 0x200,
  FIXED_TIMEOUT: 0x400,
  HELPER: 0x2000,
  OFFLOAD: 0x4000,
} as const;

/** IP_CT_TCP_FLAG_* */
export const TCP_FLAG = {
  WINDOW_SCALE: 0x01,
  SACK_PERM: 0x02,
  CLOSE_INIT: 0x04,
  BE_LIBERAL: 0x08,
  DATA_UNACKNOWLEDGED: 0x10,
  MAXACK_SET: 0x20,
} as const;

/** TCP_CONNTRACK_* in the kernel's order. */
export const TCP_STATES = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
] as const;

export const PROTO = { ICMP: 1, TCP: 6, UDP: 17, DCCP: 33, GRE: 47, ICMPV6: 58, SCTP: 132, UDPLITE: 136 } as const;
export const AF = { UNSPEC: 0, INET: 2, INET6: 10 } as const;
