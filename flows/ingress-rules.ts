// Table 0: control frames to the controller, everything else into its VN or out of the way.

import type { NveView, VnView } from './world.ts';
import { encodeCookie } from './cookies.ts';
import type { Rule } from './rule.ts';
import { ETH, PRIORITY, VID_NONE, VID_PRESENT, meterId } from './tables.ts';
import { apply, enterVn, ethType, field, goto, inPort, meteredPunt, missDrop, punt, rule } from './terms.ts';

const { control, uncontrolled, admit, shut, newcomer } = PRIORITY.ingress;
const LLDP = ethType(ETH.lldp);
const PROBE = ethType(ETH.probe);
const UNTAGGED = field('vlan_vid', VID_NONE);

// LLDP from a port that is not (yet) fabric is how a new link or State Host is found; from a VAP it is never believed
// (hard case 31). Probes make sense on fabric only.
const ANYWHERE: readonly Rule[] = [
  rule('ingress', 'deliver', uncontrolled, [LLDP], meteredPunt(meterId('lldp')), encodeCookie('lldp')),
  rule('ingress', 'deliver', uncontrolled, [PROBE], []),
  // A port that has come up and has no rules yet: the first frames of a VM that has just arrived must not be lost.
  rule('ingress', 'deliver', newcomer, [UNTAGGED], meteredPunt(meterId('newcomer')), encodeCookie('punt')),
  missDrop('ingress'),
];

export function ingressRules(nve: NveView, vns: readonly VnView[]): Rule[] {
  const rules = [...ANYWHERE];
  const known = new Set(vns.map((vn) => vn.vnid));
  for (const { no, role } of nve.ports) {
    // A VAP whose VN is not configured stays shut.
    const open = role.kind === 'vap' && known.has(role.vnid);
    if (!open) rules.push(rule('ingress', 'deliver', shut, [inPort(no)], []));
    if (role.kind === 'fabric') rules.push(...fabricPort(no, vns));
    if (role.kind === 'vap') {
      rules.push(rule('ingress', 'deliver', control, [inPort(no), LLDP], []));
      if (open) {
        const into = [enterVn(role.vnid, true), goto('vap')];
        rules.push(rule('ingress', 'ingress', admit, [inPort(no), UNTAGGED], into));
      }
    }
  }
  return rules;
}

function fabricPort(no: number, vns: readonly VnView[]): Rule[] {
  return [
    rule('ingress', 'deliver', control, [inPort(no), LLDP], [punt], encodeCookie('lldp')),
    rule('ingress', 'deliver', control, [inPort(no), PROBE], [punt], encodeCookie('probe')),
    ...vns.map((vn) =>
      rule(
        'ingress',
        'deliver',
        admit,
        [inPort(no), field('vlan_vid', VID_PRESENT | vn.vlan)],
        [apply({ type: 'pop_vlan' }), enterVn(vn.vnid, false), goto('pins')],
      ),
    ),
  ];
}
