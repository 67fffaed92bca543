// Flow-mods and flows in one line, as ovs-ofctl prints them.

import { OFPG_ANY, OFPP, OFP_NO_BUFFER } from '../constants.ts';
import type { FlowMod, FlowStats } from '../model.ts';
import { formatPort } from './ports.ts';
import { formatInstructions } from './print-actions.ts';
import { formatRule } from './print-match.ts';

const COMMANDS: Readonly<Record<FlowMod['command'], string>> = {
  add: 'ADD',
  modify: 'MOD',
  modify_strict: 'MOD_STRICT',
  delete: 'DEL',
  delete_strict: 'DEL_STRICT',
};

/** By bit of enum ofp_flow_mod_flags. */
export const FLOW_FLAGS = ['send_flow_rem', 'check_overlap', 'reset_counts', 'no_packet_counts', 'no_byte_counts'];

const flagNames = (flags: number): readonly string[] => FLOW_FLAGS.filter((_, i) => (flags & (1 << i)) !== 0);

const sentence = (...parts: readonly (string | false)[]): string =>
  parts.filter((part) => part !== false && part !== '').join(' ');

/** A flow-mod as `ovs-ofctl ofp-print` has it, after the xid. */
export function formatFlowMod(mod: FlowMod): string {
  const { cookie, cookieMask = 0n, idleTimeout = 0, hardTimeout = 0, importance = 0 } = mod;
  const { bufferId = OFP_NO_BUFFER, outPort = OFPP.ANY, outGroup = OFPG_ANY } = mod;
  const deletes = mod.command === 'delete' || mod.command === 'delete_strict';
  const masked = cookieMask === 0n ? '' : `/0x${cookieMask.toString(16)}`;
  return sentence(
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

/** `12.345s`, as far as the nanoseconds say. */
export function formatDuration(seconds: number, nanoseconds: number): string {
  if (nanoseconds === 0) return `${seconds}s`;
  const digits = String(nanoseconds).padStart(9, '0');
  return `${seconds}.${nanoseconds % 1_000_000 === 0 ? digits.slice(0, 3) : nanoseconds % 1000 === 0 ? digits.slice(0, 6) : digits}s`;
}

/** Seconds since the last packet and the last change, where the switch tells. */
interface Ages {
  readonly idleAge?: number;
  readonly hardAge?: number;
}

/** A row of flow statistics as `ovs-ofctl dump-flows --no-stats` has it. */
export const formatFlow = (flow: FlowStats): string => formatRow(flow, false);

/** With duration and counters, as `ovs-ofctl dump-flows` has it. */
export const formatFlowStats = (flow: FlowStats & Ages): string => formatRow(flow, true);

function formatRow(flow: FlowStats & Ages, stats: boolean): string {
  const { idleTimeout, hardTimeout, importance = 0, durationSec = 0, durationNsec = 0 } = flow;
  return sentence(
    (stats || flow.cookie !== 0n) && `cookie=0x${flow.cookie.toString(16)},`,
    stats && `duration=${formatDuration(durationSec, durationNsec)},`,
    (stats || flow.table !== 0) && `table=${flow.table},`,
    stats && `n_packets=${flow.packetCount}, n_bytes=${flow.byteCount},`,
    idleTimeout !== 0 && `idle_timeout=${idleTimeout},`,
    hardTimeout !== 0 && `hard_timeout=${hardTimeout},`,
    ...flagNames(flow.flags),
    importance !== 0 && `importance=${importance},`,
    stats && flow.idleAge !== undefined && `idle_age=${flow.idleAge},`,
    stats && flow.hardAge !== undefined && flow.hardAge !== durationSec && `hard_age=${flow.hardAge},`,
    formatRule(flow),
    `actions=${formatInstructions(flow.instructions)}`,
  );
}
