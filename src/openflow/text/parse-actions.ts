// Lists of actions and instructions from ovs-ofctl's syntax.

import { hasAction } from '../actions/list.ts';
import type { Action, Instruction, Match } from '../model.ts';
import { versionName } from '../wire-version.ts';
import type { WireVersion } from '../wire-version.ts';
import { ACTION_WORDS, outputTo } from './action-words.ts';
import type { ActionContext, ActionWord } from './action-words.ts';
import { nestedActionWords } from './nested-action-words.ts';
import { parseBytes, parseU16, parseU32, parseU64, parseU8 } from './numbers.ts';
import { portOf } from './ports.ts';
import type { PortNames } from './ports.ts';
import { INSTRUCTION_ORDER } from './print-actions.ts';
import { fail, part, pieces, slash, span, words } from './span.ts';
import type { Span, Word } from './span.ts';

export interface ActionOptions {
  /** Whose actions: 1.3 unless given. */
  readonly version?: WireVersion;
  /** Names of the switch's ports. */
  readonly names?: PortNames;
  /** Of the flow that the actions belong to: some words mean what it matches on. */
  readonly match?: Match;
}

/** A list without instructions, as packets out, buckets and write_actions have it; `drop` is the empty one. */
export function parseActions(text: string, options: ActionOptions = {}): readonly Action[] {
  return actionsOf(span(text), contextOf(options));
}

/** What follows `actions=` in a flow. */
export function parseInstructions(of: string | Span, options: ActionOptions = {}): readonly Instruction[] {
  const context = contextOf(options);
  const out: Instruction[] = [];
  let applied: Action[] | null = null;
  let dropped: Span | null = null;
  let last = 0;
  const text = typeof of === 'string' ? span(of) : of;
  for (const word of words(text)) {
    if (isDrop(word)) {
      dropped = word.key;
      continue;
    }
    const instruction = instructionOf(word, context, applied === null);
    const rank = INSTRUCTION_ORDER.indexOf(instruction?.type ?? 'apply_actions');
    if (rank < last) fail('NOT_ALLOWED', word.key, `it before ${INSTRUCTION_ORDER[last] ?? ''}`);
    last = rank;
    if (instruction !== null) out.push(instruction);
    else if (applied === null) {
      applied = [...actionOf(word, context)];
      out.push({ type: 'apply_actions', actions: applied });
    } else applied.push(...actionOf(word, context));
  }
  if (dropped !== null && out.length > 0) fail('NOT_ALLOWED', dropped, 'drop by itself');
  return out;
}

function contextOf({ version = 4, names, match = [] }: ActionOptions): ActionContext {
  const vid = match.find(({ name }) => name === 'vlan_vid');
  const tagged = vid !== undefined && (Number(vid.value) & Number(vid.mask ?? 0x1fff) & 0x1000) !== 0;
  return { version, match, tagged, ...(names === undefined ? {} : { names }) };
}

function actionsOf(of: Span, context: ActionContext): readonly Action[] {
  const all = [...words(of)];
  const drop = all.find(isDrop);
  if (drop !== undefined && all.length > 1) fail('NOT_ALLOWED', drop.key, 'drop by itself');
  return drop === undefined ? all.flatMap((word) => actionOf(word, context)) : [];
}

const isDrop = ({ key, mark }: Word): boolean => mark === '' && key.text.toLowerCase() === 'drop';

const WORDS: Readonly<Record<string, ActionWord>> = {
  ...ACTION_WORDS,
  ...nestedActionWords((of, context) => actionsOf(of, context)),
  // In 1.5 metering is an action; see instructionOf for where it stands first.
  meter: ({ key, value }, { version }) =>
    version === 6 ? [{ type: 'meter', meterId: parseU32(value, 'a meter') }] : fail('NOT_ALLOWED', key, 'an action'),
  write_metadata: ({ key, value }, { version }) =>
    version === 1 ? [{ type: 'write_metadata', ...metadataOf(value) }] : fail('NOT_ALLOWED', key, 'an action'),
};

function actionOf(word: Word, context: ActionContext): readonly Action[] {
  const name = word.key.text.toLowerCase();
  const parse = Object.hasOwn(WORDS, name) ? WORDS[name] : undefined;
  if (parse !== undefined) return known(parse(word, context), word.key, context);
  const port = portOf(word.key.text, context.names);
  return port === null ? fail('UNKNOWN_WORD', word.key, 'an action or a port') : [outputTo(port)];
}

/** What the version has no action for is refused here, where the word stands, and not when it is sent. */
function known(actions: readonly Action[], key: Span, { version }: ActionContext): readonly Action[] {
  const strange = actions.some(({ type }) => !hasAction(version, type));
  return strange ? fail('NOT_ALLOWED', key, `an action that ${versionName(version)} has`) : actions;
}

function metadataOf(of: Span): { readonly metadata: bigint; readonly mask: bigint } {
  const { left, right } = slash(of);
  const mask = right === null ? 0xffff_ffff_ffff_ffffn : parseU64(right, 'a mask');
  return { metadata: parseU64(left, 'metadata'), mask };
}

/** Null for an action. */
function instructionOf({ key, value }: Word, context: ActionContext, first: boolean): Instruction | null {
  switch (key.text.toLowerCase()) {
    case 'meter':
      if (context.version === 6 && !first) return null;
      return only(key, context, { type: 'meter', meterId: parseU32(value, 'a meter') });
    case 'clear_actions':
      return only(key, context, { type: 'clear_actions' });
    case 'write_actions':
      return only(key, context, { type: 'write_actions', actions: actionsOf(value, context) });
    case 'write_metadata':
      return context.version === 1 ? null : { type: 'write_metadata', ...metadataOf(value) };
    case 'goto_table':
      return only(key, context, { type: 'goto_table', table: parseU8(value, 'a table') });
    case 'unknown_instruction': {
      const [number = value, bytes = part(value, value.text.length)] = pieces(value);
      const instructionType = parseU16(number, 'an instruction number');
      return only(key, context, { type: 'unknown', instructionType, body: parseBytes(bytes, 'bytes') });
    }
    default:
      return null;
  }
}

const only = (key: Span, { version }: ActionContext, instruction: Instruction): Instruction =>
  version === 1 ? fail('NOT_ALLOWED', key, 'an action: OpenFlow 1.0 has no instructions') : instruction;
