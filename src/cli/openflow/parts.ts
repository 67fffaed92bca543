// Parts of messages by themselves: lists of actions and instructions, matches, properties. Of what kind the bytes of a vector
// are, its own words say; where they do not, the first kind that reads all of them.

import { actions, flowActions } from '../../openflow/actions.ts';
import { groupProperties } from '../../openflow/groups.ts';
import { instructions } from '../../openflow/instructions.ts';
import { hello } from '../../openflow/messages/session.ts';
import type { Action, Instruction, Match } from '../../openflow/model.ts';
import { match } from '../../openflow/oxm.ts';
import { tableProperties } from '../../openflow/tables.ts';
import { formatActions, formatInstructions } from '../../openflow/text/print-actions.ts';
import { formatMatch } from '../../openflow/text/print-match.ts';
import { isOxmVersion } from '../../openflow/wire-version.ts';
import type { WireVersion } from '../../openflow/wire-version.ts';
import type { Codec } from '../../wire/codec.ts';

const KINDS = [
  'actions',
  'flow actions',
  'instructions',
  'match',
  'hello elements',
  'table properties',
  'group properties',
] as const;
export type PartKind = (typeof KINDS)[number];

export const isPartKind = (kind: unknown): kind is PartKind => KINDS.includes(kind as PartKind);

/** Matches and instructions of 1.0 are those of no later version: its own lists of actions stand for them. */
export function partCodec(kind: PartKind, version: WireVersion): Codec<unknown> {
  const oxm = isOxmVersion(version) ? version : 4;
  switch (kind) {
    case 'actions':
      return actions(version);
    case 'flow actions':
      return flowActions(version);
    case 'instructions':
      return version === 1 ? flowActions(1) : instructions(oxm);
    case 'match':
      return match(oxm);
    case 'hello elements':
      return hello;
    case 'table properties':
      return tableProperties;
    case 'group properties':
      return groupProperties;
  }
}

/** In ovs-ofctl's words; null for kinds that it has none for. */
export function formatPart(kind: PartKind, version: WireVersion, value: unknown): string | null {
  if (kind === 'match') return formatMatch(value as Match);
  if (kind === 'instructions' && version !== 1) return `actions=${formatInstructions(value as readonly Instruction[])}`;
  return kind.endsWith('actions') || kind === 'instructions'
    ? `actions=${formatActions(value as readonly Action[])}`
    : null;
}

export interface PartWords {
  readonly kind?: string;
  readonly test?: string;
  readonly file?: string;
}

/** The kinds to try, most likely first. */
export function likelyKinds({ kind, test = '', file = '' }: PartWords): readonly PartKind[] {
  if (isPartKind(kind)) return [kind];
  const words = `${test} ${file.replace(/^.*\//, '')}`;
  if (/instruction/.test(words)) return ['instructions'];
  if (/action translation/.test(words)) return ['actions'];
  if (/oxm|match/.test(words)) return ['match'];
  if (/apply_actions|write_actions/.test(words)) return ['instructions'];
  if (/action|nxast|send_out/.test(words)) return ['actions'];
  return ['match', 'instructions', 'actions', 'flow actions', 'hello elements', 'table properties', 'group properties'];
}
