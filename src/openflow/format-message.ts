// Any message in one line, close to what ovs-ofctl prints. For logs and tests.

import { errorName } from './error-names.ts';
import { formatActions } from './format-actions.ts';
import { formatFlow, formatFlowMod, formatRule } from './format-flow.ts';
import { formatMatch, formatPort } from './format-match.ts';
import type { Message } from './message.ts';
import type { ReplyBody, RequestBody } from './messages/multipart.ts';
import type { MeterMod, PortDesc } from './model.ts';

const words = (...parts: readonly (string | false)[]): string =>
  parts.filter((part) => part !== false && part !== '').join(' ');

function formatPortDesc(port: PortDesc): string {
  const down = `${port.adminDown ? ' PORT_DOWN' : ''}${port.linkDown ? ' LINK_DOWN' : ''}`;
  return `${formatPort(port.portNo)}(${port.name}): addr:${port.hwAddr}${down}`;
}

function formatMeter(mod: MeterMod): string {
  const bands = mod.bands.map((band) => `type=${band.type ?? 'drop'} rate=${band.rate} burst_size=${band.burstSize}`);
  return `${mod.command} meter=${mod.meterId} flags=0x${mod.flags.toString(16)} bands=${bands.join(',')}`;
}

function formatPart(body: RequestBody | ReplyBody): string {
  if (body.part === 'unknown') return `part=${body.partType} ${body.body.toString('hex')}`;
  if (body.part === 'flow_stats' && 'flows' in body) {
    return `flow_stats ${body.flows.map((flow) => `priority=${flow.priority},${formatMatch(flow.match)}`).join('; ')}`;
  }
  if ('flows' in body) return `${body.part} ${body.flows.map(formatFlow).join('; ')}`;
  if (body.part === 'port_desc' && 'ports' in body) return `port_desc ${body.ports.map(formatPortDesc).join('; ')}`;
  if ('match' in body) return words(body.part, formatMatch(body.match));
  if ('software' in body) return `desc ${body.manufacturer} ${body.hardware} ${body.software}`;
  return body.part;
}

/** Any message: its name, and what it says. */
export function formatMessage(message: Message): string {
  return words(message.type, formatBody(message));
}

function formatBody(message: Message): string {
  switch (message.type) {
    case 'flow_mod':
      return formatFlowMod(message);
    case 'packet_out':
      return `in_port=${formatPort(message.inPort)} actions=${formatActions(message.actions)} data_len=${message.data.length}`;
    case 'packet_in':
      return `table_id=${message.table} cookie=0x${message.cookie.toString(16)} ${formatMatch(message.match)} reason=${message.reason} data_len=${message.data.length}`;
    case 'port_status':
      return `${message.reason} ${formatPortDesc(message.port)}`;
    case 'flow_removed':
      return `${formatRule(message)} reason=${message.reason} table_id=${message.table} cookie:0x${message.cookie.toString(16)}`;
    case 'meter_mod':
      return formatMeter(message);
    case 'multipart_request':
    case 'multipart_reply':
      return words(formatPart(message.body), message.more && 'more');
    case 'error':
      return `${errorName(message.errorType, message.errorCode, message)} ${message.data.toString('hex')}`;
    case 'bundle_control':
      return `bundle_id=0x${message.bundleId.toString(16)} ${message.control} flags=${message.flags}`;
    case 'bundle_add':
      return `bundle_id=0x${message.bundleId.toString(16)} flags=${message.flags} ${formatMessage(message.message)}`;
    default:
      return formatSession(message);
  }
}

type Session = Exclude<
  Message,
  {
    type:
      | 'flow_mod'
      | 'packet_out'
      | 'packet_in'
      | 'port_status'
      | 'flow_removed'
      | 'meter_mod'
      | 'multipart_request'
      | 'multipart_reply'
      | 'error'
      | 'bundle_control'
      | 'bundle_add';
  }
>;

function formatSession(message: Session): string {
  switch (message.type) {
    case 'features_reply':
      return `dpid:${message.datapathId.toString(16).padStart(16, '0')} n_tables:${message.tables} n_buffers:${message.buffers}`;
    case 'set_config':
    case 'get_config_reply':
      return `flags=${message.flags} miss_send_len=${message.missSendLen}`;
    case 'role_request':
    case 'role_reply':
      return `role=${message.role} generation_id=${message.generationId}`;
    case 'echo_request':
    case 'echo_reply':
      return `${message.data.length} bytes of payload`;
    case 'hello':
      return message.elements
        .map((each) =>
          each.type === 'version_bitmap' ? `versions=0x${(each.bitmaps[0] ?? 0).toString(16)}` : each.type,
        )
        .join(' ');
    case 'experimenter':
      return `0x${message.experimenter.toString(16)}/${message.expType} ${message.data.toString('hex')}`;
    case 'unknown':
      return `${message.messageType} ${message.body.toString('hex')}`;
    default:
      return '';
  }
}
