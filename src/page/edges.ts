// Which lines of the drawing a way of packets runs over. Pure.

import type { TopologyJson } from '../api/schemas/topology.ts';

/** Ends are datapath ids and ids of State Hosts; the same whichever way round. */
export const edgeKey = (a: string, b: string): string => [a, b].sort().join(' ');

/** Over `nves` (datapath ids) in their order, through those of `stateHosts` that stand between them. */
export function edgesOf(
  { stateHosts }: Pick<TopologyJson, 'stateHosts'>,
  way: { readonly nves: readonly string[]; readonly stateHosts: readonly string[] },
): string[] {
  const through = stateHosts.filter((s) => way.stateHosts.includes(s.id));
  return way.nves.slice(1).flatMap((next, i) => {
    const here = way.nves[i] ?? next;
    const host = through.find((s) => [here, next].every((nve) => s.attachments.some((a) => a.nve === nve)));
    return host === undefined ? [edgeKey(here, next)] : [edgeKey(here, host.id), edgeKey(host.id, next)];
  });
}

/** The detours of pinned flows: from where the VM is to the NVE beside the holder, and through it to the peers. */
export function pinnedEdges(topology: TopologyJson): string[] {
  const { pins, vms, routes } = topology;
  return pins
    .filter((pin) => pin.phase !== 'lifted')
    .flatMap((pin) => {
      const at = vms.find((vm) => vm.vnid === pin.vnid && vm.mac === pin.vm)?.nve ?? pin.anchor;
      const legs = [
        routeBetween(routes, at, pin.anchor),
        { ...routeBetween(routes, pin.anchor, pin.peerNve), stateHosts: [pin.holder] },
      ];
      return legs.flatMap((leg) => edgesOf(topology, leg));
    });
}

function routeBetween(
  routes: TopologyJson['routes'],
  from: string,
  to: string,
): { nves: readonly string[]; stateHosts: readonly string[] } {
  if (from === to) return { nves: [from], stateHosts: [] };
  const there = routes.find((r) => r.from === from && r.to === to);
  if (there !== undefined) return there;
  const back = routes.find((r) => r.from === to && r.to === from);
  return back === undefined ? { nves: [from, to], stateHosts: [] } : { ...back, nves: back.nves.toReversed() };
}
