import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askCapture } from '../../../src/lab/capture.ts';
import { addressKey, isFlowPacket, readCaptureFile, type CapturedPacket } from '../../../src/lab/capture-file.ts';
import { compareListings, flowKey, parseConntrackListing } from '../../../src/lab/conntrack-listing.ts';
import { compareAtLift, entriesBornSince, parseDetails, type FirewallListing } from '../../../src/lab/oracle.ts';
import { parsePingLine, unansweredPings } from '../../../src/lab/ping-log.ts';
import { hex, pcap, TCP4 } from './pcap.ts';

/** VLAN 102, IPv6 UDP fd00::1 port 7003 > fd00::3 port 7003. */
const UDP6 = hex(`02534600020302534600020181000066 86dd
  6000000000081140 fd000000000000000000000000000001 fd000000000000000000000000000003 1b5b1b5b00080000`);
/** VLAN 101, neighbour solicitation from fd00::1. */
const ND = hex(`3333ff00000302534600010181000065 86dd
  6000000000183aff fd000000000000000000000000000001 ff0200000000000000000001ff000003 8700000000000000fd000000000000000000000000000003`);

describe('capture files', () => {
  let folder = '';
  let file = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stateferry-pcap-'));
    file = join(folder, 'x.pcap');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it('give time, VLAN, addresses, ports and flags of each IP packet', () => {
    writeFileSync(file, pcap([[1_700_000_000_123.456, TCP4], [1_700_000_000_200, UDP6]])); // prettier-ignore
    const seen: CapturedPacket[] = [];
    expect(readCaptureFile(file, (p) => seen.push(p))).to.equal(2);
    expect(seen[0]?.atMs).to.be.closeTo(1_700_000_000_123.456, 0.001);
    expect(seen[0]).to.include({ vlan: 101, protocol: 6, sourcePort: 7000, destinationPort: 20_000, flags: 0x10 });
    expect(seen[0]?.source).to.equal(addressKey('10.0.0.3'));
    expect(seen[1]).to.include({ vlan: 102, protocol: 17, sourcePort: 7003, source: addressKey('fd00::1') });
  });

  it('end where a killed tcpdump left them', () => {
    const whole = pcap([[1000, TCP4], [2000, TCP4]]); // prettier-ignore
    writeFileSync(file, whole.subarray(0, whole.length - 10));
    expect(readCaptureFile(file, () => undefined)).to.equal(1);
  });

  it('agree with tcpdump about the same file', function () {
    writeFileSync(file, pcap([[1000, TCP4], [2000, UDP6], [3000, ND]])); // prettier-ignore
    let text: string;
    try {
      text = execFileSync('tcpdump', ['-n', '-e', '-tt', '-r', file], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    } catch {
      this.skip();
    }
    expect(text).to.match(/1\.000000 .*vlan 101.*10\.0\.0\.3\.7000 > 10\.0\.0\.1\.20000: Flags \[\.\]/);
    expect(text).to.match(/2\.000000 .*vlan 102.*fd00::1\.7003 > fd00::3\.7003/);
    expect(text).to.match(/3\.000000 .*neighbor solicitation/);
  });

  it('answer whether a flow packet came too early; neighbour discovery and other tenants are none', () => {
    writeFileSync(file, pcap([[1000, ND], [1500, UDP6], [2000, TCP4], [3000, TCP4]])); // prettier-ignore
    const ask = (fromMs: number, toMs: number, vlan = 101) =>
      askCapture([file], [{ vlan, addresses: ['10.0.0.1', 'fd00::1'], fromMs, toMs }])[0];
    expect(ask(500, 1900)).to.deep.equal({ before: 0, firstMs: 2000 });
    expect(ask(500, 2500)).to.deep.equal({ before: 1, firstMs: 2000 });
    expect(ask(2500, 2600)).to.deep.equal({ before: 0, firstMs: 3000 });
    expect(ask(500, 1900, 102)).to.deep.equal({ before: 1, firstMs: 1500 });
  });

  it('know a flow packet from neighbour discovery', () => {
    const seen: boolean[] = [];
    writeFileSync(file, pcap([[1, TCP4], [2, UDP6], [3, ND]])); // prettier-ignore
    readCaptureFile(file, (p) => seen.push(isFlowPacket(p)));
    expect(seen).to.deep.equal([true, true, false]);
  });
});

const LISTING = `ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.3 sport=20000 dport=7000 src=10.0.0.3 dst=10.0.0.1 sport=7000 dport=20000 [ASSURED] mark=65637 zone=101 use=1
ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.3 sport=20000 dport=7000 src=10.0.0.3 dst=10.0.0.1 sport=7000 dport=20000 [ASSURED] mark=65638 zone=102 use=1
ipv6     10 udp      17 99 src=fd00::1 dst=fd00::3 sport=7003 dport=7003 [UNREPLIED] src=fd00::3 dst=fd00::1 sport=7003 dport=7003 mark=0 zone=101 use=1
ipv4     2 icmp     1 29 src=10.0.0.3 dst=10.0.0.1 type=8 code=0 id=77 src=10.0.0.1 dst=10.0.0.3 type=0 code=0 id=77 mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 4 flow entries have been shown.`;

describe('conntrack listings', () => {
  const entries = parseConntrackListing(LISTING);

  it('give every entry with its original tuple, state, timeout, mark and zone', () => {
    expect(entries).to.have.length(4);
    expect(entries[0]).to.deep.include({
      state: 'ESTABLISHED',
      timeoutS: 431_999,
      mark: 65_637,
      zone: 101,
      assured: true,
    });
    expect(entries[2]).to.deep.include({ family: 'ipv6', protocol: 'udp', state: null, unreplied: true });
    expect(entries.map(flowKey)).to.deep.equal([
      'tcp 10.0.0.1 20000 > 10.0.0.3 7000',
      'tcp 10.0.0.1 20000 > 10.0.0.3 7000',
      'udp fd00::1 7003 > fd00::3 7003',
      'icmp 10.0.0.3 0 > 10.0.0.1 77',
    ]);
  });

  it('agree when a moved entry is the same in its zone, with a timeout within 2 s', () => {
    const [mine] = entries;
    const moved = { ...mine!, zone: 1101, timeoutS: 431_997 };
    expect(compareListings([mine!], [moved, entries[1]!], 1101)).to.deep.equal([]);
  });

  it('differ in each attribute by itself, and in a missing entry', () => {
    const [mine] = entries;
    const what = (change: object, idle: readonly number[] = []): readonly string[] =>
      compareListings([mine!], [{ ...mine!, ...change }], 101, new Set(idle)).map((d) => d.what);
    expect(what({ state: 'CLOSE_WAIT' })).to.deep.equal(['state']);
    expect(what({ mark: 0 })).to.deep.equal(['mark']);
    expect(what({ assured: false })).to.deep.equal(['assured']);
    expect(what({ timeoutS: 431_996 })).to.deep.equal(['timeout']);
    expect(what({ timeoutS: 299 })).to.deep.equal([]);
    expect(what({ timeoutS: 299 }, [20_000])).to.deep.equal(['timeout']);
    expect(what({ sourcePort: 1 })).to.deep.equal(['missing']);
    expect(what({ zone: 102 })).to.deep.equal(['missing']);
  });
});

const NO_PORTS: ReadonlySet<number> = new Set();

describe('comparison at the lift', () => {
  const detail = (change: object = {}) => ({
    flow: 'tcp 10.0.0.1 20000 > 10.0.0.3 7000',
    zone: 101,
    state: 3,
    scales: [7, 9] as const,
    flags: [0x23, 0x23] as const,
    labels: '02000000000000000000000000000000',
    mark: 65_637,
    ...change,
  });
  const listing = (details: FirewallListing['details'], zone = 101): FirewallListing => ({
    firewall: 'FW',
    zone,
    entries: parseConntrackListing(LISTING),
    details,
  });

  it('accepts what was at the source, made liberal', () => {
    const result = compareAtLift(listing([detail()]), listing([detail({ flags: [0x0b, 0x0b] })]), NO_PORTS);
    expect(result).to.deep.equal({ compared: 1, listed: [], details: [], strictMoved: 0 });
  });

  it('names a lost window scale, lost flags, lost labels, and counts a strict moved entry', () => {
    const there = (change: object) => compareAtLift(listing([detail()]), listing([detail(change)]), NO_PORTS);
    expect(there({ scales: [0, 0] }).details[0]).to.contain('window scales 7/9 became 0/0');
    expect(there({ flags: [0x08, 0x08] }).details[0]).to.contain('flags 3/3 became 0/0');
    expect(there({ flags: [0x0b, 0x0b], labels: '' }).details[0]).to.contain('labels');
    expect(there({}).strictMoved).to.equal(1);
  });

  it('knows the entries born since, which have to be strict', () => {
    const atLift = [listing([detail()]), listing([detail(), detail({ flow: 'closed at the source already' })])];
    const born = (flags: readonly number[]) => detail({ flow: 'tcp 10.0.0.3 40000 > 10.0.0.1 7002', flags });
    const later = (flags: readonly number[]) =>
      entriesBornSince(
        atLift,
        listing([detail({ flags: [0x0b, 0x0b] }), born(flags), detail({ flow: 'b', zone: 102 })]),
      );
    expect(later([0x03, 0x03])).to.deep.equal({ newEntries: 1, liberalNew: [] });
    expect(later([0x0b, 0x03])).to.deep.equal({
      newEntries: 1,
      liberalNew: ['tcp 10.0.0.3 40000 > 10.0.0.1 7002, TCP state 3'],
    });
  });

  it('reads what the ctnetlink reader prints', () => {
    expect(parseDetails(`${JSON.stringify(detail())}\n\n`)).to.deep.equal([JSON.parse(JSON.stringify(detail()))]);
  });
});

describe('ping log', () => {
  it('gives the send time of each answered request', () => {
    expect(parsePingLine('[1700000000.500000] 64 bytes from 10.0.0.1: icmp_seq=7 ttl=64 time=20.0 ms')).to.deep.equal({
      sequence: 7,
      sentMs: 1_700_000_000_480,
      rttMs: 20,
    });
    expect(parsePingLine('[1700000000.5] 64 bytes from fd00::1: icmp_seq=8 ttl=64 time=0.5 ms')?.sequence).to.equal(8);
    expect(parsePingLine('PING 10.0.0.1 (10.0.0.1) 56(84) bytes of data.')).to.equal(null);
    expect(parsePingLine('[1700000000.5] From 10.0.0.3 icmp_seq=9 Destination Host Unreachable')).to.equal(null);
  });

  it('knows when the unanswered ones were sent, also where the 16 bit number turns over', () => {
    const reply = (sequence: number, sentMs: number) => ({ sequence, sentMs, rttMs: 1 });
    expect(unansweredPings([reply(1, 0), reply(2, 20), reply(5, 80), reply(6, 100)])).to.deep.equal([40, 60]);
    expect(unansweredPings([reply(65_534, 0), reply(65_535, 20), reply(1, 60)])).to.deep.equal([40]);
    expect(unansweredPings([reply(1, 0), reply(3, 40), reply(2, 20)])).to.deep.equal([]);
  });
});
