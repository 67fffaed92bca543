// `stateferry topology`: what the TDE has learnt.

import { Command } from 'commander';

import type { TopologyJson } from '../../api/schemas/topology.ts';
import { clientOf, withApiFlags } from '../api-client.ts';
import type { ApiFlags } from '../api-client.ts';
import { table } from '../table.ts';

export function topologyCommand(): Command {
  return withApiFlags(new Command('topology').description('NVEs, links, State Hosts, VMs, paths and pins')).action(
    async (flags: ApiFlags) => {
      const topology = await clientOf(flags).getTopology();
      process.stdout.write(flags.json === true ? `${JSON.stringify(topology, null, 2)}\n` : `${render(topology)}\n`);
    },
  );
}

function render(t: TopologyJson): string {
  const name = new Map(t.nves.map((n) => [n.dpid, n.name]));
  const nve = (dpid: string | null): string => (dpid === null ? '-' : (name.get(dpid) ?? dpid));
  const sections = [
    table(
      ['NVE', 'DATAPATH ID', 'OPENFLOW', 'PORTS'],
      t.nves.map((n) => [n.name, n.dpid, n.connected ? (n.version ?? '?') : 'gone', n.ports.map(portText).join(' ')]),
    ),
    table(
      ['LINK', '', 'LATENCY'],
      t.links.map((l) => [
        `${nve(l.a.nve)}:${l.a.port}`,
        `${nve(l.b.nve)}:${l.b.port}`,
        l.latencyMs === null ? '?' : `${l.latencyMs.toFixed(1)} ms`,
      ]),
    ),
    table(
      ['STATE HOST', 'REGISTERED', 'TABLE', 'RULESET', 'ATTACHED'],
      t.stateHosts.map((s) => [
        s.id,
        s.registered ? 'yes' : 'no',
        `${s.tableUsed}/${s.tableSize}`,
        s.rulesetDigest.slice(0, 12),
        s.attachments.map((a) => `${a.dataPort}=${nve(a.nve)}:${a.port}`).join(' '),
      ]),
    ),
    table(
      ['VM', 'VN', 'AT', 'ADDRESSES'],
      t.vms.map((v) => [
        v.mac,
        v.vn,
        v.nve === null ? 'between two places' : `${nve(v.nve)}:${v.port ?? '?'}`,
        v.addresses.join(' '),
      ]),
    ),
    table(
      ['PATH', 'OVER', 'STATE HOSTS'],
      t.routes.map((r) => [`${nve(r.from)} - ${nve(r.to)}`, r.nves.map(nve).join(' '), r.stateHosts.join(' ') || '-']),
    ),
  ];
  if (t.pins.length > 0) {
    sections.push(
      table(
        ['PIN', 'VM', 'PEERS AT', 'HELD BY', 'DETOUR OVER', 'PHASE'],
        t.pins.map((p) => [p.migration, p.vm, nve(p.peerNve), p.holder, nve(p.anchor), p.phase]),
      ),
    );
  }
  return sections.join('\n\n');
}

function portText(p: TopologyJson['nves'][number]['ports'][number]): string {
  const vns = (p.vns ?? []).map(({ name, tag }) => (tag === null ? name : `${name}@${tag}`));
  const strays = p.quarantinedTags.map((tag) => (tag === null ? 'untagged?' : `tag ${tag}?`));
  const vap = `vap(${[...vns, ...strays].join(' ')})`;
  const what = p.role === 'vap' ? vap : p.role === 'state-host' ? (p.peer ?? p.role) : p.role;
  return `${p.no}:${p.name}=${what}${p.up ? '' : '(down)'}`;
}
