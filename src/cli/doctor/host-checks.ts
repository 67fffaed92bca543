// What every host needs: Node, tools, privileges, Open vSwitch, a clock that is set, one MTU along the fabric.

import { bad, ok, skipped, warn } from './check.ts';
import type { Finding, Probe } from './check.ts';

export function checkNode(probe: Probe): Finding[] {
  const [major = 0, minor = 0] = probe.nodeVersion.split('.').map(Number);
  const fine = major > 22 || (major === 22 && minor >= 18);
  return [
    fine
      ? ok('node', probe.nodeVersion)
      : bad(
          'node',
          probe.nodeVersion,
          'install Node 22.18 or newer, or run through npm in a checkout (it brings its own)',
        ),
  ];
}

export function checkPrivilege(probe: Probe): Finding[] {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(probe.read('/proc/self/status') ?? '')?.[1] ?? '0';
  const netAdmin = (BigInt(`0x${effective}`) & (1n << 12n)) !== 0n;
  return [
    netAdmin
      ? ok('privilege', probe.uid === 0 ? 'root' : `uid ${probe.uid} with CAP_NET_ADMIN`)
      : warn(
          'privilege',
          `uid ${probe.uid} without CAP_NET_ADMIN`,
          'agents and labs need CAP_NET_ADMIN: run as root or grant it',
        ),
  ];
}

/** Debian package names by tool; `why` is what does not work without it. */
const TOOLS: Readonly<Record<string, { package: string; why: string; roles: readonly string[] }>> = {
  'ovs-vsctl': { package: 'openvswitch-switch', why: 'no NVE', roles: ['nve', 'lab'] },
  nft: { package: 'nftables', why: 'no firewall rules, no gate at the source', roles: ['firewall', 'lab'] },
  conntrack: { package: 'conntrack', why: 'no second opinion on the table', roles: ['lab'] },
  mn: { package: 'mininet', why: 'no testbed', roles: ['lab'] },
  tcpdump: { package: 'tcpdump', why: 'no captures', roles: ['lab'] },
  ethtool: {
    package: 'ethtool',
    why: 'checksum offloads stay on: TCP fails on the userspace datapath',
    roles: ['lab'],
  },
  nsenter: { package: 'util-linux', why: 'nothing can be started inside a node', roles: ['lab'] },
};

export function checkTools(probe: Probe, role: string): Finding[] {
  return Object.entries(TOOLS)
    .filter(([, t]) => t.roles.includes(role) || role === 'all')
    .map(([tool, t]) => {
      const at = probe.run('sh', '-c', `command -v ${tool}`);
      return at.status === 0
        ? ok(`tool ${tool}`, at.stdout.trim())
        : bad(`tool ${tool}`, `missing: ${t.why}`, `apt-get install ${t.package}`);
    });
}

export function checkOpenVswitch(probe: Probe): Finding[] {
  const version = probe.run('ovs-vsctl', '--timeout=3', 'get', 'Open_vSwitch', '.', 'ovs_version');
  if (version.status === null) return [skipped('Open vSwitch', 'not installed')];
  if (version.status !== 0) {
    return [bad('Open vSwitch', version.stderr.trim().split('\n')[0] ?? '', 'service openvswitch-switch start')];
  }
  const found = [ok('Open vSwitch', `running, ${version.stdout.trim().replaceAll('"', '')}`)];
  const kernel = probe.exists('/sys/module/openvswitch');
  found.push(
    kernel
      ? ok('OVS datapath', 'kernel')
      : warn('OVS datapath', 'no kernel module', 'bridges need datapath_type=netdev (the testbed does that by itself)'),
  );
  for (const bridge of probe.run('ovs-vsctl', '--timeout=3', 'list-br').stdout.split('\n').filter(Boolean)) {
    const mode = probe.run('ovs-vsctl', '--timeout=3', 'get-fail-mode', bridge).stdout.trim();
    const controller = probe.run('ovs-vsctl', '--timeout=3', 'get-controller', bridge).stdout.trim();
    if (controller === '') continue;
    found.push(
      mode === 'secure'
        ? ok(`bridge ${bridge}`, `controller ${controller}, fail mode secure`)
        : bad(
            `bridge ${bridge}`,
            `fail mode ${mode === '' ? 'standalone' : mode}`,
            `ovs-vsctl set-fail-mode ${bridge} secure`,
          ),
    );
    const queue = probe
      .run('ovs-vsctl', '--timeout=3', 'get', 'bridge', bridge, 'other_config:controller-queue-size')
      .stdout.trim()
      .replaceAll('"', '');
    found.push(
      Number(queue) >= 500
        ? ok(`bridge ${bridge} queue`, `${queue} packets to the controller`)
        : warn(
            `bridge ${bridge} queue`,
            `${queue === '' ? '100 (default)' : queue} packets to the controller`,
            `ovs-vsctl set bridge ${bridge} other_config:controller-queue-size=511: a VM that wakes up after a move sends more at once`,
          ),
    );
  }
  return found;
}

export function checkMtu(probe: Probe): Finding[] {
  const ports = probe
    .run('ovs-vsctl', '--timeout=3', '--format=csv', '--no-headings', '--columns=name,mtu,type', 'list', 'Interface')
    .stdout.split('\n')
    .map((line) => line.replaceAll('"', '').split(','))
    .filter(([name, mtu, type]) => name !== undefined && mtu !== undefined && /^\d+$/.test(mtu) && type !== 'internal');
  if (ports.length === 0) return [skipped('MTU', 'no Open vSwitch interfaces')];
  const sizes = new Map<string, string[]>();
  for (const [name = '', mtu = ''] of ports) sizes.set(mtu, [...(sizes.get(mtu) ?? []), name]);
  if (sizes.size === 1) return [ok('MTU', `${[...sizes.keys()][0] ?? ''} on all ${ports.length} interfaces`)];
  const text = [...sizes].map(([mtu, names]) => `${mtu}: ${names.slice(0, 4).join(' ')}`).join('; ');
  return [warn('MTU', text, 'a flow that changes its path must not meet a smaller MTU: make them equal')];
}

export function checkClock(probe: Probe): Finding[] {
  const chrony = probe.run('chronyc', '-n', 'tracking');
  if (chrony.status === 0) {
    const offset = /System time\s*:\s*([\d.]+) seconds/.exec(chrony.stdout)?.[1] ?? '?';
    return [
      Number(offset) < 0.1
        ? ok('clock', `chrony, off by ${offset} s`)
        : warn('clock', `chrony, off by ${offset} s`, 'wait for it'),
    ];
  }
  if (probe.exists('/run/systemd/timesync/synchronized')) return [ok('clock', 'systemd-timesyncd, synchronized')];
  return [
    warn(
      'clock',
      'nothing that sets the clock was found',
      'run chrony or systemd-timesyncd on every host: captures and records are compared by time (agents re-base timeouts by a measured offset)',
    ),
  ];
}
