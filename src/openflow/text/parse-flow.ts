// A whole flow as `ovs-ofctl add-flow`, `mod-flows` and `del-flows` take it, and as `dump-flows` prints it.

import { OFPTT_ALL } from '../constants.ts';
import type { FlowMod } from '../model.ts';
import { parseInstructions } from './parse-actions.ts';
import type { ActionOptions } from './parse-actions.ts';
import { MatchWords } from './parse-match.ts';
import { parseU16, parseU32, parseU64, parseU8 } from './numbers.ts';
import { parsePort } from './ports.ts';
import { FLOW_FLAGS } from './print-flow.ts';
import { OFP_DEFAULT_PRIORITY } from './print-match.ts';
import { fail, part, slash, span, words } from './span.ts';
import type { Span, Word } from './span.ts';

export interface FlowOptions extends ActionOptions {
  /** `add` unless given. */
  readonly command?: FlowMod['command'];
}

type Mod = { -readonly [K in keyof FlowMod]: FlowMod[K] };

/** What dump-flows prints and nobody can set. */
const STATISTICS: ReadonlySet<string> = new Set(['duration', 'n_packets', 'n_bytes', 'idle_age', 'hard_age']);

/**
 * Additions go to table 0 unless the text names one; modifications and deletions to all. Deletions have no actions.
 * Raises TextError.
 */
export function parseFlow(text: string, options: FlowOptions = {}): FlowMod {
  const { command = 'add' } = options;
  const deletes = command === 'delete' || command === 'delete_strict';
  const { rule, actions } = split(span(text));
  const mod: Mod = {
    type: 'flow_mod',
    command,
    table: command === 'add' ? 0 : OFPTT_ALL,
    priority: OFP_DEFAULT_PRIORITY,
    cookie: 0n,
    match: [],
    instructions: [],
  };
  const match = new MatchWords(options.names);
  for (const word of words(rule)) {
    if (!takeSetting(mod, word, options) && !match.take(word))
      fail('UNKNOWN_WORD', word.key, 'a match field or a setting of flows');
  }
  mod.match = match.match();
  if (actions === null && !deletes) fail('SYNTAX', part(rule, rule.text.length), 'actions=');
  if (actions !== null && !deletes) mod.instructions = parseInstructions(actions, { ...options, match: mod.match });
  return mod;
}

/** Actions are the last of a flow: everything behind `actions=`. */
function split(whole: Span): { readonly rule: Span; readonly actions: Span | null } {
  const found = /\bactions?\s*=/.exec(whole.text);
  if (found === null) return { rule: whole, actions: null };
  return { rule: part(whole, 0, found.index), actions: part(whole, found.index + found[0].length) };
}

/** Whether the word is a setting of the flow. */
function takeSetting(mod: Mod, { key, value }: Word, { names }: FlowOptions): boolean {
  const flag = FLOW_FLAGS.indexOf(key.text);
  if (flag !== -1) {
    mod.flags = (mod.flags ?? 0) | (1 << flag);
    return true;
  }
  switch (key.text) {
    case 'table':
      mod.table = parseU8(value, 'a table');
      return true;
    case 'priority':
      mod.priority = parseU16(value, 'a priority');
      return true;
    case 'cookie':
      takeCookie(mod, value);
      return true;
    case 'idle_timeout':
      mod.idleTimeout = parseU16(value, 'seconds');
      return true;
    case 'hard_timeout':
      mod.hardTimeout = parseU16(value, 'seconds');
      return true;
    case 'importance':
      mod.importance = parseU16(value, 'an importance');
      return true;
    case 'out_port':
      mod.outPort = parsePort(value, names);
      return true;
    case 'out_group':
      mod.outGroup = parseU32(value, 'a group');
      return true;
    default:
      return STATISTICS.has(key.text);
  }
}

/** `cookie=C` sets it; `cookie=C/MASK` selects flows to modify or delete. */
function takeCookie(mod: Mod, of: Span): void {
  const { left, right } = slash(of);
  const deletes = mod.command === 'delete' || mod.command === 'delete_strict';
  if (right !== null && mod.command === 'add')
    fail('NOT_ALLOWED', right, 'a cookie without a mask, as an addition has it');
  if (right === null && deletes) fail('NOT_ALLOWED', of, 'a cookie with a mask, such as COOKIE/-1');
  mod.cookie = parseU64(left, 'a cookie');
  if (right !== null) mod.cookieMask = parseU64(right, 'a mask');
}
