// The network and its agents as the API shows them, read from the running parts. No state of its own.

import type { AgentJson } from '../api/schemas/agents.ts';
import type { VnJson } from '../api/schemas/vns.ts';
import type { LinkJson, NveJson, PinJson, StateHostJson, TopologyJson } from '../api/schemas/topology.ts';
import type { Dpid } from '../base/ids.ts';
import type { Orchestration } from '../som/orchestration.ts';

export function topology(o: Orchestration): TopologyJson {
  const world = o.view.world();
  return {
    nves: nves(o),
    links: o.tde.links().map((l): LinkJson => {
      return { a: { ...l.a }, b: { ...l.b }, latencyMs: l.latencyAbMs };
    }),
    stateHosts: stateHosts(o),
    vms: o.tde.vms().map((vm) => ({
      vn: vnName(o, vm.vnid),
      vnid: vm.vnid,
      mac: vm.mac,
      addresses: vm.addresses,
      nve: vm.at?.nve ?? null,
      port: vm.at?.port ?? null,
    })),
    routes: world.routes.map((r) => ({
      from: r.from,
      to: r.to,
      nves: r.hops.map((h) => h.nve),
      stateHosts: r.stateHosts,
    })),
    pins: o.som.units.map(({ plan, phase }): PinJson => {
      const { migration, vnid, vm, peerNve, anchor, source } = plan;
      return { migration, vnid, vm, peerNve, anchor, holder: source, phase };
    }),
  };
}

function nves(o: Orchestration): NveJson[] {
  return o.tde.nves().map((nve) => {
    const sw = o.switches.get(nve.dpid);
    return {
      dpid: nve.dpid,
      name: nve.name ?? nve.dpid,
      connected: sw !== undefined,
      version: sw === undefined ? null : `1.${sw.version - 1}`,
      remote: sw?.remote ?? null,
      ports: nve.ports.map(({ port, name, up, role, quarantinedTags }) => ({
        no: port,
        name,
        up,
        role: role.kind,
        ...(role.kind === 'vap' ? { vns: role.vns.map(({ vnid, tag }) => ({ name: vnName(o, vnid), tag })) } : {}),
        quarantinedTags,
        ...(role.kind === 'state-host' ? { peer: role.id } : {}),
        ...(role.kind === 'quarantined' ? { reason: role.reason } : {}),
      })),
    };
  });
}

export function vns(o: Orchestration): VnJson[] {
  const { vns: known } = o.view.world();
  return known.map(({ name, vnid, vlan }) => ({
    name,
    vnid,
    vlan,
    vms: o.tde.vms().filter((vm) => vm.vnid === vnid).length,
    vaps: o.tde
      .nves()
      .flatMap(({ dpid, ports }) =>
        ports.flatMap(({ port, role }) =>
          role.kind !== 'vap'
            ? []
            : role.vns.filter((one) => one.vnid === vnid).map(({ tag }) => ({ nve: dpid, port, tag })),
        ),
      ),
  }));
}

export function agents(o: Orchestration): AgentJson[] {
  return o.agents.all().map(({ id, remote, software, profile, clockOffsetMs, lastHeartbeat }) => ({
    id,
    remote,
    software,
    kernel: profile.kernel,
    role: profile.role,
    kinds: profile.kindsOfState.map((k) => k.name),
    natPools: profile.natPools,
    clockOffsetMs,
    heartbeatWallMs: lastHeartbeat?.wallMs ?? null,
    shadowRecords: lastHeartbeat === null ? null : Number(lastHeartbeat.shadowRecords),
    eventsLost: lastHeartbeat === null ? null : Number(lastHeartbeat.eventsLost),
  }));
}

function stateHosts(o: Orchestration): StateHostJson[] {
  return o.tde.stateHosts().map((s) => {
    const session = o.agents.get(s.id);
    const profile = session?.profile;
    return {
      id: s.id,
      registered: session !== undefined,
      drained: s.drained,
      role: s.role,
      functions: profile?.functions ?? [],
      tableSize: Number(profile?.tableSize ?? 0n),
      tableUsed: Number(profile?.tableUsed ?? 0n),
      rulesetDigest: profile?.rulesetDigest ?? '',
      zones: profile?.zones ?? [],
      attachments: s.attachments.map((a) => ({
        dataPort: a.portName,
        mac: a.mac,
        nve: a.nve,
        port: a.port,
      })),
    };
  });
}

export function nveName(o: Orchestration, id: Dpid): string {
  return o.tde.nves().find((n) => n.dpid === id)?.name ?? id;
}

export function vnName(o: Orchestration, vnid: number): string {
  return o.view.world().vns.find((v) => v.vnid === vnid)?.name ?? String(vnid);
}
