// Actions and instructions as ovs-ofctl prints them.

import { OFPP, OFPCML_NO_BUFFER, OFPTT_ALL, NX_CT_F } from '../constants.ts';
import type { Action, Instruction, OxmField, Subfield } from '../model.ts';
import type { Stat } from '../stats.ts';
import { fieldBits } from './bits.ts';
import { textField, wireBits } from './fields.ts';
import { dottedBytes, hex, hexDigits } from './numbers.ts';
import { formatPort } from './ports.ts';
import {
  formatController,
  formatController2,
  formatEncap,
  formatLearn,
  formatNat,
  formatSample,
} from './print-nested-actions.ts';
import { formatBits, formatSubfield } from './subfields.ts';
import { formatFieldValue } from './values.ts';

type Printer<N extends Action['type']> = (action: Extract<Action, { type: N }>) => string;

const bare = (text: string) => (): string => text;

/** One row an action. */
const PRINTERS: { readonly [N in Action['type']]: Printer<N> } = {
  output: ({ port, maxLen }) => formatOutput(port, maxLen),
  group: ({ groupId }) => `group:${groupId}`,
  copy_ttl_out: bare('copy_ttl_out'),
  copy_ttl_in: bare('copy_ttl_in'),
  set_mpls_ttl: ({ ttl }) => `set_mpls_ttl(${ttl})`,
  dec_mpls_ttl: bare('dec_mpls_ttl'),
  push_vlan: ({ etherType }) => `push_vlan:${hex(etherType)}`,
  pop_vlan: bare('pop_vlan'),
  push_mpls: ({ etherType }) => `push_mpls:${hexDigits(etherType, 4)}`,
  pop_mpls: ({ etherType }) => `pop_mpls:${hexDigits(etherType, 4)}`,
  push_pbb: ({ etherType }) => `push_pbb:${hexDigits(etherType, 4)}`,
  pop_pbb: bare('pop_pbb'),
  set_field: ({ field }) => formatSetField(field),
  set_queue: ({ queueId }) => `set_queue:${queueId}`,
  set_nw_ttl: ({ ttl }) => `mod_nw_ttl:${ttl}`,
  dec_nw_ttl: bare('dec_ttl'),
  move: ({ src, srcBit, srcOxmType, dst, dstBit, dstOxmType, bits }) =>
    `move:${formatBits(named(src, srcOxmType), srcBit, bits)}->${formatBits(named(dst, dstOxmType), dstBit, bits)}`,
  meter: ({ meterId }) => `meter:${meterId}`,
  experimenter: ({ experimenter, body }) => `experimenter(${hexDigits(experimenter, 8)},${dottedBytes(body)})`,
  unknown: ({ actionType, body }) => `unknown(${actionType},${dottedBytes(body)})`,
  set_vlan_vid: ({ vlanVid }) => `mod_vlan_vid:${vlanVid}`,
  set_vlan_pcp: ({ vlanPcp }) => `mod_vlan_pcp:${vlanPcp}`,
  strip_vlan: bare('strip_vlan'),
  set_dl_src: ({ address }) => `mod_dl_src:${address}`,
  set_dl_dst: ({ address }) => `mod_dl_dst:${address}`,
  set_nw_src: ({ address }) => `mod_nw_src:${address}`,
  set_nw_dst: ({ address }) => `mod_nw_dst:${address}`,
  set_nw_tos: ({ tos }) => `mod_nw_tos:${tos}`,
  set_tp_src: ({ port }) => `mod_tp_src:${port}`,
  set_tp_dst: ({ port }) => `mod_tp_dst:${port}`,
  enqueue: ({ port, queueId }) => `enqueue:${formatPort(port)}:${queueId}`,
  set_mpls_label: ({ label }) => `set_mpls_label(${label})`,
  set_mpls_tc: ({ tc }) => `set_mpls_tc(${tc})`,
  resubmit: ({ inPort }) => formatResubmit(inPort, OFPTT_ALL, ''),
  resubmit_table: ({ inPort, table }) => formatResubmit(inPort, table, ''),
  resubmit_table_ct: ({ inPort, table }) => formatResubmit(inPort, table, ',ct'),
  set_tunnel: ({ tunId }) => `set_tunnel:${hex(tunId)}`,
  set_tunnel64: ({ tunId }) => `set_tunnel64:${hex(tunId)}`,
  pop_queue: bare('pop_queue'),
  reg_load: ({ dst, value }) => `load:${hex(value)}->${formatSubfield(dst)}`,
  reg_load2: ({ field }) => formatSetField(field),
  note: ({ note }) => `note:${dottedBytes(note)}`,
  multipath: ({ fields, basis, algorithm, maxLink, arg, dst }) =>
    `multipath(${fields},${basis},${algorithm},${maxLink + 1},${arg},${formatSubfield(dst)})`,
  bundle: (action) => `bundle(${formatBundle(action)})`,
  bundle_load: (action) => `bundle_load(${formatBundle(action, `${formatSubfield(action.dst)},`)})`,
  output_reg: ({ src }) => `output:${formatSubfield(src)}`,
  output_reg2: ({ src }) => `output:${formatSubfield(src)}`,
  learn: (action) => formatLearn(action),
  learn2: (action) => formatLearn(action),
  exit: bare('exit'),
  dec_ttl_cnt_ids: ({ controllerIds }) => `dec_ttl(${controllerIds.join(',')})`,
  fin_timeout: ({ idleTimeout, hardTimeout }) =>
    `fin_timeout(${list(idleTimeout !== 0 && `idle_timeout=${idleTimeout}`, hardTimeout !== 0 && `hard_timeout=${hardTimeout}`)})`,
  controller: ({ maxLen, controllerId, reason }) => formatController({ maxLen, controllerId, reason }),
  controller2: ({ properties }) => formatController2(properties),
  write_metadata: ({ metadata, mask }) => formatWriteMetadata(metadata, mask),
  stack_push: ({ src }) => `push:${formatSubfield(src)}`,
  stack_pop: ({ dst }) => `pop:${formatSubfield(dst)}`,
  sample: (action) => formatSample(action),
  sample2: (action) => formatSample(action),
  sample3: (action) => formatSample(action),
  sample4: (action) => formatSample({ ...action, obsDomainId: action.obsDomain, obsPointId: action.obsPoint }),
  conjunction: ({ id, clause, clauses }) => `conjunction(${id},${clause + 1}/${clauses})`,
  ct: (action) => formatCt(action),
  nat: (action) => formatNat(action),
  ct_clear: bare('ct_clear'),
  clone: ({ actions }) => `clone(${formatActions(actions)})`,
  output_trunc: ({ port, maxLen }) => `output(port=${formatPort(port)},max_len=${maxLen})`,
  encap: (action) => formatEncap(action),
  decap: ({ packetType }) =>
    packetType === USE_NEXT_PROTO
      ? 'decap()'
      : `decap(packet_type(ns=${packetType >>> 16},type=${hex(packetType & 0xffff)}))`,
  dec_nsh_ttl: bare('dec_nsh_ttl'),
  check_pkt_larger: ({ pktLen, dst }) => `check_pkt_larger(${pktLen})->${formatBits(dst, dst.bit, 1)}`,
  delete_field: ({ field }) => `delete_field:${textField(field)?.text ?? field.name}`,
};

/** Packet type of decap: what follows the header that is taken off. */
const USE_NEXT_PROTO = 0xfffe;

export function formatAction(action: Action): string {
  // A row takes exactly the action it is keyed by, which the type of an indexed row cannot say.
  const print = PRINTERS[action.type] as (action: Action) => string;
  return print(action);
}

/** Drop is what ovs-ofctl calls an empty list. */
export function formatActions(actions: readonly Action[]): string {
  return actions.length === 0 ? 'drop' : actions.map(formatAction).join(',');
}

const list = (...parts: readonly (string | false)[]): string => parts.filter((each) => each !== false).join(',');

const named = (name: string, oxmType: number | undefined): Pick<OxmField, 'name' | 'oxmType'> =>
  oxmType === undefined ? { name } : { name, oxmType };

function formatOutput(port: number, maxLen = OFPCML_NO_BUFFER): string {
  if (port === OFPP.CONTROLLER) return `CONTROLLER:${maxLen}`;
  return port < OFPP.UNSET ? `output:${port}` : formatPort(port);
}

function formatSetField(field: OxmField): string {
  const known = textField(field);
  if (known === null) {
    const bytes = (of: OxmField['value']): string => (Buffer.isBuffer(of) ? `0x${of.toString('hex')}` : String(of));
    return `set_field:${bytes(field.value)}${field.mask === undefined ? '' : `/${bytes(field.mask)}`}->${field.name}`;
  }
  const width = Buffer.isBuffer(field.value) ? field.value.length * 8 : wireBits(known);
  const bits = fieldBits(field, width);
  return `set_field:${formatFieldValue({ ...known, bits: width }, bits)}->${known.text}`;
}

function formatResubmit(inPort: number, table: number, suffix: string): string {
  const port = inPort === OFPP.IN_PORT ? '' : formatPort(inPort);
  if (port !== '' && table === OFPTT_ALL && suffix === '') return `resubmit:${port}`;
  return `resubmit(${port},${table === OFPTT_ALL ? '' : table}${suffix})`;
}

function formatBundle(action: Extract<Action, { type: 'bundle' | 'bundle_load' }>, dst = ''): string {
  const { fields, basis, algorithm, members } = action;
  return `${fields},${basis},${algorithm},ofport,${dst}members:${members.map(formatPort).join(',')}`;
}

const WELL_KNOWN = new Map([
  [21, 'ftp'],
  [69, 'tftp'],
]);

function formatCt({ flags, zone, recircTable, alg, actions }: Extract<Action, { type: 'ct' }>): string {
  const nat = actions[0]?.type === 'nat' ? actions[0] : null;
  const others = nat === null ? actions : actions.slice(1);
  return `ct(${list(
    (flags & NX_CT_F.COMMIT) !== 0 && 'commit',
    (flags & NX_CT_F.FORCE) !== 0 && 'force',
    recircTable !== undefined && `table=${recircTable}`,
    zone !== 0 && `zone=${zoneText(zone)}`,
    nat !== null && formatNat(nat),
    others.length > 0 && `exec(${formatActions(others)})`,
    alg !== 0 && `alg=${WELL_KNOWN.get(alg) ?? alg}`,
  )})`;
}

const zoneText = (zone: number | Subfield): string => (typeof zone === 'number' ? String(zone) : formatSubfield(zone));

function formatWriteMetadata(metadata: bigint, mask: bigint): string {
  return `write_metadata:${hex(metadata)}${mask === 0xffff_ffff_ffff_ffffn ? '' : `/${hex(mask)}`}`;
}

/** In the order of their execution (1.3.5 section 5.9), which is how ovs-ofctl lists them. */
export const INSTRUCTION_ORDER: readonly Instruction['type'][] = [
  'meter',
  'apply_actions',
  'clear_actions',
  'write_actions',
  'write_metadata',
  'goto_table',
  'unknown',
];

export function formatInstructions(instructions: readonly Instruction[]): string {
  const rank = (each: Instruction): number => INSTRUCTION_ORDER.indexOf(each.type);
  const texts = instructions.toSorted((a, b) => rank(a) - rank(b)).map(formatInstruction);
  const said = texts.filter((text) => text !== '');
  return said.length === 0 ? 'drop' : said.join(',');
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
    case 'write_metadata':
      return formatWriteMetadata(instruction.metadata, instruction.mask);
    case 'goto_table':
      return `goto_table:${instruction.table}`;
    case 'stat_trigger':
      return `stat_trigger(flags=${hex(instruction.flags)},${instruction.thresholds.map(formatStat).join(',')})`;
    case 'experimenter':
      return `experimenter(${hex(instruction.experimenter)},${dottedBytes(instruction.body)})`;
    case 'unknown':
      return `unknown_instruction(${instruction.instructionType},${dottedBytes(instruction.body)})`;
  }
}

const formatStat = ({ name, value }: Stat): string =>
  `${name}=${typeof value === 'bigint' ? value.toString() : value.toString('hex')}`;
