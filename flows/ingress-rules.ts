// Table 0: control frames to the controller, everything else into its VN or out of the way.

import type { VapVn } from '../src/base/vap-vn.ts';
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
    if (role.kind === 'vap') {
      rules.push(
        ...vapPort(
          no,
          role.vns.filter((vn) => known.has(vn.vnid)),
        ),
      );
    } else rules.push(rule('ingress', 'deliver', shut, [inPort(no)], []));
    if (role.kind === 'fabric') rules.push(...fabricPort(no, vns));
  }
  return rules;
}

/** A VAP without a VN that is configured stays shut. What comes to another and is of none of its VNs is shown, and goes nowhere. */
function vapPort(no: number, vns: readonly VapVn[]): Rule[] {
  const rest =
    vns.length === 0
      ? rule('ingress', 'deliver', shut, [inPort(no)], [])
      : // Not before what admits the others: until then they go where frames from new ports go, and are kept.
        rule('ingress', 'ingress', shut, [inPort(no)], meteredPunt(meterId('stray', no)), encodeCookie('stray'));
  return [
    rule('ingress', 'deliver', control, [inPort(no), LLDP], []),
    rest,
    ...vns.map(({ vnid, tag }) => {
      const match = [inPort(no), tag === null ? UNTAGGED : field('vlan_vid', VID_PRESENT | tag)];
      const untag = tag === null ? [] : [apply({ type: 'pop_vlan' })];
      return rule('ingress', 'ingress', admit, match, [...untag, enterVn(vnid, true), goto('vap')]);
    }),
  ];
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
