// Table 6: broadcast and multicast inside a VN, by head-end replication: the NVE where a frame enters sends one copy down
// each branch of its own tree; frames from the fabric go to VAPs and on along that tree only (hard case 8).

import type { Dpid, PortNo } from '../src/base/ids.ts';
import type { Action } from '../src/openflow/model.ts';
import type { Atlas, Exit, VnPlan } from './atlas.ts';
import { sourcesAt } from './forward-rules.ts';
import { kept } from './kept.ts';
import type { Rule } from './rule.ts';
import { ETH, PRIORITY } from './tables.ts';
import { apply, copies, ethSrc, ethType, field, fromFabric, fromVap, inPort, missDrop, rule } from './terms.ts';

const { never, transit, deliver, replicate } = PRIORITY.flood;
type Emit = (nve: Dpid, rule: Rule) => void;

const EVERY_NVE: readonly Rule[] = [
  // Announcements are the TDE's (hard case 8); 01-80-C2-00-00-0x stays on its link (IEEE 802.1D, table 7-10).
  rule('flood', 'deliver', never, [ethType(ETH.rarp)], []),
  rule('flood', 'deliver', never, [field('eth_dst', '01:80:c2:00:00:00', 'ff:ff:ff:ff:ff:f0')], []),
  missDrop('flood'),
];

export function floodRules(): readonly Rule[] {
  return EVERY_NVE;
}

/** One NVE in the tree of an origin. */
interface Branch {
  readonly inPort: PortNo | null;
  readonly outPorts: Set<PortNo>;
}

/** The rules for group frames of one VN, by NVE. */
export function flooding(atlas: Atlas, plan: VnPlan, emit: Emit): void {
  const { vnid, vlan } = plan.vn;
  for (const [nve, vaps] of plan.vaps) {
    const deliverAll = (): Rule => rule('flood', 'deliver', deliver, [fromFabric(vnid)], [apply(...copies(vaps))]);
    emit(nve, kept(plan.vn, `flood/${nameOf(vaps)}`, deliverAll));
    const tree = treeFrom(atlas, plan, nve);
    for (const [node, { inPort: cameIn, outPorts }] of tree) {
      const onward = [...outPorts].map((port): Exit => ({ port, tag: vlan }));
      if (cameIn === null) {
        const out = (): Action[] => copies([...vaps, ...onward]); // never back out of in_port
        const made = (): Rule => rule('flood', 'ingress', replicate, [fromVap(vnid)], [apply(...out())]);
        emit(nve, kept(plan.vn, `flood/${nameOf(vaps)}/${[...outPorts].join()}`, made));
      } else if (onward.length > 0) {
        const out = copies([...(plan.vaps.get(node) ?? []), ...onward]);
        for (const vm of sourcesAt(plan, nve)) {
          const match = [inPort(cameIn), fromFabric(vnid), ethSrc(vm.mac)];
          emit(node, rule('flood', 'transit', transit, match, [apply(...out)]));
        }
      }
    }
  }
}

const nameOf = (exits: readonly Exit[]): string => exits.map(({ port, tag }) => `${port}.${tag ?? ''}`).join();

/**
 * The base routes from `root` to every other NVE of the VN, laid over each other. An NVE is entered by the route that reaches
 * it first, so that each gets one copy even where routes part and meet again.
 */
function treeFrom(atlas: Atlas, plan: VnPlan, root: Dpid): Map<Dpid, Branch> {
  const tree = new Map<Dpid, Branch>([[root, { inPort: null, outPorts: new Set() }]]);
  for (const nve of plan.vaps.keys()) {
    const hops = atlas.route(root, nve)?.hops ?? [];
    for (let i = 1; i < hops.length; i += 1) {
      const [before, hop] = [hops[i - 1], hops[i]];
      if (before?.outPort == null || hop === undefined || tree.has(hop.nve)) continue;
      tree.get(before.nve)?.outPorts.add(before.outPort);
      tree.set(hop.nve, { inPort: hop.inPort, outPorts: new Set() });
    }
  }
  return tree;
}
