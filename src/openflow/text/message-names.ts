// What ovs-ofctl calls a message: OFPT_*, OFPST_* with its direction, NXT_* and ONFT_* for extensions.

import type { Message } from '../message.ts';
import type { WireVersion } from '../wire-version.ts';

/** Names that do not follow from the tag. */
const MESSAGES: Readonly<Record<string, string>> = {
  bundle_add: 'OFPT_BUNDLE_ADD_MESSAGE',
  experimenter: 'OFPT_EXPERIMENTER',
  vendor: 'OFPT_VENDOR',
};
const PARTS: Readonly<Record<string, string>> = { port_stats: 'PORT', flow_monitor: 'FLOW_MONITOR' };

/** Of 1.1 and later, in 1.0 Open vSwitch's extensions. */
const NICIRA_IN_10: ReadonlySet<string> = new Set(['group_mod', 'requestforward']);

/** Of 1.4 and later, in 1.3 the ONF's extensions. */
const ONF_IN_13: ReadonlySet<string> = new Set(['bundle_control', 'bundle_add', 'role_status', 'requestforward']);

/** Flow monitors of 1.3 are the ONF's. */
const isOnf = (name: string, version: WireVersion): boolean => version === 4 && name.startsWith('nx_flow_monitor');

export function messageName(message: Message, version: WireVersion): string {
  const { type } = message;
  if (type === 'multipart_request' || type === 'multipart_reply') {
    const { part } = message.body;
    const extension = part.startsWith('nx_') || (version === 1 && part.startsWith('group'));
    const name = PARTS[part] ?? part.replace(/^nx_/, '').toUpperCase();
    const number = 'partType' in message.body ? `/${message.body.partType}` : '';
    return `${extension ? (isOnf(part, version) ? 'ONFST' : 'NXST') : 'OFPST'}_${name}${number} ${type === 'multipart_request' ? 'request' : 'reply'}`;
  }
  if (message.type === 'unknown') return `OFPT_UNKNOWN/${message.messageType}`;
  const name = MESSAGES[type] ?? `OFPT_${type.toUpperCase()}`;
  if (version === 1 && NICIRA_IN_10.has(type)) return name.replace('OFPT_', 'NXT_');
  if (type.startsWith('nx_')) return `${isOnf(type, version) ? 'ONFT' : 'NXT'}_${type.slice(3).toUpperCase()}`;
  return version === 4 && ONF_IN_13.has(type) ? name.replace('OFPT_', 'ONFT_') : name;
}
