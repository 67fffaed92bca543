// Packet-ins of a VAP that carries several VNs by tag: the pipeline has taken the tag off; the TDE and the way back need it.

import { expect } from 'chai';
import type { Dpid } from '../../../src/base/ids.ts';
import type { PacketIn } from '../../../src/openflow/model.ts';
import type { Fabric } from '../../../src/som/fabric.ts';
import { Hold, type HeldPacket } from '../../../src/som/hold.ts';
import { PacketIns } from '../../../src/som/packet-ins.ts';
import { encodeCookie, type CookieKind } from '../../../flows/cookies.ts';
import { FROM_VAP } from '../../../flows/tables.ts';
import type { KnownWorld } from '../../../flows/world.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { ethernet, TCP_FLAGS } from '../../fakes/fake-switch-frames.ts';
import { BLUE, nve1, RED, segment, vm3 } from '../flows/figure1.ts';
import { red1, TAG, TRUNK, trunks } from '../flows/trunk.ts';

const tagged = (frame: Buffer, vid: number): Buffer =>
  Buffer.concat([frame.subarray(0, 12), Buffer.from([0x81, 0, vid >> 8, vid & 0xff]), frame.subarray(12)]);

describe('packet-ins from a VAP that carries several VNs', () => {
  let packetIns: PacketIns;
  let told: Buffer[];
  let sent: HeldPacket[];
  let held: string[];

  beforeEach(() => {
    const clock = new FakeClock();
    told = [];
    sent = [];
    held = [];
    const hold = new Hold({ packets: 10, bytes: 10_000, ageMs: 1000, totalBytes: 10_000 }, clock, (p) => sent.push(p));
    const fabric = {
      changing: false,
      isBehind: () => false,
      gateHold: (serial: number, kind: string) => {
        held.push(`${serial} ${kind}`);
        return null;
      },
    };
    const world: KnownWorld = { ...trunks, vms: [vm3] };
    packetIns = new PacketIns({
      clock,
      hold,
      fabric: fabric as unknown as Fabric,
      view: () => world,
      send: (packet) => sent.push(packet),
      ready: () => true,
      tell: (_nve: Dpid, packet: PacketIn) => told.push(packet.data) > 0,
    });
  });

  const receive = (kind: CookieKind, data: Buffer, vnid: number): void => {
    const metadata = vnid === 0 ? null : BigInt(vnid) | FROM_VAP;
    packetIns.receive(nve1, {
      type: 'packet_in',
      reason: 1,
      table: 1,
      cookie: encodeCookie(kind, 5),
      inPort: TRUNK,
      metadata,
      data,
    });
  };

  it('are told to the TDE as they came, and go back into the pipeline so', () => {
    receive('punt', segment(red1, vm3), RED);
    receive('punt', segment(red1, vm3), BLUE);
    const came = [tagged(segment(red1, vm3), TAG.red), tagged(segment(red1, vm3), TAG.blue)];
    expect(told).to.deep.equal(came);
    packetIns.confirmed();
    expect(sent.map((p) => p.frame)).to.deep.equal(came);
  });

  it('keep a tag they have inside', () => {
    receive('punt', tagged(segment(red1, vm3), TAG.blue), RED);
    expect(told).to.deep.equal([tagged(tagged(segment(red1, vm3), TAG.blue), TAG.red)]);
  });

  it('are openers or not whatever their tag', () => {
    receive('gate', segment(red1, vm3, TCP_FLAGS.syn), RED);
    receive('gate', segment(red1, vm3), RED);
    expect(held).to.deep.equal(['5 opener', '5 other']);
    expect(sent.map((p) => p.frame.readUInt16BE(14))).to.deep.equal([TAG.red, TAG.red]);
  });

  it('of no VN are shown to the TDE and kept nowhere', () => {
    const stray = tagged(ethernet({ dst: vm3.mac, src: red1.mac }, 0x0800, Buffer.alloc(46)), 4000);
    receive('stray', stray, 0);
    packetIns.confirmed();
    expect([told, sent]).to.deep.equal([[stray], []]);
    expect(packetIns.stats.stray).to.equal(1);
  });
});
