// What a VM sends while nobody knows for certain where it is.

import { expect } from 'chai';
import type { Fabric } from '../../../src/som/fabric.ts';
import { Hold, type HeldPacket } from '../../../src/som/hold.ts';
import { PacketIns } from '../../../src/som/packet-ins.ts';
import { encodeCookie } from '../../../flows/cookies.ts';
import { FROM_VAP } from '../../../flows/tables.ts';
import type { KnownWorld, VmView } from '../../../flows/world.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { nve1, RED, segment, vm3 } from '../flows/figure1.ts';
import { red1, TRUNK, trunks } from '../flows/trunk.ts';

describe('packet-ins of a VM', () => {
  it('that is in limbo when the change they waited for is confirmed, wait until it is found', () => {
    const clock = new FakeClock();
    const sent: HeldPacket[] = [];
    const hold = new Hold({ packets: 10, bytes: 10_000, ageMs: 1000, totalBytes: 10_000 }, clock, (packet) => {
      packetIns.letGo(packet);
    });
    let vm: VmView = red1;
    const packetIns: PacketIns = new PacketIns({
      clock,
      hold,
      fabric: { changing: false, isBehind: () => false } as unknown as Fabric,
      view: (): KnownWorld => ({ ...trunks, vms: [vm, vm3] }),
      send: (packet) => sent.push(packet),
      ready: () => true,
      tell: () => true,
    });
    const cookie = encodeCookie('punt');
    const metadata = BigInt(RED) | FROM_VAP;
    const data = segment(red1, vm3);
    packetIns.receive(nve1, { type: 'packet_in', reason: 1, table: 1, cookie, inPort: TRUNK, metadata, data });
    vm = { ...red1, at: null };
    packetIns.confirmed();
    expect([sent.length, packetIns.stats.left]).to.deep.equal([0, 0]);
    vm = { ...red1, at: { nve: nve1, port: TRUNK } };
    packetIns.confirmed();
    expect([sent.length, packetIns.stats.left]).to.deep.equal([1, 0]);
  });
});
