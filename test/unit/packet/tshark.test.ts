// tshark as oracle: what we write, Wireshark's dissectors must read as we meant it, checksums included.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ipAddress, mac } from '../../../src/base/ids.ts';
import { encodeArp } from '../../../src/packet/arp.ts';
import { encodeDhcp } from '../../../src/packet/dhcp.ts';
import { encodeEthernet, ETHER_TYPE } from '../../../src/packet/ethernet.ts';
import { encodeIcmp, encodeIcmpv6 } from '../../../src/packet/icmp.ts';
import { encodeIpv4, IP_PROTOCOL } from '../../../src/packet/ipv4.ts';
import { encodeIpv6 } from '../../../src/packet/ipv6.ts';
import { encodeAnnouncement } from '../../../src/packet/lldp-announce.ts';
import { encodeNd, type Nd } from '../../../src/packet/nd.ts';
import { encodeTcp } from '../../../src/packet/tcp.ts';
import { encodeUdp } from '../../../src/packet/udp.ts';

const destination = mac('02:00:00:00:00:03');
const source = mac('02:00:00:00:00:01');
const v4 = { source: ipAddress('10.0.0.1'), destination: ipAddress('10.0.0.3') };
const v6 = { source: ipAddress('fe80::1'), destination: ipAddress('ff02::1') };

const eth = (etherType: number, payload: Buffer, vid: number | null = null): Buffer =>
  encodeEthernet({
    destination,
    source,
    vlan: vid === null ? null : { vid, priority: 3, dropEligible: false },
    etherType,
    payload,
  });
const inIpv4 = (protocol: number, payload: Buffer): Buffer =>
  eth(
    ETHER_TYPE.ipv4,
    encodeIpv4({
      ...v4,
      typeOfService: 0,
      identification: 7,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      ttl: 64,
      protocol,
      options: Buffer.alloc(0),
      payload,
    }),
  );
const inIpv6 = (nd: Nd): Buffer =>
  eth(
    ETHER_TYPE.ipv6,
    encodeIpv6({
      ...v6,
      trafficClass: 0,
      flowLabel: 0,
      nextHeader: IP_PROTOCOL.icmpv6,
      hopLimit: 255,
      payload: encodeIcmpv6(encodeNd(nd), v6),
    }),
  );

function pcap(frames: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65535, 16);
  head.writeUInt32LE(1, 20);
  const records = frames.flatMap((frame) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  });
  return Buffer.concat([head, ...records]);
}

/** One row of fields a frame; the last one lists malformed packets and wrong checksums. */
function dissect(frames: readonly Buffer[], fields: readonly string[]): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'stateferry-pcap-'));
  try {
    const file = join(folder, 'frames.pcap');
    writeFileSync(file, pcap(frames));
    const checks = ['ip', 'tcp', 'udp'].flatMap((p) => ['-o', `${p}.check_checksum:TRUE`]);
    const names = [...fields, '_ws.malformed', '_ws.expert.message'].flatMap((f) => ['-e', f]);
    const out = execFileSync('tshark', ['-r', file, '-T', 'fields', '-E', 'separator=|', ...checks, ...names], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('|'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const FIELDS = [
  'frame.protocols',
  'vlan.id',
  'arp.src.proto_ipv4',
  'ip.checksum.status',
  'tcp.checksum.status',
  'udp.checksum.status',
  'icmp.checksum.status',
  'icmpv6.checksum.status',
  'icmpv6.opt.linkaddr',
  'dhcp.ip.your',
  'lldp.chassis.id',
  'lldp.tlv.system.name',
  'lldp.port.id.mac',
  'lldp.orgtlv.oui',
] as const;

const prefix = {
  type: 'prefix',
  prefix: ipAddress('fd00::'),
  prefixLength: 64,
  onLink: true,
  autonomous: false,
  validSeconds: 60,
  preferredSeconds: 30,
} as const;

const cases: readonly { says: string; frame: Buffer; expects: Partial<Record<(typeof FIELDS)[number], string>> }[] = [
  {
    says: 'ARP in VLAN 102',
    frame: eth(
      ETHER_TYPE.arp,
      encodeArp({
        operation: 1,
        senderMac: source,
        senderIp: v4.source,
        targetMac: mac('00:00:00:00:00:00'),
        targetIp: v4.destination,
      }),
      102,
    ),
    expects: {
      'frame.protocols': 'eth:ethertype:vlan:ethertype:arp',
      'vlan.id': '102',
      'arp.src.proto_ipv4': '10.0.0.1',
    },
  },
  {
    says: 'TCP with an odd payload',
    frame: inIpv4(
      IP_PROTOCOL.tcp,
      encodeTcp(
        {
          sourcePort: 40000,
          destinationPort: 80,
          sequence: 1,
          acknowledgment: 2,
          flags: 0x18,
          window: 500,
          urgentPointer: 0,
          options: Buffer.alloc(0),
          payload: Buffer.from('odd'),
        },
        v4,
      ),
    ),
    expects: { 'ip.checksum.status': '1', 'tcp.checksum.status': '1' },
  },
  {
    says: 'an ICMP echo',
    frame: inIpv4(IP_PROTOCOL.icmp, encodeIcmp({ type: 8, code: 0, body: Buffer.from('00010002aabbcc', 'hex') })),
    expects: { 'ip.checksum.status': '1', 'icmp.checksum.status': '1' },
  },
  {
    says: 'a DHCP ack',
    frame: inIpv4(
      IP_PROTOCOL.udp,
      encodeUdp(
        {
          sourcePort: 67,
          destinationPort: 68,
          payload: encodeDhcp({
            operation: 2,
            transactionId: 1,
            clientMac: source,
            clientAddress: ipAddress('0.0.0.0'),
            yourAddress: ipAddress('10.0.0.9'),
            serverAddress: ipAddress('0.0.0.0'),
            relayAddress: ipAddress('0.0.0.0'),
            broadcast: true,
            options: [{ code: 53, value: Buffer.from([5]) }],
          }),
        },
        v4,
      ),
    ),
    expects: { 'udp.checksum.status': '1', 'dhcp.ip.your': '10.0.0.9' },
  },
  {
    says: 'a neighbor solicitation',
    frame: inIpv6({
      type: 'neighbor-solicitation',
      target: ipAddress('fd00::3'),
      options: [{ type: 'source-link-layer', mac: source }],
    }),
    expects: { 'icmpv6.checksum.status': '1', 'icmpv6.opt.linkaddr': '02:00:00:00:00:01' },
  },
  {
    says: 'a router advertisement',
    frame: inIpv6({
      type: 'router-advertisement',
      hopLimit: 64,
      managed: false,
      otherConfiguration: true,
      lifetimeSeconds: 10,
      reachableMs: 0,
      retransmitMs: 0,
      options: [prefix, { type: 'mtu', mtu: 1400 }],
    }),
    expects: { 'icmpv6.checksum.status': '1' },
  },
  {
    says: "a State Host's announcement",
    frame: encodeAnnouncement({
      stateHost: 'fw1',
      portName: 'left',
      portMac: source,
      key: Buffer.alloc(32, 1),
      wallMs: 1_790_000_000_000,
      srcMac: source,
    }),
    expects: {
      'lldp.chassis.id': '667731',
      'lldp.tlv.system.name': 'fw1',
      'lldp.port.id.mac': '02:00:00:00:00:01',
      'lldp.orgtlv.oui': '152390',
    },
  },
];

describe('tshark reads what we write', function () {
  this.timeout(30_000);
  let rows: string[][] = [];
  before(function () {
    try {
      rows = dissect(
        cases.map((c) => c.frame),
        FIELDS,
      );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      console.log('      skipped: tshark is not installed');
      this.skip();
    }
  });
  cases.forEach(({ says, expects }, index) => {
    it(says, () => {
      const row = rows[index] ?? [];
      for (const [field, value] of Object.entries(expects)) {
        expect(row[FIELDS.indexOf(field as (typeof FIELDS)[number])], field).to.equal(value);
      }
      expect(row[FIELDS.length], 'malformed').to.equal('');
    });
  });
});
