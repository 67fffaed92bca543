// The bytes an emulated switch speaks, written by hand: the load must cost far less than what it measures, and must not
// lean on the codecs under test. Knows no socket.

/** Header versions of OpenFlow 1.0, 1.3, 1.4 and 1.5. */
export type LoadVersion = 1 | 4 | 5 | 6;

export const LOAD_VERSIONS: Readonly<Record<string, LoadVersion>> = { '1.0': 1, '1.3': 4, '1.4': 5, '1.5': 6 };

export const NO_BUFFER = 0xffffffff;
export const PORTS = 16;

/** Ethernet, IPv4, UDP, and 18 bytes of which the last four number the packet. */
const PACKET_BYTES = 60;

/** Where a packet-in of this version has what differs from one to the next; offsets in the message. */
export interface PacketInLayout {
  readonly bytes: number;
  readonly xid: number;
  readonly bufferId: number;
  /** Of the lowest byte. */
  readonly inPort: number;
  readonly packet: number;
}

const HEAD = { xid: 4, bufferId: 8 } as const;

/** Offsets in the packet. */
export const DESTINATION_INDEX = 4;
export const SOURCE_INDEX = 10;
export const PACKET_NUMBER = PACKET_BYTES - 4;

export function packetInLayout(version: LoadVersion): PacketInLayout {
  const packet = version === 1 ? 18 : 42;
  return { ...HEAD, inPort: version === 1 ? 15 : 35, packet, bytes: packet + PACKET_BYTES };
}

/** A packet-in in which only xid, buffer id, port, addresses and number are still zero. */
export function packetInTemplate(version: LoadVersion): Buffer {
  const { bytes, packet } = packetInLayout(version);
  const out = message(version, 10, 0, Buffer.alloc(bytes - 8));
  out.writeUInt16BE(PACKET_BYTES, 12);
  if (version !== 1) {
    out.writeUInt16BE(1, 24); // OFPMT_OXM
    out.writeUInt16BE(12, 26);
    out.writeUInt32BE(0x80000004, 28); // OXM_OF_IN_PORT
  }
  udpPacket().copy(out, packet);
  return out;
}

function udpPacket(): Buffer {
  const out = Buffer.alloc(PACKET_BYTES);
  out.set([0x02, 0, 0, 0x01], 0);
  out.set([0x02, 0, 0, 0x01], 6);
  out.writeUInt16BE(0x0800, 12);
  out.set([0x45, 0, 0, PACKET_BYTES - 14, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 14);
  let sum = 0;
  for (let i = 14; i < 34; i += 2) sum += out.readUInt16BE(i);
  out.writeUInt16BE(0xffff - ((sum & 0xffff) + (sum >>> 16)), 24);
  out.writeUInt16BE(9, 34);
  out.writeUInt16BE(9, 36);
  out.writeUInt16BE(PACKET_BYTES - 34, 38);
  return out;
}

export function message(version: number, type: number, xid: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const out = Buffer.alloc(8 + body.length);
  out.writeUInt8(version, 0);
  out.writeUInt8(type, 1);
  out.writeUInt16BE(out.length, 2);
  out.writeUInt32BE(xid, 4);
  body.copy(out, 8);
  return out;
}

/** With a version bitmap of just this version where the specification has one. */
export function hello(version: LoadVersion): Buffer {
  if (version === 1) return message(1, 0, 1);
  return message(version, 0, 1, Buffer.from([0, 1, 0, 8, 0, 0, 0, 1 << version]));
}

export function featuresReply(version: LoadVersion, xid: number, datapathId: number): Buffer {
  const body = Buffer.alloc(24);
  body.writeBigUInt64BE(BigInt(datapathId), 0);
  body.writeUInt32BE(256, 8); // buffers
  body.writeUInt8(version === 1 ? 1 : 254, 12); // tables
  if (version !== 1) return message(version, 6, xid, body);
  body.writeUInt32BE(0xfff, 20); // actions
  return message(version, 6, xid, Buffer.concat([body, ...portNumbers().map(port10)]));
}

const portNumbers = (): readonly number[] => Array.from({ length: PORTS }, (_, i) => i + 1);

function port10(number: number): Buffer {
  const out = Buffer.alloc(48);
  out.writeUInt16BE(number, 0);
  out.set([0x02, 0, 0, 0x02, 0, number], 2);
  out.write(`p${number}`, 8, 'latin1');
  return out;
}

function port13(number: number): Buffer {
  const out = Buffer.alloc(64);
  out.writeUInt32BE(number, 0);
  out.set([0x02, 0, 0, 0x02, 0, number], 8);
  out.write(`p${number}`, 16, 'latin1');
  out.writeUInt32BE(4, 36); // OFPPS_LIVE
  return out;
}

/** 1.4 and later: a length, and an Ethernet property. */
function port14(number: number): Buffer {
  const out = Buffer.concat([port13(number).subarray(0, 40), Buffer.alloc(32)]);
  out.writeUInt16BE(out.length, 4);
  out.writeUInt16BE(32, 42);
  return out;
}

const port = (version: LoadVersion, number: number): Buffer =>
  version === 1 ? port10(number) : version === 4 ? port13(number) : port14(number);

/** OFPT_PORT_STATUS, reason modify. */
export function portStatus(version: LoadVersion, xid: number, number: number): Buffer {
  const reason = Buffer.alloc(8);
  reason.writeUInt8(2, 0);
  return message(version, 12, xid, Buffer.concat([reason, port(version, number)]));
}

/** Answers what a controller asks in and after the handshake; null where nothing is to be answered. */
export function answer(version: LoadVersion, request: Buffer, datapathId: number): Buffer | null {
  const xid = request.readUInt32BE(4);
  const type = request.readUInt8(1);
  const barrier = version === 1 ? 18 : 20;
  if (type === 2) return message(version, 3, xid, request.subarray(8));
  if (type === 5) return featuresReply(version, xid, datapathId);
  if (type === 7) return message(version, 8, xid, Buffer.from([0, 0, 0xff, 0xff]));
  if (type === barrier) return message(version, barrier + 1, xid);
  if (version !== 1 && type === 24) return message(version, 25, xid, request.subarray(8));
  if (type === (version === 1 ? 16 : 18)) return multipart(version, xid, request);
  return null;
}

function multipart(version: LoadVersion, xid: number, request: Buffer): Buffer {
  const kind = request.readUInt16BE(8);
  const head = Buffer.alloc(version === 1 ? 4 : 8);
  head.writeUInt16BE(kind, 0);
  const reply = version === 1 ? 17 : 19;
  if (kind === 0) return message(version, reply, xid, Buffer.concat([head, Buffer.alloc(1056)])); // OFPMP_DESC
  if (kind === 13 && version !== 1) {
    return message(version, reply, xid, Buffer.concat([head, ...portNumbers().map((n) => port(version, n))]));
  }
  // OFPET_BAD_REQUEST, OFPBRC_BAD_STAT
  return message(version, 1, xid, Buffer.concat([Buffer.from([0, 1, 0, 2]), request.subarray(0, 64)]));
}
