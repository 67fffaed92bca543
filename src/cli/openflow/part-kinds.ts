// Of what kind the bytes of a vector are: its own words say; where they do not, the kinds to try.

import { isPartKind } from '../../openflow/parts.ts';
import type { PartKind } from '../../openflow/parts.ts';

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
