import { expect } from 'chai';
import { ipAddress, mac } from '../../../src/base/ids.ts';
import { decodeArp, encodeArp, isGratuitousArp } from '../../../src/packet/arp.ts';
import { transportChecksum } from '../../../src/packet/checksum.ts';
import { decodeDhcp, dhcpMessageType, DHCP_MESSAGE } from '../../../src/packet/dhcp.ts';
import { decodeEthernet, encodeEthernet, ETHER_TYPE, isGroupMac } from '../../../src/packet/ethernet.ts';
import { formatIpv6, parseIp, parseIpv6 } from '../../../src/packet/fields.ts';
import { decodeIcmp, decodeIcmpv6, encodeIcmp, encodeIcmpv6 } from '../../../src/packet/icmp.ts';
import { decodeIpv4, encodeIpv4, IP_PROTOCOL } from '../../../src/packet/ipv4.ts';
import { decodeIpv6, encodeIpv6, isLinkLocal, solicitedNode, upperLayer } from '../../../src/packet/ipv6.ts';
import { decodeLldp, encodeLldp, organizationTlv } from '../../../src/packet/lldp.ts';
import { decodeNd, encodeNd } from '../../../src/packet/nd.ts';
import { decodeProbe, encodeProbe, encodeProbeFrame, verifyProbe } from '../../../src/packet/probe.ts';
import { decodeTcp, encodeTcp, TCP_FLAG } from '../../../src/packet/tcp.ts';
import { decodeUdp, encodeUdp } from '../../../src/packet/udp.ts';
import * as frames from './frames.ts';

const vm1 = mac('02:00:00:00:00:01');

describe('packets another implementation wrote', () => {
  it('ARP in an 802.1Q tag is read and written back byte for byte', () => {
    const eth = decodeEthernet(frames.arpRequestInVlan101);
    expect(eth.vlan).to.deep.equal({ vid: 101, priority: 5, dropEligible: false });
    const arp = decodeArp(eth.payload);
    expect(arp.operation).to.equal(1);
    expect(arp.senderIp).to.equal(ipAddress('10.0.0.1'));
    expect(arp.targetIp).to.equal(ipAddress('10.0.0.3'));
    expect(encodeEthernet({ ...eth, payload: encodeArp(arp) })).to.deep.equal(frames.arpRequestInVlan101);
  });

  it('RARP as QEMU sends it names the MAC and no address', () => {
    const eth = decodeEthernet(frames.rarpOfQemu);
    expect(eth.etherType).to.equal(ETHER_TYPE.rarp);
    const rarp = decodeArp(eth.payload);
    expect(rarp).to.include({ operation: 3, senderMac: '52:54:00:12:34:56', senderIp: '0.0.0.0' });
    expect(isGratuitousArp(rarp)).to.equal(false);
  });

  it('a TCP SYN keeps its options, and both checksums are recomputed the same', () => {
    const eth = decodeEthernet(frames.tcpSyn);
    const ip = decodeIpv4(eth.payload);
    expect(ip).to.include({ dontFragment: true, ttl: 63, protocol: IP_PROTOCOL.tcp, source: '10.0.0.1' });
    const tcp = decodeTcp(ip.payload);
    expect(tcp).to.include({ sourcePort: 40000, destinationPort: 80, sequence: 0x01020304, flags: TCP_FLAG.syn });
    expect(tcp.options.toString('hex')).to.equal('020405b403030701');
    expect(transportChecksum(IP_PROTOCOL.tcp, ip, ip.payload)).to.equal(0);
    const again = encodeIpv4({ ...ip, payload: encodeTcp(tcp, ip) });
    expect(encodeEthernet({ ...eth, payload: again })).to.deep.equal(frames.tcpSyn);
  });

  it('UDP over IPv6 keeps class and flow label, and its checksum is recomputed the same', () => {
    const eth = decodeEthernet(frames.udpOverIpv6);
    const ip = decodeIpv6(eth.payload);
    expect(ip).to.include({ trafficClass: 0x20, flowLabel: 0x12345, hopLimit: 64, source: 'fd00::1' });
    const udp = decodeUdp(upperLayer(ip).payload);
    expect(udp.payload.toString()).to.equal('state');
    const again = encodeIpv6({ ...ip, payload: encodeUdp(udp, ip) });
    expect(encodeEthernet({ ...eth, payload: again })).to.deep.equal(frames.udpOverIpv6);
  });

  it('an ICMP echo is read and written back byte for byte', () => {
    const ip = decodeIpv4(decodeEthernet(frames.icmpEcho).payload);
    const echo = decodeIcmp(ip.payload);
    expect(echo).to.include({ type: 8, code: 0 });
    expect(encodeIcmp(echo)).to.deep.equal(ip.payload);
  });

  it('a neighbor solicitation names its target and the link-layer address of its sender', () => {
    const ip = decodeIpv6(decodeEthernet(frames.neighborSolicitation).payload);
    const icmp = decodeIcmpv6(ip.payload, ip);
    const nd = decodeNd(icmp);
    expect(nd).to.deep.equal({
      type: 'neighbor-solicitation',
      target: 'fd00::3',
      options: [{ type: 'source-link-layer', mac: vm1 }],
    });
    expect(nd === null ? null : encodeIcmpv6(encodeNd(nd), ip)).to.deep.equal(ip.payload);
  });

  it('an unsolicited neighbor advertisement has override and not solicited', () => {
    const ip = decodeIpv6(decodeEthernet(frames.neighborAdvertisement).payload);
    const nd = decodeNd(decodeIcmpv6(ip.payload, ip));
    expect(nd).to.include({ type: 'neighbor-advertisement', solicited: false, override: true, target: 'fd00::3' });
    expect(nd === null ? null : encodeIcmpv6(encodeNd(nd), ip)).to.deep.equal(ip.payload);
  });

  it('a router advertisement keeps its prefix and MTU', () => {
    const ip = decodeIpv6(decodeEthernet(frames.routerAdvertisement).payload);
    const nd = decodeNd(decodeIcmpv6(ip.payload, ip));
    expect(nd).to.include({ type: 'router-advertisement', managed: true, lifetimeSeconds: 1800, reachableMs: 30000 });
    expect(nd?.options).to.deep.equal([
      {
        type: 'prefix',
        prefix: 'fd00::',
        prefixLength: 64,
        onLink: true,
        autonomous: true,
        validSeconds: 86400,
        preferredSeconds: 14400,
      },
      { type: 'mtu', mtu: 1400 },
    ]);
  });

  it('a DHCP ack says which address the server gave to which MAC', () => {
    const ip = decodeIpv4(decodeEthernet(frames.dhcpAck).payload);
    const dhcp = decodeDhcp(decodeUdp(ip.payload).payload);
    expect(dhcp).to.include({ operation: 2, transactionId: 0xdeadbeef, clientMac: vm1, yourAddress: '10.0.0.1' });
    expect(dhcpMessageType(dhcp)).to.equal(DHCP_MESSAGE.ack);
    expect(dhcp.options.map((o) => o.code)).to.deep.equal([53, 54, 51]);
  });

  it("a switch's LLDP is read with every TLV and written back byte for byte", () => {
    const eth = decodeEthernet(frames.lldpOfSwitch);
    const lldp = decodeLldp(eth.payload);
    expect(lldp.chassisId.subtype).to.equal(4);
    expect(lldp.portId.value.toString()).to.equal('eth7');
    expect(lldp.ttlSeconds).to.equal(120);
    expect(lldp.optional.map((t) => t.type)).to.deep.equal([
      'port-description',
      'system-name',
      'system-description',
      'system-capabilities',
      'organization',
    ]);
    expect(organizationTlv(lldp, 0x0080c2, 1)?.toString('hex')).to.equal('0065');
    expect(encodeEthernet({ ...eth, payload: encodeLldp(lldp) })).to.deep.equal(frames.lldpOfSwitch);
  });

  it('the upper layer is found behind hop-by-hop options and a first fragment', () => {
    const ip = decodeIpv6(decodeEthernet(frames.udpBehindExtensionHeaders).payload);
    const upper = upperLayer(ip);
    expect(upper).to.include({ protocol: IP_PROTOCOL.udp, fragmentOffset: 0 });
    expect(decodeUdp(upper.payload)).to.include({ sourcePort: 1, destinationPort: 2 });
  });
});

describe('malformed packets raise WireError that names the field', () => {
  const ip4 = decodeEthernet(frames.tcpSyn).payload;
  const edited = (data: Buffer, at: number, value: number): Buffer => {
    const copy = Buffer.from(data);
    copy[at] = value;
    return copy;
  };
  const cases: readonly [string, () => unknown, RegExp][] = [
    ['a frame that ends in its header', () => decodeEthernet(Buffer.alloc(13)), /TRUNCATED at ethernet.etherType/],
    ['an 802.1Q tag that ends', () => decodeEthernet(frames.arpRequestInVlan101.subarray(0, 16)), /TRUNCATED/],
    [
      'ARP for another protocol',
      () => decodeArp(edited(frames.rarpOfQemu.subarray(14), 2, 9)),
      /BAD_VALUE at arp.protocolType/,
    ],
    ['an IPv4 header checksum that is wrong', () => decodeIpv4(edited(ip4, 8, 1)), /BAD_VALUE at ipv4.checksum/],
    ['IPv4 whose version is 5', () => decodeIpv4(edited(ip4, 0, 0x55)), /BAD_VERSION at ipv4.version/],
    ['IPv4 whose header length is 16', () => decodeIpv4(edited(ip4, 0, 0x44)), /BAD_LENGTH at ipv4.totalLength/],
    ['IPv4 longer than the frame', () => decodeIpv4(edited(ip4, 3, 0xff)), /TRUNCATED at ipv4.payload/],
    [
      'IPv6 whose version is 4',
      () => decodeIpv6(edited(decodeEthernet(frames.udpOverIpv6).payload, 0, 0x40)),
      /BAD_VERSION/,
    ],
    ['TCP whose data offset is 4', () => decodeTcp(edited(ip4.subarray(20), 12, 0x40)), /BAD_LENGTH at tcp.dataOffset/],
    ['UDP whose length is 7', () => decodeUdp(Buffer.from('00010002000700000000', 'hex')), /BAD_LENGTH at udp.length/],
    [
      'ICMP whose checksum is wrong',
      () => decodeIcmp(Buffer.from('0800000000770002', 'hex')),
      /BAD_VALUE at icmp.checksum/,
    ],
    [
      'an ND option of length zero',
      () => decodeNd({ type: 133, code: 0, body: Buffer.from('000000000100', 'hex') }),
      /BAD_LENGTH at nd.option.length/,
    ],
    [
      'LLDP whose first TLV is the port id',
      () => decodeLldp(frames.lldpOfSwitch.subarray(23)),
      /BAD_TYPE at lldp.chassisId/,
    ],
    [
      'LLDP with an empty chassis id',
      () => decodeLldp(Buffer.from('020107040201310602000a0000', 'hex')),
      /BAD_LENGTH at lldp.chassisId/,
    ],
    [
      'LLDP with a second TTL',
      () => decodeLldp(Buffer.from('020207310402073106020001060200010000', 'hex')),
      /BAD_VALUE/,
    ],
    ['LLDP whose TLV is longer than the frame', () => decodeLldp(Buffer.from('02ff0731', 'hex')), /TRUNCATED/],
    ['a probe of another magic', () => decodeProbe(Buffer.alloc(46)), /BAD_VALUE at probe.magic/],
    [
      'a probe of an unknown kind',
      () => decodeProbe(edited(encodeProbe({ probe: 'marker', nonce: 1n }), 5, 9)),
      /BAD_TYPE/,
    ],
    [
      'a signed probe without its HMAC',
      () => decodeProbe(edited(encodeProbe({ probe: 'marker', nonce: 1n }), 6, 1)),
      /TRUNCATED at probe.hmac/,
    ],
    [
      'DHCP without the magic cookie',
      () => decodeDhcp(edited(frames.dhcpAck.subarray(42), 236, 0)),
      /BAD_VALUE at dhcp.magic/,
    ],
    [
      'a DHCP option longer than the packet',
      () => decodeDhcp(edited(frames.dhcpAck.subarray(42), 241, 200)),
      /TRUNCATED at dhcp.option/,
    ],
    ['an IPv4 address that is none', () => parseIp('10.0.0'), /BAD_VALUE/],
    ['an IPv6 address that is none', () => parseIpv6('10.0.0.1'), /BAD_VALUE/],
  ];
  for (const [what, act, message] of cases) {
    it(what, () => {
      expect(act).to.throw(message).with.property('name', 'WireError');
    });
  }
});

describe('small facts about addresses and probes', () => {
  it('IPv6 addresses are printed as RFC 5952 says', () => {
    for (const text of ['2001:db8::1', '2001:db8:0:1:1:1:1:1', '::', '::1', 'fe80::1:0:0:1', '2001:0:0:1::1']) {
      expect(formatIpv6(parseIpv6(text))).to.equal(text);
    }
    expect(formatIpv6(parseIpv6('2001:DB8:0:0:0:0:2:1'))).to.equal('2001:db8::2:1');
  });

  it('fe80::/10 is link-local, fec0:: and fd00:: are not', () => {
    expect(['fe80::1', 'febf::1', 'fec0::1', 'fd00::1'].map((a) => isLinkLocal(ipAddress(a)))).to.deep.equal([
      true,
      true,
      false,
      false,
    ]);
  });

  it('the solicited-node address ends in the last three bytes of the target', () => {
    expect(formatIpv6(solicitedNode(parseIpv6('fd00::12:3456')))).to.equal('ff02::1:ff12:3456');
  });

  it('group MACs are told by the lowest bit of their first byte', () => {
    expect(isGroupMac(mac('01:80:c2:00:00:0e'))).to.equal(true);
    expect(isGroupMac(vm1)).to.equal(false);
  });

  it('a UDP checksum that would be zero is written as all ones', () => {
    const addresses = { source: ipAddress('0.0.0.0'), destination: ipAddress('0.0.0.0') };
    const zero = encodeUdp({ sourcePort: 0, destinationPort: 0, payload: Buffer.from([0xff, 0xda]) }, addresses);
    expect(zero.readUInt16BE(6)).to.equal(0xffff);
  });

  it('a signed probe is verified by its key only, and an unsigned one by none', () => {
    const key = Buffer.alloc(32, 1);
    const probe = decodeProbe(encodeProbe({ probe: 'path-probe', nonce: 0xfedcba9876543210n, key }));
    expect(probe.nonce).to.equal(0xfedcba9876543210n);
    expect(verifyProbe(probe, key)).to.equal(true);
    expect(verifyProbe(probe, Buffer.alloc(32, 2))).to.equal(false);
    expect(verifyProbe({ ...probe, nonce: 1n }, key)).to.equal(false);
    expect(verifyProbe(decodeProbe(encodeProbe({ probe: 'path-probe', nonce: 1n })), key)).to.equal(false);
  });

  it('a probe frame fills the shortest Ethernet frame and is read through the padding', () => {
    const frame = encodeProbeFrame({
      probe: 'learning',
      nonce: 7n,
      source: vm1,
      destination: mac('ff:ff:ff:ff:ff:ff'),
    });
    expect(frame.length).to.equal(60);
    expect(decodeProbe(decodeEthernet(frame).payload)).to.deep.equal({ probe: 'learning', nonce: 7n, hmac: null });
  });
});
