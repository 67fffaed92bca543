// Any message in one line, in the words of `ovs-ofctl ofp-print`.

import { WireError } from '../../base/errors.ts';
import { OFP_NO_BUFFER, OFPTT_ALL } from '../constants.ts';
import { errorName } from '../error-names.ts';
import { decodeMessage } from '../message.ts';
import type { Frame, Message } from '../message.ts';
import { packetInOf } from '../nicira/packet-in.ts';
import type { WireVersion } from '../wire-version.ts';
import { messageName } from './message-names.ts';
import { dottedBytes, hex } from './numbers.ts';
import { formatPort } from './ports.ts';
import { formatActions } from './print-actions.ts';
import { formatAsyncMasks, formatAsyncProperties } from './print-async.ts';
import { formatCtFlush } from './print-ct-flush.ts';
import { formatDuration, formatFlowMod } from './print-flow.ts';
import { formatGroupMod, formatMeterMod } from './print-groups.ts';
import { formatMatch, formatRule } from './print-match.ts';
import { formatReply, formatRequest } from './print-multipart.ts';
import { formatPacket } from './print-packet.ts';
import { formatPortDescription, formatPortMod, formatPortStatus, formatQueue } from './print-ports.ts';
import { formatTable } from './print-tables.ts';
import { bitNames, formatAny, sentence } from './print-words.ts';
import { reasonName, removedReasonName } from './reasons.ts';

type Of<N extends Message['type']> = Extract<Message, { type: N }>;
type Printers = { readonly [N in Message['type']]?: (message: Of<N>, version: WireVersion) => string };

const VERSIONS: Readonly<Record<WireVersion, string>> = { 1: '', 4: ' (OF1.3)', 5: ' (OF1.4)', 6: ' (OF1.5)' };

/** A whole message: `OFPT_FLOW_MOD (OF1.3) (xid=0x1): ADD priority=5,ip actions=drop` */
export function formatFrame({ version, xid, message }: Frame): string {
  const head = `${messageName(message, version)}${VERSIONS[version]} (xid=0x${xid.toString(16)}):`;
  return sentence(head, formatMessage(message, version));
}

/** Names and texts of a switch may hold anything: a line stays one line. */
const oneLine = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?');

/** What the message says, without its name. */
export function formatMessage(message: Message, version: WireVersion = 4): string {
  // A row takes exactly the message it is keyed by, which the type of an indexed row cannot say.
  const print = PRINTERS[message.type] as ((message: Message, version: WireVersion) => string) | undefined;
  if (print !== undefined) return oneLine(print(message, version));
  return oneLine(formatAny(Object.fromEntries(Object.entries(message).filter(([name]) => name !== 'type'))));
}

const CAPABILITIES = [
  'FLOW_STATS',
  'TABLE_STATS',
  'PORT_STATS',
  'GROUP_STATS',
  null,
  'IP_REASM',
  'QUEUE_STATS',
  'ARP_MATCH_IP',
  'PORT_BLOCKED',
  'BUNDLES',
  'FLOW_MONITORING',
];
const CAPABILITIES_10 = CAPABILITIES.map((name, i) => (i === 3 ? 'STP' : name));
/** enum ofp_action_type of 1.0, in ovs-ofctl's words and order. */
const ACTIONS_10 = [
  'output',
  'set_vlan_vid',
  'set_vlan_pcp',
  'strip_vlan',
  'mod_dl_src',
  'mod_dl_dst',
  'mod_nw_src',
  'mod_nw_dst',
  'mod_nw_tos',
  'mod_tp_src',
  'mod_tp_dst',
  'enqueue',
];
const FRAGMENTS = ['normal', 'drop', 'reassemble', 'reserved'];
const BUNDLE_FLAGS = ['atomic', 'ordered', 'time'];
const ROLES = { nochange: 'nochange', equal: 'equal', master: 'primary', slave: 'secondary' } as const;
const ROLE_REASONS = {
  master_request: 'primary_request',
  config: 'configuration_changed',
  experimenter: 'experimenter_data_changed',
} as const;
const NO_GENERATION = 0xffff_ffff_ffff_ffffn;

const formatConfig = ({ flags, missSendLen }: { readonly flags: number; readonly missSendLen: number }): string =>
  sentence(
    `frags=${FRAGMENTS[flags & 3] ?? ''}`,
    (flags & 4) !== 0 && 'invalid_ttl_to_controller',
    `miss_send_len=${missSendLen}`,
  );

const formatRole = (said: Of<'role_request'> | Of<'role_reply'> | Of<'role_status'>): string =>
  sentence(
    `role=${ROLES[said.role]}`,
    said.generationId !== NO_GENERATION && `generation_id=${said.generationId}`,
    'shortId' in said && said.shortId !== 0 && `short_id=${said.shortId}`,
    'reason' in said && `reason=${ROLE_REASONS[said.reason]}`,
  );

function formatPacketIn(
  message: Pick<Of<'packet_in'>, 'table' | 'cookie' | 'totalLen' | 'match' | 'reason' | 'bufferId' | 'data'>,
  more: readonly string[] = [],
): string {
  const { table, cookie, totalLen, match, reason, bufferId, data } = message;
  return sentence(
    table !== 0 && table !== OFPTT_ALL && `table_id=${table}`,
    cookie !== NO_GENERATION && `cookie=0x${cookie.toString(16)}`,
    `total_len=${totalLen}`,
    formatMatch(match),
    `(via ${reasonName(reason)})`,
    `data_len=${data.length}`,
    bufferId === OFP_NO_BUFFER ? '(unbuffered)' : `buffer=0x${bufferId.toString(16).padStart(8, '0')}`,
    ...more,
    formatPacket(data),
  );
}

/** What NXT_PACKET_IN2 has beside a packet-in. */
const formatMore = (properties: Of<'nx_packet_in2'>['properties']): readonly string[] =>
  properties.flatMap((property) => {
    if (property.type === 'userdata') return [`userdata=${dottedBytes(property.data)}`];
    if (property.type === 'continuation') return [`continuation=${property.data.toString('hex')}`];
    return property.type === 'unknown' ? [formatAny(property)] : [];
  });

interface TlvMap {
  readonly optionClass: number;
  readonly optionType: number;
  readonly optionLen: number;
  readonly index: number;
}

/** As `ovs-ofctl add-tlv-map` takes it. */
const formatTlvMap = ({ optionClass, optionType, optionLen, index }: TlvMap): string =>
  `{class=${hex(optionClass)},type=${hex(optionType)},len=${optionLen}}->tun_metadata${index}`;

function formatPacketOut({ inPort, match, actions, bufferId = OFP_NO_BUFFER, data }: Of<'packet_out'>): string {
  const from = match === undefined ? `in_port=${formatPort(inPort)}` : formatMatch(match);
  return sentence(
    from,
    `actions=${formatActions(actions)}`,
    bufferId === OFP_NO_BUFFER ? `data_len=${data.length}` : `buffer=0x${bufferId.toString(16).padStart(8, '0')}`,
    formatPacket(data),
  );
}

function formatFlowRemoved(message: Of<'flow_removed'> | Of<'nx_flow_removed'>): string {
  const { reason, table, cookie, idleTimeout, hardTimeout, packetCount, byteCount } = message;
  return sentence(
    formatRule(message),
    `reason=${removedReasonName(reason)}`,
    table !== 0 && table !== OFPTT_ALL && `table_id=${table}`,
    cookie !== 0n && `cookie:0x${cookie.toString(16)}`,
    `duration${formatDuration(message.durationSec, message.durationNsec)}`,
    `idle${idleTimeout}`,
    hardTimeout !== 0 && `hard${hardTimeout}`,
    `pkts${packetCount} bytes${byteCount}`,
  );
}

/** What the switch refused, as far as it quotes it. */
function formatError({ errorType, errorCode, data }: Of<'error'>, version: WireVersion): string {
  const name = errorName(errorType, errorCode, { version, data });
  if (errorType === HELLO_FAILED) return sentence(name, JSON.stringify(data.toString('latin1')));
  return sentence(name, data.length === 0 ? '' : quoted(data));
}

const HELLO_FAILED = 0;

function quoted(data: Buffer): string {
  try {
    return `answers ${formatFrame(decodeMessage(data))}`;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    // Switches quote as little as 64 bytes.
    return data.length < 8
      ? `answers ${data.toString('hex')}`
      : `answers type ${data[1] ?? 0} (xid=${hex(data.readUInt32BE(4))}) ${data.toString('hex')}`;
  }
}

function formatHello({ elements }: Of<'hello'>, version: WireVersion): string {
  const bitmap = elements.find((element) => element.type === 'version_bitmap');
  const versions = (bitmap?.bitmaps ?? []).flatMap((word, i) =>
    Array.from({ length: 32 }, (_, bit) => bit).flatMap((bit) => (((word >>> bit) & 1) === 1 ? [i * 32 + bit] : [])),
  );
  const offered = bitmap === undefined ? [version] : versions;
  return sentence(
    `version bitmap: ${offered.map((each) => `0x${each.toString(16).padStart(2, '0')}`).join(', ')}`,
    ...elements.filter((element) => element.type === 'unknown').map((element) => formatAny(element)),
  );
}

const formatBundle = ({
  bundleId,
  flags,
}: {
  readonly bundleId: number;
  readonly flags: number;
}): readonly string[] => [`bundle_id=0x${bundleId.toString(16)}`, `flags=${bitNames(flags, BUNDLE_FLAGS)}`];

/** Messages without a row are printed field by field. */
const PRINTERS: Printers = {
  hello: formatHello,
  error: formatError,
  echo_request: ({ data }) => `${data.length} bytes of payload`,
  echo_reply: ({ data }) => `${data.length} bytes of payload`,
  features_request: () => '',
  features_reply: ({ datapathId, tables, buffers, auxiliaryId, capabilities, ...more }, version) =>
    sentence(
      `dpid:${datapathId.toString(16).padStart(16, '0')}`,
      `n_tables:${tables}, n_buffers:${buffers}`,
      auxiliaryId !== 0 && `auxiliary_id:${auxiliaryId}`,
      `capabilities: ${bitNames(capabilities, version === 1 ? CAPABILITIES_10 : CAPABILITIES)}`,
      ...('actions' in more ? [`actions: ${bitNames(more.actions, ACTIONS_10)}`] : []),
      ...('ports' in more ? more.ports.map(formatPortDescription) : []),
    ),
  get_config_request: () => '',
  get_config_reply: formatConfig,
  set_config: formatConfig,
  packet_in: (message) => formatPacketIn(message),
  nx_packet_in: (message) => formatPacketIn(message),
  nx_packet_in2: (message) => formatPacketIn(packetInOf(message), formatMore(message.properties)),
  packet_out: formatPacketOut,
  flow_mod: formatFlowMod,
  nx_flow_mod: (message) => formatFlowMod({ ...message, type: 'flow_mod' }),
  flow_removed: formatFlowRemoved,
  nx_flow_removed: formatFlowRemoved,
  group_mod: formatGroupMod,
  meter_mod: formatMeterMod,
  port_mod: formatPortMod,
  port_status: formatPortStatus,
  table_mod: formatTable,
  table_status: ({ reason, table }) => sentence(`reason=${reason}`, formatTable(table)),
  requestforward: ({ xid, message }, version) => formatFrame({ version, xid, message }),
  nx_resume: ({ properties }) =>
    formatPacketIn(packetInOf({ type: 'nx_packet_in2', properties }), formatMore(properties)),
  multipart_request: ({ body, more }) => sentence(more && 'flags=[more]', formatRequest(body)),
  multipart_reply: ({ body, more }) => sentence(more && 'flags=[more]', formatReply(body)),
  get_async_request: ({ properties = [] }) => sentence(...properties.map((each) => formatAny(each))),
  get_async_reply: ({ properties }) => formatAsyncProperties(properties),
  set_async: ({ properties }) => formatAsyncProperties(properties),
  nx_set_async_config: ({ packetIn, portStatus, flowRemoved }) =>
    formatAsyncMasks({
      master: { packet_in: packetIn[0], port_status: portStatus[0], flow_removed: flowRemoved[0] },
      slave: { packet_in: packetIn[1], port_status: portStatus[1], flow_removed: flowRemoved[1] },
    }),
  nx_set_async_config2: ({ properties }) => formatAsyncProperties(properties),
  nx_flow_mod_table_id: ({ set }) => (set === 0 ? 'disable' : 'enable'),
  nx_set_controller_id: ({ controllerId }) => `id=${controllerId}`,
  nx_ct_flush_zone: ({ zone }) => `zone_id=${zone}`,
  nx_ct_flush: formatCtFlush,
  nx_tlv_table_mod: ({ command, maps }) => sentence(command.toUpperCase(), maps.map(formatTlvMap).join(',')),
  nx_tlv_table_request: () => '',
  nx_tlv_table_reply: ({ maxOptionSpace, maxFields, maps }) =>
    sentence(`max option space=${maxOptionSpace} max fields=${maxFields}`, maps.map(formatTlvMap).join(',')),
  barrier_request: () => '',
  barrier_reply: () => '',
  role_request: formatRole,
  role_reply: formatRole,
  role_status: formatRole,
  nx_role_request: ({ role }) => `role=${ROLES[role]}`,
  nx_role_reply: ({ role }) => `role=${ROLES[role]}`,
  queue_get_config_request: ({ portNo }) => `port=${formatPort(portNo)}`,
  queue_get_config_reply: ({ portNo, queues }) => sentence(`port=${formatPort(portNo)}`, ...queues.map(formatQueue)),
  bundle_control: (message) =>
    sentence(formatBundle(message)[0], `type=${message.control.toUpperCase()}`, formatBundle(message)[1]),
  bundle_add: (message, version) =>
    sentence(...formatBundle(message), formatFrame({ version, xid: message.xid, message: message.message })),
  experimenter: ({ experimenter, expType, data }) =>
    sentence(`experimenter=0x${experimenter.toString(16)} type=${expType}`, data.toString('hex')),
  unknown: ({ body }) => body.toString('hex'),
};
