import { expect } from 'chai';
import fc from 'fast-check';
import { WireError } from '../../src/base/errors.ts';
import type { IpAddress } from '../../src/base/ids.ts';
import { decodeArp, encodeArp } from '../../src/packet/arp.ts';
import { transportChecksum } from '../../src/packet/checksum.ts';
import { decodeDhcp, encodeDhcp, type Dhcp } from '../../src/packet/dhcp.ts';
import { decodeEthernet, encodeEthernet } from '../../src/packet/ethernet.ts';
import { formatIpv4, formatIpv6, parseIp } from '../../src/packet/fields.ts';
import { decodeIcmp, decodeIcmpv6, encodeIcmp, encodeIcmpv6 } from '../../src/packet/icmp.ts';
import { decodeIpv4, encodeIpv4 } from '../../src/packet/ipv4.ts';
import { decodeIpv6, encodeIpv6, upperLayer } from '../../src/packet/ipv6.ts';
import { announcementOf, decodeAnnouncement, encodeAnnouncement } from '../../src/packet/lldp-announce.ts';
import { decodeLldp, encodeLldp, type LldpTlv } from '../../src/packet/lldp.ts';
import { decodeNd, encodeNd, type Nd, type NdOption } from '../../src/packet/nd.ts';
import { decodeProbe, encodeProbe, type ProbeKind } from '../../src/packet/probe.ts';
import { decodeTcp, encodeTcp } from '../../src/packet/tcp.ts';
import { decodeUdp, encodeUdp } from '../../src/packet/udp.ts';
import { formatMac } from '../../src/wire/codec.ts';

const blob = (min: number, max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((b) => Buffer.from(b));
const words = (max: number): fc.Arbitrary<Buffer> =>
  fc.array(blob(4, 4), { maxLength: max }).map((parts) => Buffer.concat(parts));
const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const macs = blob(6, 6).map(formatMac);
const ipv4 = blob(4, 4).map(formatIpv4);
const ipv6 = fc.oneof(
  blob(16, 16).map(formatIpv6),
  fc
    .array(fc.constantFrom('0000', '0001', 'fe80'), { minLength: 8, maxLength: 8 })
    .map((g) => formatIpv6(Buffer.from(g.join(''), 'hex'))),
);
const text = fc.string({ maxLength: 60, unit: 'grapheme' });

/** What is read from what was written is what was to be written. */
function roundTrips<T>(values: fc.Arbitrary<T>, write: (v: T) => Buffer, read: (b: Buffer) => unknown): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(read(write(value))).to.deep.equal(value);
    }),
  );
}

describe('packets survive writing and reading', () => {
  it('addresses', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (address: IpAddress) => {
        const raw = parseIp(address);
        expect(raw.length === 4 ? formatIpv4(raw) : formatIpv6(raw)).to.equal(address);
      }),
    );
  });

  it('Ethernet, tagged or not', () => {
    const vlan = fc.record({
      vid: fc.integer({ min: 0, max: 4095 }),
      priority: fc.integer({ min: 0, max: 7 }),
      dropEligible: fc.boolean(),
    });
    roundTrips(
      fc.record({
        destination: macs,
        source: macs,
        vlan: fc.option(vlan, { nil: null }),
        etherType: u16.filter((t) => t !== 0x8100),
        payload: blob(0, 80),
      }),
      encodeEthernet,
      decodeEthernet,
    );
  });

  it('ARP and RARP', () => {
    roundTrips(
      fc.record({ operation: u16, senderMac: macs, senderIp: ipv4, targetMac: macs, targetIp: ipv4 }),
      encodeArp,
      decodeArp,
    );
  });

  it('IPv4 with options', () => {
    roundTrips(
      fc.record({
        typeOfService: u8,
        identification: u16,
        dontFragment: fc.boolean(),
        moreFragments: fc.boolean(),
        fragmentOffset: fc.integer({ min: 0, max: 0x1fff }),
        ttl: u8,
        protocol: u8,
        source: ipv4,
        destination: ipv4,
        options: words(10),
        payload: blob(0, 80),
      }),
      encodeIpv4,
      decodeIpv4,
    );
  });

  it('IPv6', () => {
    roundTrips(
      fc.record({
        trafficClass: u8,
        flowLabel: fc.integer({ min: 0, max: 0xfffff }),
        nextHeader: u8,
        hopLimit: u8,
        source: ipv6,
        destination: ipv6,
        payload: blob(0, 80),
      }),
      encodeIpv6,
      decodeIpv6,
    );
  });

  it('TCP and UDP, whose checksums are then right over either pseudo-header', () => {
    const pairs = fc.oneof(
      fc.record({ source: ipv4, destination: ipv4 }),
      fc.record({ source: ipv6, destination: ipv6 }),
    );
    const tcp = fc.record({
      sourcePort: u16,
      destinationPort: u16,
      sequence: u32,
      acknowledgment: u32,
      flags: u8,
      window: u16,
      urgentPointer: u16,
      options: words(10),
      payload: blob(0, 81),
    });
    const udp = fc.record({ sourcePort: u16, destinationPort: u16, payload: blob(0, 81) });
    fc.assert(
      fc.property(pairs, tcp, udp, (pair, segment, datagram) => {
        const t = encodeTcp(segment, pair);
        const u = encodeUdp(datagram, pair);
        expect(decodeTcp(t)).to.deep.equal(segment);
        expect(decodeUdp(u)).to.deep.equal(datagram);
        expect([transportChecksum(6, pair, t), transportChecksum(17, pair, u)]).to.deep.equal([0, 0]);
      }),
    );
  });

  it('ICMP and ICMPv6', () => {
    const message = fc.record({ type: u8, code: u8, body: blob(4, 80) });
    roundTrips(message, encodeIcmp, decodeIcmp);
    fc.assert(
      fc.property(message, ipv6, ipv6, (icmp, source, destination) => {
        const pair = { source, destination };
        expect(decodeIcmpv6(encodeIcmpv6(icmp, pair), pair)).to.deep.equal(icmp);
      }),
    );
  });

  it('Neighbor Discovery with options', () => {
    const option: fc.Arbitrary<NdOption> = fc.oneof(
      fc.record({ type: fc.constant('source-link-layer' as const), mac: macs }),
      fc.record({ type: fc.constant('target-link-layer' as const), mac: macs }),
      fc.record({ type: fc.constant('mtu' as const), mtu: u32 }),
      fc.record({
        type: fc.constant('prefix' as const),
        prefix: ipv6,
        prefixLength: u8,
        onLink: fc.boolean(),
        autonomous: fc.boolean(),
        validSeconds: u32,
        preferredSeconds: u32,
      }),
      fc.record({
        type: fc.constant('unknown' as const),
        optionType: fc.integer({ min: 6, max: 255 }),
        value: blob(6, 6),
      }),
    );
    const options = fc.array(option, { maxLength: 4 });
    const nd: fc.Arbitrary<Nd> = fc.oneof(
      fc.record({ type: fc.constant('router-solicitation' as const), options }),
      fc.record({ type: fc.constant('neighbor-solicitation' as const), target: ipv6, options }),
      fc.record({
        type: fc.constant('neighbor-advertisement' as const),
        router: fc.boolean(),
        solicited: fc.boolean(),
        override: fc.boolean(),
        target: ipv6,
        options,
      }),
      fc.record({
        type: fc.constant('router-advertisement' as const),
        hopLimit: u8,
        managed: fc.boolean(),
        otherConfiguration: fc.boolean(),
        lifetimeSeconds: u16,
        reachableMs: u32,
        retransmitMs: u32,
        options,
      }),
    );
    fc.assert(
      fc.property(nd, (message) => {
        expect(decodeNd(encodeNd(message))).to.deep.equal(message);
      }),
    );
  });

  it('DHCP', () => {
    const option = fc.record({ code: fc.integer({ min: 1, max: 254 }), value: blob(0, 20) });
    const dhcp: fc.Arbitrary<Dhcp> = fc.record({
      operation: fc.constantFrom(1 as const, 2 as const),
      transactionId: u32,
      clientMac: macs,
      clientAddress: ipv4,
      yourAddress: ipv4,
      serverAddress: ipv4,
      relayAddress: ipv4,
      broadcast: fc.boolean(),
      options: fc.array(option, { maxLength: 5 }),
    });
    roundTrips(dhcp, encodeDhcp, decodeDhcp);
  });

  it('LLDP with any optional TLVs', () => {
    const id = fc.record({ subtype: u8, value: blob(1, 255) });
    const tlv: fc.Arbitrary<LldpTlv> = fc.oneof(
      fc.record({
        type: fc.constantFrom('port-description' as const, 'system-name' as const, 'system-description' as const),
        text,
      }),
      fc.record({ type: fc.constant('system-capabilities' as const), capabilities: u16, enabled: u16 }),
      fc.record({ type: fc.constant('management-address' as const), value: blob(9, 40) }),
      fc.record({
        type: fc.constant('organization' as const),
        oui: fc.integer({ min: 0, max: 0xffffff }),
        subtype: u8,
        value: blob(0, 507),
      }),
      fc.record({
        type: fc.constant('unknown' as const),
        tlvType: fc.integer({ min: 9, max: 126 }),
        value: blob(0, 511),
      }),
    );
    roundTrips(
      fc.record({ chassisId: id, portId: id, ttlSeconds: u16, optional: fc.array(tlv, { maxLength: 6 }) }),
      encodeLldp,
      decodeLldp,
    );
  });

  it('probes', () => {
    const kind = fc.constantFrom<ProbeKind>('path-probe', 'marker', 'learning');
    fc.assert(
      fc.property(kind, fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }), (probe, nonce) => {
        expect(decodeProbe(encodeProbe({ probe, nonce }))).to.deep.equal({ probe, nonce, hmac: null });
      }),
    );
  });
});

describe('noise raises WireError or nothing', () => {
  const pair = { source: 'fe80::1' as IpAddress, destination: 'ff02::1' as IpAddress };
  const readers: Record<string, (b: Buffer) => unknown> = {
    ethernet: decodeEthernet,
    arp: decodeArp,
    ipv4: decodeIpv4,
    ipv6: (b) => upperLayer(decodeIpv6(b)),
    tcp: decodeTcp,
    udp: decodeUdp,
    icmp: decodeIcmp,
    icmpv6: (b) => decodeIcmpv6(b, pair),
    nd: (b) => decodeNd({ type: 133 + ((b[0] ?? 0) % 4), code: 0, body: b }),
    dhcp: decodeDhcp,
    lldp: (b) => announcementOf(decodeLldp(b)),
    probe: decodeProbe,
  };
  const onlyWireError = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      expect(error).to.be.instanceOf(WireError);
    }
  };
  for (const [name, read] of Object.entries(readers)) {
    it(name, () => {
      fc.assert(
        fc.property(blob(0, 300), (data) => {
          onlyWireError(() => read(data));
        }),
        { numRuns: 300 },
      );
    });
  }

  it('a damaged announcement', () => {
    const address = formatMac(Buffer.from('020000000001', 'hex'));
    const whole = encodeAnnouncement({
      stateHost: 'fw1',
      portName: 'p',
      portMac: address,
      key: Buffer.alloc(32),
      wallMs: 1,
      srcMac: address,
    });
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), u8, (length, at, value) => {
        const damaged = Buffer.from(whole);
        damaged[at] = value;
        onlyWireError(() => decodeAnnouncement(damaged.subarray(0, length)));
      }),
      { numRuns: 500 },
    );
  });
});
