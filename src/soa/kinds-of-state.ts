// The kinds of state this agent moves: registered, asked for by these names, and said in every chunk. Knows none of their records.

import type { StateChunk, StateKind } from '../protocol/generated/stateferry.ts';

export const CONNTRACK_KIND = { name: 'conntrack', schemaVersion: 1 } as const satisfies StateKind;

/** SYNs counted by source, where sets of such counters are configured. */
export const SYN_COUNTERS_KIND = { name: 'syn-counters', schemaVersion: 1 } as const satisfies StateKind;

export const kindsOfState = (countsSyns: boolean): readonly StateKind[] =>
  countsSyns ? [CONNTRACK_KIND, SYN_COUNTERS_KIND] : [CONNTRACK_KIND];

/** Of the chunk's records. Agents of before there was more than one kind leave it empty. */
export const kindOf = (chunk: Pick<StateChunk, 'kind'>): string => chunk.kind || CONNTRACK_KIND.name;

/** Those of `kinds` that are not moved here. */
export const unknownKinds = (kinds: readonly string[], countsSyns: boolean): string[] =>
  kinds.filter((kind) => !kindsOfState(countsSyns).some(({ name }) => name === kind));
