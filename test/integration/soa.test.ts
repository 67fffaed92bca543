// Real connections over two real bridging firewalls: state moved from one agent's kernel to the other's, then the path. Oracles:
// the sockets, `conntrack -L`, and counters of nft rules.

import { expect } from 'chai';
import { mac } from '../../src/base/ids.ts';
import { transportChecksum } from '../../src/packet/checksum.ts';
import { decodeIpv4 } from '../../src/packet/ipv4.ts';
import { encodeProbeFrame } from '../../src/packet/probe.ts';
import { decodeTcp } from '../../src/packet/tcp.ts';
import { Carry } from './netfilter/carry.ts';
import type { Child } from './netfilter/child.ts';
import { CLIENT, type Firewall, missing, SERVER, TwoFirewalls, TENANTS, ZONES } from './netfilter/two-firewalls.ts';

const PORT = 7000;
const VM = { vnid: 5001, vm: [CLIENT.v4, CLIENT.v6], peers: [] };

/** Lines of `conntrack -L` of a zone, without timeout and zone. */
const listing = (lab: TwoFirewalls, fw: Firewall, zone: number): { line: string; timeout: number }[] =>
  lab
    .run(fw, 'conntrack', '-L', '-w', String(zone))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({
      line: line.replace(/^(\S+\s+\d+) \d+/, '$1').replace(/ zone=\d+| use=\d+/g, ''),
      timeout: Number(/^\S+\s+\d+ (\d+)/.exec(line)?.[1]),
    }))
    .sort((a, b) => (a.line < b.line ? -1 : 1));

const zoneOf = (fw: Firewall, tenant: 'a' | 'b'): number => ZONES[fw][tenant === 'a' ? 0 : 1]?.zone ?? 0;

describe('moving connections from one firewall to another', function () {
  this.timeout(60_000);
  let lab: TwoFirewalls;
  let fw1: Child;
  let fw2: Child;
  const clients = {} as Record<'a' | 'b', Child>;
  /** Packets that a test sent to be found invalid. */
  let stray = 0;
  const flows = ['tcp4', 'tcp6', 'udp4', 'udp6'];

  const echo = async (tenant: 'a' | 'b', ...names: string[]): Promise<void> => {
    await Promise.all(names.map((name) => clients[tenant].call('echo', { name, text: `${name}.`, timeoutMs: 5000 })));
  };

  const invalid = (): number[] => [lab.counter('fw1', 'invalid'), lab.counter('fw2', 'invalid')];

  before(async function () {
    const reason = missing();
    if (reason !== null) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    lab = new TwoFirewalls();
    lab.up();
    for (const { name } of TENANTS) {
      const server = lab.child(`${name}3`, './traffic-child.ts');
      await server.call('serve', { port: PORT });
      clients[name] = lab.child(`${name}1`, './traffic-child.ts');
      for (const [i, host] of [SERVER.v4, SERVER.v6].entries()) {
        const v = i === 0 ? '4' : '6';
        await clients[name].call('connect', { name: `tcp${v}`, host, port: PORT, localPort: 40_000, timeoutMs: 5000 });
        await clients[name].call('udp', { name: `udp${v}`, host, port: PORT, localPort: 40_001 + i });
      }
      await echo(name, ...flows);
      lab.run(`${name}1`, 'ping', '-c1', '-W2', SERVER.v4);
      lab.run(`${name}1`, 'ping', '-c1', '-W2', SERVER.v6);
    }
    [fw1, fw2] = await Promise.all([lab.agent('fw1'), lab.agent('fw2')]);
  });

  after(async () => {
    await (lab as TwoFirewalls | undefined)?.down();
  });

  it('registers equal ruleset digests although zones are numbered differently', async () => {
    const [one, two] = await Promise.all(
      [fw1, fw2].map((a) =>
        a.call<{ rulesetDigest: string; dataPorts: { name: string; mac: string }[] }>('registration'),
      ),
    );
    expect(one?.rulesetDigest).to.match(/^[0-9a-f]{64}$/);
    expect(two?.rulesetDigest).to.equal(one?.rulesetDigest);
    const link = JSON.parse(lab.run('fw1', 'ip', '-j', 'link', 'show', 'a-l')) as { address: string }[];
    expect(one?.dataPorts[0]).to.deep.equal({ name: 'a-l', mac: link[0]?.address });
  });

  it('moves TCP, UDP and ICMP of both families, with equal digests and equal listings', async () => {
    const before = listing(lab, 'fw1', 101);
    expect(before).to.have.length(6);
    const carry = new Carry('m-1', fw1, fw2, VM);
    const manifest = await carry.copy();
    const { drained, installed } = await carry.drain();
    expect(manifest.records).to.equal(6n);
    expect(installed.refused).to.be.empty;
    expect(installed.records).to.equal(drained.records);
    expect(installed.digest).to.deep.equal(drained.digest);
    const [source, destination] = [listing(lab, 'fw1', 101), listing(lab, 'fw2', 777)];
    expect(destination.map((d) => d.line)).to.deep.equal(source.map((s) => s.line));
    destination.forEach((d, i) => {
      expect(d.timeout, d.line).to.be.closeTo(source[i]?.timeout ?? 0, 2);
    });
  });

  it('while the gate is closed passes what is established, refuses openers of the selector, and nobody else’s', async () => {
    await echo('a', ...flows);
    const refused = lab.counter('fw1', 'refused', 'stateferry');
    const open = (tenant: 'a' | 'b', name: string): Promise<string> =>
      clients[tenant].call('connect', { name, host: SERVER.v4, port: PORT, timeoutMs: 400 }).then(
        () => 'open',
        () => 'refused',
      );
    expect(await Promise.all([open('a', 'x'), open('b', 'x')])).to.deep.equal(['refused', 'open']);
    expect(lab.counter('fw1', 'refused', 'stateferry')).to.be.greaterThan(refused);
    const handedOver = fw1.refusedPackets.map((packet) => {
      const ip = decodeIpv4(packet);
      return { ip, tcp: decodeTcp(ip.payload) };
    });
    expect(handedOver).to.have.length(lab.counter('fw1', 'refused', 'stateferry') - refused);
    for (const { ip, tcp } of handedOver) {
      expect([ip.source, ip.destination, tcp.destinationPort]).to.deep.equal([CLIENT.v4, SERVER.v4, PORT]);
      expect(transportChecksum(ip.protocol, ip, ip.payload)).to.equal(0);
    }
    expect(listing(lab, 'fw1', 101)).to.have.length(6);
  });

  it('goes on through the other firewall: no packet invalid, none new, labels there', async () => {
    lab.path('a', 'fw2');
    await fw2.call('commit', { migration: 'm-1' });
    await echo('a', ...flows);
    expect(invalid()).to.deep.equal([0, 0]);
    expect(lab.counter('fw2', 'fresh')).to.equal(0);
    expect(lab.counter('fw2', 'labelled')).to.be.greaterThan(0);
  });

  it('is liberal with moved connections only: what is far outside the window passes there, not on a new one', async () => {
    await clients.a.call('connect', {
      name: 'strict',
      host: SERVER.v4,
      port: PORT,
      localPort: 41_000,
      timeoutMs: 2000,
    });
    await echo('a', 'strict');
    lab.strayAck('a', 40_000, PORT);
    expect(lab.counter('fw2', 'invalid')).to.equal(0);
    lab.strayAck('a', 41_000, PORT);
    stray = lab.counter('fw2', 'invalid');
    expect(stray).to.be.greaterThan(0);
    await echo('a', 'tcp4', 'strict');
    await clients.a.call('end', { name: 'strict', how: 'reset' });
  });

  it('retire deletes at the source what was handed over, and nothing of the other tenant', async () => {
    const other = listing(lab, 'fw1', zoneOf('fw1', 'b')).length;
    const done = await fw1.call<{ records: bigint }>('retire', { migration: 'm-1', epoch: 2n });
    expect(done.records).to.equal(6n);
    expect(listing(lab, 'fw1', 101)).to.be.empty;
    expect(listing(lab, 'fw1', 102)).to.have.length(other);
    expect(listing(lab, 'fw2', 778)).to.be.empty;
    await echo('b', ...flows);
  });

  it('comes back, with what happened in between', async () => {
    await clients.a.call('connect', { name: 'later', host: SERVER.v4, port: PORT, timeoutMs: 2000 });
    await clients.a.call('end', { name: 'tcp6', how: 'reset' });
    const carry = new Carry('m-2', fw2, fw1, VM);
    await carry.copy();
    const { drained, installed } = await carry.drain();
    expect(installed.digest).to.deep.equal(drained.digest);
    lab.path('a', 'fw1');
    await fw1.call('commit', { migration: 'm-2' });
    await echo('a', 'tcp4', 'udp4', 'udp6', 'later');
    await fw2.call('retire', { migration: 'm-2', epoch: 3n });
    expect(listing(lab, 'fw2', 777)).to.be.empty;
    expect(invalid()).to.deep.equal([0, stray]);
  });

  it('follows connections that open and close while it copies', async () => {
    const carry = new Carry('m-3', fw1, fw2, VM);
    await carry.copy();
    await clients.a.call('connect', { name: 'new1', host: SERVER.v6, port: PORT, timeoutMs: 2000 });
    await clients.a.call('connect', { name: 'new2', host: SERVER.v4, port: PORT, timeoutMs: 2000 });
    await clients.a.call('end', { name: 'new2', how: 'reset' });
    const { drained, installed } = await carry.drain();
    expect(installed.digest).to.deep.equal(drained.digest);
    lab.path('a', 'fw2');
    await fw2.call('commit', { migration: 'm-3' });
    await echo('a', 'tcp4', 'udp4', 'later', 'new1');
    await fw1.call('retire', { migration: 'm-3', epoch: 4n });
    expect(invalid()).to.deep.equal([0, stray]);
  });

  it('carries a handshake that has no answer yet: the answer comes through the other firewall', async () => {
    lab.path('a', 'fw1'); // nothing of m-3 is left there: begin again with what opens now
    lab.nft('a3', 'table inet slow { chain input { type filter hook input priority 0; tcp dport 7001 drop; }; }');
    const late = lab.child('a3', './traffic-child.ts');
    await late.call('serve', { port: 7001 });
    const connecting = clients.a.call('connect', { name: 'slow', host: SERVER.v4, port: 7001, timeoutMs: 15_000 });
    connecting.catch(() => undefined);
    await lab.until(() => listing(lab, 'fw1', 101).some((l) => l.line.includes('SYN_SENT')));
    const carry = new Carry('m-3b', fw1, fw2, VM);
    await carry.copy();
    const { drained, installed } = await carry.drain(20);
    expect(drained.handshakes).to.have.length(1);
    expect(drained.handshakes[0]).to.match(/^tcp 10\.0\.0\.1:\d+ > 10\.0\.0\.3:7001 SYN_SENT$/);
    expect(installed.digest).to.deep.equal(drained.digest);
    lab.path('a', 'fw2');
    await fw2.call('commit', { migration: 'm-3b' });
    lab.run('a3', 'nft', 'delete', 'table', 'inet', 'slow');
    await connecting;
    await echo('a', 'slow');
    await fw1.call('retire', { migration: 'm-3b', epoch: 5n });
    expect(invalid()).to.deep.equal([0, stray]);
  });

  it('passes the acknowledgement of an answer that only the source saw, before word of it has come', async () => {
    lab.path('a', 'fw1');
    const rule = (ns: 'a1' | 'a3', hook: 'input' | 'output', flags: string): void => {
      lab.nft(
        ns,
        `table inet slow { chain c { type filter hook ${hook} priority 0; tcp dport 7002 tcp flags & (syn|ack) == ${flags} drop; }; }`,
      );
    };
    const late = lab.child('a3', './traffic-child.ts');
    await late.call('serve', { port: 7002 });
    rule('a3', 'input', 'syn');
    const connecting = clients.a.call('connect', { name: 'crossing', host: SERVER.v4, port: 7002, timeoutMs: 15_000 });
    connecting.catch(() => undefined);
    const state = (fw: Firewall): string[] =>
      lab
        .run(fw, 'conntrack', '-L', '-p', 'tcp', '--dport', '7002')
        .match(/SYN_SENT|SYN_RECV|ESTABLISHED|UNREPLIED/g) ?? [];
    await lab.until(() => state('fw1').includes('SYN_SENT'));
    const carry = new Carry('m-3d', fw1, fw2, VM);
    await carry.copy();
    const { drained, installed } = await carry.drain(20);
    expect(installed.digest).to.deep.equal(drained.digest);
    expect([state('fw1'), state('fw2')]).to.deep.equal([
      ['SYN_SENT', 'UNREPLIED'],
      ['SYN_RECV', 'UNREPLIED'],
    ]);
    carry.withhold();
    rule('a1', 'output', 'ack');
    lab.run('a3', 'nft', 'delete', 'table', 'inet', 'slow');
    await connecting; // the answer has crossed fw1
    expect([state('fw1'), state('fw2')]).to.deep.equal([['SYN_RECV'], ['SYN_RECV', 'UNREPLIED']]);
    lab.path('a', 'fw2');
    await fw2.call('commit', { migration: 'm-3d' });
    lab.run('a1', 'nft', 'delete', 'table', 'inet', 'slow');
    await echo('a', 'crossing');
    await carry.release();
    expect(state('fw2')).to.deep.equal(['ESTABLISHED']);
    await fw1.call('retire', { migration: 'm-3d', epoch: 6n });
    expect(invalid()).to.deep.equal([0, stray]);
  });

  it('announces itself on its data ports in LLDP that tshark understands', async function () {
    if (!lab.has('tshark')) this.skip();
    const fields = ['lldp.tlv.system.name', 'lldp.port.desc', 'eth.src'].flatMap((field) => ['-e', field]);
    const captured = lab.start(
      'hub',
      'tshark',
      '-l',
      '-n',
      '-i',
      'fw1bl',
      '-f',
      'ether proto 0x88cc',
      '-c',
      '1',
      '-a',
      'duration:20',
      '-T',
      'fields',
      ...fields,
    );
    await fw1.call('startAnnouncing', Buffer.alloc(32, 7));
    const link = JSON.parse(lab.run('fw1', 'ip', '-j', 'link', 'show', 'b-l')) as { address: string }[];
    expect((await captured).trim().split('\t')).to.deep.equal(['fw1', 'b-l', link[0]?.address]);
  });

  it('quiesces when the markers have come through its data ports, and says how many did not', async () => {
    const marker = (nonce: bigint): Buffer =>
      encodeProbeFrame({
        probe: 'marker',
        nonce,
        source: mac('02:00:00:00:00:09'),
        destination: mac('02:00:00:00:00:08'),
      });
    const wire = lab.child('hub', './sockets-child.ts');
    await wire.call('open', { ports: ['fw2al'] });
    const carry = new Carry('m-3c', fw2, fw1, VM);
    await carry.copy();
    const quiesce = (boundMs: number, ...markers: bigint[]): Promise<{ markersMissing: bigint }> =>
      fw2.call('quiesce', { migration: 'm-3c', boundMs, markers });
    const waiting = quiesce(10_000, 77n);
    await wire.call('send', { port: 'fw2al', frame: marker(77n) });
    expect((await waiting).markersMissing).to.equal(0n);
    expect((await quiesce(20, 77n, 78n)).markersMissing).to.equal(1n);
    for (const agent of [fw1, fw2]) await agent.call('abort', { migration: 'm-3c', reason: 'test' });
  });

  it('refuses at a firewall with another rule', async () => {
    lab.nft('fw1', 'add rule inet filter forward tcp dport 1 drop');
    const failure = await new Carry('m-4', fw2, fw1, VM).copy().then(
      () => undefined,
      (error: unknown) => (error as { reason?: string }).reason,
    );
    expect(failure).to.equal('ruleset-differs');
    await fw2.call('abort', { migration: 'm-4', reason: 'test' });
  });

  const gateSet = (): string => lab.run('fw2', 'nft', 'list', 'set', 'inet', 'stateferry', 'vm4');

  it('an agent that dies with its gate closed: the next one opens it', async () => {
    const carry = new Carry('m-5', fw2, fw1, VM);
    const handle = lab.run('fw1', 'nft', '-a', 'list', 'chain', 'inet', 'filter', 'forward');
    const rule = /dport 1 drop # handle (\d+)/.exec(handle)?.[1] ?? '';
    lab.run('fw1', 'nft', 'delete', 'rule', 'inet', 'filter', 'forward', 'handle', rule);
    await carry.copy();
    lab.run('fw2', 'nft', 'delete', 'table', 'inet', 'stateferry'); // an operator's doing: the gate closes all the same
    await carry.drain();
    expect(gateSet()).to.include(`777 . ${CLIENT.v4}`);
    fw2.kill();
    await fw2.end();
    fw2 = await lab.agent('fw2');
    expect(gateSet()).not.to.include(CLIENT.v4);
    await clients.a.call('connect', { name: 'after', host: SERVER.v4, port: PORT, timeoutMs: 2000 });
    await fw1.call('abort', { migration: 'm-5', reason: 'source died' });
    expect(listing(lab, 'fw1', 101)).to.be.empty;
  });

  it('a gate is renewed while it is meant to be closed, and opens by itself when its agent is dead', async () => {
    const carry = new Carry('m-6', fw2, fw1, VM);
    await carry.copy();
    await carry.drain();
    const expiresMs = (): number => {
      const [, s = '0', ms = '0'] = /expires (?:(\d+)s)?(?:(\d+)ms)?/.exec(gateSet()) ?? [];
      return Number(s) * 1000 + Number(ms);
    };
    let [least, last, renewals] = [Infinity, expiresMs(), 0];
    await lab.until(() => {
      const now = expiresMs();
      if (now > last) renewals += 1;
      [least, last] = [Math.min(least, now), now];
      return renewals === 5;
    });
    expect(least).to.be.greaterThan(1000);
    fw2.kill();
    await fw2.end();
    expect(gateSet()).to.include(CLIENT.v4);
    await lab.until(() => !gateSet().includes(CLIENT.v4), 2500);
    await fw1.call('abort', { migration: 'm-6', reason: 'source died' });
  });

  it('an agent that closes leaves no table behind', async () => {
    await fw1.call('close');
    await fw1.end();
    expect(lab.run('fw1', 'nft', 'list', 'tables')).not.to.include('stateferry');
  });
});
