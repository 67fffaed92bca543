import { expect } from 'chai';
import { dpid, ipAddress, mac, portNo, vnid, type IpAddress, type Vnid } from '../../../src/base/ids.ts';
import { decodeEthernet } from '../../../src/packet/ethernet.ts';
import { completeChecksum } from '../../../src/packet/complete-checksum.ts';
import { transportChecksum } from '../../../src/packet/checksum.ts';
import { decodeIpv4 } from '../../../src/packet/ipv4.ts';
import { refusedPacket } from '../../../src/som/refused-packet.ts';
import type { KnownWorld } from '../../../flows/world.ts';

/** 10.0.0.1:4000 > 10.0.0.3:80, SYN; the checksum is left to a network card. */
const SYN = Buffer.from(
  '4500002800004000400626cd0a0000010a000003' + '0fa000500000000100000000500220000000' + '0000',
  'hex',
);
const [RED, BLUE] = [vnid(1), vnid(2)];
const NVE2 = dpid('2');

const [VM, PEER] = [ipAddress('10.0.0.1'), ipAddress('10.0.0.3')];
const of = (inVn: Vnid, peers: readonly IpAddress[] | null = [PEER]) => ({ vnid: inVn, vm: [VM], peers });

const vm = (serial: number, inVn: typeof RED, ip: string, at: number | null) => ({
  serial,
  vnid: inVn,
  mac: mac(`02:00:00:00:0${inVn}:0${serial}`),
  addresses: [ipAddress(ip)],
  at: at === null ? null : { nve: NVE2, port: portNo(at) },
  lastAt: null,
});

const world = (senderAt: number | null): KnownWorld => ({
  nves: [
    {
      dpid: NVE2,
      ports: [
        { no: portNo(1), name: 'red', role: { kind: 'vap', vns: [{ vnid: RED, tag: null }] } },
        { no: portNo(2), name: 'trunk', role: { kind: 'vap', vns: [{ vnid: BLUE, tag: 20 }] } },
      ],
    },
  ],
  vns: [],
  routes: [],
  vms: [
    vm(1, RED, '10.0.0.1', senderAt),
    vm(3, RED, '10.0.0.3', 1),
    vm(1, BLUE, '10.0.0.1', 2),
    vm(3, BLUE, '10.0.0.3', 2),
  ],
});

describe('a packet that a gate refused', () => {
  it('is its sender’s frame again, where the sender is now', () => {
    const held = refusedPacket(world(1), of(RED), SYN);
    expect(held).to.include({ nve: NVE2, inPort: 1 });
    const frame = decodeEthernet(held!.frame);
    expect(frame).to.include({
      source: '02:00:00:00:01:01',
      destination: '02:00:00:00:01:03',
      etherType: 0x0800,
      vlan: null,
    });
    expect(frame.payload.equals(SYN)).to.equal(true);
  });

  it('is of its own tenant, and carries the tag its VAP needs', () => {
    const frame = decodeEthernet(refusedPacket(world(1), of(BLUE), SYN)!.frame);
    expect(frame).to.include({ source: '02:00:00:00:02:01', destination: '02:00:00:00:02:03' });
    expect(frame.vlan?.vid).to.equal(20);
  });

  it('goes nowhere while its sender is between two places, from or to a stranger, or when it is no IP packet', () => {
    expect(refusedPacket(world(null), of(RED), SYN)).to.equal(null);
    expect(refusedPacket(world(1), of(vnid(9)), SYN)).to.equal(null);
    for (const bytes of [Buffer.alloc(0), Buffer.from([0x45]), Buffer.alloc(60), Buffer.alloc(60, 0x6f)]) {
      expect(refusedPacket(world(1), of(RED, null), bytes)).to.equal(null);
    }
  });

  it('is of the flows that the agent was asked for, in either direction, and of no other', () => {
    const selectors = {
      'any peer': of(RED, null),
      'the other end': { vnid: RED, vm: [PEER], peers: [VM] },
      'another peer': of(RED, [ipAddress('10.0.0.9')]),
      'another VM': { vnid: RED, vm: [ipAddress('10.0.0.9')], peers: null },
    };
    const taken = Object.entries(selectors).filter(([, selector]) => refusedPacket(world(1), selector, SYN) !== null);
    expect(taken.map(([name]) => name)).to.deep.equal(['any peer', 'the other end']);
  });

  it('has its checksum again; cut ones and fragments are not sent on', () => {
    const ip = decodeIpv4(completeChecksum(SYN)!);
    expect(transportChecksum(6, ip, ip.payload)).to.equal(0);
    expect(completeChecksum(SYN.subarray(0, 30))).to.equal(null);
    const fragment = Buffer.from(SYN);
    fragment.writeUInt16BE(0x2000, 6);
    expect(completeChecksum(fragment)).to.equal(null);
    for (let length = 0; length < SYN.length; length += 1)
      expect(completeChecksum(SYN.subarray(0, length))).to.equal(null);
  });
});
