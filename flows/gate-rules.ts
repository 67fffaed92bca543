// Table 3: while a gate is closed, what would create state at a State Host goes to the controller, which holds it. Only frames
// from VAPs come through this table; established TCP is never held.

import type { Dpid, Mac } from '../src/base/ids.ts';
import type { Instruction, OxmField } from '../src/openflow/model.ts';
import type { Atlas } from './atlas.ts';
import { encodeCookie } from './cookies.ts';
import { kept } from './kept.ts';
import { ruleKey } from './rule.ts';
import type { Rule } from './rule.ts';
import { GATE_TIMEOUT_S, PRIORITY, meterId } from './tables.ts';
import {
  ICMPV6,
  IPV4,
  IPV6,
  ND,
  OPENER,
  TCP,
  ethDst,
  ethSrc,
  fromVap,
  goto,
  icmpv6Type,
  meteredPunt,
  missGoto,
  punt,
  rule,
} from './terms.ts';
import type { Gate } from './world.ts';

// What `all` does not hold: TCP (its openers are held by rules above these), and ND, which keeps no state anywhere.
// Openers have a rule of their own although it does what that of TCP does: so an entry of the datapath's cache is for openers or for
// what is not, gate or none. Entries that overlap Open vSwitch may confuse, and change another than it means (decision 6).
const EVERY_NVE: readonly Rule[] = [
  ...[IPV4, IPV6].map((family) => rule('gate', 'ingress', PRIORITY.gate.apart, [family, TCP, OPENER], [goto('pins')])),
  ...[
    [IPV4, TCP],
    [IPV6, TCP],
    [IPV6, ICMPV6, icmpv6Type(ND.solicitation)],
    [IPV6, ICMPV6, icmpv6Type(ND.advertisement)],
  ].map((match) => rule('gate', 'ingress', PRIORITY.gate.exempt, match, [goto('pins')])),
  missGoto('gate', 'pins'),
];

export function gateRules(): readonly Rule[] {
  return EVERY_NVE;
}

/** The rules of all closed gates, by NVE. Of two gates of one pair the later one counts. */
export function closedGates(atlas: Atlas, emit: (nve: Dpid, rule: Rule) => void): void {
  if (atlas.world.gates.length === 0) return;
  const all = new Map<string, { nve: Dpid; rule: Rule }>();
  for (const gate of atlas.world.gates) {
    const at = atlas.vm(gate.vnid, gate.vm)?.at?.nve;
    for (const peer of atlas.peersAt(gate.vnid, gate.peerNve, gate.vm)) {
      for (const nve of gate.nves) {
        // A source is only let in where it is attached, so each end holds its own direction. Both ends may be one NVE.
        const rules = [
          ...(nve !== gate.peerNve || at === nve ? held(gate, gate.vm, peer.mac) : []),
          ...(nve === gate.peerNve ? held(gate, peer.mac, gate.vm) : []),
        ];
        for (const made of rules) all.set(`${nve}/${ruleKey(made)}`, { nve, rule: made });
      }
    }
  }
  for (const { nve, rule: made } of all.values()) emit(nve, made);
}

const held = (gate: Gate, src: Mac, dst: Mac): readonly Rule[] =>
  kept(gate, `${src}/${dst}`, () => holding(gate, src, dst));

function holding(gate: Gate, src: Mac, dst: Mac): Rule[] {
  const pair = [fromVap(gate.vnid), ethDst(dst), ethSrc(src)];
  if (gate.holds === 'everything' || gate.holds === 'nothing') return halting(gate, pair);
  const hold = (priority: number, match: readonly OxmField[]): Rule => ({
    ...rule('gate', 'ingress', priority, [...pair, ...match], [punt], encodeCookie('gate', gate.serial)),
    hardTimeout: GATE_TIMEOUT_S,
  });
  return [IPV4, IPV6].flatMap((family) => [
    hold(PRIORITY.gate.opener, [family, TCP, OPENER]),
    ...(gate.holds === 'all' ? [hold(PRIORITY.gate.all, [family])] : []),
  ]);
}

/**
 * No timeout: with the controller gone the packets go nowhere, instead of to a State Host that has never seen their flows. ND
 * keeps no state there and passes.
 */
function halting(gate: Gate, pair: readonly OxmField[]): Rule[] {
  const cookie = encodeCookie('gate', gate.serial);
  const then = gate.holds === 'nothing' ? [] : meteredPunt(meterId('limbo'));
  const openers = gate.holds === 'nothing' ? [] : meteredPunt(meterId('limboOpener'));
  const halted = (priority: number, match: readonly OxmField[], instructions: readonly Instruction[]): Rule =>
    rule('gate', 'ingress', priority, [...pair, ...match], instructions, cookie);
  return [
    ...[ND.solicitation, ND.advertisement].map((type) =>
      halted(PRIORITY.gate.opener, [IPV6, ICMPV6, icmpv6Type(type)], [goto('pins')]),
    ),
    ...[IPV4, IPV6].flatMap((family) => [
      halted(PRIORITY.gate.opener, [family, TCP, OPENER], openers),
      halted(PRIORITY.gate.halt, [family], then),
    ]),
  ];
}
