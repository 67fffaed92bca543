// The draft's Figure 1 as a world and as a network of fake switches: NVE1-FW1-NVE3-FW2-NVE2-NVE1, two VNs whose VMs have equal
// IP addresses. Shared by the tests of this room.

import { dpid, ipAddress, mac, migrationId, portNo, stateHostId, vnid } from '../../../src/base/ids.ts';
import type { Dpid, PortNo } from '../../../src/base/ids.ts';
import { join } from '../../../src/base/route.ts';
import type { Route } from '../../../src/base/route.ts';
import { PHASES, metersOf, planOf } from '../../../flows/apply-plan.ts';
import { compile } from '../../../flows/compile.ts';
import { diff } from '../../../flows/diff.ts';
import type { Gate, NveView, Pin, Place, PortView, VmView, World } from '../../../flows/world.ts';
import { FakeNetwork } from '../../fakes/fake-network.ts';
import type { FakeLink, FakeStateHost, Journey, Socket } from '../../fakes/fake-network.ts';
import { FakeSwitch } from '../../fakes/fake-switch.ts';
import type { FakeSwitchOptions } from '../../fakes/fake-switch.ts';
import { TCP_FLAGS, tcp } from '../../fakes/fake-switch-frames.ts';

export const RED = vnid(0x10065);
export const BLUE = vnid(0x10066);
export const FW1 = stateHostId('fw1');
export const FW2 = stateHostId('fw2');
export const [nve1, nve2, nve3] = [dpid('1'), dpid('2'), dpid('3')] as const;

/** Ports: 1 and 2 VAPs of the red VN, 3 of the blue one, 9 unknown, 11 and 12 fabric. */
export const P = {
  red: portNo(1),
  red2: portNo(2),
  blue: portNo(3),
  closed: portNo(9),
  left: portNo(11),
  right: portNo(12),
};

const port = (no: PortNo, role: PortView['role']): PortView => ({ no, name: `p${no}`, role });
const nve = (id: Dpid): NveView => ({
  dpid: id,
  ports: [
    port(P.red, { kind: 'vap', vns: [{ vnid: RED, tag: null }] }),
    port(P.red2, { kind: 'vap', vns: [{ vnid: RED, tag: null }] }),
    port(P.blue, { kind: 'vap', vns: [{ vnid: BLUE, tag: null }] }),
    port(P.closed, { kind: 'closed' }),
    port(P.left, { kind: 'fabric' }),
    port(P.right, { kind: 'fabric' }),
  ],
});

/** NVE1 left: FW1, right: NVE2. NVE2 left: FW2, right: NVE1. NVE3 left: FW1, right: FW2. */
export const LINKS: readonly FakeLink[] = [
  { a: { nve: nve1, port: P.left }, b: { nve: nve3, port: P.left }, through: FW1 },
  { a: { nve: nve2, port: P.left }, b: { nve: nve3, port: P.right }, through: FW2 },
  { a: { nve: nve1, port: P.right }, b: { nve: nve2, port: P.right } },
];

const direct = (from: Dpid, out: PortNo, to: Dpid, into: PortNo, through: Route['stateHosts']): Route => ({
  from,
  to,
  hops: [
    { nve: from, inPort: null, outPort: out },
    { nve: to, inPort: into, outPort: null },
  ],
  stateHosts: through,
});
export const r13 = direct(nve1, P.left, nve3, P.left, [FW1]);
export const r23 = direct(nve2, P.left, nve3, P.right, [FW2]);
export const r21 = direct(nve2, P.right, nve1, P.right, []);
/** NVE2 - NVE1 - FW1 - NVE3: how flows of a VM that moved to NVE2 stay on FW1. */
export const detour = join(r21, r13);

export const at = (id: Dpid, no: PortNo): Place => ({ nve: id, port: no });
const vm = (serial: number, vn: typeof RED, tail: string, ip: string, place: Place): VmView => ({
  serial,
  vnid: vn,
  mac: mac(`02:00:00:${tail}`),
  addresses: [ipAddress(`10.0.0.${ip}`), ipAddress(`fd00::${ip}`), ipAddress(`fe80::${ip}`)],
  at: place,
  lastAt: null,
});

export const vm1 = vm(1, RED, '01:00:01', '1', at(nve1, P.red));
export const vm2 = vm(2, RED, '01:00:02', '2', at(nve2, P.red));
export const vm3 = vm(3, RED, '01:00:03', '3', at(nve3, P.red));
export const vm1blue = vm(11, BLUE, '02:00:01', '1', at(nve1, P.blue));
export const vm3blue = vm(13, BLUE, '02:00:03', '3', at(nve3, P.blue));

export const figure1: World = {
  nves: [nve(nve1), nve(nve2), nve(nve3)],
  vns: [
    { vnid: RED, name: 'red', vlan: 101 },
    { vnid: BLUE, name: 'blue', vlan: 102 },
  ],
  vms: [vm1, vm2, vm3, vm1blue, vm3blue],
  routes: [r13, r23, r21],
  pins: [],
  gates: [],
  trails: [],
};

/** The world with some VMs somewhere else; null: port gone, last seen where it was. */
export function moved(world: World, moves: ReadonlyMap<VmView, Place | null>): World {
  const move = (v: VmView): VmView => {
    const to = moves.get(v);
    return to === undefined ? v : { ...v, at: to, lastAt: to ?? v.at };
  };
  return { ...world, vms: world.vms.map(move) };
}

export const pin = (phase: Pin['phase']): Pin => ({
  id: migrationId('m-000001'),
  vnid: RED,
  vm: vm1.mac,
  peerNve: nve3,
  route: detour,
  phase,
});
export const gate = (holds: Gate['holds'], serial = 77): Gate => ({
  id: migrationId('m-000001'),
  serial,
  vnid: RED,
  vm: vm1.mac,
  peerNve: nve3,
  nves: [nve2, nve3],
  holds,
});

/** VM1 has moved from NVE1 to NVE2, in the order of a migration. */
const vm1AtNve2 = moved(figure1, new Map([[vm1, at(nve2, P.red2)]]));
const trails = [{ vnid: RED, vm: vm1.mac, from: nve1 }];
export const pinned: World = { ...vm1AtNve2, pins: [pin('pinned')], trails };
export const gated: World = { ...pinned, gates: [gate('openers')] };
export const closed: World = { ...pinned, gates: [gate('all', 78)] };
export const lifted: World = { ...vm1AtNve2, pins: [pin('lifted')], trails };
export const retired: World = vm1AtNve2;

export class Lab {
  readonly network: FakeNetwork;
  world: World;

  constructor(world: World, options: FakeSwitchOptions = {}, links = LINKS, stateHost?: FakeStateHost) {
    const switches = world.nves.map((n) => new FakeSwitch(n.dpid, n.ports, options));
    this.network = new FakeNetwork(switches, links, stateHost);
    this.world = world;
    this.become(world);
  }

  /** Every switch changes at once, by the difference. */
  become(world: World): void {
    this.world = world;
    for (const id of compile(world).keys()) this.becomeAt(id, world);
  }

  /** One switch changes, the others not yet. */
  becomeAt(id: Dpid, world: World): void {
    const sw = this.sw(id);
    const rules = compile(world).get(id) ?? [];
    for (const meterId of metersOf(rules)) {
      if (!sw.meters.has(meterId)) sw.send({ type: 'meter_mod', command: 'add', meterId, flags: 2, bands: [] });
    }
    const plan = planOf(diff(sw.dump(), rules));
    sw.send(...PHASES.flatMap((phase) => plan[phase].mods));
  }

  sw(id: Dpid): FakeSwitch {
    const sw = this.network.switches.get(id);
    if (sw === undefined) throw new Error(`no switch ${id}`);
    return sw;
  }

  inject(place: Socket, frame: Buffer): Journey {
    return this.network.inject(place, frame);
  }

  /** A frame from where the VM is in the present world. */
  from(v: VmView, frame: Buffer): Journey {
    const now = this.world.vms.find((w) => w.serial === v.serial);
    if (now?.at == null) throw new Error(`${v.mac} is nowhere`);
    return this.inject(now.at, frame);
  }
}

export const v4 = (v: VmView): string => v.addresses[0] as string;
export const v6 = (v: VmView): string => v.addresses[1] as string;

/** An established segment, or one with other flags, from one VM to another. */
export const segment = (from: VmView, to: VmView, flags: number = TCP_FLAGS.ack): Buffer =>
  tcp({ dst: to.mac, src: from.mac }, v4(from), v4(to), flags, undefined, 'data');
export const segment6 = (from: VmView, to: VmView, flags: number = TCP_FLAGS.ack): Buffer =>
  tcp({ dst: to.mac, src: from.mac }, v6(from), v6(to), flags, undefined, 'data');

/** State Hosts in the order a frame passed them. */
export const hosts = (journey: Journey): string[] =>
  journey.passed.flatMap((p) => (p.through === null ? [] : [p.through]));
/** `NVE port` of every delivery. */
export const places = (journey: Journey): string[] =>
  journey.delivered.map((d) => `${Number.parseInt(d.at.nve, 16)}:${d.at.port}`).sort();
