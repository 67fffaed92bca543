// The testbed of Figure 1 by itself, without the controller: static flows, stock tools as witnesses (ovs-vsctl, ovs-ofctl,
// conntrack, tcpdump, ping, ip). Needs root and Open vSwitch.
import { expect } from 'chai';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import {
  LOCK_WAIT_MS,
  MININET,
  PYTHON,
  RequestRefused,
  TestbedSession,
  reasonToSkip,
  shell,
  until,
  type Moved,
  type Ready,
} from './testbed-session.ts';

const START_TIMEOUT_MS = 180_000;

/** NVE1 - FW1 - NVE3 for every tenant, by hand. */
function layFlowsOverFw1(): void {
  const port = (name: string): string => shell(`ovs-vsctl get Interface ${name} ofport`).trim();
  const add = (nve: string, flow: string): string => shell(`ovs-ofctl -O OpenFlow13 add-flow ${nve} '${flow}'`);
  for (const [tenant, vlan] of [
    ['a', 101],
    ['b', 102],
  ] as const) {
    for (const [nve, vm, trunk] of [
      ['NVE1', `vm1-${tenant}`, port('n1-fw1')],
      ['NVE3', `vm3-${tenant}`, port('n3-fw1')],
    ] as const) {
      const tag = `push_vlan:0x8100,set_field:${4096 + vlan}->vlan_vid`;
      add(nve, `in_port=${port(vm)},actions=${tag},output:${trunk}`);
      add(nve, `in_port=${trunk},dl_vlan=${vlan},actions=pop_vlan,output:${port(vm)}`);
    }
  }
}

/** What a testbed would leave: every name of its kind on this machine, looked for while no testbed is there. */
function leavings(): string {
  const look =
    'ip netns list | grep "^sf-"; ovs-vsctl list-br | grep -E "^NVE[123]$"; ' +
    'ip -o link | grep -oE " (sf-|dl-|fw[12]-|n[123]-|vm[0-9.]+-)[a-z0-9]+"; ' +
    'ls /run/stateferry-lab/RUN.json 2>/dev/null; ps -eo args | grep -E "^(bash.*mininet:|.*/delay_line [0-9])"; true';
  const locked =
    `import os, sys; sys.dont_write_bytecode = True; sys.path.insert(0, "${MININET}"); from run_record import take_lock\n` +
    `lock = take_lock(${LOCK_WAIT_MS / 1000}); os.system(sys.argv[1])`;
  return execFileSync(PYTHON, ['-c', locked, look], { encoding: 'utf8' });
}

async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RequestRefused) return error.code;
    throw error;
  }
  return 'not refused';
}

/** A process inside a VM that writes down when it ran, every few ms. */
async function startTicking(netns: string, adopt: (pid: number) => Promise<unknown>): Promise<Ticker> {
  const script = 'import time\nwhile True: print(time.time() * 1000, flush=True); time.sleep(0.003)';
  const child = spawn('nsenter', [`--net=${netns}`, '--', PYTHON, '-c', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ticks: number[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => ticks.push(Number(line)));
  await until(() => ticks.length > 0);
  await adopt(child.pid!);
  return { child, ticks };
}

/** tcpdump on an interface of the root namespace, listening already. */
async function startCapture(name: string, filter: string): Promise<{ child: ChildProcess; lines: string[] }> {
  const child = spawn('tcpdump', ['-i', name, '-n', '-l', '-e', '--immediate-mode', filter]);
  const lines: string[] = [];
  let said = '';
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  await until(() => said.includes('listening'));
  return { child, lines };
}

interface Ticker {
  readonly child: ChildProcess;
  readonly ticks: number[];
}

describe('the testbed of Figure 1', function () {
  this.timeout(60_000);
  let bed: TestbedSession;
  const toStop: TestbedSession[] = []; // empty when skipped
  let ready: Ready;

  before(async function () {
    this.timeout(START_TIMEOUT_MS);
    const reason = reasonToSkip();
    if (reason !== undefined) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
    bed = new TestbedSession();
    toStop.push(bed);
    ready = await bed.start({ vm2: true });
    layFlowsOverFw1();
  });

  after(async () => {
    for (const one of toStop) await one.stop();
  });

  it('has three NVEs with the datapath ids 1, 2, 3 and the ports that its ready reply names', () => {
    expect(ready.nves.map((nve) => [nve.name, nve.dpid])).to.deep.equal([
      ['NVE1', 1],
      ['NVE2', 2],
      ['NVE3', 3],
    ]);
    for (const { name } of ready.nves) {
      const named = ready.ports.filter((port) => port.nve === name).map((port) => port.name);
      expect(shell(`ovs-vsctl list-ports ${name}`).trim().split('\n').sort()).to.deep.equal(named.sort());
      expect(shell(`ovs-vsctl get Bridge ${name} fail_mode`).trim()).to.equal('secure');
    }
    for (const port of ready.ports) {
      expect(Number(shell(`ovs-vsctl get Interface ${port.name} ofport`))).to.equal(port.ofport);
    }
  });

  it('lets two tenants with equal addresses ping over FW1, each in its own conntrack zone', async () => {
    for (const vm of ['vm1-a', 'vm1-b']) {
      await bed.exec(vm, 'ping -c 1 -W 5 10.0.0.3');
      await bed.exec(vm, 'ping -c 1 -W 5 fd00::3');
    }
    for (const [family, kind] of [
      ['ipv4', 'icmp'],
      ['ipv6', 'icmpv6'],
    ] as const) {
      const entries = (await bed.exec('FW1', `conntrack -L -f ${family} -p ${kind}`)).trim().split('\n');
      const zones = entries.map((entry) => /zone=(\d+)/.exec(entry)?.[1]).sort();
      expect(zones).to.deep.equal(['101', '102']);
    }
  });

  it('passes TCP that began with a SYN, marks it, and counts what did not as INVALID', async () => {
    const receive = `import socket; print(socket.create_server(("", 7000)).accept()[0].makefile().read(), end="")`;
    const received = bed.exec('vm3-a', `${PYTHON} -c '${receive}'`);
    await until(async () => (await bed.exec('vm3-a', 'ss -Hltn sport = :7000')) !== '');
    const send = `import socket; socket.create_connection(("10.0.0.3", 7000), 5).sendall(b"carried")`;
    await bed.exec('vm1-a', `${PYTHON} -c '${send}'`);
    expect(await received).to.equal('carried');
    const entry = await bed.exec('FW1', 'conntrack -L -p tcp --dport 7000');
    expect(entry).to.match(/\[ASSURED\] mark=65637 zone=101/);

    const before = await bed.counter('FW1', 'c_invalid');
    const ack = // a bare ACK of no connection: raw IPv4 with a TCP header by hand
      'import socket,struct; s=socket.socket(socket.AF_INET,socket.SOCK_RAW,6); ' +
      'h=struct.pack("!HHIIBBHHH",4444,7001,1,1,0x50,0x10,1024,0,0); ' +
      'p=socket.inet_aton("10.0.0.1")+socket.inet_aton("10.0.0.3")+struct.pack("!BBH",0,6,20)+h; ' +
      't=sum(struct.unpack("!16H",p)); t=(t>>16)+(t&65535); t=~((t>>16)+t)&65535; ' +
      's.sendto(h[:16]+struct.pack("!H",t)+h[18:],("10.0.0.3",0))';
    await bed.exec('vm1-a', `${PYTHON} -c '${ack}'`);
    await until(async () => (await bed.counter('FW1', 'c_invalid')) > before);
    expect(await bed.counter('FW1', 'c_invalid')).to.equal(before + 1);
  });

  it('has a management network apart from the fabric', async () => {
    for (const firewall of ready.firewalls) {
      await bed.exec(firewall.name, 'ping -c 1 -W 5 10.255.0.1');
      shell(`ping -c 1 -W 5 ${firewall.managementAddress}`);
    }
  });

  describe('a move', () => {
    it('takes the VAP from one NVE and adds it at the other after the blackout, with the VM paused', async () => {
      const vm = ready.vms.find(({ name }) => name === 'vm1-a')!;
      const ticker = await startTicking(vm.netns, (pid) => bed.call('adopt', { vm: 'vm1-a', pid }));
      const capture = await startCapture('vm1-a', 'rarp');
      try {
        const moved = await bed.move({ vm: 'vm1-a', server: 'Server2', blackoutMs: 150, announce: 'rarp' });
        expect(shell('ovs-vsctl port-to-br vm1-a').trim()).to.equal('NVE2');
        expect([moved.from.nve, moved.to.nve, moved.to.vap]).to.deep.equal(['NVE1', 'NVE2', 'vm1-a']);
        expectOrder(moved);
        expect(moved.plugRequestedAt - moved.unpluggedAt).to.be.at.least(149.9);

        await until(() => bed.events.some((event) => event['event'] === 'announced'));
        await until(() => capture.lines.length >= 4);
        expect(capture.lines).to.have.length(4);
        for (const line of capture.lines) expect(line).to.contain(`${vm.mac} > ff:ff:ff:ff:ff:ff`);
        await until(() => ticker.ticks.at(-1)! > moved.thawedAt);
        expect(ticker.ticks.filter((at) => at > moved.frozenAt && at < moved.pluggedAt)).to.deep.equal([]);
      } finally {
        ticker.child.kill();
        capture.child.kill();
      }
    });

    it('can leave the old VAP up, and then is a relocation of the MAC address only', async () => {
      const moved = await bed.move({ vm: 'vm1-a', server: 'Server1', blackoutMs: 20, announce: 'none', oldPort: 'up' });
      expectOrder(moved);
      expect([moved.from.vap, moved.to.vap, moved.announcedAt]).to.deep.equal(['vm1-a', 'vm1.1-a', null]);
      expect(shell('ovs-vsctl port-to-br vm1-a').trim()).to.equal('NVE2');
      expect(shell('ovs-vsctl get Interface vm1-a link_state').trim()).to.equal('up');
      expect(shell('ovs-vsctl port-to-br vm1.1-a').trim()).to.equal('NVE1');

      const back = await bed.move({ vm: 'vm1-a', server: 'Server2', blackoutMs: 0, announce: 'none', oldPort: 'up' });
      expect(back.to).to.deep.equal(moved.from); // the same port, up all the time
    });

    it('runs for two tenants at once, and neither keeps a neighbour waiting for resolution', async () => {
      const before = await bed.exec('vm1-b', 'ip neigh show 10.0.0.3');
      const home = { server: 'Server1', announce: 'garp', blackoutMs: 50 };
      await Promise.all([bed.move({ vm: 'vm1-a', ...home }), bed.move({ vm: 'vm1-b', ...home })]);
      expect(shell('ovs-vsctl list-ports NVE1').split('\n')).to.include.members(['vm1-a', 'vm1-b']);
      expect(before).to.contain('lladdr');
      expect((await bed.exec('vm1-b', 'ip neigh show 10.0.0.3')).split(' ')[4]).to.equal(before.split(' ')[4]);
    });

    it('is refused with a code when it makes no sense', async () => {
      expect(await rejection(bed.move({ vm: 'vm9-a', server: 'Server2' }))).to.equal('unknown-vm');
      expect(await rejection(bed.move({ vm: 'vm1-a', server: 'Server9' }))).to.equal('unknown-server');
      expect(await rejection(bed.move({ vm: 'vm1-a', server: 'Server2', announce: 'loud' }))).to.equal('bad-request');
      expect(await rejection(bed.call('adopt', { vm: 'vm1-a', pid: 2 ** 22 + 1 }))).to.equal('no-such-process');
      expect(await rejection(bed.call('linkdown', { link: 'NVE1-NVE3' }))).to.equal('unknown-link');
      expect(await rejection(bed.call('fly'))).to.equal('bad-request');
      const twice = [1, 2].map(() => rejection(bed.move({ vm: 'vm3-b', server: 'Server3', blackoutMs: 300 })));
      expect((await Promise.all(twice)).sort()).to.deep.equal(['not refused', 'vm-busy']);
    });
  });

  it('takes the carrier from both ends of a link, and gives it back', async () => {
    await bed.call('linkdown', { link: 'NVE1-FW1' });
    await until(() => shell('ovs-vsctl get Interface n1-fw1 link_state').trim() === 'down');
    await bed.call('linkup', { link: 'NVE1-FW1' });
    await until(() => shell('ovs-vsctl get Interface n1-fw1 link_state').trim() === 'up');
  });

  it('refuses a second testbed on the same machine with a clear reason', async () => {
    const second = new TestbedSession();
    const failed = await second.start({ lockWaitMs: 0 }).catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(Error);
    expect(await second.ended).to.equal(1);
    expect(second.fatal?.code).to.equal('locked');
    expect(second.fatal?.message).to.contain(ready.run);
  });
});

function expectOrder(moved: Moved): void {
  const { freezeRequestedAt, frozenAt, unplugRequestedAt, unpluggedAt, plugRequestedAt, pluggedAt, thawedAt } = moved;
  const order = [freezeRequestedAt, frozenAt, unplugRequestedAt, unpluggedAt, plugRequestedAt, pluggedAt, thawedAt];
  expect(order).to.deep.equal([...order].sort((left, right) => left - right));
  if (moved.announcedAt !== null) expect(moved.announcedAt).to.be.at.least(thawedAt);
}

describe('the other ways to run the testbed', function () {
  this.timeout(START_TIMEOUT_MS);

  before(function () {
    const reason = reasonToSkip();
    if (reason !== undefined) {
      console.log(`      skipped: ${reason}`);
      this.skip();
    }
  });

  it('leaves nothing when its input ends, whatever still runs inside', async () => {
    const bed = new TestbedSession();
    await bed.start({ vm2: true });
    spawn('ip', ['netns', 'exec', 'sf-vm1-a', 'sleep', '600']);
    bed.process.stdin.end();
    expect(await bed.ended).to.equal(0);
    expect(leavings()).to.equal('');
  });

  for (const delayMs of [5, 40]) {
    it(`delays every link by ${delayMs} ms one way, loses nothing, changes no order, keeps the VLAN tags`, async () => {
      const bed = new TestbedSession();
      try {
        const ready = await bed.start({ delayMs });
        expect(ready.delayLine).to.be.oneOf(['netem', 'userspace']);
        layFlowsOverFw1();
        const ping = await bed.exec('vm1-a', 'ping -c 5 -i 0.2 -W 5 10.0.0.3');
        const times = [...ping.matchAll(/time=([\d.]+)/g)].map((match) => Number(match[1]));
        expect(times).to.have.length(5);
        expect(Math.min(...times)).to.be.within(4 * delayMs, 4 * delayMs + 10);
        expect(await numbersThatArrive(bed, 5000)).to.equal('in order');
      } finally {
        await bed.stop();
      }
      expect(leavings()).to.equal('');
    });
  }

  it('moves a VM on plain learning switches too, and the announcement tells them', async () => {
    const bed = new TestbedSession();
    try {
      await bed.start({ topology: 'single', mode: 'normal', tenants: [{ name: 'a', vlan: 101 }] });
      await bed.exec('vm3-a', 'ping -c 1 -W 5 10.0.0.1');
      for (const oldPort of ['down', 'up', 'down'] as const) {
        const here = (await bed.call('info')) as Ready;
        const server = here.vms[0]!.nve === 'NVE1' ? 'Server2' : 'Server1';
        await bed.move({ vm: 'vm1-a', server, blackoutMs: 10, announce: 'garp', oldPort });
        await bed.exec('vm3-a', 'ping -c 3 -i 0.1 -W 1 10.0.0.1');
      }
    } finally {
      await bed.stop();
    }
  });

  it('is cleaned up after kill -9, and only then', async () => {
    const bed = new TestbedSession();
    const { run } = await bed.start({ delayMs: 1 });
    const early = spawnSync(PYTHON, [`${MININET}clean.py`], { encoding: 'utf8' });
    expect([early.status, early.stderr]).to.satisfy(
      ([status, text]: [number, string]) => status === 1 && /running/.test(text),
    );
    bed.process.kill('SIGKILL');
    await bed.ended;
    expect(leavings()).to.contain('sf-vm1-a');
    expect(shell(`${PYTHON} ${MININET}clean.py`)).to.contain(`removed what run ${run} left`);
    expect(leavings()).to.equal('');
  });

  it('starts over what a killed one left', async () => {
    const killed = new TestbedSession();
    const { run } = await killed.start({});
    killed.process.kill('SIGKILL');
    await killed.ended;
    const next = new TestbedSession();
    try {
      expect((await next.start({})).run).to.not.equal(run);
    } finally {
      await next.stop();
    }
    expect(leavings()).to.equal('');
  });

  it('works by hand: mn --custom, and move, cut and heal commands in its console', () => {
    const mn = spawnSync(
      'mn',
      ['--custom', `${MININET}figure1.py`, '--topo', `figure1,lockWaitMs=${LOCK_WAIT_MS}`, '--controller', 'none'],
      {
        input:
          'move vm1-a Server2 20 rarp\nmove vm1-a\nsh ovs-vsctl port-to-br vm1-a\n' +
          'cut NVE1-FW1\nsh cat /sys/class/net/n1-fw1/operstate\nheal NVE1-FW1\ncut NVE9-FW1\nexit\n',
        encoding: 'utf8',
        timeout: START_TIMEOUT_MS,
      },
    );
    const said = mn.stdout + mn.stderr;
    expect(said).to.match(/vm1-a: vm1-a at NVE1 port \d+ -> vm1-a at NVE2 port \d+, away for \d+\.\d ms/);
    expect(said).to.contain('usage: move VM SERVER');
    expect(said).to.match(/> NVE2\n/);
    expect(said).to.match(/NVE1-FW1 is down\n[^]*NVE1-FW1 is up\n/);
    expect(mn.stdout).to.match(/> (?:down|lowerlayerdown)\n/);
    expect(said).to.contain('there is no link NVE9-FW1; there are NVE1-FW1, NVE3-FW1, NVE2-FW2, NVE3-FW2, NVE1-NVE2');
    expect(leavings()).to.equal('');
  });
});

/** Sends numbered datagrams from VM1 to VM3 and says what became of their order. */
async function numbersThatArrive(bed: TestbedSession, count: number): Promise<string> {
  const receive =
    'import socket,struct; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(("",7100)); s.settimeout(15)\n' +
    `got=[struct.unpack("!I",s.recv(9)[:4])[0] for _ in range(${count})]\n` +
    `print("in order" if got==list(range(${count})) else "disordered or lost")`;
  const send =
    'import socket,struct,time; s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n' +
    `for n in range(${count}):\n s.sendto(struct.pack("!I",n),("10.0.0.3",7100))\n if n%50==49: time.sleep(0.005)`;
  const received = bed.exec('vm3-a', `${PYTHON} -c '${receive}'`);
  await until(async () => (await bed.exec('vm3-a', 'ss -Hlun sport = :7100')) !== '');
  await bed.exec('vm1-a', `${PYTHON} -c '${send}'`);
  return (await received).trim();
}
