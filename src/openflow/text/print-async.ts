// Which asynchronous messages a controller wants, by its role: kinds of message with the reasons that count.

import type { AsyncProperty } from '../messages/async-config.ts';
import { hex } from './numbers.ts';
import { bitNames, formatAny, sentence } from './print-words.ts';
import { PACKET_IN_REASONS, FLOW_REMOVED_REASONS } from './reasons.ts';

const PORT_STATUS = ['add', 'delete', 'modify'];
const ROLE_STATUS = ['primary_request', 'configuration_changed', 'experimenter_data_changed'];
const TABLE_STATUS = [null, null, null, 'vacancy_down', 'vacancy_up'];
const REQUESTFORWARD = ['group_mod_request', 'meter_mod_request'];

/** In ovs-ofctl's order. */
const KINDS: Readonly<Record<string, readonly (string | null)[]>> = {
  packet_in: PACKET_IN_REASONS,
  port_status: PORT_STATUS,
  flow_removed: FLOW_REMOVED_REASONS,
  role_status: ROLE_STATUS,
  table_status: TABLE_STATUS,
  requestforward: REQUESTFORWARD,
};

export interface AsyncMasks {
  readonly master: Readonly<Record<string, number>>;
  readonly slave: Readonly<Record<string, number>>;
}

/** `primary: PACKET_IN: no_match PORT_STATUS: add delete ... secondary: ...` */
export function formatAsyncMasks({ master, slave }: AsyncMasks): string {
  return sentence('primary:', ...kindsOf(master), 'secondary:', ...kindsOf(slave));
}

function kindsOf(masks: Readonly<Record<string, number>>): readonly string[] {
  const known = Object.entries(KINDS).map(([kind, reasons]) => {
    const mask = masks[kind] ?? 0;
    return `${kind.toUpperCase()}: ${mask === 0 ? '(off)' : bitNames(mask, reasons)}`;
  });
  // Kinds of 1.5, which ovs-ofctl does not have.
  const others = Object.entries(masks).filter(([kind]) => !(kind in KINDS));
  return [...known, ...others.map(([kind, mask]) => `${kind.toUpperCase()}: ${hex(mask)}`)];
}

export function formatAsyncProperties(properties: readonly AsyncProperty[]): string {
  const master: Record<string, number> = {};
  const slave: Record<string, number> = {};
  const others: string[] = [];
  for (const property of properties) {
    if (!('mask' in property)) others.push(formatAny(property));
    else if (property.type.endsWith('_master')) master[property.type.slice(0, -'_master'.length)] = property.mask;
    else slave[property.type.slice(0, -'_slave'.length)] = property.mask;
  }
  return sentence(formatAsyncMasks({ master, slave }), ...others);
}
