// A packet that the source's gate refused, as its sender's frame again: by the addresses of its VN, at the VAP where the sender is
// now. So it takes the way that flows of its pair take now.

import type { IpAddress, Vnid } from '../base/ids.ts';
import { ETHER_TYPE } from '../packet/ethernet.ts';
import { parseMac } from '../wire/codec.ts';
import { formatIpv4, formatIpv6 } from '../packet/fields.ts';
import type { KnownWorld, VmView } from '../../flows/world.ts';
import { withTag } from './frame-kind.ts';
import type { HeldPacket } from './hold.ts';

/** Null when it is no IP packet between two VMs of the VN, or its sender is between two places. */
export function refusedPacket(world: KnownWorld, vnid: Vnid, packet: Buffer): HeldPacket | null {
  const ends = endsOf(packet);
  if (ends === null) return null;
  const vmOf = (address: IpAddress): VmView | undefined =>
    world.vms.find((vm) => vm.vnid === vnid && vm.addresses.includes(address));
  const [sender, receiver] = [vmOf(ends.source), vmOf(ends.destination)];
  if (sender?.at == null || receiver === undefined) return null;
  const { nve, port } = sender.at;
  const role = world.nves.find((n) => n.dpid === nve)?.ports.find((p) => p.no === port)?.role;
  if (role?.kind !== 'vap') return null;
  const tag = role.vns.find((vn) => vn.vnid === vnid)?.tag ?? null;
  const type = Buffer.alloc(2);
  type.writeUInt16BE(ends.etherType);
  const frame = Buffer.concat([parseMac(receiver.mac), parseMac(sender.mac), type, packet]);
  return { nve, inPort: port, frame: tag === null ? frame : withTag(frame, tag) };
}

interface Ends {
  readonly etherType: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

function endsOf(packet: Buffer): Ends | null {
  const version = (packet[0] ?? 0) >> 4;
  if (version === 4 && packet.length >= 20) {
    const [source, destination] = [packet.subarray(12, 16), packet.subarray(16, 20)].map(formatIpv4);
    return { etherType: ETHER_TYPE.ipv4, source: source as IpAddress, destination: destination as IpAddress };
  }
  if (version === 6 && packet.length >= 40) {
    const [source, destination] = [packet.subarray(8, 24), packet.subarray(24, 40)].map(formatIpv6);
    return { etherType: ETHER_TYPE.ipv6, source: source as IpAddress, destination: destination as IpAddress };
  }
  return null;
}
