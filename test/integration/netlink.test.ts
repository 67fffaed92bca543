// Kernel sockets against the kernel, with conntrack(8) as the second opinion.

import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { type ConntrackEntry, PROTO, STATUS } from '../../src/netlink/conntrack-entry.ts';
import { mirror, parseAddress } from '../../src/netlink/tuple.ts';
import type { KernelAnswer, TableEvent } from '../../src/soa/kernel-table.ts';
import { Child } from './netfilter/child.ts';
import { missing } from './netfilter/two-firewalls.ts';

const entry = (port: number): ConntrackEntry => {
  const tupleOrig = {
    ip: { v4Src: parseAddress('10.0.0.1'), v4Dst: parseAddress('10.0.0.3') },
    proto: { num: PROTO.UDP, srcPort: 1 + (port & 0x7fff), dstPort: 1 + (port >> 15) },
  };
  return { tupleOrig, tupleReply: mirror(tupleOrig), status: STATUS.CONFIRMED, timeout: 600, zone: 5 };
};
const ask = (operation: 'create' | 'update' | 'get' | 'delete', ports: readonly number[]): object[] =>
  ports.map((port) => ({ operation, family: 2, entry: entry(port) }));

describe('kernel sockets', function () {
  this.timeout(30_000);
  const netns = `sfn${process.pid}`;
  const run = (...command: string[]): string =>
    execFileSync('ip', ['netns', 'exec', netns, ...command], { encoding: 'utf8', stdio: 'pipe' });
  const children: Child[] = [];
  const sockets = async (options: object = {}): Promise<Child> => {
    const child = new Child(netns, './sockets-child.ts');
    children.push(child);
    await child.call('open', { ports: [], ...options });
    return child;
  };
  const until = async <T>(ask: () => Promise<T>, holds: (value: T) => boolean): Promise<T> => {
    const deadline = Date.now() + 5000;
    for (;;) {
      const value = await ask();
      if (holds(value) || Date.now() > deadline) return value;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  before(function () {
    const reason = missing();
    if (reason !== null) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    execFileSync('ip', ['netns', 'add', netns]);
    run('sysctl', '-qw', 'net.netfilter.nf_conntrack_events=1', 'net.bridge.bridge-nf-call-iptables=0');
    run('ip', 'link', 'set', 'lo', 'up');
    run('ip', 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0');
    run('ip', 'link', 'set', 'br0', 'addrgenmode', 'none', 'up');
    for (const port of ['p1', 'p2']) {
      run('ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', `${port}-far`);
      run('ip', 'link', 'set', port, 'master', 'br0', 'up');
      run('ip', 'link', 'set', `${port}-far`, 'addrgenmode', 'none', 'up');
    }
  });

  afterEach(async () => {
    for (const child of children.splice(0)) await child.end();
    run('conntrack', '-F');
  });

  after(() => {
    try {
      execFileSync('ip', ['netns', 'del', netns], { stdio: 'ignore' });
    } catch {
      // was never made
    }
  });

  it('make, show and delete entries, each answer with its request, across many sends', async () => {
    const child = await sockets();
    const ports = Array.from({ length: 3000 }, (_, i) => i);
    const made = await child.call<KernelAnswer[]>('ask', ask('create', [...ports, 7]));
    expect(made.map((a) => a.errno)).to.deep.equal([...ports.map(() => 0), 17]);
    expect(run('conntrack', '-C').trim()).to.equal('3000');
    const got = await child.call<KernelAnswer[]>('ask', ask('get', [2999, 5000, 0]));
    expect(got.map((a) => [a.errno, a.entry?.tupleOrig?.proto?.srcPort])).to.deep.equal([
      [0, 3000],
      [2, undefined],
      [0, 1],
    ]);
    expect(await child.call('dump')).to.equal(3000);
    const deleted = await child.call<KernelAnswer[]>('ask', ask('delete', ports));
    expect(deleted.every((a) => a.errno === 0)).to.equal(true);
    expect(run('conntrack', '-C').trim()).to.equal('0');
  });

  it('tell apart what was done through them from what others did', async () => {
    const child = await sockets();
    await child.call('ask', ask('create', [1]));
    run(...'conntrack -I -p udp -s 10.0.0.8 -d 10.0.0.9 --sport 1 --dport 2 -t 60'.split(' '));
    await child.call('ask', ask('delete', [1]));
    run(...'conntrack -D -p udp -s 10.0.0.8'.split(' '));
    const { events } = await until(
      () => child.call<{ events: TableEvent[] }>('events'),
      (seen) => seen.events.length >= 4,
    );
    expect(events.map((e) => [e.kind, e.own])).to.deep.equal([
      ['new', true],
      ['new', false],
      ['destroy', true],
      ['destroy', false],
    ]);
  });

  it('have delivered the events of a request when its answer comes', async () => {
    const child = await sockets();
    await child.call('ask', ask('create', [1, 2, 3]));
    expect((await child.call<{ events: TableEvent[] }>('events')).events).to.have.length(3);
  });

  it('say so when the kernel dropped events, and go on', async () => {
    const child = await sockets({ receiveBufferBytes: 4096 });
    const ports = Array.from({ length: 4000 }, (_, i) => i);
    await child.call('ask', ask('create', ports));
    const { overruns, events } = await child.call<{ overruns: number; events: TableEvent[] }>('events');
    expect(overruns).to.be.greaterThan(0);
    expect(events.length).to.be.lessThan(4000);
    await child.call('ask', ask('delete', [5]));
    const after = await child.call<{ events: TableEvent[] }>('events');
    expect(after.events.at(-1)?.kind).to.equal('destroy');
  });

  const frame = (etherType: string, text: string): Buffer =>
    Buffer.concat([Buffer.from(`ffffffffffff020000000001${etherType}`, 'hex'), Buffer.from(text.padEnd(46, ' '))]);

  it('receive our frames on bridge ports, tagged or not, and no others, and none that leave', async () => {
    const child = await sockets({ ports: ['p1', 'p2', 'p1-far'] });
    for (const sent of [frame('88b5', 'marker'), frame('81000065' + '88b5', 'tagged'), frame('0800', 'other')]) {
      await child.call('send', { port: 'p1-far', frame: sent });
    }
    const frames = await until(
      () => child.call<{ port: string; frame: Uint8Array }[]>('frames'),
      (seen) => seen.length >= 2,
    );
    // p2 sees them only leaving, p1-far sent them.
    expect(frames.map((f) => f.port)).to.deep.equal(['p1', 'p1']);
    expect(frames.map((f) => Buffer.from(f.frame).toString('latin1').includes('marker'))).to.deep.equal([true, false]);
  });

  it('find a port again that was taken away and made anew', async () => {
    run('ip', 'link', 'add', 'q1', 'type', 'veth', 'peer', 'name', 'q1-far');
    run('ip', 'link', 'set', 'q1', 'up');
    const child = await sockets({ ports: ['q1'] });
    const mac = async (): Promise<string | undefined> =>
      (await child.call<[string, { mac: string }][]>('ports')).find(([name]) => name === 'q1')?.[1].mac;
    const first = await mac();
    expect(run('ip', 'link', 'show', 'q1')).to.include(first);
    run('ip', 'link', 'del', 'q1');
    await child.call('send', { port: 'q1', frame: frame('88cc', 'lost') });
    expect(await until(mac, (value) => value === '')).to.equal('');
    run('ip', 'link', 'add', 'q1', 'type', 'veth', 'peer', 'name', 'q1-far');
    await child.call('send', { port: 'q1', frame: frame('88cc', 'lost') });
    const second = await until(mac, (value) => value !== '');
    expect(run('ip', 'link', 'show', 'q1')).to.include(second);
    expect(second).not.to.equal(first);
  });

  it('close at once while nothing happens, and the process ends', async () => {
    const child = await sockets();
    const before = performance.now();
    await child.call('close');
    expect(performance.now() - before).to.be.lessThan(400); // less than the thread's own wake-up
    await child.end();
  });
});
