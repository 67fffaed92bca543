// What a held frame is to a gate and to the TDE, told from a few bytes without decoding it.

import { ETHER_TYPE } from '../packet/ethernet.ts';
import { IP_PROTOCOL } from '../packet/ipv4.ts';

/** RARP and gratuitous ARP are for the TDE alone and are not sent on (hard case 8). */
export function isAnnouncement(frame: Buffer): boolean {
  const type = frame.readUInt16BE(12);
  if (type === ETHER_TYPE.rarp) return true;
  return type === ETHER_TYPE.arp && frame.length >= 42 && frame.readUInt32BE(28) === frame.readUInt32BE(38);
}

/** TCP with SYN and without ACK. A frame too strange to tell is none: it waits with the other protocols. */
export function isOpener(frame: Buffer): boolean {
  const type = frame.length < 34 ? 0 : frame.readUInt16BE(12);
  let transport = 0;
  if (type === ETHER_TYPE.ipv4 && frame[23] === IP_PROTOCOL.tcp) transport = 14 + ((frame[14] ?? 0) & 0x0f) * 4;
  if (type === ETHER_TYPE.ipv6 && frame[20] === IP_PROTOCOL.tcp) transport = 54;
  return transport !== 0 && ((frame[transport + 13] ?? 0) & 0x12) === 0x02;
}
