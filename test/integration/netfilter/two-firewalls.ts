// Two tenants with equal addresses, each with a client and a server, and two bridging firewalls between them, in namespaces of
// their own. A hub attaches either firewall to the path. Zones follow from the bridge a frame crosses.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Child } from './child.ts';

export const CLIENT = { v4: '10.0.0.1', v6: 'fd00::1' } as const;
export const SERVER = { v4: '10.0.0.3', v6: 'fd00::3' } as const;
export const TENANTS = [
  { name: 'a', vnid: 5001 },
  { name: 'b', vnid: 5002 },
] as const;
export type Tenant = (typeof TENANTS)[number]['name'];
export type Firewall = 'fw1' | 'fw2';
/** Zone numbers differ between the firewalls on purpose. */
export const ZONES: Record<Firewall, readonly { vnid: number; zone: number }[]> = {
  fw1: [
    { vnid: 5001, zone: 101 },
    { vnid: 5002, zone: 102 },
  ],
  fw2: [
    { vnid: 5001, zone: 777 },
    { vnid: 5002, zone: 778 },
  ],
};
export const POLICY = `
table inet filter {
  counter invalid { }
  counter fresh { }
  counter labelled { }
  chain zones {
    type filter hook prerouting priority raw; policy accept;
    ct zone set iifname map { "bra" : ZONE_A, "brb" : ZONE_B }
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert, mld-listener-report, mld2-listener-report } accept
    ct state invalid counter name invalid drop
    ct state established ct label 5 counter name labelled
    ct state established,related accept
    tcp flags & (fin|syn|rst|ack) == syn ct state new ct mark set 0x2a ct label set 5 counter name fresh accept
    meta l4proto { udp, icmp, ipv6-icmp } ct state new ct mark set 0x2b counter name fresh accept
  }
}
`;

/** Two sequence and two acknowledgement numbers half the number space apart: some are ahead of any window. */
const STRAY_ACK = `
import socket, struct, sys
src, dst = [socket.inet_aton(a) for a in sys.argv[1:3]]
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
for seq in (0, 1 << 31):
    for ack in (0, 1 << 31):
        tcp = lambda check: struct.pack('!HHIIBBHHH', int(sys.argv[3]), int(sys.argv[4]), seq, ack, 5 << 4, 0x10, 1000, check, 0)
        data = src + dst + struct.pack('!BBH', 0, 6, 20) + tcp(0)
        total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
        total = (total >> 16) + (total & 0xffff)
        total += total >> 16
        s.sendto(tcp(~total & 0xffff), (sys.argv[2], 0))
`;

let serial = 0;

/** Why it cannot run here, or null. */
export function missing(): string | null {
  if (process.getuid?.() !== 0) return 'not root';
  for (const tool of ['ip', 'nft', 'conntrack', 'ping', '/usr/bin/python3']) {
    try {
      execFileSync('which', [tool], { stdio: 'ignore' });
    } catch {
      return `${tool} is missing`;
    }
  }
  return null;
}

export class TwoFirewalls {
  readonly #prefix: string;
  readonly #children: Child[] = [];

  constructor() {
    serial += 1;
    this.#prefix = `sf${process.pid}-${serial}`;
  }

  netns(name: string): string {
    return `${this.#prefix}-${name}`;
  }

  /** Runs a command in a namespace; its standard output. */
  run(name: string, ...command: string[]): string {
    return execFileSync('ip', ['netns', 'exec', this.netns(name), ...command], { encoding: 'utf8', stdio: 'pipe' });
  }

  /** Runs a command in a namespace to its end; resolves with its standard output. */
  async start(name: string, ...command: string[]): Promise<string> {
    const child = spawn('ip', ['netns', 'exec', this.netns(name), ...command], { stdio: ['ignore', 'pipe', 'ignore'] });
    let out = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString('utf8')));
    await once(child, 'close');
    return out;
  }

  has(tool: string): boolean {
    return spawnSync('which', [tool], { stdio: 'ignore' }).status === 0;
  }

  /** Waits for a condition that only looking at finds out. */
  async until(holds: () => boolean, boundMs = 5000): Promise<void> {
    const deadline = performance.now() + boundMs;
    while (!holds()) {
      if (performance.now() > deadline) throw new Error('did not come true');
      await setTimeout(20);
    }
  }

  nft(name: string, input: string): void {
    execFileSync('ip', ['netns', 'exec', this.netns(name), 'nft', '-f', '-'], { input, stdio: 'pipe' });
  }

  up(): void {
    for (const name of ['hub', 'fw1', 'fw2', ...TENANTS.flatMap((t) => [`${t.name}1`, `${t.name}3`])]) {
      execFileSync('ip', ['netns', 'add', this.netns(name)]);
      this.run(name, 'ip', 'link', 'set', 'lo', 'up');
      this.run(name, 'sysctl', '-qw', 'net.netfilter.nf_conntrack_events=1');
    }
    this.run('hub', 'sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=0', 'net.bridge.bridge-nf-call-ip6tables=0');
    for (const { name } of TENANTS) {
      for (const side of ['l', 'r']) this.#bridge('hub', `br${name}${side}`);
      this.#host(name, '1', 'l', CLIENT);
      this.#host(name, '3', 'r', SERVER);
      for (const fw of ['fw1', 'fw2'] as const) {
        this.#bridge(fw, `br${name}`);
        for (const side of ['l', 'r']) {
          this.#cable('hub', `${fw}${name}${side}`, fw, `${name}-${side}`);
          this.run(fw, 'ip', 'link', 'set', `${name}-${side}`, 'master', `br${name}`, 'up');
        }
      }
    }
    for (const fw of ['fw1', 'fw2'] as const) {
      this.run(
        fw,
        'sysctl',
        '-qw',
        'net.bridge.bridge-nf-call-iptables=1',
        'net.bridge.bridge-nf-call-ip6tables=1',
        'net.netfilter.nf_conntrack_tcp_loose=0',
        'net.netfilter.nf_conntrack_tcp_be_liberal=0',
      );
      const [a, b] = ZONES[fw].map((z) => String(z.zone)) as [string, string];
      this.nft(fw, POLICY.replace('ZONE_A', a).replace('ZONE_B', b));
    }
    for (const { name } of TENANTS) this.path(name, 'fw1');
  }

  /** From now on the tenant's frames cross that firewall. */
  path(tenant: Tenant, through: Firewall): void {
    const other = through === 'fw1' ? 'fw2' : 'fw1';
    for (const side of ['l', 'r']) {
      this.run('hub', 'ip', 'link', 'set', `${other}${tenant}${side}`, 'nomaster', 'down');
      this.run('hub', 'ip', 'link', 'set', `${through}${tenant}${side}`, 'master', `br${tenant}${side}`, 'up');
    }
  }

  child(name: string, file: string): Child {
    const child = new Child(this.netns(name), file);
    this.#children.push(child);
    return child;
  }

  async agent(fw: Firewall, extra: object = {}): Promise<Child> {
    const agent = this.child(fw, './soa-child.ts');
    const dataPorts = TENANTS.flatMap((t) => [`${t.name}-l`, `${t.name}-r`]);
    await agent.call('open', { identity: fw, role: 'firewall', zones: ZONES[fw], dataPorts, ...extra });
    return agent;
  }

  counter(fw: Firewall, name: string, table = 'filter'): number {
    const text = this.run(fw, 'nft', 'list', 'counter', 'inet', table, name);
    return Number(/packets (\d+)/.exec(text)?.[1]);
  }

  /** ACKs from the client, over IPv4, with sequence numbers far outside any window. */
  strayAck(tenant: Tenant, srcPort: number, dstPort: number): void {
    this.run(`${tenant}1`, '/usr/bin/python3', '-c', STRAY_ACK, CLIENT.v4, SERVER.v4, String(srcPort), String(dstPort));
  }

  async down(): Promise<void> {
    for (const child of this.#children) await child.end();
    for (const name of ['hub', 'fw1', 'fw2', ...TENANTS.flatMap((t) => [`${t.name}1`, `${t.name}3`])]) {
      try {
        execFileSync('ip', ['netns', 'del', this.netns(name)], { stdio: 'ignore' });
      } catch {
        // was never made
      }
    }
  }

  #bridge(netns: string, name: string): void {
    this.run(netns, 'ip', 'link', 'add', name, 'type', 'bridge', 'mcast_snooping', '0', 'stp_state', '0');
    this.run(netns, 'ip', 'link', 'set', name, 'addrgenmode', 'none', 'up');
  }

  #cable(oneNs: string, one: string, otherNs: string, other: string): void {
    execFileSync('ip', [
      ...['-n', this.netns(oneNs), 'link', 'add', one, 'type', 'veth'],
      ...['peer', 'name', other, 'netns', this.netns(otherNs)],
    ]);
  }

  #host(tenant: Tenant, number: string, side: string, address: { v4: string; v6: string }): void {
    const ns = `${tenant}${number}`;
    this.#cable('hub', ns, ns, 'eth0');
    this.run('hub', 'ip', 'link', 'set', ns, 'master', `br${tenant}${side}`, 'up');
    this.run(ns, 'ip', 'link', 'set', 'eth0', 'up');
    this.run(ns, 'ip', 'addr', 'add', `${address.v4}/24`, 'dev', 'eth0');
    this.run(ns, 'ip', 'addr', 'add', `${address.v6}/64`, 'dev', 'eth0', 'nodad');
  }
}
