// Table 4: pairs of VMs on an explicit route, whatever the base routes say. A pin keeps flows on the State Host that holds
// their state; a lifted pin only carries on what was already under way.

import type { Dpid, Mac, PortNo } from '../src/base/ids.ts';
import { reverse } from '../src/base/route.ts';
import type { Hop, Route } from '../src/base/route.ts';
import { locationOf } from './atlas.ts';
import type { Atlas } from './atlas.ts';
import { pinCookie } from './cookies.ts';
import { kept } from './kept.ts';
import type { Rule } from './rule.ts';
import { PRIORITY } from './tables.ts';
import { apply, encap, ethDst, ethSrc, fromFabric, fromVap, inPort, missGoto, outOf, rule } from './terms.ts';
import type { Pin, VmView, VnView } from './world.ts';

const MISS_ON = missGoto('pins', 'forward');

export function pinRules(): readonly Rule[] {
  return [MISS_ON];
}

/** The rules of all pins, by NVE. Of two pins of one pair the later one counts, and a lifted one never. */
export function pinnedPairs(atlas: Atlas, emit: (nve: Dpid, rule: Rule) => void): void {
  const steps = new Map<string, { nve: Dpid; rule: Rule }>();
  const lifted = (pin: Pin): number => (pin.phase === 'lifted' ? 0 : 1);
  for (const pin of atlas.world.pins.toSorted((a, b) => lifted(a) - lifted(b))) {
    const vn = atlas.plans.get(pin.vnid)?.vn;
    if (vn === undefined) continue;
    const back = reverse(pin.route);
    for (const peer of atlas.peersAt(pin.vnid, pin.peerNve, pin.vm)) {
      const vm = atlas.vm(pin.vnid, pin.vm);
      const there = { pin, vn, src: pin.vm, dst: peer.mac };
      const home = { pin, vn, src: peer.mac, dst: pin.vm };
      for (const hop of pin.route.hops) put(steps, there, hop, baseRoute(atlas, vm, peer));
      for (const hop of back.hops) put(steps, home, hop, baseRoute(atlas, peer, vm));
    }
  }
  for (const { nve, rule: made } of steps.values()) emit(nve, made);
}

interface Direction {
  readonly pin: Pin;
  readonly vn: VnView;
  readonly src: Mac;
  readonly dst: Mac;
}

function put(steps: Map<string, { nve: Dpid; rule: Rule }>, way: Direction, hop: Hop, base: Route | undefined): void {
  const { nve, inPort: cameIn, outPort } = hop;
  if (outPort === null) return; // delivery is the forwarding table's
  const key = `${nve}/${cameIn ?? 'vap'}/${way.pin.vnid}/${way.src}/${way.dst}`;
  if (cameIn === null && way.pin.phase === 'lifted') return;
  // Once lifted, where the base route comes in by the same port it is the base route's frames that come.
  if (way.pin.phase === 'lifted' && base?.hops.some((h) => h.nve === nve && h.inPort === cameIn) === true) return;
  const what = `${way.vn.vlan}/${cameIn ?? 'vap'}/${outPort}/${way.src}/${way.dst}`;
  steps.set(key, { nve, rule: kept(way.pin, what, () => stepRule(way, cameIn, outPort)) });
}

function stepRule({ pin, vn, src, dst }: Direction, cameIn: PortNo | null, outPort: PortNo): Rule {
  const pair = [ethDst(dst), ethSrc(src)];
  const cookie = pinCookie(pin.id);
  if (cameIn === null) {
    const out = [apply(...encap(vn.vlan, outPort))];
    return rule('pins', 'ingress', PRIORITY.pins.pair, [fromVap(vn.vnid), ...pair], out, cookie);
  }
  const out = [apply(...encap(vn.vlan, outOf(outPort, cameIn)))];
  return rule('pins', 'detour', PRIORITY.pins.pair, [inPort(cameIn), fromFabric(vn.vnid), ...pair], out, cookie);
}

function baseRoute(atlas: Atlas, src: VmView | undefined, dst: VmView | undefined): Route | undefined {
  const from = src === undefined ? null : locationOf(src);
  const to = dst === undefined ? null : locationOf(dst);
  return from === null || to === null ? undefined : atlas.route(from, to);
}
