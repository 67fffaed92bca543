// Actions that have a grammar of their own between their parentheses: controller, encap, learn, nat, sample.

import { isIPv6 } from 'node:net';

import { NX_LEARN_F, NX_NAT_F, OFPCML_NO_BUFFER, OFPP, OFPR } from '../constants.ts';
import type { Action, Controller2Property, EncapProperty, FieldBit, LearnSpec, Subfield } from '../model.ts';
import { ones } from './bits.ts';
import { textField, wireBits } from './fields.ts';
import { dottedBytes, hex, hexDigits } from './numbers.ts';
import { formatPort } from './ports.ts';
import { OFP_DEFAULT_PRIORITY } from './print-match.ts';
import { reasonName } from './reasons.ts';
import { formatBits, formatSubfield } from './subfields.ts';
import { formatFieldValue } from './values.ts';

type Of<N extends Action['type']> = Extract<Action, { type: N }>;

const list = (...parts: readonly (string | false)[]): string => parts.filter((each) => each !== false).join(',');

interface ToController {
  readonly maxLen: number;
  readonly controllerId: number;
  readonly reason: number;
  readonly userdata?: Buffer;
  readonly pause?: boolean;
  readonly meterId?: number;
  /** Properties without a word. */
  readonly more?: readonly string[];
}

/** `CONTROLLER:128` where that says it all. */
export function formatController(to: ToController): string {
  const { maxLen, controllerId, reason, userdata, pause = false, meterId, more = [] } = to;
  const { length = 0 } = userdata ?? {};
  const simple = reason === OFPR.APPLY_ACTION && controllerId === 0 && length === 0 && !pause;
  if (simple && meterId === undefined && more.length === 0) return `CONTROLLER:${maxLen}`;
  return `controller(${list(
    reason !== OFPR.APPLY_ACTION && `reason=${reasonName(reason)}`,
    maxLen !== OFPCML_NO_BUFFER && `max_len=${maxLen}`,
    controllerId !== 0 && `id=${controllerId}`,
    userdata !== undefined && length > 0 && `userdata=${dottedBytes(userdata)}`,
    pause && 'pause',
    meterId !== undefined && `meter_id=${meterId}`,
    ...more,
  )})`;
}

export function formatController2(properties: readonly Controller2Property[]): string {
  let to: ToController = { maxLen: OFPCML_NO_BUFFER, controllerId: 0, reason: OFPR.APPLY_ACTION };
  for (const property of properties) {
    const { type, ...value } = property;
    if (type === 'unknown') {
      const { propertyType, body } = property;
      to = { ...to, more: [...(to.more ?? []), `property(${propertyType},${dottedBytes(body)})`] };
    } else {
      to = { ...to, ...(type === 'pause' ? { pause: true } : value) };
    }
  }
  return formatController(to);
}

const PACKET_TYPES = new Map([
  [0x0000_0000, 'ethernet'],
  [0x0001_894f, 'nsh'],
  [0x0001_8847, 'mpls'],
  [0x0001_8848, 'mpls_mc'],
]);

export function formatEncap({ packetType, properties }: Of<'encap'>): string {
  const name = PACKET_TYPES.get(packetType) ?? hexDigits(packetType, 8);
  return `encap(${name}${properties.length === 0 ? '' : `(${properties.map(formatEncapProperty).join(',')})`})`;
}

function formatEncapProperty(property: EncapProperty): string {
  switch (property.type) {
    case 'nsh_md_type':
      return `md_type=${property.mdType}`;
    case 'nsh_tlv': {
      const { tlvClass, tlvType, value } = property;
      const digits = value.toString('hex').replace(/^0+/, '');
      return `tlv(${hexDigits(tlvClass, 4)},${tlvType},${digits === '' ? '0' : `0x${digits}`})`;
    }
    case 'unknown':
      return `property(${property.propertyClass},${property.propertyType},${dottedBytes(property.body)})`;
  }
}

export function formatNat(action: Of<'nat'>): string {
  const { flags, addrMin, addrMax, portMin, portMax } = action;
  const side = (flags & NX_NAT_F.SRC) !== 0 ? 'src' : (flags & NX_NAT_F.DST) !== 0 ? 'dst' : '';
  if (side === '') return 'nat';
  const withPorts = portMin !== undefined && portMin !== 0;
  const address = (of: string): string => (withPorts && isIPv6(of) ? `[${of}]` : of);
  const range = <T>(first: T, last: T | undefined, text: (of: T) => string): string =>
    last === undefined || last === first ? text(first) : `${text(first)}-${text(last)}`;
  const addresses = addrMin === undefined ? '' : `=${range<string>(addrMin, addrMax, address)}`;
  const ports = withPorts ? `:${range(portMin, portMax === 0 ? undefined : portMax, String)}` : '';
  return `nat(${list(
    `${side}${addresses}${ports}`,
    (flags & NX_NAT_F.PERSISTENT) !== 0 && 'persistent',
    (flags & NX_NAT_F.PROTO_HASH) !== 0 && 'hash',
    (flags & NX_NAT_F.PROTO_RANDOM) !== 0 && 'random',
  )})`;
}

interface Sampling {
  readonly probability: number;
  readonly collectorSetId: number;
  readonly obsDomainId: number | Subfield;
  readonly obsPointId: number | Subfield;
  readonly samplingPort?: number;
  readonly direction?: 'default' | 'ingress' | 'egress';
}

export function formatSample(sampling: Sampling): string {
  const { probability, collectorSetId, samplingPort = OFPP.ANY, direction = 'default' } = sampling;
  const observed = (of: number | Subfield): string => (typeof of === 'number' ? String(of) : formatSubfield(of));
  return `sample(${list(
    `probability=${probability}`,
    `collector_set_id=${collectorSetId}`,
    `obs_domain_id=${observed(sampling.obsDomainId)}`,
    `obs_point_id=${observed(sampling.obsPointId)}`,
    samplingPort !== OFPP.ANY && `sampling_port=${formatPort(samplingPort)}`,
    direction !== 'default' && direction,
  )})`;
}

export function formatLearn(action: Of<'learn' | 'learn2'>): string {
  const { table, idleTimeout, hardTimeout, finIdleTimeout, finHardTimeout, priority, flags, cookie } = action;
  const limit = action.type === 'learn2' ? action.limit : 0;
  const resultDst = action.type === 'learn2' ? action.resultDst : undefined;
  return `learn(${list(
    `table=${table}`,
    idleTimeout !== 0 && `idle_timeout=${idleTimeout}`,
    hardTimeout !== 0 && `hard_timeout=${hardTimeout}`,
    finIdleTimeout !== 0 && `fin_idle_timeout=${finIdleTimeout}`,
    finHardTimeout !== 0 && `fin_hard_timeout=${finHardTimeout}`,
    priority !== OFP_DEFAULT_PRIORITY && `priority=${priority}`,
    (flags & NX_LEARN_F.SEND_FLOW_REM) !== 0 && 'send_flow_rem',
    (flags & NX_LEARN_F.DELETE_LEARNED) !== 0 && 'delete_learned',
    cookie !== 0n && `cookie=${hex(cookie)}`,
    limit !== 0 && `limit=${limit}`,
    resultDst !== undefined && `result_dst=${formatBits(resultDst, resultDst.bit, 1)}`,
    ...action.specs.map(formatLearnSpec),
  )})`;
}

function formatLearnSpec(spec: LearnSpec): string {
  const part = (of: FieldBit): string => formatBits(of, of.bit, spec.bits);
  const { src } = spec;
  const source = 'value' in src ? hex(src.value) : part(src);
  switch (spec.type) {
    case 'output':
      return `output:${source}`;
    case 'load':
      return `load:${source}->${part(spec.dst)}`;
    case 'match': {
      if ('value' in src) return formatImmediate(spec.dst, spec.bits, src.value);
      const same = src.name === spec.dst.name && src.bit === spec.dst.bit && src.oxmType === spec.dst.oxmType;
      return same ? part(spec.dst) : `${part(spec.dst)}=${source}`;
    }
  }
}

/** A whole field reads like one of a match, a part of one is a number. */
function formatImmediate(dst: FieldBit, bits: number, value: bigint): string {
  const field = textField(dst);
  if (field === null || dst.bit !== 0 || bits !== field.bits) return `${formatBits(dst, dst.bit, bits)}=${hex(value)}`;
  return `${field.text}=${formatFieldValue(field, { value, mask: ones(wireBits(field)) })}`;
}
