import { expect } from 'chai';
import { ipAddress, mac, type Mac } from '../../../src/base/ids.ts';
import { encodeDhcp } from '../../../src/packet/dhcp.ts';
import { decodeEthernet, encodeEthernet } from '../../../src/packet/ethernet.ts';
import { encodeUdp } from '../../../src/packet/udp.ts';
import { globPattern } from '../../../topology/vaps.ts';
import { arp, at, BLUE, figure1, garp, ipv4, nd, NVE1, NVE2, NVE3, portDesc, rarp, RED } from './network.ts';

const vm1 = mac('02:00:00:00:01:01');
const vm2 = mac('02:00:00:00:01:02');
const server = mac('02:00:00:00:01:fe');

const dhcp = (from: Mac, client: Mac, type: number, transactionId: number, yourAddress: string): Buffer => {
  const pair = { source: ipAddress(type === 5 ? '10.0.0.254' : '0.0.0.0'), destination: ipAddress('10.0.0.99') };
  const payload = encodeDhcp({
    operation: type === 5 ? 2 : 1,
    transactionId,
    clientMac: client,
    clientAddress: ipAddress('0.0.0.0'),
    yourAddress: ipAddress(yourAddress),
    serverAddress: ipAddress('0.0.0.0'),
    relayAddress: ipAddress('0.0.0.0'),
    broadcast: true,
    options: [{ code: 53, value: Buffer.from([type]) }],
  });
  const [sourcePort, destinationPort] = type === 5 ? [67, 68] : [68, 67];
  return ipv4(from, pair.source, 17, encodeUdp({ sourcePort, destinationPort, payload }, pair));
};

describe('a VM is learnt', () => {
  it('with its MAC and VN from any frame of a VAP', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), rarp(vm1));
    expect(net.tde.vms()).to.deep.equal([
      { vnid: RED, mac: vm1, addresses: [], at: at(NVE1, 1), lastAt: at(NVE1, 1), guard: null, lastSeen: net.now },
    ]);
    expect(net.changes).to.include('vm-new');
  });

  it('once for each VN, though MAC and address are the same', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), arp(vm1, '10.0.0.1'));
    net.packetIn(at(NVE2, 2), arp(vm1, '10.0.0.1'));
    expect(net.tde.vms().map((v) => [v.vnid, v.at?.nve, ...v.addresses])).to.deep.equal([
      [RED, NVE1, '10.0.0.1'],
      [BLUE, NVE2, '10.0.0.1'],
    ]);
    expect(net.alarms).to.deep.equal([]);
    expect(net.notifications).to.deep.equal([]);
  });

  it('from an ARP sender, not from an ARP probe of RFC 5227', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), arp(vm1, '0.0.0.0', { target: '10.0.0.1' }));
    expect(net.addressesOf(vm1)).to.deep.equal([]);
    net.packetIn(at(NVE1, 1), garp(vm1, '10.0.0.1'));
    expect(net.addressesOf(vm1)).to.deep.equal(['10.0.0.1']);
  });

  it('from Neighbor Discovery: source of a solicitation, target of DAD, target of an advertisement', () => {
    const net = figure1();
    const option = { type: 'source-link-layer', mac: vm1 } as const;
    net.packetIn(
      at(NVE1, 1),
      nd(vm1, 'fe80::1', { type: 'neighbor-solicitation', target: ipAddress('fe80::9'), options: [option] }),
    );
    net.packetIn(
      at(NVE1, 1),
      nd(vm1, '::', { type: 'neighbor-solicitation', target: ipAddress('fd00::1'), options: [] }),
    );
    net.packetIn(
      at(NVE1, 1),
      nd(vm1, 'fe80::1', {
        type: 'neighbor-advertisement',
        router: false,
        solicited: false,
        override: true,
        target: ipAddress('fd00::11'),
        options: [],
      }),
    );
    expect(net.addressesOf(vm1)).to.deep.equal(['fd00::1', 'fd00::11', 'fe80::1']);
  });

  it('from the source address of IP packets, so that a restarted controller learns running VMs', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), ipv4(vm1, '10.0.0.1'));
    expect(net.addressesOf(vm1)).to.deep.equal(['10.0.0.1']);
    net.packetIn(at(NVE1, 1), nd(vm1, 'fd00::1', { type: 'router-solicitation', options: [] }));
    expect(net.addressesOf(vm1)).to.deep.equal(['10.0.0.1', 'fd00::1']);
  });

  it('from a DHCP ack that answers its own request, and from no other', () => {
    const net = figure1();
    net.packetIn(at(NVE3, 1), ipv4(server, '10.0.0.254'));
    net.packetIn(at(NVE3, 1), dhcp(server, vm1, 5, 7, '10.0.0.1'));
    net.packetIn(at(NVE1, 1), dhcp(vm1, vm1, 3, 8, '0.0.0.0'));
    net.packetIn(at(NVE3, 1), dhcp(server, vm1, 5, 7, '10.0.0.66'));
    expect(net.addressesOf(vm1)).to.deep.equal([]);
    net.packetIn(at(NVE3, 1), dhcp(server, vm1, 5, 8, '10.0.0.1'));
    net.packetIn(at(NVE3, 1), dhcp(server, vm1, 5, 8, '10.0.0.67'));
    expect(net.addressesOf(vm1)).to.deep.equal(['10.0.0.1']);
  });

  it('never from a fabric port, a State Host port or an unknown one', () => {
    const net = figure1();
    net.portStatus(NVE1, 'add', portDesc(9, 'spare'));
    for (const port of [3, 4, 9]) net.packetIn(at(NVE1, port), garp(vm1, '10.0.0.1'));
    expect(net.tde.vms()).to.deep.equal([]);
    expect(net.tde.snapshot().counters['not-from-vap']).to.equal(3);
  });

  it('never from addresses that no host can have', () => {
    const net = figure1();
    for (const a of ['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255']) net.packetIn(at(NVE1, 1), ipv4(vm1, a));
    expect(net.addressesOf(vm1)).to.deep.equal([]);
  });
});

describe('a frame of a VAP is refused', () => {
  it('when its ARP or ND speaks for another MAC than its own', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), arp(vm1, '10.0.0.2', { sender: vm2 }));
    const option = { type: 'source-link-layer', mac: vm2 } as const;
    net.packetIn(
      at(NVE1, 1),
      nd(vm1, 'fe80::2', { type: 'neighbor-solicitation', target: ipAddress('fe80::9'), options: [option] }),
    );
    expect(net.tde.vms()).to.deep.equal([]);
    expect(net.alarms).to.deep.equal(['source-spoofed']);
    expect(net.tde.snapshot().counters['source-spoofed']).to.equal(2);
  });

  it('when its Neighbor Discovery came through a router (hop limit below 255)', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), nd(vm1, 'fe80::1', { type: 'router-solicitation', options: [] }, { hopLimit: 254 }));
    expect(net.tde.vms()).to.deep.equal([]);
  });

  it('when it is tagged, from a group address, malformed, or from a port nobody knows', () => {
    const net = figure1();
    const before = net.tde.snapshot().counters['unknown-port'] ?? 0;
    const eth = decodeEthernet(garp(vm1, '10.0.0.1'));
    const vlan = { vid: 102, priority: 0, dropEligible: false };
    net.packetIn(at(NVE1, 1), encodeEthernet({ ...eth, vlan }));
    const priorityTag = { vid: 0, priority: 0, dropEligible: false };
    const inner = encodeEthernet({ ...eth, vlan }).subarray(14);
    net.packetIn(at(NVE1, 1), encodeEthernet({ ...eth, vlan: priorityTag, etherType: 0x8100, payload: inner }));
    net.packetIn(at(NVE1, 1), encodeEthernet({ ...eth, source: mac('01:00:00:00:00:01') }));
    net.packetIn(at(NVE1, 1), encodeEthernet({ ...eth, payload: eth.payload.subarray(0, 10) }));
    net.packetIn(at(NVE1, 1), Buffer.alloc(5));
    net.packetIn(at(NVE1, 77), garp(vm1, '10.0.0.1'));
    expect(net.tde.vms()).to.deep.equal([]);
    expect(net.tde.snapshot().counters).to.include({
      'tag-quarantined': 1,
      'tagged-at-vap': 1,
      'group-source': 1,
      malformed: 2,
      'unknown-port': before + 1,
    });
  });

  it('not when its tag only carries a priority', () => {
    const net = figure1();
    const eth = decodeEthernet(garp(vm1, '10.0.0.1'));
    net.packetIn(at(NVE1, 1), encodeEthernet({ ...eth, vlan: { vid: 0, priority: 5, dropEligible: false } }));
    expect(net.where(vm1)).to.equal(`${NVE1}/1`);
  });

  it('when it was still on its way as its port went down', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), garp(vm1, '10.0.0.1'));
    net.portStatus(NVE1, 'modify', portDesc(1, 'red-s1', false));
    net.packetIn(at(NVE1, 1), ipv4(vm1, '10.0.0.1'));
    expect(net.where(vm1)).to.equal(null);
  });
});

describe('addresses', () => {
  it('held by another VM of the VN are refused and alarmed', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), garp(vm1, '10.0.0.1'));
    net.packetIn(at(NVE2, 1), garp(vm2, '10.0.0.1'));
    expect(net.addressesOf(vm2)).to.deep.equal([]);
    expect(net.addressesOf(vm1)).to.deep.equal(['10.0.0.1']);
    expect(net.alarms).to.deep.equal(['address-conflict']);
  });

  it('of a VM in limbo are kept for it during a blackout, and free after the hold', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), garp(vm1, '10.0.0.1'));
    net.portStatus(NVE1, 'delete', portDesc(1, 'red-s1'));
    net.packetIn(at(NVE2, 1), garp(vm2, '10.0.0.1'));
    expect(net.addressesOf(vm2)).to.deep.equal([]);
    net.advance(10_000);
    net.packetIn(at(NVE2, 1), garp(vm2, '10.0.0.1'));
    expect(net.addressesOf(vm2)).to.deep.equal(['10.0.0.1']);
    expect(net.addressesOf(vm1)).to.deep.equal([]);
  });

  it('of one VM, VMs of one VAP and VMs of one VN are bounded', () => {
    const net = figure1({ bounds: { addressesPerVm: 2, vmsPerPort: 3, vmsPerVn: 4 } });
    for (let i = 1; i <= 5; i += 1) net.packetIn(at(NVE1, 1), ipv4(vm1, `10.0.0.${i}`));
    expect(net.addressesOf(vm1)).to.deep.equal(['10.0.0.1', '10.0.0.2']);
    expect(net.alarms).to.deep.equal(['address-bound']);
    for (let i = 1; i <= 5; i += 1) net.packetIn(at(NVE1, 1), rarp(mac(`02:00:00:00:02:0${i}`)));
    for (let i = 1; i <= 5; i += 1) net.packetIn(at(NVE2, 1), rarp(mac(`02:00:00:00:03:0${i}`)));
    expect(net.tde.vms().filter((v) => v.at?.nve === NVE1)).to.have.length(3);
    expect(net.tde.vms()).to.have.length(4);
    expect(net.alarms).to.deep.equal(['address-bound', 'vm-bound', 'vm-bound']);
    net.packetIn(at(NVE3, 2), rarp(vm1));
    expect(net.tde.vms()).to.have.length(5);
  });
});

describe('a VM whose port goes down', () => {
  it('is in limbo, and back with the port before it says anything', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), garp(vm1, '10.0.0.1'));
    net.portStatus(NVE1, 'modify', portDesc(1, 'red-s1', false));
    expect(net.where(vm1)).to.equal(null);
    expect(net.tde.vms()[0]?.lastAt).to.deep.equal(at(NVE1, 1));
    expect(net.changes).to.include('vm-limbo');
    net.portStatus(NVE1, 'modify', portDesc(1, 'red-s1'));
    expect(net.where(vm1)).to.equal(`${NVE1}/1`);
    expect(net.notifications).to.deep.equal([]);
  });

  it('is not back when the port came back with another name', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), garp(vm1, '10.0.0.1'));
    net.portStatus(NVE1, 'modify', portDesc(1, 'red-other'));
    expect(net.where(vm1)).to.equal(null);
  });

  it('leaves its VN when the port becomes a VAP of another', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), garp(vm1, '10.0.0.1'));
    net.portStatus(NVE1, 'modify', portDesc(1, 'blue-new'));
    net.packetIn(at(NVE1, 1), garp(vm1, '10.0.0.1'));
    expect(net.where(vm1, RED)).to.equal(null);
    expect(net.where(vm1, BLUE)).to.equal(`${NVE1}/1`);
  });

  it('is forgotten after the limbo time', () => {
    const net = figure1({ timing: { limboMs: 5000 } });
    net.packetIn(at(NVE1, 1), garp(vm1, '10.0.0.1'));
    net.portStatus(NVE1, 'delete', portDesc(1, 'red-s1'));
    net.advance(5100);
    expect(net.tde.vms()).to.deep.equal([]);
    expect(net.changes).to.include('vm-gone');
  });

  it('stays where it is while only the control connection of its NVE is lost, and is in limbo when the NVE is gone', () => {
    const net = figure1();
    net.packetIn(at(NVE1, 1), garp(vm1, '10.0.0.1'));
    net.input({ kind: 'nveDown', dpid: NVE1 });
    net.advance(5000);
    expect(net.where(vm1)).to.equal(`${NVE1}/1`);
    net.advance(6000);
    expect(net.where(vm1)).to.equal(null);
  });
});

describe('VMs of an earlier life of the controller', () => {
  it('are where they were as soon as their port is seen up', () => {
    const net = figure1();
    const known = { vnid: RED, mac: vm1, addresses: [ipAddress('10.0.0.1')], lastAt: at(NVE1, 1) };
    net.input({ kind: 'restore', vms: [known, { ...known, mac: vm2, addresses: [], lastAt: at(NVE2, 7) }] });
    expect(net.where(vm1)).to.equal(`${NVE1}/1`);
    expect(net.addressesOf(vm1)).to.deep.equal(['10.0.0.1']);
    expect(net.where(vm2)).to.equal(null);
    net.portStatus(NVE2, 'add', portDesc(7, 'red-late'));
    expect(net.where(vm2)).to.equal(`${NVE2}/7`);
  });

  it('that moved meanwhile are noticed by their first frame', () => {
    const net = figure1();
    net.input({
      kind: 'restore',
      vms: [{ vnid: RED, mac: vm1, addresses: [ipAddress('10.0.0.1')], lastAt: at(NVE1, 55) }],
    });
    net.packetIn(at(NVE2, 1), ipv4(vm1, '10.0.0.1'));
    expect(net.notifications[0]).to.include({ oldNve: NVE1, newNve: NVE2 });
  });
});

describe('port name patterns', () => {
  it('know * and ? and take everything else for itself', () => {
    expect(globPattern('s1-vm*').test('s1-vm12')).to.equal(true);
    expect(globPattern('s?-vm').test('s12-vm')).to.equal(false);
    expect(globPattern('tap.[1]').test('tap.[1]')).to.equal(true);
    expect(globPattern('tap.[1]').test('tapx1')).to.equal(false);
  });
});
