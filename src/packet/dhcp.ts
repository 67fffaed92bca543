// DHCPv4 (RFC 2131, options RFC 2132): enough to see which address a server gave to which client.

import { WireError } from '../base/errors.ts';
import type { IpAddress, Mac } from '../base/ids.ts';
import { bytes, formatMac, macAddress, struct, u16, u32, u8 } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import { Writer } from '../wire/writer.ts';
import { ipv4Address } from './fields.ts';

export const DHCP_PORT = { server: 67, client: 68 } as const;
/** Option 53. */
export const DHCP_MESSAGE = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
} as const;
export const DHCP_OPTION = { requestedAddress: 50, messageType: 53, serverId: 54 } as const;

export interface DhcpOption {
  readonly code: number;
  readonly value: Buffer;
}

export interface Dhcp {
  /** BOOTREQUEST or BOOTREPLY. */
  readonly operation: 1 | 2;
  readonly transactionId: number;
  readonly clientMac: Mac;
  /** ciaddr */
  readonly clientAddress: IpAddress;
  /** yiaddr */
  readonly yourAddress: IpAddress;
  /** siaddr */
  readonly serverAddress: IpAddress;
  /** giaddr */
  readonly relayAddress: IpAddress;
  readonly broadcast: boolean;
  readonly options: readonly DhcpOption[];
}

const header = struct({
  operation: u8,
  hardwareType: u8,
  hardwareLength: u8,
  hops: u8,
  transactionId: u32,
  seconds: u16,
  flags: u16,
  clientAddress: ipv4Address,
  yourAddress: ipv4Address,
  serverAddress: ipv4Address,
  relayAddress: ipv4Address,
  clientHardware: bytes(16),
  serverName: bytes(64),
  file: bytes(128),
  magic: u32,
});

const MAGIC = 0x63825363;
const BROADCAST = 0x8000;
const PAD = 0;
const END = 255;

/** Raises WireError. */
export function decodeDhcp(payload: Buffer): Dhcp {
  const r = new Reader(payload);
  const h = header.read(r, 'dhcp');
  if (h.operation !== 1 && h.operation !== 2) throw new WireError('BAD_VALUE', 'dhcp.op', 0, String(h.operation));
  if (h.hardwareType !== 1 || h.hardwareLength !== 6) throw new WireError('BAD_VALUE', 'dhcp.htype', 1);
  if (h.magic !== MAGIC) throw new WireError('BAD_VALUE', 'dhcp.magic', 236);
  const options: DhcpOption[] = [];
  while (r.remaining > 0) {
    const code = r.u8('dhcp.option');
    if (code === PAD) continue;
    if (code === END) break;
    options.push({ code, value: Buffer.from(r.raw(r.u8('dhcp.option.length'), 'dhcp.option')) });
  }
  return {
    operation: h.operation,
    transactionId: h.transactionId,
    clientMac: formatMac(h.clientHardware),
    clientAddress: h.clientAddress,
    yourAddress: h.yourAddress,
    serverAddress: h.serverAddress,
    relayAddress: h.relayAddress,
    broadcast: (h.flags & BROADCAST) !== 0,
    options,
  };
}

export function encodeDhcp(dhcp: Dhcp): Buffer {
  const w = new Writer(300);
  const hardware = new Writer(16);
  macAddress.write(hardware, dhcp.clientMac, 'dhcp.chaddr');
  hardware.zeros(10);
  header.write(
    w,
    {
      ...dhcp,
      hardwareType: 1,
      hardwareLength: 6,
      hops: 0,
      seconds: 0,
      flags: dhcp.broadcast ? BROADCAST : 0,
      clientHardware: hardware.finish(),
      serverName: Buffer.alloc(64),
      file: Buffer.alloc(128),
      magic: MAGIC,
    },
    'dhcp',
  );
  for (const { code, value } of dhcp.options) {
    if (code === PAD || code === END) throw new WireError('BAD_VALUE', 'dhcp.option', w.length, String(code));
    w.u8(code, 'dhcp.option');
    w.u8(value.length, 'dhcp.option.length');
    w.raw(value);
  }
  w.u8(END);
  return w.finish();
}

/** Option 53, null where it is missing or malformed (BOOTP). */
export function dhcpMessageType(dhcp: Dhcp): number | null {
  const option = dhcp.options.find((o) => o.code === DHCP_OPTION.messageType);
  return option?.value.length === 1 ? (option.value[0] ?? null) : null;
}
