// A packet that the source's gate refused, as its sender's frame again: by the addresses of its VN, at the VAP where the sender is
// now. So it takes the way that flows of its pair take now.

import type { IpAddress, Vnid } from '../base/ids.ts';
import type { Selector } from '../base/selector.ts';
import { ETHER_TYPE } from '../packet/ethernet.ts';
import { formatIpv4, formatIpv6 } from '../packet/fields.ts';
import { ipEnds, type IpEnds } from '../packet/ip-ends.ts';
import { parseMac } from '../wire/codec.ts';
import type { KnownWorld, VmView } from '../../flows/world.ts';
import { withTag } from './frame-kind.ts';
import type { HeldPacket } from './hold.ts';

const ETHER_TYPE_OF = { 4: ETHER_TYPE.ipv4, 6: ETHER_TYPE.ipv6 } as const;

/**
 * Null when it is no IP packet between VMs of `selector` (an agent may speak of no other flows), or when its sender is between
 * two places.
 */
export function refusedPacket(world: KnownWorld, selector: Selector, packet: Buffer): HeldPacket | null {
  const ends = ipEnds(packet);
  if (ends === null) return null;
  const [from, to] = [addressOf(ends, 'source'), addressOf(ends, 'destination')];
  if (!isSelected(selector, from, to) && !isSelected(selector, to, from)) return null;
  const [sender, receiver] = [vmAt(world, selector.vnid, from), vmAt(world, selector.vnid, to)];
  if (sender?.at == null || receiver === undefined) return null;
  const { nve, port } = sender.at;
  const role = world.nves.find((n) => n.dpid === nve)?.ports.find((p) => p.no === port)?.role;
  if (role?.kind !== 'vap') return null;
  const tag = role.vns.find((vn) => vn.vnid === selector.vnid)?.tag ?? null;
  const type = Buffer.alloc(2);
  type.writeUInt16BE(ETHER_TYPE_OF[ends.version]);
  const frame = Buffer.concat([parseMac(receiver.mac), parseMac(sender.mac), type, packet]);
  return { nve, inPort: port, frame: tag === null ? frame : withTag(frame, tag) };
}

const addressOf = (ends: IpEnds, which: 'source' | 'destination'): IpAddress =>
  ends.version === 4 ? formatIpv4(ends[which]) : formatIpv6(ends[which]);

const isSelected = ({ vm, peers }: Selector, own: IpAddress, peer: IpAddress): boolean =>
  vm.includes(own) && (peers?.includes(peer) ?? true);

const vmAt = (world: KnownWorld, vnid: Vnid, address: IpAddress): VmView | undefined =>
  world.vms.find((vm) => vm.vnid === vnid && vm.addresses.includes(address));
