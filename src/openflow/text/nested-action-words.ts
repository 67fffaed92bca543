// The words of actions that have a grammar of their own between their parentheses.

import { isIPv4, isIPv6 } from 'node:net';

import type { IpAddress } from '../../base/ids.ts';
import { NX_CT_F, NX_LEARN_F, NX_NAT_F, OFPCML_NO_BUFFER, OFPP, OFPR } from '../constants.ts';
import type { Action, Controller2Property, EncapProperty, NatRange, Subfield } from '../model.ts';
import type { ActionContext, ActionWord } from './action-words.ts';
import { parseLearnSpec } from './learn-words.ts';
import { parseBytes, parseInteger, parseU16, parseU32, parseU64, parseU8 } from './numbers.ts';
import { parsePort } from './ports.ts';
import { OFP_DEFAULT_PRIORITY } from './print-match.ts';
import { reasonOf } from './reasons.ts';
import { fail, part, pieces, words } from './span.ts';
import type { Span, Word } from './span.ts';
import { fieldBitOf, isSubfield, parseSubfield, subfieldOf } from './subfields.ts';

/** Parses the actions inside of another one; without instructions. */
export type NestedActions = (of: Span, context: ActionContext) => readonly Action[];

type Of<N extends Action['type']> = Extract<Action, { type: N }>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

function controller({ value }: Word): Action {
  const to = { maxLen: OFPCML_NO_BUFFER, controllerId: 0, reason: OFPR.APPLY_ACTION as number };
  const more: Controller2Property[] = [];
  for (const { key, value: of } of /^\d+$/.test(value.text) ? [] : words(value)) {
    if (key.text === 'max_len') to.maxLen = parseU16(of, 'a length');
    else if (key.text === 'id') to.controllerId = parseU16(of, 'a controller id');
    else if (key.text === 'reason') to.reason = reasonOf(of.text) ?? parseU8(of, 'a reason');
    else if (key.text === 'userdata') more.push({ type: 'userdata', userdata: parseBytes(of, 'userdata') });
    else if (key.text === 'pause') more.push({ type: 'pause' });
    else if (key.text === 'meter_id') more.push({ type: 'meter_id', meterId: parseU32(of, 'a meter') });
    else if (key.text === 'property') more.push(controllerProperty(of));
    else fail('UNKNOWN_WORD', key, 'reason, max_len, id, userdata, pause or meter_id');
  }
  if (/^\d+$/.test(value.text)) to.maxLen = parseU16(value, 'a length');
  if (more.length === 0) {
    if (to.reason !== OFPR.APPLY_ACTION || to.controllerId !== 0) return { type: 'controller', ...to };
    return { type: 'output', port: OFPP.CONTROLLER, maxLen: to.maxLen };
  }
  const order = ['max_len', 'controller_id', 'reason', 'userdata', 'pause', 'meter_id', 'unknown'];
  const first: readonly Controller2Property[] = [
    ...(to.maxLen === OFPCML_NO_BUFFER ? [] : [{ type: 'max_len', maxLen: to.maxLen } as const]),
    ...(to.controllerId === 0 ? [] : [{ type: 'controller_id', controllerId: to.controllerId } as const]),
    ...(to.reason === OFPR.APPLY_ACTION ? [] : [{ type: 'reason', reason: to.reason } as const]),
  ];
  const sorted = more.toSorted((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
  return { type: 'controller2', properties: [...first, ...sorted] };
}

function controllerProperty(of: Span): Controller2Property {
  const [number = of, bytes = part(of, of.text.length)] = pieces(of);
  return { type: 'unknown', propertyType: parseU16(number, 'a property number'), body: parseBytes(bytes, 'bytes') };
}

const HASH_FIELDS = [
  'eth_src',
  'symmetric_l4',
  'symmetric_l3l4',
  'symmetric_l3l4+udp',
  'nw_src',
  'nw_dst',
  'symmetric_l3',
] as const;
const MULTIPATH = ['modulo_n', 'hash_threshold', 'hrw', 'iter_hash'] as const;
const BUNDLE = ['active_backup', 'hrw'] as const;

function oneOf<const T extends string>(all: readonly T[], of: Span | undefined, whole: Span): T {
  const where = of ?? part(whole, whole.text.length);
  return all.find((each) => each === where.text.toLowerCase()) ?? fail('UNKNOWN_WORD', where, all.join(', '));
}

/** `multipath(FIELDS,BASIS,ALGORITHM,LINKS,ARG,FIELD[BITS])` */
function multipath({ value }: Word): Action {
  const [fields, basis, algorithm, links, arg, dst] = pieces(value);
  if (basis === undefined || links === undefined || arg === undefined || dst === undefined) {
    return fail('SYNTAX', value, 'FIELDS,BASIS,ALGORITHM,LINKS,ARG,FIELD[BITS]');
  }
  const count = parseInteger(links, 0x1_0000n, 'the number of links');
  if (count === 0n) fail('OUT_OF_RANGE', links, '1 to 65536 links');
  return {
    type: 'multipath',
    fields: oneOf(HASH_FIELDS, fields, value),
    basis: parseU16(basis, 'a basis'),
    algorithm: oneOf(MULTIPATH, algorithm, value),
    maxLink: Number(count) - 1,
    arg: parseU32(arg, 'an argument'),
    dst: subfieldOf(parseSubfield(dst)),
  };
}

/** `bundle(FIELDS,BASIS,ALGORITHM,ofport[,FIELD[BITS]],members:PORT,PORT...)` */
const bundle =
  (type: 'bundle' | 'bundle_load'): ActionWord =>
  ({ value }, { names }) => {
    const at = value.text.search(/\b(?:members|slaves)\s*:/);
    if (at === -1) return fail('SYNTAX', part(value, value.text.length), 'members:PORT,PORT...');
    const [fields, basis, algorithm, kind, dst] = pieces(part(value, 0, at)).filter((each) => each.text !== '');
    const colon = value.text.indexOf(':', at);
    const members = pieces(part(value, colon + 1)).filter((each) => each.text !== '');
    if (basis === undefined || kind?.text !== 'ofport') return fail('SYNTAX', value, 'FIELDS,BASIS,ALGORITHM,ofport');
    const common = {
      fields: oneOf(HASH_FIELDS, fields, value),
      basis: parseU16(basis, 'a basis'),
      algorithm: oneOf(BUNDLE, algorithm, value),
      members: members.map((each) => parsePort(each, names)),
    };
    if (type === 'bundle') return [{ type, ...common }];
    if (dst === undefined) return fail('SYNTAX', value, 'FIELD[BITS] before members');
    return [{ type, ...common, dst: subfieldOf(parseSubfield(dst)) }];
  };

function learn({ value }: Word, context: ActionContext): Action {
  const settings: Writable<Omit<Of<'learn'>, 'type'>> = {
    idleTimeout: 0,
    hardTimeout: 0,
    priority: OFP_DEFAULT_PRIORITY,
    cookie: 0n,
    flags: 0,
    table: 1,
    finIdleTimeout: 0,
    finHardTimeout: 0,
    specs: [],
  };
  let limit: number | null = null;
  let resultDst: Of<'learn2'>['resultDst'];
  for (const word of words(value)) {
    const { key, value: of } = word;
    if (key.text === 'idle_timeout') settings.idleTimeout = parseU16(of, 'seconds');
    else if (key.text === 'hard_timeout') settings.hardTimeout = parseU16(of, 'seconds');
    else if (key.text === 'fin_idle_timeout') settings.finIdleTimeout = parseU16(of, 'seconds');
    else if (key.text === 'fin_hard_timeout') settings.finHardTimeout = parseU16(of, 'seconds');
    else if (key.text === 'priority') settings.priority = parseU16(of, 'a priority');
    else if (key.text === 'cookie') settings.cookie = parseU64(of, 'a cookie');
    else if (key.text === 'table') settings.table = Number(parseInteger(of, 254n, 'a table'));
    else if (key.text === 'send_flow_rem') settings.flags |= NX_LEARN_F.SEND_FLOW_REM;
    else if (key.text === 'delete_learned') settings.flags |= NX_LEARN_F.DELETE_LEARNED;
    else if (key.text === 'limit') limit = parseU32(of, 'a number of flows');
    else if (key.text === 'result_dst') {
      settings.flags |= NX_LEARN_F.WRITE_RESULT;
      const dst = parseSubfield(of);
      if (dst.bits !== 1) fail('BAD_VALUE', of, 'one bit of a field');
      resultDst = fieldBitOf(dst);
    } else settings.specs = [...settings.specs, parseLearnSpec(word, context.names)];
  }
  if (limit === null && resultDst === undefined) return { type: 'learn', ...settings };
  return { type: 'learn2', ...settings, limit: limit ?? 0, ...(resultDst === undefined ? {} : { resultDst }) };
}

/** `ct([commit],[force],[table=T],[zone=Z],[nat...],[exec(...)],[alg=...])` */
const ct =
  (nested: NestedActions): ActionWord =>
  ({ key: whole, value }, context) => {
    const out: Writable<Of<'ct'>> = { type: 'ct', flags: 0, zone: 0, alg: 0, actions: [] };
    for (const word of words(value)) {
      const { key, value: of } = word;
      if (key.text === 'commit') out.flags |= NX_CT_F.COMMIT;
      else if (key.text === 'force') out.flags |= NX_CT_F.FORCE;
      else if (key.text === 'table') out.recircTable = Number(parseInteger(of, 254n, 'a table'));
      else if (key.text === 'zone') out.zone = zoneOf(of);
      else if (key.text === 'alg') out.alg = algOf(of);
      else if (key.text === 'nat') out.actions = [...out.actions, nat(of)];
      else if (key.text === 'exec') out.actions = [...out.actions, ...nested(of, context)];
      else fail('UNKNOWN_WORD', key, 'commit, force, table, zone, nat, exec or alg');
    }
    if ((out.flags & NX_CT_F.FORCE) !== 0 && (out.flags & NX_CT_F.COMMIT) === 0)
      fail('NOT_ALLOWED', whole, 'commit beside force');
    return [out];
  };

const zoneOf = (of: Span): number | Subfield =>
  isSubfield(of.text) ? subfieldOf(parseSubfield(of)) : parseU16(of, 'a zone: a number or a field');

const algOf = (of: Span): number =>
  of.text === 'ftp' ? 21 : of.text === 'tftp' ? 69 : parseU16(of, 'ftp, tftp or a port');

function nat(of: Span): Of<'nat'> {
  let flags = 0;
  let range: NatRange = {};
  for (const { key, value } of words(of)) {
    if (key.text === 'src' || key.text === 'dst') {
      flags |= key.text === 'src' ? NX_NAT_F.SRC : NX_NAT_F.DST;
      if (value.text !== '') range = natRange(value);
    } else if (key.text === 'persistent') flags |= NX_NAT_F.PERSISTENT;
    else if (key.text === 'hash') flags |= NX_NAT_F.PROTO_HASH;
    else if (key.text === 'random') flags |= NX_NAT_F.PROTO_RANDOM;
    else fail('UNKNOWN_WORD', key, 'src, dst, persistent, hash or random');
  }
  const both = NX_NAT_F.SRC | NX_NAT_F.DST;
  if ((flags & both) === both || (flags !== 0 && (flags & both) === 0)) fail('NOT_ALLOWED', of, 'one of src and dst');
  const choices = NX_NAT_F.PROTO_HASH | NX_NAT_F.PROTO_RANDOM;
  if ((flags & choices) === choices) fail('NOT_ALLOWED', of, 'one of hash and random');
  return { type: 'nat', flags, ...range };
}

/** `ADDRESS[-ADDRESS][:PORT[-PORT]]`, IPv6 addresses with ports in brackets. */
function natRange(of: Span): NatRange {
  const v6 = /^\[([^\]]+)\](?:-\[([^\]]+)\])?(?::(\d+)(?:-(\d+))?)?$/.exec(of.text);
  const v4 = /^([0-9.]+)(?:-([0-9.]+))?(?::(\d+)(?:-(\d+))?)?$/.exec(of.text);
  const bare = /^([0-9a-f:.]+)(?:-([0-9a-f:.]+))?$/i.exec(of.text);
  const found = v6 ?? v4 ?? bare;
  const [addrMin, addrMax, portMin, portMax] = (found ?? []).slice(1) as (string | undefined)[];
  const isAddress = v4 === null ? isIPv6 : isIPv4;
  if (addrMin === undefined || !isAddress(addrMin) || (addrMax !== undefined && !isAddress(addrMax))) {
    return fail('BAD_VALUE', of, 'ADDRESS[-ADDRESS][:PORT[-PORT]]');
  }
  const port = (text: string): number => parseU16({ text, at: of.at }, 'a port number');
  return {
    addrMin: addrMin as IpAddress,
    ...(addrMax === undefined ? {} : { addrMax: addrMax as IpAddress }),
    ...(portMin === undefined ? {} : { portMin: port(portMin) }),
    ...(portMax === undefined ? {} : { portMax: port(portMax) }),
  };
}

function sample({ value, key: whole }: Word, { names }: ActionContext): Action {
  let probability = 0;
  let [collectorSetId, direction] = [0, 'default' as 'default' | 'ingress' | 'egress'];
  let obsDomain: number | Subfield = 0;
  let obsPoint: number | Subfield = 0;
  let samplingPort: number | null = null;
  const observed = (of: Span): number | Subfield =>
    isSubfield(of.text) ? subfieldOf(parseSubfield(of)) : parseU32(of, 'a number or a field');
  for (const { key, value: of } of words(value)) {
    if (key.text === 'probability') probability = parseU16(of, 'a probability');
    else if (key.text === 'collector_set_id') collectorSetId = parseU32(of, 'a collector set');
    else if (key.text === 'obs_domain_id') obsDomain = observed(of);
    else if (key.text === 'obs_point_id') obsPoint = observed(of);
    else if (key.text === 'sampling_port') samplingPort = parsePort(of, names);
    else if (key.text === 'ingress' || key.text === 'egress') direction = key.text;
    else
      fail(
        'UNKNOWN_WORD',
        key,
        'probability, collector_set_id, obs_domain_id, obs_point_id, sampling_port, ingress or egress',
      );
  }
  if (probability === 0) fail('SYNTAX', whole, 'sample with a probability above zero');
  const common = { probability, collectorSetId };
  if (typeof obsDomain !== 'number' || typeof obsPoint !== 'number') {
    const port = samplingPort ?? OFPP.ANY;
    return { type: 'sample4', ...common, obsDomain, obsPoint, samplingPort: port, direction };
  }
  const ids = { obsDomainId: obsDomain, obsPointId: obsPoint };
  if (direction !== 'default') {
    return { type: 'sample3', ...common, ...ids, samplingPort: samplingPort ?? OFPP.ANY, direction };
  }
  return samplingPort === null
    ? { type: 'sample', ...common, ...ids }
    : { type: 'sample2', ...common, ...ids, samplingPort };
}

const PACKET_TYPES: ReadonlyMap<string, number> = new Map([
  ['ethernet', 0x0000_0000],
  ['nsh', 0x0001_894f],
  ['mpls', 0x0001_8847],
  ['mpls_mc', 0x0001_8848],
]);

/** `encap(HEADER[(PROPERTY,...)])` */
function encap({ value }: Word): Action {
  const [header, ...more] = [...words(value)];
  if (header === undefined || more.length > 0) return fail('SYNTAX', value, 'one header');
  const packetType =
    PACKET_TYPES.get(header.key.text) ?? parseU32(header.key, 'ethernet, nsh, mpls, mpls_mc or a number');
  return { type: 'encap', headerSize: 0, packetType, properties: [...words(header.value)].map(encapProperty) };
}

function encapProperty({ key, value }: Word): EncapProperty {
  if (key.text === 'md_type') return { type: 'nsh_md_type', mdType: parseU8(value, 'a metadata type') };
  const [first = value, second = value, third = part(value, value.text.length)] = pieces(value);
  if (key.text === 'tlv') {
    const tlvClass = parseU16(first, 'a class');
    return { type: 'nsh_tlv', tlvClass, tlvType: parseU8(second, 'a type'), value: parseBytes(third, 'a value') };
  }
  if (key.text !== 'property') return fail('UNKNOWN_WORD', key, 'md_type or tlv');
  return {
    type: 'unknown',
    propertyClass: parseU16(first, 'a class'),
    propertyType: parseU8(second, 'a type'),
    body: parseBytes(third, 'bytes'),
  };
}

const USE_NEXT_PROTO = 0xfffe;

/** `decap()`, `decap(packet_type(ns=NS,type=TYPE))` */
function decap({ value }: Word): Action {
  const [word] = words(value);
  if (word === undefined) return { type: 'decap', packetType: USE_NEXT_PROTO };
  if (word.key.text !== 'packet_type') return fail('UNKNOWN_WORD', word.key, 'packet_type');
  const given = new Map([...words(word.value)].map((each) => [each.key.text, each.value]));
  const [ns, type] = [given.get('ns'), given.get('type')];
  if (ns === undefined || type === undefined) return fail('SYNTAX', word.value, 'ns=NAME_SPACE,type=TYPE');
  return { type: 'decap', packetType: parseU16(ns, 'a name space') * 0x1_0000 + parseU16(type, 'a type') };
}

const one =
  (parse: (word: Word, context: ActionContext) => Action): ActionWord =>
  (word, context) => [parse(word, context)];

export const nestedActionWords = (nested: NestedActions): Readonly<Record<string, ActionWord>> => ({
  controller: one(controller),
  multipath: one(multipath),
  bundle: bundle('bundle'),
  bundle_load: bundle('bundle_load'),
  learn: one(learn),
  ct: ct(nested),
  nat: one(({ value }) => nat(value)),
  clone: one(({ value }, context) => ({ type: 'clone', actions: nested(value, context) })),
  sample: one(sample),
  encap: one(encap),
  decap: one(decap),
});
