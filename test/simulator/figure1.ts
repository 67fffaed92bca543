// The draft's Figure 1 for the simulator: NVE1-FW1-NVE3-FW2-NVE2-NVE1, one VN; VM1 moves between NVE1 and NVE2, its peers
// stay. Views are the same objects in every run, so that rules compiled once serve all runs.

import { dpid, ipAddress, mac, portNo, stateHostId, vnid } from '../../src/base/ids.ts';
import type { Dpid, Mac, StateHostId } from '../../src/base/ids.ts';
import { join, reverse } from '../../src/base/route.ts';
import type { Route } from '../../src/base/route.ts';
import type { KnownWorld, NveView, Place, PortView, VmView, VnView, World } from '../../flows/world.ts';
import type { Transfer } from '../../topology/notification.ts';

export const VNID = vnid(0x10065);
export const VLAN = 101;
export const FW1 = stateHostId('fw1');
export const FW2 = stateHostId('fw2');
export const NVES = [dpid('1'), dpid('2'), dpid('3')] as const;
const [NVE1, NVE2, NVE3] = NVES;
export const VAP = portNo(1);
export const VAP2 = portNo(2);
export const LEFT = portNo(3);
export const RIGHT = portNo(4);
export const PORTS = [VAP, VAP2, LEFT, RIGHT] as const;

export interface Cable {
  readonly from: Dpid;
  readonly fromPort: number;
  readonly to: Dpid;
  readonly toPort: number;
  readonly through: StateHostId | null;
}
const cable = (from: Dpid, fromPort: number, to: Dpid, toPort: number, through: StateHostId | null): Cable[] => [
  { from, fromPort, to, toPort, through },
  { from: to, fromPort: toPort, to: from, toPort: fromPort, through },
];
/** NVE1 left: FW1, right: NVE2. NVE2 left: FW2, right: NVE1. NVE3 left: FW1, right: FW2. */
export const CABLES: readonly Cable[] = [
  ...cable(NVE1, LEFT, NVE3, LEFT, FW1),
  ...cable(NVE2, LEFT, NVE3, RIGHT, FW2),
  ...cable(NVE1, RIGHT, NVE2, RIGHT, null),
];

const direct = (from: Dpid, out: number, to: Dpid, into: number, through: StateHostId[]): Route => ({
  from,
  to,
  hops: [
    { nve: from, inPort: null, outPort: portNo(out) },
    { nve: to, inPort: portNo(into), outPort: null },
  ],
  stateHosts: through,
});
export const ROUTES: readonly Route[] = [
  direct(NVE1, LEFT, NVE3, LEFT, [FW1]),
  direct(NVE2, LEFT, NVE3, RIGHT, [FW2]),
  direct(NVE2, RIGHT, NVE1, RIGHT, []),
];
const BOTH_WAYS = new Map(ROUTES.flatMap((r) => [r, reverse(r)]).map((r) => [`${r.from} ${r.to}`, r]));
export const routeOf = (from: Dpid, to: Dpid): Route | null => BOTH_WAYS.get(`${from} ${to}`) ?? null;

const port = (no: PortView['no'], role: PortView['role']): PortView => ({ no, name: `p${no}`, role });
export const NVE_VIEWS: readonly NveView[] = NVES.map((id) => ({
  dpid: id,
  ports: [
    port(VAP, { kind: 'vap', vns: [{ vnid: VNID, tag: null }] }),
    port(VAP2, { kind: 'vap', vns: [{ vnid: VNID, tag: null }] }),
    port(LEFT, { kind: 'fabric' }),
    port(RIGHT, { kind: 'fabric' }),
  ],
}));

export interface Machine {
  readonly index: number;
  readonly mac: Mac;
  readonly ip: string;
  /** Where it is at the beginning; only VM1 moves. */
  readonly home: Place;
}
const machine = (index: number, nve: Dpid, vap: Place['port']): Machine => ({
  index,
  mac: mac(`02:00:00:00:00:0${index + 1}`),
  ip: `10.0.0.${index + 1}`,
  home: { nve, port: vap },
});
export const VM1 = machine(0, NVE1, VAP);
/** Peers: two behind the firewalls, one at each NVE that VM1 visits. */
export const PEERS = [machine(1, NVE3, VAP), machine(2, NVE3, VAP2), machine(3, NVE2, VAP2), machine(4, NVE1, VAP2)];
export const MACHINES = [VM1, ...PEERS];

/** Places VM1 can be at. */
export const PLACES: readonly Place[] = [
  { nve: NVE1, port: VAP },
  { nve: NVE2, port: VAP },
];

/** A number below 64 for a place, or none. */
const codeOf = (place: Place | null): number => (place === null ? 0 : (NVES.indexOf(place.nve) + 1) * 8 + place.port);

const views = new Map<number, VmView>();
/** VM1 at a place, or gone from one. */
export function viewOf(vm: Machine, at: Place | null, lastAt: Place | null): VmView {
  const key = (vm.index * 64 + codeOf(at)) * 64 + codeOf(lastAt);
  let view = views.get(key);
  if (view === undefined) {
    view = { serial: vm.index + 1, vnid: VNID, mac: vm.mac, addresses: [ipAddress(vm.ip)], at, lastAt };
    views.set(key, view);
  }
  return view;
}

export const VNS: readonly VnView[] = [{ vnid: VNID, name: 'red', vlan: VLAN }];
export const PEER_VIEWS: readonly VmView[] = PEERS.map((m) => viewOf(m, m.home, m.home));
const known = new Map<VmView, KnownWorld>();
/** What is known when VM1 is there, or gone from there. */
export function knownWith(at: Place | null, lastAt: Place | null): KnownWorld {
  const vm1 = viewOf(VM1, at, lastAt);
  let world = known.get(vm1);
  if (world === undefined) {
    world = { nves: NVE_VIEWS, vns: VNS, vms: [vm1, ...PEER_VIEWS], routes: ROUTES };
    known.set(vm1, world);
  }
  return world;
}
/** Everybody at home, and nothing under way. */
export const QUIET_WORLD: World = {
  ...knownWith(VM1.home, VM1.home),
  pins: [],
  gates: [],
  trails: [],
};

/** What the TDE would say is to be moved: the peers behind another State Host than before. */
export function transfersOf(oldNve: Dpid, newNve: Dpid): Transfer[] {
  const before = routeOf(oldNve, NVE3);
  const after = routeOf(newNve, NVE3);
  const back = routeOf(newNve, oldNve);
  if (before === null || after === null || back === null || oldNve === newNve) return [];
  const peers = PEERS.filter((p) => p.home.nve === NVE3).map((p) => ipAddress(p.ip));
  return [
    {
      source: before.stateHosts[0] ?? null,
      destination: after.stateHosts[0] ?? null,
      peerNve: NVE3,
      selector: { vnid: VNID, vm: [ipAddress(VM1.ip)], peers },
      detour: join(back, before),
      direct: after,
    },
  ];
}

/** The State Host between VM1 at a place and a peer; null where there is none. */
export const stateHostBetween = (at: Dpid, peer: Machine): StateHostId | null =>
  (at === peer.home.nve ? null : routeOf(at, peer.home.nve)?.stateHosts[0]) ?? null;
