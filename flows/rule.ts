// A rule as this room makes it, and what makes two rules the same: canonical keys, because a switch gives back its own
// spelling of what it was told (order of instructions, exact masks, forms of IPv6 addresses).

import ipaddr from 'ipaddr.js';
import type { Action, Instruction, Match, OxmField, OxmValue } from '../src/openflow/model.ts';
import { PORT } from './tables.ts';

/**
 * When a rule may change: what delivers or carries frames on comes before what lets frames in, and goes after it
 * (hard case 3). `detour` carries frames on by a way that other frames took before, which datapath caches may remember.
 */
export type Stage = 'deliver' | 'transit' | 'detour' | 'ingress';

/** What a switch holds: a rule without its history. */
export interface InstalledRule {
  readonly table: number;
  readonly priority: number;
  readonly match: Match;
  readonly instructions: readonly Instruction[];
  readonly cookie: bigint;
  /** Seconds; absent or 0: for ever. */
  readonly hardTimeout?: number;
}

export interface Rule extends InstalledRule {
  readonly stage: Stage;
}

const keys = new WeakMap<InstalledRule, string>();
const programs = new WeakMap<readonly Instruction[], string>();

/** What OpenFlow identifies a flow entry by: table, priority and match, spelt in one way. */
export function ruleKey(rule: InstalledRule): string {
  let key = keys.get(rule);
  if (key === undefined) {
    key = `${rule.table}/${rule.priority}/${matchKey(rule.match)}`;
    keys.set(rule, key);
  }
  return key;
}

/** Same effect and same owner; both must have the same key. */
export function sameRule(a: InstalledRule, b: InstalledRule): boolean {
  return (
    a === b ||
    (a.cookie === b.cookie &&
      (a.hardTimeout ?? 0) === (b.hardTimeout ?? 0) &&
      (a.instructions === b.instructions || programKey(a.instructions) === programKey(b.instructions)))
  );
}

function matchKey(match: Match): string {
  return match.map(fieldKey).sort().join(',');
}

function fieldKey(field: OxmField): string {
  const value = valueKey(field.value);
  if (field.mask === undefined) return `${field.name}=${value}`;
  const mask = valueKey(field.mask);
  return isExact(field.name, mask) ? `${field.name}=${value}` : `${field.name}=${value}/${mask}`;
}

/** A mask of all ones is no mask. Only the fields that this room ever masks are known here. */
function isExact(name: string, mask: string): boolean {
  if (name.startsWith('eth_')) return mask === 'ff:ff:ff:ff:ff:ff';
  if (name === 'metadata') return mask === 'ffffffffffffffff';
  return name === 'tcp_flags' && mask === 'fff';
}

function valueKey(value: OxmValue): string {
  if (typeof value === 'number' || typeof value === 'bigint') return value.toString(16);
  if (typeof value !== 'string') return value.toString('hex');
  const text = value.toLowerCase();
  return text.includes('::') || text.split(':').length === 8 ? ipaddr.parse(text).toString() : text;
}

function programKey(instructions: readonly Instruction[]): string {
  let key = programs.get(instructions);
  if (key === undefined) {
    key = instructions.map(instructionKey).filter(Boolean).sort().join(';');
    programs.set(instructions, key);
  }
  return key;
}

function instructionKey(instruction: Instruction): string {
  switch (instruction.type) {
    case 'goto_table':
      return `goto=${instruction.table}`;
    case 'write_metadata':
      return `metadata=${instruction.metadata.toString(16)}/${instruction.mask.toString(16)}`;
    case 'apply_actions':
    case 'write_actions':
      return instruction.actions.length === 0
        ? ''
        : `${instruction.type}=${instruction.actions.map(actionKey).join(',')}`;
    case 'clear_actions':
      return 'clear';
    case 'meter':
      return `meter=${instruction.meterId}`;
    case 'stat_trigger':
      return `stats=${instruction.flags}/${instruction.thresholds.map(({ name, value }) => `${name}:${String(value)}`).join(',')}`;
    case 'experimenter':
      return `experimenter=${instruction.experimenter}/${instruction.body.toString('hex')}`;
    case 'unknown':
      return `unknown=${instruction.instructionType}/${instruction.body.toString('hex')}`;
  }
}

function actionKey(action: Action): string {
  switch (action.type) {
    case 'output':
      return action.port === PORT.controller ? `controller/${action.maxLen ?? 0}` : `output=${action.port}`;
    case 'set_field':
      return `set=${fieldKey(action.field)}`;
    case 'move':
      return `move=${action.src}[${action.srcBit}]>${action.dst}[${action.dstBit}]*${action.bits}`;
    case 'push_vlan':
      return `push_vlan=${action.etherType}`;
    case 'pop_vlan':
      return 'pop_vlan';
    default:
      return JSON.stringify(action, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  }
}
