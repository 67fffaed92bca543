// What a State Host of kind netfilter needs. Run inside the firewall's network namespace: most sysctls are per namespace.

import { bad, ok, skipped, warn } from './check.ts';
import type { Finding, Probe } from './check.ts';

interface Wanted {
  readonly key: string;
  readonly value: string;
  readonly verdict: 'warn' | 'bad';
  readonly why: string;
}

const SYSCTLS: readonly Wanted[] = [
  {
    key: 'net.netfilter.nf_conntrack_events',
    value: '1',
    verdict: 'bad',
    why: 'with 2, entries made before the agent started give no events',
  },
  {
    key: 'net.netfilter.nf_conntrack_tcp_loose',
    value: '0',
    verdict: 'warn',
    why: 'with 1, unknown connections are picked up mid-stream: a lost migration stays hidden',
  },
  {
    key: 'net.netfilter.nf_conntrack_tcp_be_liberal',
    value: '0',
    verdict: 'warn',
    why: 'window checks are off for every flow; stateferry makes only moved entries liberal',
  },
  {
    key: 'net.netfilter.nf_conntrack_acct',
    value: '1',
    verdict: 'warn',
    why: 'packet and byte totals of moved flows cannot be carried',
  },
];

const BRIDGE_SYSCTLS: readonly Wanted[] = [
  {
    key: 'net.bridge.bridge-nf-call-iptables',
    value: '1',
    verdict: 'bad',
    why: 'bridged IPv4 does not pass the firewall',
  },
  {
    key: 'net.bridge.bridge-nf-call-ip6tables',
    value: '1',
    verdict: 'bad',
    why: 'bridged IPv6 does not pass the firewall',
  },
  {
    key: 'net.bridge.bridge-nf-filter-vlan-tagged',
    value: '1',
    verdict: 'bad',
    why: 'VLAN-tagged tenants do not pass the firewall',
  },
];

function checkSysctl(probe: Probe, wanted: Wanted): Finding {
  const path = `/proc/sys/${wanted.key.replaceAll('.', '/')}`;
  const found = probe.read(path);
  const check = `sysctl ${wanted.key}`;
  if (found === null) return skipped(check, 'not on this kernel (or the module is not loaded)');
  if (found === wanted.value) return ok(check, found);
  const mend = `sysctl -w ${wanted.key}=${wanted.value}`;
  return wanted.verdict === 'bad'
    ? bad(check, `${found}: ${wanted.why}`, mend)
    : warn(check, `${found}: ${wanted.why}`, mend);
}

export function checkConntrack(probe: Probe): Finding[] {
  const count = probe.read('/proc/sys/net/netfilter/nf_conntrack_count');
  const max = probe.read('/proc/sys/net/netfilter/nf_conntrack_max');
  const buckets = probe.read('/proc/sys/net/netfilter/nf_conntrack_buckets');
  if (count === null || max === null) {
    return [bad('conntrack', 'the kernel has no nf_conntrack', 'modprobe nf_conntrack nf_conntrack_netlink')];
  }
  const full = Number(count) / Number(max);
  const table = `${count} of ${max} entries, ${buckets ?? '?'} buckets`;
  return [
    full > 0.8
      ? bad('conntrack table', `${table}: nearly full`, 'raise net.netfilter.nf_conntrack_max')
      : ok('conntrack table', table),
    ...SYSCTLS.map((s) => checkSysctl(probe, s)),
  ];
}

export function checkRuleset(probe: Probe): Finding[] {
  const rules = probe.run('nft', 'list', 'ruleset');
  if (rules.status !== 0)
    return [bad('ruleset', rules.stderr.trim() || 'nft cannot list it', 'run as root in the firewall')];
  const found: Finding[] = [];
  const text = rules.stdout;
  const forward = /hook forward[^\n]*policy (\w+)/.exec(text)?.[1];
  if (forward === undefined)
    found.push(warn('ruleset', 'no forward chain', 'this host filters nothing: is it the firewall?'));
  else if (forward === 'drop') found.push(ok('ruleset', 'forward policy drop'));
  else found.push(warn('ruleset', `forward policy ${forward}`, 'a flow without state should be dropped'));
  found.push(
    /ct state .*invalid/.test(text)
      ? ok('INVALID', 'has a rule of its own')
      : warn('INVALID', 'no rule looks at it', 'count and drop `ct state invalid`, so that a failed migration shows'),
  );
  if (/ct count/.test(text))
    found.push(warn('ct count', 'in use', 'its counters cannot be moved (use counter quota sets)'));
  if (/\blimit rate\b/.test(text) && /set |dynamic/.test(text)) {
    found.push(warn('limit', 'token buckets in use', 'their tokens cannot be read or moved (use counter quota sets)'));
  }
  return found;
}

export function checkBridges(probe: Probe): Finding[] {
  const bridges = probe.list('/sys/class/net').filter((name) => probe.exists(`/sys/class/net/${name}/bridge`));
  if (bridges.length === 0) return [skipped('bridge', 'no bridge here: a routing firewall')];
  const found = BRIDGE_SYSCTLS.map((s) => checkSysctl(probe, s));
  for (const bridge of bridges) {
    const at = `/sys/class/net/${bridge}/bridge`;
    const snooping = probe.read(`${at}/multicast_snooping`);
    if (snooping === '1') {
      found.push(
        warn(
          `bridge ${bridge}`,
          'multicast snooping drops neighbour discovery',
          `ip link set ${bridge} type bridge mcast_snooping 0`,
        ),
      );
    }
    if (probe.read(`${at}/stp_state`) !== '0') {
      found.push(
        bad(`bridge ${bridge}`, 'STP is on: ports block for seconds', `ip link set ${bridge} type bridge stp_state 0`),
      );
    }
    const learning = probe
      .list(`/sys/class/net/${bridge}/brif`)
      .filter((p) => probe.read(`/sys/class/net/${p}/brport/learning`) === '1');
    found.push(
      learning.length === 0
        ? ok(`bridge ${bridge}`, 'ports do not learn')
        : warn(
            `bridge ${bridge}`,
            `${learning.join(' ')} learn MAC addresses`,
            'a VM may enter from the other side after a move; with two ports learning is not needed: bridge link set dev PORT learning off flood on',
          ),
    );
  }
  return found;
}
