// Actions and instructions as ovs-ofctl prints them. For logs and tests.

import { OFPP, OFPCML_NO_BUFFER } from './constants.ts';
import { formatHex, formatPort, formatValue } from './format-match.ts';
import type { Action, Instruction, OxmField } from './model.ts';
import { OXM_FIELDS, OXM_CLASS } from './oxm-fields.ts';
import type { OxmRow } from './oxm-fields.ts';
import type { Stat } from './stats.ts';

/** Names by which set_field calls fields, where they are not this library's. */
const FIELD_NAMES: Readonly<Record<string, string>> = { ipv4_src: 'ip_src', ipv4_dst: 'ip_dst' };

/** The first row of a name, and the one whose name Open vSwitch prints: NXM before OXM. */
const FIRST = new Map(OXM_FIELDS.toReversed().map((row) => [row.name, row]));
const NXM = new Map(
  OXM_FIELDS.filter((row) => row.oxmClass <= OXM_CLASS.NXM_1)
    .toReversed()
    .map((row) => [row.name, row]),
);

/** Drop is what ovs-ofctl calls an empty list. */
export function formatActions(actions: readonly Action[]): string {
  return actions.length === 0 ? 'drop' : actions.map(formatAction).join(',');
}

export function formatAction(action: Action): string {
  switch (action.type) {
    case 'output':
      return formatOutput(action.port, action.maxLen);
    case 'group':
      return `group:${action.groupId}`;
    case 'set_field':
      return formatSetField(action.field);
    case 'set_queue':
      return `set_queue:${action.queueId}`;
    case 'push_vlan':
    case 'push_mpls':
    case 'push_pbb':
    case 'pop_mpls':
      return `${action.type}:0x${action.etherType.toString(16).padStart(4, '0')}`;
    case 'dec_nw_ttl':
      return 'dec_ttl';
    case 'set_nw_ttl':
      return `mod_nw_ttl:${action.ttl}`;
    case 'set_mpls_ttl':
      return `set_mpls_ttl(${action.ttl})`;
    case 'move':
      return `move:${subfield(action.src, action.srcBit, action.bits)}->${subfield(action.dst, action.dstBit, action.bits)}`;
    case 'unknown':
      return `unknown(${action.actionType},${action.body.toString('hex')})`;
    case 'copy_ttl_out':
    case 'copy_ttl_in':
    case 'dec_mpls_ttl':
    case 'pop_vlan':
    case 'pop_pbb':
      return action.type;
    default:
      return `${action.type}(...)`;
  }
}

function formatOutput(port: number, maxLen = OFPCML_NO_BUFFER): string {
  if (port === OFPP.CONTROLLER) return `CONTROLLER:${maxLen}`;
  return port < OFPP.UNSET ? `output:${port}` : formatPort(port);
}

function formatSetField({ name, value, mask }: OxmField): string {
  const isHex = FIRST.get(name)?.form !== 'dec' && name !== 'vlan_vid';
  const suffix = mask === undefined ? '' : `/${formatValue(mask, isHex)}`;
  return `set_field:${formatValue(value, isHex)}${suffix}->${FIELD_NAMES[name] ?? name}`;
}

/** `NXM_NX_REG0[3..6]`; the whole field is `[]`. */
function subfield(name: string, firstBit: number, bits: number): string {
  const row = NXM.get(name) ?? FIRST.get(name);
  const whole = firstBit === 0 && row?.bits === bits;
  const range = whole ? '' : bits === 1 ? `${firstBit}` : `${firstBit}..${firstBit + bits - 1}`;
  return `${row === undefined ? name : headerName(row)}[${range}]`;
}

function headerName(row: OxmRow): string {
  const upper = row.name.toUpperCase();
  if (row.oxmClass === OXM_CLASS.NXM_0) return `NXM_OF_${upper.replace(/^IPV4_/, 'IP_')}`;
  if (row.oxmClass === OXM_CLASS.NXM_1) return `NXM_NX_${upper}`;
  return `OXM_OF_${row.oxmClass === OXM_CLASS.PACKET_REGS ? upper.replace('XREG', 'PKT_REG') : upper}`;
}

/** In the order of their execution (1.3.5 section 5.9), which is how ovs-ofctl lists them. */
const ORDER: readonly Instruction['type'][] = [
  'meter',
  'apply_actions',
  'clear_actions',
  'write_actions',
  'write_metadata',
  'goto_table',
  'unknown',
];

export function formatInstructions(instructions: readonly Instruction[]): string {
  const sorted = instructions.toSorted((a, b) => ORDER.indexOf(a.type) - ORDER.indexOf(b.type));
  const texts = sorted.map(formatInstruction).filter((text) => text !== '');
  return texts.length === 0 ? 'drop' : texts.join(',');
}

function formatInstruction(instruction: Instruction): string {
  switch (instruction.type) {
    case 'meter':
      return `meter:${instruction.meterId}`;
    case 'apply_actions':
      return instruction.actions.length === 0 ? '' : formatActions(instruction.actions);
    case 'clear_actions':
      return 'clear_actions';
    case 'write_actions':
      return `write_actions(${formatActions(instruction.actions)})`;
    case 'write_metadata': {
      const mask = instruction.mask === 0xffff_ffff_ffff_ffffn ? '' : `/${formatHex(instruction.mask)}`;
      return `write_metadata:${formatHex(instruction.metadata)}${mask}`;
    }
    case 'goto_table':
      return `goto_table:${instruction.table}`;
    case 'stat_trigger':
      return `stat_trigger(flags=${formatHex(instruction.flags)},${instruction.thresholds.map(formatStat).join(',')})`;
    case 'experimenter':
      return `experimenter(${formatHex(instruction.experimenter)},${instruction.body.toString('hex')})`;
    case 'unknown':
      return `unknown_instruction(${instruction.instructionType},${instruction.body.toString('hex')})`;
  }
}

const formatStat = ({ name, value }: Stat): string =>
  `${name}=${typeof value === 'bigint' ? value.toString() : value.toString('hex')}`;
