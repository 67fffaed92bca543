// The words of actions that stand by themselves or take one value. What they become depends on the version: 1.0 has
// actions of its own for what later versions do with set_field.

import type { IpAddress, Mac } from '../../base/ids.ts';
import { OFPCML_NO_BUFFER, OFPP } from '../constants.ts';
import { isIPv4 } from 'node:net';
import type { Action, Match, OxmField } from '../model.ts';
import type { WireVersion } from '../wire-version.ts';
import { isExact, parseFieldValue } from './values.ts';
import { ones, valueOf } from './bits.ts';
import { fieldByText, textField, wireBits } from './fields.ts';
import type { TextField } from './fields.ts';
import { parseBytes, parseInteger, parseU16, parseU32, parseU64, parseU8 } from './numbers.ts';
import { parsePort } from './ports.ts';
import type { PortNames } from './ports.ts';
import { arrow, fail, pieces, span, words } from './span.ts';
import type { Span, Word } from './span.ts';
import { fieldBitOf, fieldNameOf, isSubfield, parseSubfield, subfieldOf } from './subfields.ts';

/** What the text is parsed for. */
export interface ActionContext {
  readonly version: WireVersion;
  readonly names?: PortNames;
  /** Of the flow that the actions are for: mod_tp_dst means tcp_dst where it matches on TCP. */
  readonly match: Match;
  /** Whether the packet has a VLAN tag at this point: mod_vlan_vid pushes one where it has none. */
  tagged: boolean;
}

export type ActionWord = (word: Word, context: ActionContext) => readonly Action[];

const V10 = 1;
const V15 = 6;
const ETHERTYPE_8021Q = 0x8100;
const PRESENT = 0x1000;

const simple =
  (action: Action): ActionWord =>
  () => [action];

const valued =
  (of: (value: Span, context: ActionContext) => Action | readonly Action[]): ActionWord =>
  ({ key, value }, context) => {
    if (value.text === '') fail('SYNTAX', value, `a value for ${key.text}`);
    const found = of(value, context);
    return Array.isArray(found) ? (found as readonly Action[]) : [found as Action];
  };

const set = (name: string, value: OxmField['value']): Action => ({ type: 'set_field', field: { name, value } });

/** `in10` where the version is 1.0, else a field set. */
const byVersion = (context: ActionContext, in10: Action, later: Action): Action =>
  context.version === V10 ? in10 : later;

function mac(of: Span): Mac {
  const field = textField({ name: 'eth_src' });
  const value = field === null ? 0n : parseFieldValue(field, of).value;
  return valueOf('mac', 48, value) as Mac;
}

function ipv4(of: Span): IpAddress {
  if (!isIPv4(of.text)) fail('BAD_VALUE', of, 'an IPv4 address');
  return of.text as IpAddress;
}

const vlanVid =
  (push: boolean): ActionWord =>
  ({ value }, context) => {
    const vlanVid = Number(parseInteger(value, 0xfffn, 'a VLAN id'));
    if (context.version === V10) return [{ type: 'set_vlan_vid', vlanVid }];
    return tagged(context, push, set('vlan_vid', vlanVid | PRESENT));
  };

const vlanPcp =
  (push: boolean): ActionWord =>
  ({ value }, context) => {
    const vlanPcp = Number(parseInteger(value, 7n, 'a VLAN priority'));
    if (context.version === V10) return [{ type: 'set_vlan_pcp', vlanPcp }];
    return tagged(context, push, set('vlan_pcp', vlanPcp));
  };

function tagged(context: ActionContext, push: boolean, action: Action): readonly Action[] {
  const pushes = push && !context.tagged;
  context.tagged = true;
  return pushes ? [{ type: 'push_vlan', etherType: ETHERTYPE_8021Q }, action] : [action];
}

const untagged: ActionWord = (_word, context) => {
  context.tagged = false;
  return [context.version === V10 ? { type: 'strip_vlan' } : { type: 'pop_vlan' }];
};

/** mod_tp_src: 1.0 has one action for every protocol, later versions a field each. */
const transport =
  (side: 'src' | 'dst'): ActionWord =>
  ({ key, value }, context) => {
    const port = parseU16(value, 'a port number');
    if (context.version === V10) return [side === 'src' ? { type: 'set_tp_src', port } : { type: 'set_tp_dst', port }];
    const proto = context.match.find(({ name, mask }) => name === 'ip_proto' && mask === undefined)?.value;
    const layer4 = proto === 6 ? 'tcp' : proto === 17 ? 'udp' : proto === 132 ? 'sctp' : null;
    if (layer4 === null) return fail('NOT_ALLOWED', key, 'a match on tcp, udp or sctp before it');
    return [set(`${layer4}_${side}`, port)];
  };

const setTunnel =
  (wide: boolean): ActionWord =>
  ({ value }, { version }) => {
    const tunId = parseU64(value, 'a tunnel id');
    if (version !== V10) return [set('tun_id', tunId)];
    return [
      wide || tunId > 0xffff_ffffn ? { type: 'set_tunnel64', tunId } : { type: 'set_tunnel', tunId: Number(tunId) },
    ];
  };

/** `set_field:VALUE[/MASK]->FIELD` */
const setField = valued((of, { version, names }) => {
  const both = arrow(of);
  if (both === null) return fail('SYNTAX', of, 'VALUE->FIELD');
  const known = fieldByText(both.right.text);
  if (known === null) return fail('UNKNOWN_WORD', both.right, 'a field');
  const bits = parseFieldValue(known, both.left, names);
  const field: OxmField = { ...fieldNameOf(known), value: fieldValue(known, bits.value, both.left) };
  if (isExact(known, bits) || /^[^/]*$/.test(both.left.text)) {
    return version === V10 ? { type: 'reg_load2', field } : { type: 'set_field', field };
  }
  const masked = { ...field, mask: fieldValue(known, bits.mask, both.left) };
  return version === V15 ? { type: 'set_field', field: masked } : { type: 'reg_load2', field: masked };
});

/** Fields of any length take as many bytes as their digits say. */
function fieldValue(field: TextField, value: bigint, of: Span): OxmField['value'] {
  if (field.form !== 'bytes') return valueOf(field.form, wireBits(field), value);
  const digits = Math.max(...of.text.split('/').map((each) => each.replace(/^0x/, '').length));
  return Buffer.from(value.toString(16).padStart(digits + (digits % 2), '0'), 'hex');
}

/** `load:VALUE->FIELD[BITS]`; more than 64 bits are loaded in pieces, the lowest first. */
const load = valued((of, { version }) => {
  const both = arrow(of);
  if (both === null) return fail('SYNTAX', of, 'VALUE->FIELD[FIRST..LAST]');
  const dst = parseSubfield(both.right);
  const value = parseInteger(both.left, ones(dst.bits), `a number of ${dst.bits} bits`);
  if (version === V15) {
    const { field } = dst;
    const by = BigInt(dst.firstBit);
    const bits = { value: value << by, mask: ones(dst.bits) << by };
    const whole = isExact(field, bits) ? {} : { mask: valueOf(field.form, wireBits(field), bits.mask) };
    const name = fieldNameOf(field);
    return { type: 'set_field', field: { ...name, value: valueOf(field.form, wireBits(field), bits.value), ...whole } };
  }
  const loads: Action[] = [];
  for (let at = 0; at < dst.bits; at += 64) {
    const bits = Math.min(64, dst.bits - at);
    const part = (value >> BigInt(at)) & ones(bits);
    loads.push({ type: 'reg_load', dst: subfieldOf({ ...dst, firstBit: dst.firstBit + at, bits }), value: part });
  }
  return loads;
});

const move = valued((of) => {
  const both = arrow(of);
  if (both === null) return fail('SYNTAX', of, 'FIELD[BITS]->FIELD[BITS]');
  const src = parseSubfield(both.left);
  const dst = parseSubfield(both.right);
  if (src.bits !== dst.bits) fail('BAD_VALUE', both.right, `${src.bits} bits as its source has`);
  return {
    type: 'move',
    src: src.field.name,
    srcBit: src.firstBit,
    dst: dst.field.name,
    dstBit: dst.firstBit,
    bits: src.bits,
    ...(src.field.oxmType === null ? {} : { srcOxmType: src.field.oxmType }),
    ...(dst.field.oxmType === null ? {} : { dstOxmType: dst.field.oxmType }),
  };
});

/** `output:PORT`, `output:FIELD[BITS]`, `output(port=PORT,max_len=BYTES)` */
const output: ActionWord = ({ value, mark }, { names }) => {
  if (mark === '(' && value.text.includes('=')) return [outputTrunc(value, names)];
  if (isSubfield(value.text)) {
    return [{ type: 'output_reg', src: subfieldOf(parseSubfield(value)), maxLen: OFPCML_NO_BUFFER }];
  }
  return [outputTo(parsePort(value, names))];
};

export const outputTo = (port: number): Action =>
  port === OFPP.CONTROLLER ? { type: 'output', port, maxLen: OFPCML_NO_BUFFER } : { type: 'output', port, maxLen: 0 };

function outputTrunc(of: Span, names?: PortNames): Action {
  const given = new Map([...words(of)].map((word) => [word.key.text, word.value]));
  const port = given.get('port') ?? fail('SYNTAX', of, 'port=PORT');
  const maxLen = given.get('max_len') ?? fail('SYNTAX', of, 'max_len=BYTES');
  return { type: 'output_trunc', port: parsePort(port, names), maxLen: parseU32(maxLen, 'a length') };
}

/** `enqueue:PORT:QUEUE`; later versions choose the queue before the output. */
const enqueue = valued((of, { version, names }) => {
  const [port, queue] = pieces({ text: of.text.replace(/[:q]/, ','), at: of.at });
  if (port === undefined || queue === undefined) return fail('SYNTAX', of, 'PORT:QUEUE');
  const action = { port: parsePort(port, names), queueId: parseU32(queue, 'a queue') };
  if (version === V10) return { type: 'enqueue', ...action };
  const { queueId } = action;
  return [{ type: 'set_queue', queueId }, { type: 'output', port: action.port }, { type: 'pop_queue' }];
});

/** `resubmit:PORT`, `resubmit([PORT],[TABLE][,ct])` */
const resubmit = valued((of, { names }) => {
  const [port, table, ct] = pieces(of);
  const inPort = port === undefined || port.text === '' ? OFPP.IN_PORT : parsePort(port, names);
  if (ct !== undefined && ct.text !== 'ct') fail('UNKNOWN_WORD', ct, 'ct');
  const given = table !== undefined && table.text !== '';
  if (!given && inPort === OFPP.IN_PORT) fail('SYNTAX', of, 'a port or a table');
  if (!given && ct === undefined) return { type: 'resubmit', inPort };
  const number = given ? parseU8(table, 'a table') : 0xff;
  return { type: ct === undefined ? 'resubmit_table' : 'resubmit_table_ct', inPort, table: number };
});

const decTtl: ActionWord = ({ value }) =>
  value.text === ''
    ? [{ type: 'dec_nw_ttl' }]
    : [{ type: 'dec_ttl_cnt_ids', controllerIds: pieces(value).map((each) => parseU16(each, 'a controller id')) }];

/** `note:BYTES`: filled with zeros to the length that it takes on the wire, which is what is read back. */
const note: ActionWord = ({ value }) => {
  const bytes = parseBytes(value, 'a note');
  const padded = bytes.length <= 6 ? 6 : 6 + Math.ceil((bytes.length - 6) / 8) * 8;
  return [{ type: 'note', note: Buffer.concat([bytes, Buffer.alloc(padded - bytes.length)]) }];
};

const conjunction = valued((of) => {
  const parts = /^\s*(\d+)\s*,\s*(\d+)\s*\/\s*(\d+)\s*$/.exec(of.text);
  const [id, clause, clauses] = (parts ?? []).slice(1).map(Number);
  if (id === undefined || clause === undefined || clauses === undefined) return fail('SYNTAX', of, 'ID,CLAUSE/CLAUSES');
  const inRange = id <= 0xffff_ffff && clauses >= 2 && clauses <= 64 && clause >= 1 && clause <= clauses;
  if (!inRange) fail('OUT_OF_RANGE', of, '2 to 64 clauses, and one of them');
  return { type: 'conjunction', id, clause: clause - 1, clauses };
});

const finTimeout: ActionWord = ({ value }) => {
  let [idleTimeout, hardTimeout] = [0, 0];
  for (const word of words(value)) {
    if (word.key.text === 'idle_timeout') idleTimeout = parseU16(word.value, 'seconds');
    else if (word.key.text === 'hard_timeout') hardTimeout = parseU16(word.value, 'seconds');
    else fail('UNKNOWN_WORD', word.key, 'idle_timeout or hard_timeout');
  }
  return [{ type: 'fin_timeout', idleTimeout, hardTimeout }];
};

const checkPktLarger: ActionWord = ({ key, value, target }) => {
  if (target === null) return fail('SYNTAX', key, 'check_pkt_larger(BYTES)->FIELD[BIT]');
  const dst = parseSubfield(target);
  if (dst.bits !== 1) fail('BAD_VALUE', target, 'one bit of a field');
  return [{ type: 'check_pkt_larger', pktLen: parseU16(value, 'a length'), dst: fieldBitOf(dst) }];
};

const etherType = (type: 'push_vlan' | 'push_mpls' | 'pop_mpls' | 'push_pbb'): ActionWord =>
  valued((of, context) => {
    if (type === 'push_vlan') context.tagged = true;
    return { type, etherType: parseU16(of, 'an EtherType') };
  });

const ttl = (type: 'set_nw_ttl' | 'set_mpls_ttl'): ActionWord =>
  valued((of, { version }) => {
    const value = parseU8(of, 'a TTL');
    if (type === 'set_mpls_ttl' || version !== V10) return { type, ttl: value };
    return { type: 'reg_load', dst: { name: 'nw_ttl', bit: 0, bits: 8 }, value: BigInt(value) };
  });

const word10 = (in10: (of: Span) => Action, later: (of: Span) => Action): ActionWord =>
  valued((of, context) => byVersion(context, in10(of), later(of)));

const tos = (of: Span): number => {
  const value = parseU8(of, 'a TOS byte');
  return (value & 3) === 0 ? value : fail('BAD_VALUE', of, 'a TOS byte with zero ECN bits');
};
const ecn = (of: Span): number => Number(parseInteger(of, 3n, 'an ECN of at most 3'));
const mplsLabel = (of: Span): number => Number(parseInteger(of, 0xfffffn, 'an MPLS label'));
const mplsTc = (of: Span): number => Number(parseInteger(of, 7n, 'an MPLS traffic class'));

/** Bytes of an action this library has no row for, as it prints them. */
const verbatim =
  (type: 'experimenter' | 'unknown'): ActionWord =>
  ({ value }) => {
    const [number, bytes = span('')] = pieces(value);
    if (number === undefined) return fail('SYNTAX', value, 'NUMBER,BYTES');
    const body = parseBytes(bytes, 'bytes');
    return type === 'unknown'
      ? [{ type, actionType: parseU16(number, 'an action number'), body }]
      : [{ type, experimenter: parseU32(number, 'an experimenter'), body }];
  };

export const ACTION_WORDS: Readonly<Record<string, ActionWord>> = {
  output,
  enqueue,
  group: valued((of) => ({ type: 'group', groupId: parseU32(of, 'a group') })),
  resubmit,
  mod_vlan_vid: vlanVid(true),
  set_vlan_vid: vlanVid(false),
  mod_vlan_pcp: vlanPcp(true),
  set_vlan_pcp: vlanPcp(false),
  strip_vlan: untagged,
  pop_vlan: untagged,
  push_vlan: etherType('push_vlan'),
  push_mpls: etherType('push_mpls'),
  pop_mpls: etherType('pop_mpls'),
  push_pbb: etherType('push_pbb'),
  pop_pbb: simple({ type: 'pop_pbb' }),
  mod_dl_src: word10(
    (of) => ({ type: 'set_dl_src', address: mac(of) }),
    (of) => set('eth_src', mac(of)),
  ),
  mod_dl_dst: word10(
    (of) => ({ type: 'set_dl_dst', address: mac(of) }),
    (of) => set('eth_dst', mac(of)),
  ),
  mod_nw_src: word10(
    (of) => ({ type: 'set_nw_src', address: ipv4(of) }),
    (of) => set('ipv4_src', ipv4(of)),
  ),
  mod_nw_dst: word10(
    (of) => ({ type: 'set_nw_dst', address: ipv4(of) }),
    (of) => set('ipv4_dst', ipv4(of)),
  ),
  mod_nw_tos: word10(
    (of) => ({ type: 'set_nw_tos', tos: tos(of) }),
    (of) => set('ip_dscp', tos(of) >> 2),
  ),
  mod_nw_ecn: word10(
    (of) => ({ type: 'reg_load', dst: { name: 'ip_ecn', bit: 0, bits: 2 }, value: BigInt(ecn(of)) }),
    (of) => set('ip_ecn', ecn(of)),
  ),
  mod_nw_ttl: ttl('set_nw_ttl'),
  set_nw_ttl: ttl('set_nw_ttl'),
  mod_tp_src: transport('src'),
  mod_tp_dst: transport('dst'),
  dec_ttl: decTtl,
  set_mpls_label: word10(
    (of) => ({ type: 'set_mpls_label', label: mplsLabel(of) }),
    (of) => set('mpls_label', mplsLabel(of)),
  ),
  set_mpls_tc: word10(
    (of) => ({ type: 'set_mpls_tc', tc: mplsTc(of) }),
    (of) => set('mpls_tc', mplsTc(of)),
  ),
  set_mpls_ttl: ttl('set_mpls_ttl'),
  dec_mpls_ttl: simple({ type: 'dec_mpls_ttl' }),
  copy_ttl_in: simple({ type: 'copy_ttl_in' }),
  copy_ttl_out: simple({ type: 'copy_ttl_out' }),
  set_tunnel: setTunnel(false),
  set_tunnel64: setTunnel(true),
  set_queue: valued((of) => ({ type: 'set_queue', queueId: parseU32(of, 'a queue') })),
  pop_queue: simple({ type: 'pop_queue' }),
  set_field: setField,
  load,
  move,
  push: valued((of) => ({ type: 'stack_push', src: subfieldOf(parseSubfield(of)) })),
  pop: valued((of) => ({ type: 'stack_pop', dst: subfieldOf(parseSubfield(of)) })),
  exit: simple({ type: 'exit' }),
  note,
  conjunction,
  fin_timeout: finTimeout,
  ct_clear: simple({ type: 'ct_clear' }),
  dec_nsh_ttl: simple({ type: 'dec_nsh_ttl' }),
  check_pkt_larger: checkPktLarger,
  delete_field: valued((of) => {
    const field = fieldByText(of.text);
    return field === null ? fail('UNKNOWN_WORD', of, 'a field') : { type: 'delete_field', field: fieldNameOf(field) };
  }),
  experimenter: verbatim('experimenter'),
  unknown: verbatim('unknown'),
};
