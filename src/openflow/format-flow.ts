// Flow-mods and flows in one line, as ovs-ofctl prints them. For logs and tests.

import { formatInstructions } from './format-actions.ts';
import { formatMatch, formatPort } from './format-match.ts';
import { OFPP, OFP_NO_BUFFER, OFPG_ANY } from './constants.ts';
import type { FlowMod, FlowStats, Match } from './model.ts';

const COMMANDS: Readonly<Record<FlowMod['command'], string>> = {
  add: 'ADD',
  modify: 'MOD',
  modify_strict: 'MOD_STRICT',
  delete: 'DEL',
  delete_strict: 'DEL_STRICT',
};

const FLAGS = ['send_flow_rem', 'check_overlap', 'reset_counts', 'no_packet_counts', 'no_byte_counts'];

/** OFP_DEFAULT_PRIORITY: not printed. */
const DEFAULT_PRIORITY = 32_768;

/** Priority and match: what identifies a flow within its table. */
export const formatRule = (flow: { readonly priority: number; readonly match: Match }): string =>
  [flow.priority === DEFAULT_PRIORITY ? '' : `priority=${flow.priority}`, formatMatch(flow.match)]
    .filter((part) => part !== '')
    .join(',');

const flagNames = (flags: number): readonly string[] => FLAGS.filter((_, i) => (flags & (1 << i)) !== 0);

const words = (...parts: readonly (string | false)[]): string =>
  parts.filter((part) => part !== false && part !== '').join(' ');

/** A flow-mod as `ovs-ofctl ofp-print` has it, after the xid. */
export function formatFlowMod(mod: FlowMod): string {
  const { cookie, cookieMask = 0n, idleTimeout = 0, hardTimeout = 0, importance = 0 } = mod;
  const { bufferId = OFP_NO_BUFFER, outPort = OFPP.ANY, outGroup = OFPG_ANY } = mod;
  const deletes = mod.command === 'delete' || mod.command === 'delete_strict';
  const masked = cookieMask === 0n ? '' : `/0x${cookieMask.toString(16)}`;
  return words(
    COMMANDS[mod.command],
    mod.table !== 0 && `table:${mod.table}`,
    formatRule(mod),
    (cookie !== 0n || cookieMask !== 0n) && `cookie:0x${cookie.toString(16)}${masked}`,
    idleTimeout !== 0 && `idle:${idleTimeout}`,
    hardTimeout !== 0 && `hard:${hardTimeout}`,
    importance !== 0 && `importance:${importance}`,
    bufferId !== OFP_NO_BUFFER && `buf:0x${bufferId.toString(16)}`,
    deletes && outPort !== OFPP.ANY && `out_port:${formatPort(outPort)}`,
    deletes && outGroup !== OFPG_ANY && `out_group:${outGroup}`,
    ...flagNames(mod.flags ?? 0),
    `actions=${formatInstructions(mod.instructions)}`,
  );
}

/** A row of flow statistics as `ovs-ofctl dump-flows --no-stats` has it. */
export function formatFlow(flow: FlowStats): string {
  const { idleTimeout, hardTimeout, importance = 0 } = flow;
  return words(
    `cookie=0x${flow.cookie.toString(16)},`,
    flow.table !== 0 && `table=${flow.table},`,
    idleTimeout !== 0 && `idle_timeout=${idleTimeout},`,
    hardTimeout !== 0 && `hard_timeout=${hardTimeout},`,
    ...flagNames(flow.flags),
    importance !== 0 && `importance=${importance},`,
    formatRule(flow),
    `actions=${formatInstructions(flow.instructions)}`,
  );
}
