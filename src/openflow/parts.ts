// Parts of messages by themselves: lists of actions and instructions, matches, properties.

import { WireError } from '../base/errors.ts';
import { actions, flowActions } from './actions.ts';
import { groupProperties } from './groups.ts';
import { instructions } from './instructions.ts';
import { hello } from './messages/session.ts';
import type { Action, Instruction, Match } from './model.ts';
import { match } from './oxm.ts';
import { tableProperties } from './tables.ts';
import { formatActions, formatInstructions } from './text/print-actions.ts';
import { formatMatch } from './text/print-match.ts';
import { isOxmVersion } from './wire-version.ts';
import type { WireVersion } from './wire-version.ts';
import { encode } from '../wire/codec.ts';
import type { Codec } from '../wire/codec.ts';
import { Reader } from '../wire/reader.ts';
import type { Reserved } from '../wire/reader.ts';

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

/** A part as JSON says it; `reserved` as in Frame. */
export interface Part {
  readonly kind: PartKind;
  readonly version: WireVersion;
  readonly value: unknown;
  readonly reserved?: readonly Reserved[];
}

/** The first of the kinds that reads all the bytes; the error of the first where none does. */
export function readPart(bytes: Buffer, version: WireVersion, kinds: readonly PartKind[]): Part {
  let first: WireError | null = null;
  for (const kind of kinds) {
    try {
      const reader = new Reader(bytes);
      const value = partCodec(kind, version).read(reader, kind.replace(/^.* /, ''));
      if (reader.remaining !== 0)
        throw new WireError('BAD_LENGTH', kind, reader.offset, `${reader.remaining} bytes left over`);
      return { kind, version, value, ...(reader.reserved === null ? {} : { reserved: reader.reserved }) };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      first ??= error;
    }
  }
  throw first ?? new WireError('BAD_TYPE', 'kind', 0, 'no kind to read it as');
}

export const writePart = ({ kind, version, value, reserved = [] }: Part): Buffer =>
  encode(partCodec(kind, version), value, kind, reserved);
