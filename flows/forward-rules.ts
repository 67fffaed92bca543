// Table 5: unicast by (VNID, destination). To the VAP where the VM is here, else to the first hop of the base route; transit
// rules carry frames over the NVEs between and match in_port, because layer 2 has no TTL (hard case 3).

import type { Dpid, PortNo } from '../src/base/ids.ts';
import { locationOf } from './atlas.ts';
import type { Atlas, Exit, Transit, VnPlan } from './atlas.ts';
import { encodeCookie } from './cookies.ts';
import { kept } from './kept.ts';
import type { Rule } from './rule.ts';
import { PRIORITY, meterId } from './tables.ts';
import {
  IPV4,
  IPV6,
  OPENER,
  TCP,
  apply,
  copies,
  encap,
  ethDst,
  ethSrc,
  fromFabric,
  fromVap,
  goto,
  groupDst,
  inPort,
  inVn,
  meteredPunt,
  missDrop,
  outOf,
  rule,
} from './terms.ts';
import type { VmView, VnView } from './world.ts';

const { group, turn, here, transitPair, transit, away } = PRIORITY.forward;
type Emit = (nve: Dpid, rule: Rule) => void;

// Unknown unicast is dropped and counted, never flooded.
const EVERY_NVE: readonly Rule[] = [
  rule('forward', 'deliver', group, [groupDst], [goto('flood')]),
  missDrop('forward'),
];

export function forwardRules(): readonly Rule[] {
  return EVERY_NVE;
}

/** The unicast rules of one VN, by NVE. */
export function unicast(atlas: Atlas, plan: VnPlan, emit: Emit): void {
  for (const vm of plan.vms) {
    const target = locationOf(vm);
    if (target === null) continue;
    atTarget(plan, vm, target, emit);
    for (const nve of plan.vaps.keys()) {
      const port = nve === target ? null : atlas.firstHop(nve, target);
      if (port !== null) emit(nve, awayRule(plan.vn, vm, port));
    }
    const passing = atlas.transitsTo(target);
    if (passing.length > 0) transits(plan, vm, passing, emit);
  }
  trails(atlas, plan, emit);
}

/**
 * Deliver, limbo and trail are three contents of one entry (same key), so that a switch changes from one to the next in one
 * step and no frame meets none of them.
 */
function atTarget(plan: VnPlan, vm: VmView, target: Dpid, emit: Emit): void {
  const { at } = vm;
  if (at === null) {
    for (const made of kept(vm, 'limbo', () => limbo(vm))) emit(target, made);
    return;
  }
  const exit = plan.vaps.get(target)?.find(({ port }) => port === at.port);
  if (exit === undefined) return; // its port is not (or no longer) a VAP
  emit(
    target,
    kept(vm, `here/${exit.tag ?? ''}`, () => deliver(vm, exit)),
  );
}

function deliver(vm: VmView, exit: Exit): Rule {
  return rule('forward', 'deliver', here, [inVn(vm.vnid), ethDst(vm.mac)], [apply(...copies([exit]))]);
}

/** The VM's port is gone: what comes for it is kept by the controller; openers by a meter of their own. */
function limbo(vm: VmView): Rule[] {
  const match = [inVn(vm.vnid), ethDst(vm.mac)];
  const cookie = encodeCookie('limbo', vm.serial);
  const openers = [IPV4, IPV6].map((family) =>
    rule('forward', 'deliver', here + 1, [...match, family, TCP, OPENER], meteredPunt(meterId('limboOpener')), cookie),
  );
  return [...openers, rule('forward', 'deliver', here, match, meteredPunt(meterId('limbo')), cookie)];
}

/**
 * Has no in_port on purpose: it takes the place of the delivering entry. It cannot loop, for a frame never leaves by the
 * port it came in (OpenFlow 1.3.5, 7.2.1), and the way from an old place to a new one is the same in both directions. Only
 * what comes from sources on the far side of that way, or on a detour over it, turns back, pair by pair: from both ends no
 * source is on the far side.
 */
function trails(atlas: Atlas, plan: VnPlan, emit: Emit): void {
  const seen = new Set<string>();
  for (const { vnid, vm: mac, from, detours = [] } of atlas.world.trails) {
    if (vnid !== plan.vn.vnid || seen.has(`${from}/${mac}`)) continue;
    seen.add(`${from}/${mac}`);
    const vm = atlas.vm(vnid, mac);
    const target = vm === undefined ? null : locationOf(vm);
    const port = target === null || target === from ? null : atlas.firstHop(from, target);
    if (vm === undefined || port === null) continue;
    emit(from, trailRule(plan.vn, vm, port));
    // Not through a State Host: it would see one source from both sides (hard case 9).
    if (atlas.route(from, target as Dpid)?.stateHosts.length !== 0) continue;
    const detoured = new Set(detours.filter((d) => d.inPort === port).map((d) => d.peerNve));
    for (const src of plan.vms) {
      const turns = comesInBy(atlas, src, from) === port || detoured.has(locationOf(src) as Dpid);
      if (src !== vm && turns) emit(from, turnRule(plan.vn, vm, port, src));
    }
  }
}

function trailRule(vn: VnView, vm: VmView, port: PortNo): Rule {
  return kept(vm, `trail/${vn.vlan}/${port}`, () => {
    const out = [apply(...encap(vn.vlan, port))];
    return rule('forward', 'transit', here, [inVn(vm.vnid), ethDst(vm.mac)], out, encodeCookie('trail', vm.serial));
  });
}

function turnRule(vn: VnView, vm: VmView, port: PortNo, src: VmView): Rule {
  return kept(vm, `turn/${vn.vlan}/${port}/${src.mac}`, () => {
    const match = [inPort(port), fromFabric(vm.vnid), ethDst(vm.mac), ethSrc(src.mac)];
    const out = [apply(...encap(vn.vlan, outOf(port, port)))];
    return rule('forward', 'transit', turn, match, out, encodeCookie('trail', vm.serial));
  });
}

/** The port by which a VM's frames arrive at an NVE. */
function comesInBy(atlas: Atlas, src: VmView, nve: Dpid): PortNo | null {
  const at = locationOf(src);
  return at === null ? null : (atlas.route(at, nve)?.hops.at(-1)?.inPort ?? null);
}

function awayRule(vn: VnView, vm: VmView, port: PortNo): Rule {
  return kept(vm, `away/${vn.vlan}/${port}`, () =>
    rule('forward', 'ingress', away, [fromVap(vm.vnid), ethDst(vm.mac)], [apply(...encap(vn.vlan, port))]),
  );
}

/**
 * Routes that come in by one port nearly always leave by one port: one rule. Where they part, the sources of the minority get
 * rules of their own.
 */
function transits(plan: VnPlan, vm: VmView, passing: readonly Transit[], emit: Emit): void {
  const doors = Map.groupBy(
    passing.filter((t) => plan.origins.has(t.from)),
    (t) => `${t.nve}/${t.inPort}`,
  );
  for (const through of doors.values()) {
    const [first] = through;
    if (first === undefined) continue;
    const common = mostCommon(through);
    emit(first.nve, transitRule(plan.vn, vm, first.inPort, common));
    for (const t of through) {
      if (t.outPort === common) continue;
      for (const src of sourcesAt(plan, t.from)) {
        if (src.mac !== vm.mac) emit(t.nve, transitRule(plan.vn, vm, t.inPort, t.outPort, src));
      }
    }
  }
}

function transitRule(vn: VnView, vm: VmView, cameIn: PortNo, port: PortNo, src?: VmView): Rule {
  return kept(vm, `transit/${vn.vlan}/${cameIn}/${port}/${src?.mac ?? ''}`, () => {
    const match = [
      inPort(cameIn),
      fromFabric(vm.vnid),
      ethDst(vm.mac),
      ...(src === undefined ? [] : [ethSrc(src.mac)]),
    ];
    const out = [apply(...encap(vn.vlan, outOf(port, cameIn)))];
    return rule('forward', 'transit', src === undefined ? transit : transitPair, match, out);
  });
}

function mostCommon(through: readonly Transit[]): PortNo {
  const ports = Map.groupBy(through, (t) => t.outPort);
  const ranked = [...ports].sort(([a, x], [b, y]) => y.length - x.length || a - b);
  return (ranked[0] as [PortNo, Transit[]])[0];
}

/** VMs whose frames set out at an NVE. */
export function sourcesAt(plan: VnPlan, nve: Dpid): VmView[] {
  return plan.vms.filter((vm) => locationOf(vm) === nve);
}
