// Who sent an IP packet and to whom, without decoding the rest of it.

export interface IpEnds {
  readonly version: 4 | 6;
  /** 4 or 16 bytes, as they stand in the header. */
  readonly source: Buffer;
  readonly destination: Buffer;
}

/** Null when it is no IP packet, or cut before its addresses. */
export function ipEnds(packet: Buffer): IpEnds | null {
  const version = (packet[0] ?? 0) >> 4;
  if (version === 4 && packet.length >= 20) {
    return { version, source: packet.subarray(12, 16), destination: packet.subarray(16, 20) };
  }
  if (version === 6 && packet.length >= 40) {
    return { version, source: packet.subarray(8, 24), destination: packet.subarray(24, 40) };
  }
  return null;
}
